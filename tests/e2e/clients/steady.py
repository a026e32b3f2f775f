"""A job that calls S3 every 20 ms with one boto3 client, each time over a new connection (the origin closes it).

It does not retry, so that each failure counts. One JSON line a call: when it began, how long it took, what went wrong.
Ends by itself after the seconds given as its argument.
"""

import json
import sys
import time

import boto3
import botocore.config

client = boto3.client("s3", config=botocore.config.Config(
    retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5))
end = time.time() + float(sys.argv[1])
following = time.time()
while following < end:
    following = max(following + 0.020, time.time())
    time.sleep(max(0.0, following - time.time()))
    begun = time.time()
    problem = None
    try:
        client.list_buckets()
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    print(json.dumps({"begun": begun, "took": round(time.time() - begun, 4), "problem": problem}), flush=True)
