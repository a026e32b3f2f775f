"""The world of one end-to-end case: an internet of its own, containers that reach it, and the daemon under test.

    class Something(world.Case):
        def test_this_happens(self):
            origin = self.origin("shop", "shop.test")
            job = self.container()
            self.daemon.waylay("attach", f"docker:{job.name}")
            ...

A case's world is removed when the case ends, and so is what a crashed run left (support/place.py).
"""

import contextlib
import json
import pathlib
import signal
import sys
import unittest

from support import certificates, daemon, engine, network, origin, place, process, s3

# What a client of these tests says in confidence. No output of Waylay's, and no line of its log, may contain it.
SECRETS = {
    "session token": "CanarySessionToken0123456789abcdefghijkl",
    "bearer": "canary-bearer-7c1f5a",
    "cookie": "canary-cookie-93bd20",
    "set-cookie": "canary-setcookie-55ae01",
    "presigned signature": "canarysignature00aa11bb22cc33dd44ee55ff66",
    "secret key": "CanarySecretAccessKey0123456789/abcdefgh",
}
AWS = {
    "AWS_ACCESS_KEY_ID": "AKIDCANARY0000000000",
    "AWS_SECRET_ACCESS_KEY": SECRETS["secret key"],
    "AWS_SESSION_TOKEN": SECRETS["session token"],
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

NPM = pathlib.Path(__file__).resolve().parents[2] / "build" / "npm"

current = None


class Session:
    """What all cases share: the place for files, one private Docker engine with its image, and one authority."""

    def __init__(self, build):
        self.build = build
        self.place = place.Place()
        self._engine = None
        self.authority = certificates.Authority(self.place.folder("authority"))

    @property
    def engine(self):
        """Started by the first case that needs it."""
        if self._engine is None:
            self._engine = engine.Engine(self.place)
            self._engine.make_image(self.authority.certificate.read_bytes())
        return self._engine

    def close(self):
        try:
            if self._engine is not None:
                self._engine.stop()
        finally:
            self.place.remove()


def _interrupt(*_):
    """Ends the run as Ctrl-C does, so that the world is removed then too; unittest would take SystemExit for a failure."""
    raise KeyboardInterrupt


@contextlib.contextmanager
def session(build):
    global current
    for program in ("waylayd", "waylay"):
        if not (build / program).exists():
            sys.exit(f"{build / program} is not there: build it first (./dev test does)")
    signal.signal(signal.SIGTERM, _interrupt)
    current = Session(build)
    try:
        yield current
    finally:
        current.close()


class Lines:
    """The JSON lines that a client in the background has printed so far."""

    def __init__(self, running):
        self.running = running

    def all(self):
        text = self.running.said()
        complete = text[:text.rfind("\n") + 1].splitlines()
        return [json.loads(line) for line in complete if line.startswith("{")]

    def wait_for(self, count, timeout, what):
        """Until `count` more lines than now have come."""
        goal = len(self.all()) + count
        process.until(lambda: len(self.all()) >= goal or not self.running.is_running(), timeout, what,
                      also=lambda: self.running.said()[-2000:])
        if len(self.all()) < goal:
            raise AssertionError(f"the client ended before: {what}\n{self.running.said()[-2000:]}")

    def problems(self):
        return [line for line in self.all() if line["problem"]]

    def stop(self):
        self.running.stop()


class Case(unittest.TestCase):
    """Sets up a world with a running daemon, and holds afterwards that no secret was shown and nothing was left."""

    maxDiff = None
    daemon_options = ()
    starts_daemon = True

    def setUp(self):
        self.session = current
        self.place = current.place
        self.folder = self.place.folder(self._testMethodName[:60])
        self.internet = origin.Internet(self.place)
        self.addCleanup(self.internet.remove)
        if self.starts_daemon:
            self.daemon = self.new_daemon("a", *self.daemon_options).start()

    def new_daemon(self, label, *options):
        folder = self.folder / f"daemon-{label}"
        folder.mkdir()
        one = daemon.Daemon(current.build, folder, self.place.short / f"{self.place.number()}{label}",
                            docker_socket=current.engine.socket, upstream_roots=current.authority.certificate,
                            options=options)
        self.addCleanup(self._hold_that_no_secret_was_shown, one)
        self.addCleanup(one.stop)
        return one

    def _hold_that_no_secret_was_shown(self, one):
        for where, text in [("the tool's output", "".join(one.heard)), ("the daemon's log", one.said())]:
            for kind, secret in SECRETS.items():
                self.assertNotIn(secret, text, f"{where} shows the {kind}")

    def origin(self, name, *hosts, **options):
        """An HTTPS origin with a good certificate for these host names, each at this origin's address."""
        hosts = hosts or (f"{name}.test",)
        pair = current.authority.good(f"{self.place.number()}-{name}", *hosts)
        return self.origin_with(name, {host: pair for host in hosts}, **options)

    def origin_with(self, name, certificate_of, **options):
        one = origin.Origin(self.internet, self.place, name, certificate_of, **options)
        self.addCleanup(one.stop)
        return one

    def program(self, *hosts, command_at, ready):
        """Another server program with these names, at an address of its own (support/origin.py)."""
        one = origin.Program(self.internet, self.place, hosts, command_at, ready)
        self.addCleanup(one.stop)
        return one

    def openssl_server(self, pair, *hosts, options=()):
        """openssl s_server with this certificate; it answers each GET with a page about the connection."""
        return self.program(*hosts, ready="ACCEPT", command_at=lambda address: [
            "openssl", "s_server", "-accept", f"{address}:443", "-cert", pair[0], "-key", pair[1],
            "-www", *options])

    def container(self, label="job", *command, ipv6=False, hosts=None, usr="/usr", environment=None, volumes=(),
                  options=()):
        """A running container that reaches this world's origins; it sleeps unless a command is given."""
        sysctl = ["--sysctl", f"net.ipv6.conf.all.disable_ipv6={0 if ipv6 else 1}"]
        scripts = [(f"{__file__.removesuffix('world.py')}clients", "/clients:ro")]
        one = current.engine.start(f"{self.place.name}-{self.place.number()}-{label}", command or ("sleep", "3600"),
                                   hosts=hosts or self.internet.hosts_file(ipv6), usr=usr, volumes=[*scripts, *volumes],
                                   environment={**AWS, **(environment or {})}, options=[*sysctl, *options])
        self.addCleanup(one.remove)
        self.internet.link(one.namespace, ipv6)
        return one

    def client_namespace(self):
        """A namespace for clients that run without a container: the command prefix that runs something in it. It also
        has a mount namespace, for an /etc/hosts with this world's names."""
        space = network.Namespace(self.place, "cli")
        self.addCleanup(space.remove)
        self.internet.link(space.path)
        hosts = self.folder / "hosts"
        hosts.write_text(self.internet.hosts_file())
        return [*process.in_namespace(space.path), "unshare", "--mount", "--propagation", "private",
                "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]

    # Words of the domain.

    def s3(self):
        """The S3 server, with the name and the address of the real service as far as this world goes."""
        one = s3.S3(self.internet, self.place, current.authority, NPM / "s3rver")
        self.addCleanup(one.stop)
        return one

    def python(self, container, script, *words, **options):
        """Runs one of clients/ in the container; returns what it printed as JSON."""
        return json.loads(container.run("/usr/bin/python3", "-B", f"/clients/{script}", *words, **options).out)

    def begin_python(self, container, script, *words):
        one = container.begin(self.folder / f"{self.place.number()}-{script}.jsonl", "/usr/bin/python3", "-B",
                              f"/clients/{script}", *words)
        self.addCleanup(one.stop)
        return Lines(one)

    def attach(self, container, *options):
        return self.daemon.waylay("attach", f"docker:{container.name}", *options)

    def detach(self, container, *options):
        return self.daemon.waylay("detach", f"docker:{container.name}", *options)

    def only(self, found):
        self.assertEqual(len(found), 1, found)
        return found[0]

    def mount_points(self, container):
        """Where something is mounted in the container, with how often."""
        return sorted(line.split()[4] for line in container.mounts().splitlines())

    def curl(self, container, url, *options, check=True, timeout=30):
        return container.run("curl", "--silent", "--show-error", "--max-time", "20", *options, url, check=check, timeout=timeout)

    def served_fingerprint(self, container, host):
        """SHA-256 of the certificate that a new connection from the container is shown."""
        script = ("import hashlib, socket, ssl, sys; context = ssl._create_unverified_context(); "
                  "connection = context.wrap_socket(socket.create_connection((sys.argv[1], 443), 10), server_hostname=sys.argv[1]); "
                  "print(hashlib.sha256(connection.getpeercert(True)).hexdigest())")
        return container.run("/usr/bin/python3", "-c", script, host).out.strip()

    def assert_direct(self, container, host, server):
        self.assertEqual(self.served_fingerprint(container, host), server.fingerprint, "the origin's own certificate is expected")

    def assert_intercepted(self, container, host, server):
        self.assertNotEqual(self.served_fingerprint(container, host), server.fingerprint, "a leaf of Waylay's is expected")

    def assert_refused(self, outcome, *words):
        """A command that must fail with a reason that a person understands: these words are in it."""
        self.assertNotEqual(outcome.status, 0, f"must fail:\n{outcome}")
        self.assertGreater(outcome.status, 0, f"must not die of a signal:\n{outcome}")
        for word in words:
            self.assertIn(word.lower(), outcome.text.lower(), str(outcome))
