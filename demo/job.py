"""The demo's job: unmodified boto3 that reads a report from S3, in both of its common retry modes."""

import time

import boto3
import botocore.config
import botocore.exceptions


def client(mode, **retries):
    # Newer botocores name their retry mode in the User-Agent like this by themselves; Debian 12's does not yet.
    return boto3.client("s3", config=botocore.config.Config(
        retries={"mode": mode, **retries}, user_agent_extra=f"cfg/retry-mode#{mode}", connect_timeout=2, read_timeout=10, s3={"addressing_style": "path"}))


def read_report(s3):
    return s3.get_object(Bucket="reports", Key="november.csv")


def wait_for_s3():
    """Until a server answers at all, be it with an error. It asks for something else than the report, and only once."""
    probe = client("standard", total_max_attempts=1)
    said = False
    while True:
        try:
            probe.head_bucket(Bucket="reports")
            return
        except botocore.exceptions.ClientError:
            return
        except botocore.exceptions.BotoCoreError as error:
            if not said:
                print(f"no answer from S3 ({type(error).__name__}); waiting", flush=True)
            said = True
            time.sleep(0.5)


def call(mode):
    s3, requests, started = client(mode), [], time.monotonic()
    s3.meta.events.register("before-send.s3.GetObject", lambda **_: requests.append(time.monotonic()))
    try:
        answer = read_report(s3)
        result = f"ok: {answer['Body'].read().decode().strip()!r}"
    except botocore.exceptions.ClientError as error:
        facts = error.response
        result = f"error {facts['ResponseMetadata']['HTTPStatusCode']}: {facts['Error'].get('Message') or 'no message'}"
    many = "request" if len(requests) == 1 else "requests"
    print(f"{mode:8} mode: {len(requests)} {many} in {time.monotonic() - started:.1f} s, {result}", flush=True)


wait_for_s3()
for mode in ("legacy", "standard"):
    call(mode)
print("done", flush=True)
time.sleep(600)  # a job ends when somebody stops it
