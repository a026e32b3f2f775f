#!/usr/bin/env python3
"""Measures Waylay as it is used: the client is in the target's network namespace and cgroup, and so are the redirect and
the listener. Beside it the same load with nobody between (direct), and with waylayd --listen behind a plain nft redirect
in that namespace (nft).

    own.py --build build/release [--keep FOLDER] [--seconds 4] [--reps 3] [--scale | --distance | --neighbours]

The daemon has one core for itself, load and origin share another. CPU is user and system time of both processes; the
figure to compare is CPU per unit of work. Medians of interleaved repetitions, with what they range over. Instead:

--scale       what depends on numbers: connections open at a time, targets attached, the time that an attach takes
--distance    the time to a new connection's first byte, by the round-trip time between target and origin
--neighbours  what a process that is no target pays for those that are, on the same machine and in the same namespace
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from support import certificates, daemon, network, origin, place, process  # noqa: E402

HOST = "origin.bench.test"
PORT = 8443
DAEMON_CPU, LOAD_CPU = "1", "0"
ENGINES = ("direct", "nft", "bpf")
BULK_MIB = 100
TICKS = os.sysconf("SC_CLK_TCK")


class World:
    """A target (namespace and cgroup), an nginx as the internet, and at most one daemon at a time."""

    def __init__(self, build):
        self.build = build
        self.place = place.Place()
        self.folder = self.place.folder("bench")
        self.authority = certificates.Authority(self.place.folder("authority"))
        self.internet = origin.Internet(self.place)
        self.job = network.Namespace(self.place, "job")
        self.internet.link(self.job.path)
        self.cgroup = self.new_cgroup("job")
        self.start_origin()
        self.hosts = self.folder / "hosts"
        self.hosts.write_text(self.internet.hosts_file())
        self.resident = self.begin_in_target(self.cgroup)
        self.daemon = self.distance = None

    def new_cgroup(self, label):
        group = place.cgroup2_root() / f"{self.place.name}-{label}"
        group.mkdir()
        return group

    def in_target(self, cgroup):
        script = 'mount --bind "$0" /etc/hosts && echo $$ > "$1" && shift && exec "$@"'
        return [*process.in_namespace(self.job.path), "unshare", "--mount", "--propagation", "private", "sh", "-c", script,
                self.hosts, cgroup / "cgroup.procs"]

    def begin_in_target(self, cgroup):
        """A target is found by its processes: one that stays."""
        return process.Background([*self.in_target(cgroup), "sleep", "3600"], self.folder / "resident.log")

    def load(self, *command, timeout=120, check=False, cgroup=None):
        inside = self.in_target(cgroup or self.cgroup)
        return process.run([*inside, "taskset", "-c", LOAD_CPU, *command], timeout=timeout, check=check)

    def set_distance(self, milliseconds):
        """From now on packets between the target and the internet take half of it each way; 0: the link as it is."""
        if self.distance:
            self.distance.stop()  # its devices go with it, and with them their routes
            self.distance = None
        if not milliseconds:
            return
        log = self.folder / f"distance-{milliseconds}.log"
        spaces, addresses = (self.job, self.internet.namespace), ("198.51.101.2", "198.51.101.1")
        program = ["/usr/bin/python3", "-B", TESTS / "support" / "distance.py", *(space.path for space in spaces)]
        self.distance = process.Background([*program, "far0", milliseconds], log)
        process.until(lambda: "ready" in self.distance.said() or not self.distance.is_running(), 15, "the link is there")
        for space, own, peer in zip(spaces, addresses, reversed(addresses)):
            process.run(["ip", "-n", space.name, "address", "add", own, "peer", peer, "dev", "far0"])
            process.run(["ip", "-n", space.name, "link", "set", "far0", "up"])
        process.run(["ip", "-n", self.job.name, "route", "add", f"{self.internet.names[HOST][0]}/32", "dev", "far0"])

    def start_origin(self):
        certificate, key = self.authority.good("origin", HOST)
        self.internet.names[HOST] = self.internet.new_addresses()
        folder = self.place.folder("nginx")
        (folder / "small.json").write_text(json.dumps({"pad": "x" * 1012}))
        with open(folder / "bulk.bin", "wb") as bulk:
            for _ in range(BULK_MIB):
                bulk.write(os.urandom(1 << 20))
        (folder / "nginx.conf").write_text(f"""
            worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log crit; user root;
            worker_rlimit_nofile 19000;
            events {{ worker_connections 19000; }}
            http {{
              access_log off; default_type application/json; root {folder}; keepalive_requests 100000000;
              client_body_temp_path {folder}; proxy_temp_path {folder}; open_file_cache max=10; keepalive_timeout 600s;
              ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_session_cache shared:S:20m;
              ssl_protocols TLSv1.2 TLSv1.3;
              server {{ listen 443 ssl http2 backlog=8192; }} }}""")
        command = [*process.in_namespace(self.internet.namespace.path), "taskset", "-c", LOAD_CPU, "nginx", "-e",
                   folder / "error.log", "-c", folder / "nginx.conf"]
        self.origin = process.Background(command, folder / "log")
        process.until(lambda: (folder / "pid").exists() or not self.origin.is_running(), 15, "nginx is up")

    def start_daemon(self, engine, targets=None):
        """targets: what the bpf engine attaches to, each as the words after `waylay attach`; None: the world's cgroup."""
        folder = self.place.folder(f"daemon-{engine}")
        one = daemon.Daemon(self.build, folder, self.place.short / f"{self.place.number()}d",
                            upstream_roots=self.authority.certificate)
        for option, value in (("--log-level", "warning"), ("--workers", "1")):
            one.command[one.command.index(option) + 1] = value
        one.inside = ["taskset", "-c", DAEMON_CPU]
        if engine == "nft":
            one.inside = [*process.in_namespace(self.job.path), *one.inside]
            one.command += ["--listen", f"0.0.0.0:{PORT}"]
            # The daemon's own connections are another user's.
            rules = (f"table ip bench {{ chain out {{ type nat hook output priority -100; "
                     f"meta skuid 0 tcp dport 443 redirect to :{PORT}; }}\n}}\n")
            process.run([*process.in_namespace(self.job.path), "nft", "-f", "-"], feed=rules)
        self.daemon = one.start()
        if engine == "bpf":
            for words in [[f"cgroup:/{self.cgroup.name}"]] if targets is None else targets:
                self.attach(*words)

    def attach(self, *words):
        started = time.monotonic()
        self.daemon.waylay("attach", *words, "--no-trust")
        return time.monotonic() - started

    def stop_daemon(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None
            process.run([*process.in_namespace(self.job.path), "nft", "delete", "table", "ip", "bench"], check=False)

    def daemons(self):
        return [self.daemon.warden, self.daemon.proxy] if self.daemon else []

    def cpu_seconds(self):
        ticks = 0
        for pid in self.daemons():
            ticks += sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return ticks / TICKS

    def resident_kib(self, which="VmRSS"):
        """Now, or with VmHWM at the most so far; what both processes share counts twice."""
        status = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.daemons()]
        return sum(int(re.search(rf"{which}:\s+(\d+)", text)[1]) for text in status)

    def trust(self):
        return self.daemon.ca if self.daemon else self.authority.certificate

    def check_who_answers(self, engine):
        """That the way is the one meant: the leaf's issuer tells it."""
        text = self.load("curl", "--silent", "--verbose", "--cacert", self.trust(), f"https://{HOST}/small.json",
                         check=True).err
        intercepted = "Waylay CA" in text
        if intercepted != (engine != "direct"):
            raise AssertionError(f"{engine}: intercepted is {intercepted}\n{text}")

    def remove(self):
        self.stop_daemon()
        self.set_distance(0)
        self.resident.stop()
        self.origin.stop()
        self.internet.remove()
        self.job.remove()
        self.place.remove()


