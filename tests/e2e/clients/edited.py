"""Unmodified boto3 reads an S3 object with its checksum and a DynamoDB item with its: prints what it got as JSON."""

import hashlib
import json

import boto3
import botocore.config
import botocore.httpchecksum

checked = []
update = botocore.httpchecksum.StreamingChecksumBody._validate_checksum


def note(body):
    update(body)
    checked.append(body._checksum.b64digest())


botocore.httpchecksum.StreamingChecksumBody._validate_checksum = note

config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 2})
book = boto3.client("s3", config=config).get_object(Bucket="shelf", Key="book", ChecksumMode="ENABLED")
text = book["Body"].read().decode()
dynamodb = boto3.client("dynamodb", config=botocore.config.Config(retries={"mode": "legacy"}))
item = dynamodb.get_item(TableName="goods", Key={"id": {"S": "one"}})
print(json.dumps({"text": text, "etag": book.get("ETag"), "md5": f'"{hashlib.md5(text.encode()).hexdigest()}"', "checked": len(checked),
                  "item": item["Item"], "retries": item["ResponseMetadata"]["RetryAttempts"]}))
