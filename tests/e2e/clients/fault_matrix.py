"""One boto3 call for each service, fault and retry mode: fault_matrix.py FAULT... ("named": the one of the service's row).

The header x-fault tells the rules which fault is wanted. Prints one JSON line a call: how many requests it made, and the
exception that it ended with. Back-off sleeps last no time.
"""

import json
import pathlib
import sys
import time

import boto3
import botocore.config
import botocore.exceptions
import botocore.retries.bucket

HERE = pathlib.Path(__file__).parent
MODES = ("legacy", "standard", "adaptive")


def main():
    time.sleep = lambda _: None
    botocore.retries.bucket.TokenBucket.acquire = lambda *_, **__: True  # adaptive's client-side rate limit
    session = boto3.Session()
    # Debian's botocore is older than Bedrock; this describes the one operation that is called here.
    session._loader.search_paths.append(str(HERE / "models"))
    for service, row in json.loads((HERE / "fault_matrix.json").read_text()).items():
        if "python" not in row:
            continue
        for mode in MODES:
            caller = Caller(session, row, mode)
            for fault in sys.argv[1:]:
                name = row["named"] if fault == "named" else fault
                print(json.dumps({"service": service, "fault": fault, "mode": mode, **caller.call(f"aws:{name}")}), flush=True)


class Caller:
    def __init__(self, session, row, mode):
        name, method = row["python"]
        config = botocore.config.Config(retries={"mode": mode}, s3={"addressing_style": "path"})
        client = session.client(name, config=config)
        client.meta.events.register("before-send", self.before_send)
        self._call, self._input, self._fault, self._requests = getattr(client, method), row["input"], None, 0

    def before_send(self, request, **_):
        request.headers["x-fault"] = self._fault
        self._requests += 1

    def call(self, fault):
        self._fault, self._requests = fault, 0
        try:
            self._call(**self._input)
            return {"requests": self._requests, "class": None}
        except botocore.exceptions.ClientError as error:
            return {"requests": self._requests, "class": type(error).__name__, "code": error.response["Error"]["Code"],
                    "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
                    "request id": bool(error.response["ResponseMetadata"].get("RequestId"))}
        except botocore.exceptions.BotoCoreError as error:
            return {"requests": self._requests, "class": type(error).__name__, "problem": str(error)}


main()
