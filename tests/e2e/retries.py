"""Which answers AWS SDKs retry, and how many requests a call then makes in all (docs/faults.md, "Who retries what").

Facts about the SDKs, as data; measured, and said in their documents. What a test saw has no place here.
"""

THROTTLING = {
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException"}
TRANSIENT = {"RequestTimeout", "RequestTimeoutException"}
SERVER_ERRORS = {500, 502, 503, 504}

LEGACY_CODES = {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
                "ProvisionedThroughputExceededException"}
LEGACY_OF_SERVICE = {("s3", 400, "RequestTimeout"), ("sqs", 403, "RequestThrottled"),
                     ("kinesis", 400, "LimitExceededException"), ("dynamodb", 400, "TransactionInProgressException")}


def botocore_legacy(service, status, code):
    retried = (status in SERVER_ERRORS | {429, 509} or (status == 400 and code in LEGACY_CODES)
               or (service, status, code) in LEGACY_OF_SERVICE)
    return (10 if service == "dynamodb" else 5) if retried else 1


def botocore_standard(service, status, code):
    return 3 if status in SERVER_ERRORS or code in THROTTLING | TRANSIENT else 1


def javascript(service, status, code):
    retried = status in SERVER_ERRORS | {429} or code in THROTTLING | TRANSIENT
    return (4 if service == "dynamodb" else 3) if retried else 1


REQUESTS = {("python", "legacy"): botocore_legacy, ("python", "standard"): botocore_standard,
            ("python", "adaptive"): botocore_standard, ("js", "standard"): javascript, ("js", "adaptive"): javascript}
