"""AWS faults with the real SDKs: each service, fault and retry mode makes the exception and the requests that it should."""

import json
import pathlib
import re

import retries
import world

HERE = pathlib.Path(__file__).resolve().parent
PLAN = json.loads((HERE / "clients" / "fault_matrix.json").read_text())
FAULTS = ("throttle", "slowdown", "unavailable", "internal", "timeout", "expired-token", "access-denied", "named")
HOSTS = [f"{name}.eu-west-1.amazonaws.com" for name in (
    "s3", "dynamodb", "sqs", "sns", "kinesis", "lambda", "ec2", "sts", "secretsmanager", "ssm", "monitoring", "api.ecr", "ecs",
    "states", "bedrock-runtime", "123456789012.data-kinesis")]
OVER_HTTP2 = ("kinesis", "bedrock-runtime")  # what the JavaScript SDK speaks HTTP/2 with

# What a client sees that speaks another protocol than its service's usual one, or is told the query protocol's code.
QUERY = {"unavailable": ("ServiceUnavailable", 503), "timeout": ("RequestTimeout", 400), "expired-token": ("ExpiredToken", 403),
         "access-denied": ("AccessDenied", 403)}
SEEN_OTHERWISE = {
    ("python", "sqs"): QUERY,
    ("js", "sqs"): {"expired-token": ("ExpiredToken", 400), "access-denied": ("AccessDenied", 403)},
    ("js", "monitoring"): {"timeout": ("RequestTimeoutException", 408), "expired-token": ("ExpiredToken", 400),
                           "access-denied": ("AccessDenied", 400)},
}
NAMED = {"s3": ("NoSuchKey", 404), "dynamodb": ("ConditionalCheckFailedException", 400),
         "sqs": ("AWS.SimpleQueueService.NonExistentQueue", 400), "sns": ("NotFound", 404),
         "kinesis": ("ResourceNotFoundException", 400), "lambda": ("ResourceNotFoundException", 404),
         "ec2": ("InvalidInstanceID.NotFound", 400), "sts": ("ExpiredTokenException", 400),
         "secretsmanager": ("ResourceNotFoundException", 400), "ssm": ("ParameterNotFound", 400),
         "monitoring": ("ResourceNotFoundException", 404), "ecr": ("RepositoryNotFoundException", 400),
         "ecs": ("ClusterNotFoundException", 400), "states": ("ExecutionDoesNotExist", 400),
         "bedrock-runtime": ("ResourceNotFoundException", 404)}

# The codes for which an SDK's model of the service has a class of its own; the class is of that name, or the one given.
MODELED = {
    "s3": "NoSuchKey js:AccessDenied",
    "dynamodb": "ProvisionedThroughputExceededException InternalServerError ConditionalCheckFailedException",
    "sqs": "AWS.SimpleQueueService.NonExistentQueue=QueueDoesNotExist js:RequestThrottled",
    "sns": "InternalError=InternalErrorException AuthorizationError=AuthorizationErrorException NotFound=NotFoundException",
    "kinesis": "ProvisionedThroughputExceededException InternalFailureException ResourceNotFoundException "
               "js:AccessDeniedException",
    "lambda": "TooManyRequestsException ServiceException ResourceNotFoundException",
    "ec2": "",
    "sts": "ExpiredTokenException",
    "secretsmanager": "InternalServiceError ResourceNotFoundException",
    "ssm": "InternalServerError ParameterNotFound js:ThrottlingException js:AccessDeniedException",
    "monitoring": "InternalServiceError=InternalServiceFault ResourceNotFoundException",
    "ecr": "ServerException RepositoryNotFoundException",
    "ecs": "ServerException AccessDeniedException ClusterNotFoundException",
    "states": "ExecutionDoesNotExist",
    "bedrock-runtime": "ThrottlingException ServiceUnavailableException InternalServerException ModelTimeoutException "
                       "AccessDeniedException ResourceNotFoundException",
}


def documented():
    """(service, fault) -> (code, status), as docs/faults.md has it."""
    page = (HERE.parents[1] / "docs" / "faults.md").read_text()
    rows = re.search(r"<!-- begin services .*?-->\n(.*?)<!-- end services", page, re.DOTALL)[1].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {(row[0], fault): (cell.split()[0], int(cell.split()[1]))
            for row in cells[2:] for fault, cell in zip(cells[0][2:], row[2:])}


DOCUMENTED = documented()


def expected(sdk, row, fault, mode):
    """What a call must come to: requests, class, code as the SDK names it, status."""
    service = row.split()[0]
    code, status = (NAMED[service] if fault == "named" else ("SlowDown", 503) if fault == "slowdown" else
                    SEEN_OTHERWISE.get((sdk, service), {}).get(fault) or DOCUMENTED[service, fault])
    requests = retries.REQUESTS[sdk, mode](service, status, code)
    name = class_of(sdk, service, code)
    if sdk == "python":
        return {"requests": requests, "class": name or "ClientError", "code": code, "status": status}
    generic = PLAN[row]["js"][1].removesuffix("Client") + "ServiceException"
    return {"requests": requests, "class": name or generic, "code": name or code, "status": status}


