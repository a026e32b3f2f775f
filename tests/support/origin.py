"""The servers' side of a test world: one closed namespace that plays the internet, with an address for each origin."""

import json

from support import certificates, network, process


class Internet:
    """Origins live at 203.0.113.N and 2001:db8:ffff::N; clients are linked to it by a route to just these two networks."""

    V4, V6 = "203.0.113.0/24", "2001:db8:ffff::/64"

    def __init__(self, place):
        self._place = place
        self.namespace = network.Namespace(place, "net")
        self._last_origin = self._last_link = 0
        self.names = {}  # host name -> (IPv4 address, IPv6 address)

    def new_addresses(self):
        self._last_origin += 1
        pair = (f"203.0.113.{self._last_origin}", f"2001:db8:ffff::{self._last_origin}")
        for address in pair:
            words = [f"{address}/128", "nodad"] if ":" in address else [f"{address}/32"]
            process.run(["ip", "-n", self.namespace.name, "address", "add", *words, "dev", "lo"])
        return pair

    def link(self, space, ipv6=False):
        """Joins a client's namespace (a path) to this one. Without ipv6 the client has no route for that family."""
        self._last_link += 1
        here, there = f"198.51.100.{4 * self._last_link + 1}", f"198.51.100.{4 * self._last_link + 2}"
        here6, there6 = f"2001:db8:{self._last_link:x}::1", f"2001:db8:{self._last_link:x}::2"
        network.join(space, [f"{there}/30"] + ([f"{there6}/64"] if ipv6 else []),
                     self.namespace.path, [f"{here}/30", f"{here6}/64"])
        inside = process.in_namespace(space) + ["ip"]
        process.run(inside + ["route", "add", self.V4, "via", here])
        if ipv6:
            process.run(inside + ["-6", "route", "add", self.V6, "via", here6])
        if network.default_routes(space):
            raise AssertionError("a client's namespace has a default route: the world is not closed")

    def hosts_file(self, ipv6=False):
        lines = ["127.0.0.1 localhost"]
        for name, (v4, v6) in self.names.items():
            lines.append(f"{v4} {name}")
            if ipv6:
                lines.append(f"{v6} {name}")
        return "\n".join(lines) + "\n"

    def remove(self):
        self.namespace.remove()


class Program:
    """Any server program at an address of its own, such as openssl s_server: for what origin_server.py does not do."""

    def __init__(self, internet, place, hosts, command_at, ready):
        """command_at: the command for an address; ready: what it prints when it listens."""
        folder = place.folder(f"program-{hosts[0]}")
        self.address, address6 = internet.new_addresses()
        for host in hosts:
            internet.names[host] = (self.address, address6)
        command = command_at(self.address)
        self._process = process.Background(process.in_namespace(internet.namespace.path) + command, folder / "log")
        process.until(lambda: ready in self._process.said() or not self._process.is_running(), 15, f"{command[0]} is up")
        if not self._process.is_running():
            raise AssertionError(self._process.said())

    def said(self):
        return self._process.said()

    def stop(self):
        self._process.stop()


class Origin:
    """A running origin_server.py. `certificate` is the default one's file; `requests()` what arrived so far."""

    def __init__(self, internet, place, name, certificate_of, port=443, ipv6=True, close=False, cookie="",
                 server=("/usr/bin/python3", "-B", "origin_server.py")):
        """certificate_of: host name -> (certificate file, key file); the first is served to clients without a name.
        server: another program of this folder that reads the same settings and says "ready"."""
        self.name = name
        folder = place.folder(f"origin-{name}")
        self.address, self.address6 = internet.new_addresses()
        for host in certificate_of:
            internet.names[host] = (self.address, self.address6)
        self.certificate = next(iter(certificate_of.values()))[0]
        self.fingerprint = certificates.fingerprint(self.certificate)
        self._log = folder / "requests.jsonl"
        self._log.touch()
        settings = folder / "settings.json"
        settings.write_text(json.dumps({
            "name": name, "log": str(self._log), "port": port, "close": close, "cookie": cookie,
            "addresses": [self.address] + ([self.address6] if ipv6 else []),
            "certificates": {host: [str(file) for file in pair] for host, pair in certificate_of.items()}}))
        *interpreter, script = server
        self._process = process.Background(
            process.in_namespace(internet.namespace.path) + [*interpreter, __file__.removesuffix("origin.py") + script, settings],
            folder / "log")
        process.until(lambda: "ready" in self._process.said() or not self._process.is_running(), 15, f"origin {name} is up")
        if not self._process.is_running():
            raise AssertionError(self._process.said())

    def log(self):
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def requests(self):
        return [entry for entry in self.log() if "path" in entry]

    def stop(self):
        self._process.stop()

