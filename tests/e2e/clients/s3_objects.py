"""Unmodified boto3 against S3: creates a bucket, puts and gets three objects; prints what came back as JSON."""

import hashlib
import json
import sys

import boto3
import botocore.config

SIZES = {"empty": 0, "small": 1024, "large": 20 * 1024 * 1024}


def content(size):
    block = hashlib.sha512(b"waylay").digest() * 64
    return (block * (size // len(block) + 1))[:size]


def main():
    bucket = sys.argv[1]
    s3 = boto3.client("s3", config=botocore.config.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    result = {}
    for name, size in SIZES.items():
        body = content(size)
        stored = s3.put_object(Bucket=bucket, Key=name, Body=body)
        got = s3.get_object(Bucket=bucket, Key=name)
        back = got["Body"].read()
        result[name] = {"etag": stored["ETag"], "length": got["ContentLength"], "sha256": hashlib.sha256(back).hexdigest(),
                        "identical": back == body, "type": got["ContentType"]}
    result["keys"] = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    print(json.dumps(result, sort_keys=True))


main()
