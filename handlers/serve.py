#!/usr/bin/env python3
"""Serves an ordinary AWS Lambda handler to a Waylay rule, where the Lambda runtime emulator is not at hand.

    serve.py MODULE.FUNCTION [--listen 127.0.0.1:9000 | --listen unix:/run/hook.sock] [--path DIRECTORY]

The rule: {"name": "mine", "match": "...", "handler": {"url": "http://127.0.0.1:9000"}}. It speaks the Invoke API of
Lambda: an event is POSTed to /2015-03-31/functions/function/invocations, the handler's result is the answer; an
exception is answered with X-Amz-Function-Error, and with its type and message.
"""

import argparse
import http.server
import importlib
import json
import os
import socketserver
import stat
import sys
import time
import traceback
import uuid

INVOCATIONS = "/2015-03-31/functions/"


class Context:
    """What handlers use of Lambda's context object."""

    def __init__(self, name, seconds):
        self.function_name = name
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = "128"
        self.aws_request_id = str(uuid.uuid4())
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        self.log_group_name, self.log_stream_name = f"/aws/lambda/{name}", "local"
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self):
        return max(0, int((self._end - time.monotonic()) * 1000))


class Invocations(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        event = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not (self.path.startswith(INVOCATIONS) and self.path.endswith("/invocations")):
            return self.answer(404, b"{}")
        try:
            result = self.server.function(json.loads(event), Context(self.server.name, 900))
            self.answer(200, json.dumps(result).encode())
        except Exception as error:  # whatever a handler raises is told to the caller, as Lambda does
            traceback.print_exc()
            told = {"errorMessage": str(error), "errorType": type(error).__name__}
            self.answer(200, json.dumps(told).encode(), {"X-Amz-Function-Error": "Unhandled"})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "waylay"

    def log_message(self, *words):
        pass


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def listen(where):
    if where.startswith("unix:"):
        path = where.removeprefix("unix:")
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
        server = UnixServer(path, Invocations)
        os.chmod(path, 0o666)  # the proxy is a user of its own
        return server
    host, _, port = where.rpartition(":")
    return TcpServer((host, int(port)), Invocations)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("handler", metavar="MODULE.FUNCTION")
    parser.add_argument("--listen", default="127.0.0.1:9000", metavar="ADDRESS")
    parser.add_argument("--path", default=".", help="where the module is")
    options = parser.parse_args()
    module, _, function = options.handler.rpartition(".")
    if not module:
        parser.error("the handler is named as in Lambda: MODULE.FUNCTION, such as app.lambda_handler")
    sys.path.insert(0, options.path)
    server = listen(options.listen)
    server.function = getattr(importlib.import_module(module), function)
    server.name = module
    print(f"serving {options.handler} on {options.listen}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
