"""One boto3 call: s3_call.py MODE METHOD JSON. MODE is a retry mode, METHOD a method of the S3 client (or dynamodb:method).

Prints as JSON what boto3 itself says of it: the outcome, the error code, and how many retries it made.
"""

import json
import sys

import boto3
import botocore.config
import botocore.exceptions


def main():
    mode, method, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    service, _, method = method.rpartition(":")
    client = boto3.client(service or "s3",
                          config=botocore.config.Config(retries={"mode": mode}, s3={"addressing_style": "path"}))
    try:
        answer = getattr(client, method)(**arguments)
        print(json.dumps({"ok": True, "status": answer["ResponseMetadata"]["HTTPStatusCode"],
                          "retries": answer["ResponseMetadata"]["RetryAttempts"]}))
    except botocore.exceptions.ClientError as error:
        print(json.dumps({"ok": False, "code": error.response["Error"].get("Code"),
                          "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
                          "retries": error.response["ResponseMetadata"]["RetryAttempts"]}))
    except botocore.exceptions.BotoCoreError as error:
        print(json.dumps({"ok": False, "code": type(error).__name__, "text": str(error)}))


main()