def class_of(sdk, service, code):
    for word in MODELED[service].split():
        only, _, rest = word.rpartition(":")
        known, _, name = rest.partition("=")
        if known == code and only in ("", sdk):
            return name or known
    return None


class Matrix(world.Case):
    def begin(self):
        environment = {"AWS_REGION": "eu-west-1", "AWS_STS_REGIONAL_ENDPOINTS": "regional",
                       "NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}
        self.job = self.container(environment=environment, volumes=[(world.NPM / "aws" / "node_modules", "/node_modules:ro")])
        self.attach(self.job)
        rules = self.folder / "faults.json"
        names = [fault for fault in FAULTS if fault != "named"] + [row["named"] for row in PLAN.values()]
        rules.write_text(json.dumps([{"name": name, "match": f'http.header["x-fault"] == "aws:{name}"', "fault": f"aws:{name}"}
                                     for name in sorted(set(names))]))
        self.daemon.waylay("rules", "load", rules)

    def cells(self, *command):
        lines = self.job.run(*command, *FAULTS, timeout=180).out.splitlines()
        return {(cell.pop("service"), cell.pop("fault"), cell.pop("mode")): cell for cell in map(json.loads, lines)}

    def wrong_in(self, sdk, modes, rows, seen):
        wrong = []
        for mode in modes:
            for row in rows:
                for fault in FAULTS if sdk in PLAN[row] else ():
                    wanted, cell = expected(sdk, row, fault, mode), seen.get((row, fault, mode))
                    if cell is None or {key: cell.get(key) for key in wanted} != wanted or not cell["request id"]:
                        wrong.append(f"{row} {fault} {sdk} {mode}: {cell} instead of {wanted}")
        return wrong


class FaultsOverHttp2(Matrix):
    """botocore speaks HTTP/1.1 alone; the JavaScript SDK speaks HTTP/2 with the services that stream."""

    def setUp(self):
        super().setUp()
        self.origin("aws", *(host for host in HOSTS if any(name in host for name in OVER_HTTP2)), server=("node", "h2_origin.mjs"))
        self.begin()

    def test_each_fault_makes_the_same_exception_and_retries_as_over_http1(self):
        seen = self.cells("node", "/clients/fault_matrix.mjs", "--http2", ",".join(OVER_HTTP2))
        rows = [row for row in PLAN if row.startswith(OVER_HTTP2)]
        modes = [mode for sdk, mode in retries.REQUESTS if sdk == "js"]
        for (row, fault, mode), cell in seen.items():
            print(f"    {row:24} {fault:14} {mode:9} {cell['requests']}: {cell['class']} ({cell.get('code')} {cell.get('status')})",
                  flush=True)
        self.assertEqual(len(seen), len(rows) * len(FAULTS) * len(modes))
        self.assertFalse(self.wrong_in("js", modes, rows, seen))
        made = [line for line in self.daemon.read_lines("flows") if line["type"] == "exchange"]
        self.assertEqual(len(made), sum(cell["requests"] for cell in seen.values()))
        self.assertEqual({(one["request"]["version"], one["injected"]) for one in made}, {("HTTP/2", True)})


class Faults(Matrix):
    def setUp(self):
        super().setUp()
        self.internet.names.update({host: ("203.0.113.250", "2001:db8:ffff::250") for host in HOSTS})  # nobody is there
        self.begin()

    def test_the_matrix_of_services_faults_sdks_and_retry_modes_is_as_documented(self):
        seen = {"python": self.cells("/usr/bin/python3", "-B", "/clients/fault_matrix.py"),
                "js": self.cells("node", "/clients/fault_matrix.mjs")}
        for row in PLAN:
            for fault in FAULTS:
                print(self.line(seen, row, fault), flush=True)
        wrong = [line for (sdk, mode) in retries.REQUESTS for line in self.wrong_in(sdk, (mode,), PLAN, seen[sdk])]
        self.assertFalse(wrong, "\n".join(wrong))
        made = sum(cell["requests"] for cells in seen.values() for cell in cells.values())
        self.assertEqual(sum(rule["hits"] for rule in self.daemon.read("rules", "list")), made, "each request was answered")

    def line(self, seen, row, fault):
        words = [f"    {row:20} {fault:14}"]
        for sdk, name in (("python", "botocore"), ("js", "JavaScript")):
            cells = {mode: seen[sdk].get((row, fault, mode)) for (one, mode) in retries.REQUESTS if one == sdk}
            if all(cells.values()):
                first = next(iter(cells.values()))
                counts = ", ".join(f"{mode} {cell['requests']}" for mode, cell in cells.items())
                words.append(f"{name} {counts}: {first['class']} ({first.get('code')} {first.get('status')})")
        return "  ".join(words)
