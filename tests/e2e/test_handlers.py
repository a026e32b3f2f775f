"""Handlers: ordinary Lambda functions, unchanged, answer requests and edit responses."""

import json
import pathlib
import socket

import world
from support import process

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = HERE.parents[1] / "handlers"


class Handlers(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.job = self.container()
        self.attach(self.job)
        self.sockets = self.place.short / f"{self.place.number()}hooks"  # their paths have to be short
        self.sockets.mkdir()
        for folder in (self.sockets, *self.sockets.parents[:2]):
            folder.chmod(folder.stat().st_mode | 0o011)  # the proxy's user passes through

    def get(self, path="/", *options):
        return self.curl(self.job, f"https://shop.test{path}", *options).out

    def serve(self, function, program="serve.py"):
        """Runs a function behind a Unix socket; one for each test, so that no port is in another's way."""
        path = self.sockets / f"{function}.sock"
        command = [SERVERS / program, *(["--path", HERE / "handlers"] if program == "serve.py" else [])]
        runner = ["/usr/bin/python3", "-B"] if program == "serve.py" else ["node"]
        name = function if program == "serve.py" else HERE / "handlers" / function
        running = process.Background([*runner, *command, name, "--listen", f"unix:{path}"], self.folder / f"{function}.log")
        self.addCleanup(running.stop)
        process.until(lambda: "serving" in running.said(), 20, f"{function} is served")
        return f"unix:{path}"

    def rule(self, url, **members):
        rule = {"name": "hook", "match": 'http.host == "shop.test"', "handler": {"url": url, **members}}
        file = self.folder / "rule.json"
        file.write_text(json.dumps(rule))
        self.daemon.waylay("rules", "load", "--replace", file)

    def last(self):
        return list(self.daemon.read_lines("flows"))[-1]

    def test_a_python_function_answers_with_what_it_is_told(self):
        self.rule(self.serve("app.lambda_handler"))
        answer = self.get("/greet?name=Ada", "--data-binary", "a body", "--include")
        head, _, body = answer.partition("\n\n")
        told = json.loads(body)
        self.assertEqual({key: told[key] for key in ("hello", "method", "path", "got", "left")},
                         {"hello": "Ada", "method": "POST", "path": "/greet", "got": "a body", "left": True})
        self.assertEqual(told["process"], "curl")
        self.assertIn(told["container"], self.job.name)
        self.assertEqual(head.lower().count("x-many:"), 2)
        self.assertEqual(self.shop.requests(), [])

    def test_bytes_that_are_no_text_arrive_as_they_were(self):
        self.rule(self.serve("app.lambda_handler"))
        sent = self.job.run("sh", "-c", r"printf '\377\000\001' | curl -s --data-binary @- https://shop.test/").out
        self.assertEqual(json.loads(sent)["got"], "ff0001")

    def test_a_node_function_answers_over_tcp(self):
        log = self.folder / "node.log"
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        node = process.Background(["node", SERVERS / "serve.mjs", HERE / "handlers" / "app.handler", "--listen",
                                   f"127.0.0.1:{port}"], log)
        self.addCleanup(node.stop)
        process.until(lambda: "serving" in node.said(), 20, "the function is served")
        self.rule(f"http://127.0.0.1:{port}")
        self.assertEqual(self.get("/x", "--write-out", " %{http_code}"), f"GET /x from {self.job.name} 201")

    def test_a_function_edits_the_upstreams_response(self):
        self.rule(self.serve("app.shout"), phase="response")
        plain = json.dumps({"a": "quiet"})
        answer = self.get("/echo", "--data", plain, "--write-out", " %{http_code}")
        self.assertTrue(answer.endswith(" 203"), answer)
        self.assertIn("QUIET", answer)
        self.assertEqual(len(self.shop.requests()), 1)

    def test_null_leaves_the_exchange_as_it_is(self):
        self.rule(self.serve("app.selective"))
        self.assertEqual(self.get("/tea"), "tea")
        self.assertEqual(self.get("/bytes/10", "--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"), "200 10")
        self.assertEqual(len(self.shop.requests()), 1)

    def test_a_failing_function_is_a_502_or_as_if_it_were_not_there(self):
        url = self.serve("app.broken")
        self.rule(url)
        answer = self.get("/", "--write-out", " %{http_code}")
        self.assertTrue(answer.endswith(" 502"), answer)
        self.assertIn("it has to fail", answer)
        self.rule(url, fail="open")
        self.assertEqual(self.get("/", "--output", "/dev/null", "--write-out", "%{http_code}"), "200")
        self.assertIn("it has to fail", json.dumps(self.last()))

    def test_a_slow_function_is_not_waited_for(self):
        self.rule(self.serve("app.slow"), timeout="1s")
        answer = self.get("/", "--write-out", " %{http_code} %{time_total}")
        body, code, took = answer.rsplit(" ", 2)
        self.assertEqual(code, "502")
        self.assertIn("did not answer within 1000 ms", body)
        self.assertLess(float(took), 4)

    def test_the_breaker_spares_a_dead_handler(self):
        self.rule(f"unix:{self.sockets}/nobody.sock", breaker={"failures": 2, "pause": "1h"})
        answers = [self.get("/") for _ in range(3)]
        self.assertIn("cannot be called", answers[0])
        self.assertIn("cannot be called", answers[1])
        self.assertIn("failed 2 times in a row", answers[2])
