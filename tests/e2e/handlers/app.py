"""A Lambda function as people write them: nothing in it knows of Waylay."""

import base64
import json
import time


def lambda_handler(event, context):
    name = (event.get("queryStringParameters") or {}).get("name", "nobody")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"X-Many": ["1", "2"]},
        "body": json.dumps({
            "hello": name,
            "method": event["httpMethod"],
            "path": event["path"],
            "got": base64.b64decode(event["body"]).hex() if event["isBase64Encoded"] else event["body"],
            "container": event["requestContext"]["container"]["name"],
            "process": event["requestContext"]["process"]["name"],
            "left": context.get_remaining_time_in_millis() > 0,
        }),
    }


def shout(event, context):
    response = event["response"]
    response["body"] = response["body"].upper()
    response["statusCode"] = 203
    return response


def selective(event, context):
    return {"statusCode": 418, "body": "tea"} if event["path"] == "/tea" else None


def broken(event, context):
    raise ValueError("it has to fail")


def slow(event, context):
    time.sleep(5)
    return {"statusCode": 200, "body": "late"}
