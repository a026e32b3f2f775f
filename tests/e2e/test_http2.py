"""HTTP/2 through a container's eyes: curl, Node and gRPC, rules and faults, and attacks on the client's side."""

import json
import pathlib

import world

NODE = ("node", "h2_origin.mjs")
GRPC = ("/usr/bin/python3", "-B", "grpc_origin.py")


class Http2(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop", server=NODE)

    def begin(self):
        job = self.container()
        self.attach(job)
        return job

    def test_curl_speaks_http2_with_an_origin_that_does(self):
        job = self.begin()
        outcome = self.curl(job, "https://shop.test/", "--http2", "--write-out", "%{http_version}")
        self.assertEqual(outcome.out, "hello from shop\n2")
        both = self.curl(job, "https://shop.test/bytes/3000000", "--http2", "--output", "/dev/null", "--write-out",
                         "%{http_version} %{size_download}")
        self.assertEqual(both.out, "2 3000000")
        self.assertIn('"version":"HTTP/2"', self.daemon.waylay("flows", "--json").out)

    def test_curl_speaks_http1_with_an_origin_that_does(self):
        self.origin("old")
        job = self.begin()
        outcome = self.curl(job, "https://old.test/", "--http2", "--write-out", "%{http_version}")
        self.assertEqual(outcome.out, "hello from old\n1.1")

    def test_nodes_client_cannot_tell(self):
        job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"})
        calls = lambda: json.loads(job.run("node", "/clients/h2_calls.mjs", "shop.test").out)
        direct = calls()
        self.attach(job)
        found = calls()
        self.assertEqual(found, {**direct, "goaway": found["goaway"]})
        self.assertEqual((found["many"], found["echo"], found["trailers"], found["socket"]), (True, 3_000_000, "42", "one two"))

    def test_rules_and_faults_work_on_streams(self):
        job = self.begin()
        add = lambda name, match, *action: self.daemon.waylay("rules", "add", name, "--match", match, *action)
        add("busy", 'http.request.uri == "/status/200"', "--status", "429")
        add("mock", 'http.request.uri == "/mock"', "--respond", "503")
        add("cut", 'http.request.uri == "/cut"', "--abort")
        add("slow", 'http.request.uri == "/slow"', "--delay", "700ms")
        code = lambda path: self.curl(job, f"https://shop.test{path}", "--http2", "--output", "/dev/null", "--write-out",
                                      "%{http_code} %{http_version} %{time_total}", check=False)
        self.assertEqual(code("/status/200").out.split()[:2], ["429", "2"])
        self.assertEqual(code("/mock").out.split()[:2], ["503", "2"])
        self.assertEqual(code("/cut").status, 92, "HTTP/2 stream error")
        self.assertGreater(float(code("/slow").out.split()[2]), 0.6)
        self.assertEqual(code("/").out.split()[:2], ["200", "2"])


class Grpc(world.Case):
    def test_every_kind_of_call(self):
        self.origin("echo", server=GRPC)
        job = self.container()
        self.attach(job)
        found = self.python(job, "grpc_calls.py", "echo.test", timeout=60)
        self.assertEqual(found, {"unary": True, "trailing": str(1 << 20), "server stream": 5, "no message": 0,
                                 "client stream": f"1 1000 0 {1 << 20}", "chat": True, "deadline": "DEADLINE_EXCEEDED",
                                 "deadline in time": True, "refused": "NOT_FOUND", "again": True, "cancelled": True,
                                 "rule": "UNIMPLEMENTED"})


class Floods(world.Case):
    """Whatever a client does to us: another connection is answered within 2 s, and memory grows by less than 64 MiB."""

    def setUp(self):
        super().setUp()
        self.origin("shop", server=NODE)
        self.job = self.container()
        self.attach(self.job)
        self.curl(self.job, "https://shop.test/", "--http2")

    def resident(self):
        lines = pathlib.Path(f"/proc/{self.daemon.proxy}/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    def flood(self, kind):
        before = most = self.resident()
        attack = self.job.begin(self.folder / "flood.json", "/usr/bin/python3", "-B", "/clients/h2_floods.py", "shop.test", kind)
        self.addCleanup(attack.stop)
        for _ in range(100):
            outcome = self.curl(self.job, "https://shop.test/", "--http2", "--write-out", " %{time_total}")
            self.assertTrue(outcome.out.startswith("hello from shop"), outcome)
            self.assertLess(float(outcome.out.split()[-1]), 2.0, f"a neighbour waits during {kind}")
            most = max(most, self.resident())
            if not attack.is_running():
                break
        self.assertLess(most - before, 64 << 20, f"memory during {kind}")
        found = json.loads(attack.said().splitlines()[-1])
        self.assertTrue(found["ended"], f"{kind}: {found}")
        return found

    def test_header_floods_end_within_256_kib(self):
        for kind in ("continuation", "small continuation", "hpack", "small hpack"):
            with self.subTest(kind):
                self.assertLess(self.flood(kind)["bytes"], 256 << 10)

    def test_rapid_resets_end_within_a_thousand(self):
        for kind in ("reset", "forced reset"):
            with self.subTest(kind):
                self.assertLess(self.flood(kind)["units"], 1000)

    def test_floods_of_empty_frames_end(self):
        for kind in ("ping", "settings", "empty data", "priority", "window"):
            with self.subTest(kind):
                self.flood(kind)

    def test_clients_that_take_nothing_cost_little(self):
        self.flood("zero windows")
