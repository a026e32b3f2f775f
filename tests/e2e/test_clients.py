"""Real clients over HTTP/2 through the real daemon: none of them can tell, but for the certificate's issuer."""

import json
import os

import world
from support import process

ORIGIN = ("node", "h2_origin.mjs")
JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
REAL = "/clients/real"
CLIENTS = {
    "curl": ("/usr/bin/python3", "-B", f"{REAL}/calls_curl.py"),
    "Node": ("node", f"{REAL}/calls.mjs"),
    "httpx": ("/usr/bin/python3", "-B", f"{REAL}/calls_httpx.py"),
    "Go": ("/program/calls",),
    "Java": (JAVA, f"{REAL}/Calls.java"),
    "Chromium": ("/usr/bin/python3", "-B", f"{REAL}/chromium.py", "/waylay/ca.crt"),
}
TELL_TRAILERS = ("curl", "Node", "Go")
EXECUTABLES = {"curl": "curl", "Node": "node", "httpx": "python3", "Go": "calls", "Java": "java", "Chromium": "chromium"}


class RealClients(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop", server=ORIGIN)
        self.job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"},
                                  volumes=[(self.go_program(), "/program:ro"), (self.daemon.state, "/waylay:ro"),
                                           ("/etc/java-17-openjdk", "/etc/java-17-openjdk:ro"),
                                           ("/etc/ssl/certs/java", "/etc/ssl/certs/java:ro"), ("/etc/fonts", "/etc/fonts:ro")])
        self.attach(self.job)

    def go_program(self):
        """Built where go's own cache lives no longer than this run."""
        folder = self.place.folder("go")
        if not (folder / "calls").exists():
            environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GOPROXY": "off",
                           "GO111MODULE": "off"}
            source = f"{__file__.removesuffix('test_clients.py')}clients/real/calls.go"
            process.run(["go", "build", "-o", folder / "calls", source], env=environment, timeout=240)
        return folder

    def lines(self, name, *words):
        out = self.job.run(*CLIENTS[name], "shop.test", *words, timeout=120).out
        return [json.loads(line) for line in out.splitlines()]

    def own_name(self):
        subject = process.run(["openssl", "x509", "-in", self.daemon.ca, "-noout", "-subject", "-nameopt", "multiline"]).out
        return next(line.partition("=")[2].strip() for line in subject.splitlines() if "commonName" in line)

    def exchanges(self):
        return [line for line in self.daemon.read_lines("flows") if line["type"] == "exchange"]

    def hold_client(self, name):
        before = {exchange["id"] for exchange in self.exchanges()}
        found = self.only(self.lines(name))
        self.assertIn(self.own_name(), found.pop("issuer"), "who answered")
        wanted = {"protocol": "h2", "many": True, "echo": 3_000_000, "download": 20_000_000}
        self.assertEqual(found, {**wanted, "trailer": "42"} if name in TELL_TRAILERS else wanted)
        made = [exchange for exchange in self.exchanges() if exchange["id"] not in before]
        self.hold_facts(made, EXECUTABLES[name])

    def hold_facts(self, made, executable):
        for exchange in made:
            if exchange["path"] == "/favicon.ico":  # a browser's own wish
                continue
            self.assertEqual((exchange["status"], exchange["end"], exchange["request"]["version"],
                              exchange["response"]["version"]), (200, "complete", "HTTP/2", "HTTP/2"), exchange)
            self.assertIn(executable, exchange["process"]["exe"])
        parallel = [exchange for exchange in made if exchange["path"].startswith("/bytes/") and exchange["path"] != "/bytes/20000000"]
        self.assertEqual(sorted(exchange["response"]["body_bytes"] for exchange in parallel), [i * 1000 for i in range(50)])
        self.assertEqual(len({exchange["flow"] for exchange in parallel}), 1, "on one connection")
        echo = self.only([exchange for exchange in made if exchange["path"] == "/echo"])
        self.assertEqual((echo["method"], echo["request"]["body_bytes"], echo["response"]["body_bytes"]), ("POST", 3_000_000, 3_000_000))
        download = self.only([exchange for exchange in made if exchange["path"] == "/bytes/20000000"])
        self.assertEqual(download["response"]["body_bytes"], 20_000_000)

    def test_each_speaks_http2_in_parallel_up_and_down(self):
        for name in CLIENTS:
            with self.subTest(name):
                self.hold_client(name)
        self.assertEqual({entry.get("alpn") for entry in self.shop.requests()}, {"h2"}, "as the origin saw it")