# Workloads: each returns {figure: value}.

def wrk(world, seconds, connections):
    before = world.cpu_seconds()
    outcome = world.load("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s",
                         f"https://{HOST}/small.json")
    cpu = world.cpu_seconds() - before
    requests = re.search(r"(\d+) requests in", outcome.out)
    if not requests or re.search(r"Non-2xx|Socket errors", outcome.out):
        raise AssertionError(str(outcome))
    half = re.search(r"50%\s+([\d.]+)(us|ms|s)", outcome.out)
    return {"CPU us per request": cpu / int(requests[1]) * 1e6,
            "p50 us": float(half[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[half[2]]}


def connections(world, seconds, at_a_time=128, least=0):
    """As many connections as requests in bursts: h2load would resume the session of a connection used again."""
    before, end, done = world.cpu_seconds(), time.monotonic() + seconds, 0
    while time.monotonic() < end or done < least:
        outcome = world.load("h2load", "--h1", "-t1", f"-c{at_a_time}", f"-n{at_a_time}", f"https://{HOST}/small.json")
        succeeded = int(re.search(r"(\d+) succeeded", outcome.out)[1])
        if succeeded < at_a_time:
            raise AssertionError(str(outcome))
        done += succeeded
    return {"CPU us per connection": (world.cpu_seconds() - before) / done * 1e6}


def download(world, _):
    urls = ["-o", "/dev/null", f"https://{HOST}/bulk.bin"] * 4
    before = world.cpu_seconds()
    started = time.monotonic()
    world.load("curl", "--silent", "--fail", "--http1.1", "--cacert", world.trust(), *urls, check=True)
    gigabytes = 4 * BULK_MIB * (1 << 20) / 1e9
    return {"CPU s per GB": (world.cpu_seconds() - before) / gigabytes,
            "GB/s": gigabytes / (time.monotonic() - started)}


WORKLOADS = {
    "1 KiB, 64 connections": lambda world, seconds: wrk(world, seconds, 64),
    "1 KiB, 1 connection": lambda world, seconds: wrk(world, seconds, 1),
    "new connection": connections,
    "100 MiB download": download,
}


def compare_engines(world, options):
    values = {}  # (workload, figure) -> engine -> [values]
    for _ in range(options.reps):
        for engine in ENGINES:
            if engine != "direct":
                world.start_daemon(engine)
            world.check_who_answers(engine)
            for name, workload in WORKLOADS.items():
                for figure, value in workload(world, options.seconds).items():
                    values.setdefault((name, figure), {}).setdefault(engine, []).append(value)
            world.stop_daemon()
    print(f"| |{''.join(f' {engine} |' for engine in ENGINES)} bpf / nft |\n|---|{'---:|' * (len(ENGINES) + 1)}")
    for (name, figure), engines in values.items():
        cells = [cell(engines[engine]) if engine != "direct" or "CPU" not in figure else "" for engine in ENGINES]
        ratio = statistics.median(engines["bpf"]) / statistics.median(engines["nft"])
        print(f"| {name}, {figure} | {' | '.join(cells)} | {ratio:.2f} |")
    return [{"workload": name, "figure": figure, "engine": engine, "values": each}
            for (name, figure), engines in values.items() for engine, each in engines.items()]


def cell(values):
    number = "{:.0f}" if statistics.median(values) >= 20 else "{:.2f}"
    spread = f" [{number.format(min(values))}..{number.format(max(values))}]" if len(values) > 1 else ""
    return number.format(statistics.median(values)) + spread


def measure_scale(world, options):
    lines = []

    def tell(**line):
        lines.append(line)
        print("| " + " | ".join(f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}"
                                for name, value in line.items()) + " |", flush=True)

    for count in (10, 100, 1000, 4000, 9000):
        world.start_daemon("bpf")
        world.check_who_answers("bpf")
        before = world.resident_kib()
        cost = connections(world, options.seconds, count, least=500)
        tell(connections_at_a_time=count, **cost,
             **{"KiB per connection at the most": (world.resident_kib("VmHWM") - before) / count})
        world.stop_daemon()

    world.start_daemon("bpf")
    attached, residents, groups = 1, [], []
    try:
        for goal in (1, 10, 50, 200):
            attaches = []
            while attached < goal:
                groups.append(world.new_cgroup(f"other{attached}"))
                residents.append(world.begin_in_target(groups[-1]))
                process.until(lambda: groups[-1].joinpath("cgroup.procs").read_text(), 5, "a process is in the cgroup")
                attaches.append(world.attach(f"cgroup:/{groups[-1].name}") * 1e3)
                attached += 1
            tell(targets=goal, **{"CPU us per connection": connections(world, options.seconds)["CPU us per connection"],
                                  "CPU us per request": wrk(world, options.seconds, 64)["CPU us per request"],
                                  "resident MiB": world.resident_kib() / 1024,
                                  "waylay attach ms, median": statistics.median(attaches) if attaches else 0.0})
    finally:
        world.stop_daemon()
        for one in residents:
            one.stop()
    return lines


MOMENTS = {"connected": "time_connect", "TLS done": "time_appconnect", "first byte": "time_starttransfer"}


def first_bytes(world, version):
    """One new connection with curl: the milliseconds at which each moment came."""
    form = " ".join(f"%{{{moment}}}" for moment in MOMENTS.values())
    outcome = world.load("curl", "--silent", "--fail", f"--http{version}", "--cacert", world.trust(), "-o", "/dev/null",
                         "-w", form, f"https://{HOST}/small.json", check=True)
    return [float(seconds) * 1e3 for seconds in outcome.out.split()]


def measure_distance(world, options):
    lines = []
    print(f"| round trip, ms | HTTP | engine | {' | '.join(MOMENTS)} |\n|---:|---|---|{'---:|' * len(MOMENTS)}")
    for milliseconds in (0, 10, 50, 150):
        world.set_distance(milliseconds)
        for engine in ENGINES:
            if engine != "direct":
                world.start_daemon(engine)
            world.check_who_answers(engine)  # also makes the leaf and the upstream's session
            for version in ("1.1", "2"):
                tries = list(zip(*(first_bytes(world, version) for _ in range(5 * options.reps))))
                lines.append({"round_trip_ms": milliseconds, "http": version, "engine": engine,
                              **dict(zip(MOMENTS, tries))})
                medians = " | ".join(f"{statistics.median(one):.1f}" for one in tries)
                print(f"| {milliseconds} | {version} | {engine} | {medians} |", flush=True)
            world.stop_daemon()
    return lines


# A process that is no target: its own CPU, user and system, in us for a connection to a server of its own on loopback and
# for a child that ends at once.
NEIGHBOUR = """
import os, socket
def cost(count, step):
    before = os.times()
    for _ in range(count): step()
    after = os.times()
    return sum(after[:4]) / count * 1e6 - sum(before[:4]) / count * 1e6
server = socket.create_server(("127.0.0.1", 0))
def connect():
    with socket.create_connection(server.getsockname()), server.accept()[0]: pass
def fork():
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
print(cost(20000, connect), cost(2000, fork))
"""
CGROUPS = 50


def measure_neighbours(world, options):
    """Interleaved: nobody attached, other cgroups, the tree of another process."""
    neighbour = world.new_cgroup("neighbour")
    groups = [world.new_cgroup(f"other{number}") for number in range(CGROUPS)]
    residents = [world.begin_in_target(group) for group in groups]
    attached = {"nobody": [], f"{CGROUPS} cgroups": [[f"cgroup:/{group.name}"] for group in groups],
                "a process tree": [[f"pid:{residents[0].pid}", "--tree"]]}
    costs = {}
    try:
        for _ in range(options.reps):
            for who, targets in attached.items():
                if targets:
                    world.start_daemon("bpf", targets)
                tries = world.load("/usr/bin/python3", "-c", NEIGHBOUR, cgroup=neighbour, check=True).out.split()
                for what, value in zip(("connection", "child"), tries):
                    costs.setdefault(what, {}).setdefault(who, []).append(float(value))
                world.stop_daemon()
    finally:
        for one in residents:
            one.stop()
    print(f"| a neighbour's CPU, us | {' | '.join(attached)} |\n|---|{'---:|' * len(attached)}")
    for what, by_who in costs.items():
        print(f"| {what} | {' | '.join(map(cell, by_who.values()))} |")
    return [{"neighbour": what, "attached": who, "us": values}
            for what, by_who in costs.items() for who, values in by_who.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--reps", type=int, default=3)
    kinds = parser.add_mutually_exclusive_group()
    measures = {"scale": measure_scale, "distance": measure_distance, "neighbours": measure_neighbours}
    for name in measures:
        kinds.add_argument(f"--{name}", dest="kind", action="store_const", const=name, default="own")
    options = parser.parse_args()
    kind = options.kind
    world = World(options.build.resolve())
    try:
        lines = measures.get(kind, compare_engines)(world, options)
    finally:
        world.remove()
    if options.keep:
        path = options.keep / f"{kind}-{time.strftime('%Y-%m-%d-%H%M%S')}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    main()
