"""Real clients over HTTP/2 through the real daemon: none of them can tell, but for the certificate's issuer."""

import concurrent.futures
import json
import os
import pathlib
import re

import world
from support import process

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "rules.md"
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
# Its HTTP/2 is an experiment: a lost connection may end the process. So no row of the table of faults is its own.
FETCH = ("node", f"{REAL}/calls_fetch.mjs")
TELL_TRAILERS = ("curl", "Node", "Go")
EXECUTABLES = {"curl": "curl", "Node": "node", "httpx": "python3", "Go": "calls", "Java": "java", "Chromium": "chromium"}


class Real(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop", server=ORIGIN)
        self.job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"},
                                  volumes=[(self.go_program(), "/program:ro"), (self.daemon.state, "/waylay:ro"),
                                           (world.NPM / "undici" / "node_modules", "/node_modules:ro"),
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

    def lines(self, command, *words):
        out = self.job.run(*command, "shop.test", *words, timeout=120).out
        return [json.loads(line) for line in out.splitlines()]

    def own_name(self):
        subject = process.run(["openssl", "x509", "-in", self.daemon.ca, "-noout", "-subject", "-nameopt", "multiline"]).out
        return next(line.partition("=")[2].strip() for line in subject.splitlines() if "commonName" in line)

    def exchanges(self):
        return [line for line in self.daemon.read_lines("flows") if line["type"] == "exchange"]


class RealClients(Real):
    def hold_client(self, command, executable, **more):
        before = {exchange["id"] for exchange in self.exchanges()}
        found = self.only(self.lines(command))
        self.assertIn(self.own_name(), found.pop("issuer"), "who answered")
        self.assertEqual(found, {"protocol": "h2", "many": True, "echo": 3_000_000, "download": 20_000_000, **more})
        made = [exchange for exchange in self.exchanges() if exchange["id"] not in before]
        self.hold_facts(made, executable)

    def hold_facts(self, made, executable):
        for exchange in made:
            if exchange["path"] == "/favicon.ico":  # a browser's own wish
                continue
            self.assertEqual((exchange["status"], exchange["end"], exchange["request"]["version"],
                              exchange["response"]["version"]), (200, "complete", "HTTP/2", "HTTP/2"), exchange)
            self.assertIn(executable, exchange["process"]["exe"] or "", exchange)
        parallel = [exchange for exchange in made if exchange["path"].startswith("/bytes/") and exchange["path"] != "/bytes/20000000"]
        self.assertEqual(sorted(exchange["response"]["body_bytes"] for exchange in parallel), [i * 1000 for i in range(50)])
        self.assertEqual(len({exchange["flow"] for exchange in parallel}), 1, "on one connection")
        echo = self.only([exchange for exchange in made if exchange["path"] == "/echo"])
        self.assertEqual((echo["method"], echo["request"]["body_bytes"], echo["response"]["body_bytes"]), ("POST", 3_000_000, 3_000_000))
        download = self.only([exchange for exchange in made if exchange["path"] == "/bytes/20000000"])
        self.assertEqual(download["response"]["body_bytes"], 20_000_000)

    def test_each_speaks_http2_in_parallel_up_and_down(self):
        for name, command in CLIENTS.items():
            with self.subTest(name):
                self.hold_client(command, EXECUTABLES[name], **({"trailer": "42"} if name in TELL_TRAILERS else {}))
        self.assertEqual({entry.get("alpn") for entry in self.shop.requests()}, {"h2"}, "as the origin saw it")

    def test_fetch_of_node_speaks_http2_in_parallel_up_and_down_and_event_by_event(self):
        self.hold_client(FETCH, "node", events=5)
        self.assertEqual({entry.get("alpn") for entry in self.shop.requests()}, {"h2"}, "as the origin saw it")


FAULTS = {
    "reset": ("/reset-me", {"abort": "rst"}),
    "fin": ("/hang-up", {"abort": "fin"}),
    "goaway": ("/go-away", {"abort": "goaway"}),
    "stall": ("/stall", {"abort": "stall"}),
    "reset in the body": ("/bytes/100001", {"abort": {"how": "rst", "after_bytes": 400}}),
    "fin in the body": ("/bytes/100002", {"abort": {"how": "fin", "after_bytes": 400}}),
    "stall in the body": ("/bytes/100003", {"abort": {"how": "stall", "after_bytes": 400}}),
    "wrong length": ("/bytes/100004", {"abort": "wrong-length"}),
    "bad framing": ("/bytes/100005", {"abort": "bad-chunk"}),
    "delay": ("/delay", {"delay": "1s"}),
    "throttle": ("/bytes/30000", {"throttle": {"down": "30KB"}}),
    "429": ("/many", {"respond": {"status": 429, "headers": {"Retry-After": "1"}, "body": "slow down"}}),
    "503": ("/busy", {"respond": {"status": 503, "headers": {"Retry-After": "1"}, "body": "busy"}}),
}
SECONDS = 3


def outcome(line):
    """The class of error, or the status of an answer that came whole."""
    if line["class"] not in ("none", "exit 0"):
        return line["class"]
    _, what, *number = line["path"].split("/")
    return "cut off" if what == "bytes" and line["bytes"] < int(number[0]) else str(line["status"])


def documented():
    """fault -> client -> the outcomes that docs/rules.md allows."""
    rows = re.search(r"<!-- begin clients .*?-->\n(.*?)<!-- end clients", PAGE.read_text(), re.DOTALL)[1].splitlines()
    head, _, *body = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {fault: {name: cell.split(" or ") for name, cell in zip(head[1:], cells)} for fault, *cells in body}


class RealFaults(Real):
    """What each client makes of each fault on an HTTP/2 stream."""

    def setUp(self):
        super().setUp()
        rules = [{"name": name.replace(" ", "-"), "match": f'http.request.uri.path == "{path}"', **action}
                 for name, (path, action) in FAULTS.items()]
        file = self.folder / "faults.json"
        file.write_text(json.dumps(rules))
        self.daemon.waylay("rules", "load", file)

    def seen_by(self, name):
        lines = self.lines(CLIENTS[name], str(SECONDS), *(path for path, _ in FAULTS.values()))
        return {line["path"]: line for line in lines}

    def test_the_table_of_faults_and_clients_is_as_documented(self):
        wanted = documented()
        self.assertEqual((list(wanted), list(wanted["reset"])), (list(FAULTS), list(CLIENTS)))
        with concurrent.futures.ThreadPoolExecutor(len(CLIENTS)) as pool:
            seen = dict(zip(CLIENTS, pool.map(self.seen_by, CLIENTS)))
        wrong = []
        for fault, (path, _) in FAULTS.items():
            cells = {name: outcome(seen[name][path]) for name in CLIENTS}
            print(f"    {fault:18} " + "  ".join(f"{name}: {cell}" for name, cell in cells.items()), flush=True)
            wrong += [f"{fault}, {name}: {seen[name][path]} instead of {wanted[fault][name]}"
                      for name, cell in cells.items() if cell not in wanted[fault][name]]
        self.assertFalse(wrong, "\n".join(wrong))
        for path in (FAULTS["delay"][0], FAULTS["throttle"][0]):
            self.assertGreater(min(lines[path]["seconds"] for lines in seen.values()), 0.8, path)
        self.hold_counts()

    def hold_counts(self):
        """Each client asked once for each, all of them through us, and what was injected is told."""
        made = [exchange for exchange in self.exchanges() if exchange["rules"]]
        self.assertEqual(len(made), len(FAULTS) * len(CLIENTS))
        self.assertEqual({exchange["request"]["version"] for exchange in made}, {"HTTP/2"})
        self.assertEqual({rule["hits"] for rule in self.daemon.read("rules", "list")}, {len(CLIENTS)})
