"""`waylay run`: a command that is intercepted from its first packet, and otherwise behaves as if it were run directly."""

import os
import pathlib
import signal
import time

import world
from support import engine, place, process, s3


class Run(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop", "shop.test", s3.HOST)
        self.inside = self.client_namespace()

    def waylay_run(self, *command, **options):
        return self.daemon.waylay("run", "--", *command, inside=self.inside, check=False, **options)

    def test_the_command_is_intercepted_from_its_first_packet(self):
        outcome = self.waylay_run("curl", "--silent", "--show-error", "--include", "https://shop.test/")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("hello from shop", outcome.out)
        flow = [line for line in self.daemon.read_lines("flows") if "shop.test" in str(line)]
        self.assertEqual(len(flow), 1)
        self.assertIn("curl", str(flow))

    def test_boto3_is_intercepted_too(self):
        clients = world.__file__.removesuffix("world.py") + "clients"
        outcome = self.waylay_run("/usr/bin/python3", "-B", f"{clients}/s3_call.py", "standard", "list_buckets", "{}",
                                  env=engine.plain_environment(**world.AWS))
        self.assertIn('"ok": true', outcome.out, outcome)
        self.assertIn("ListBuckets", str(self.daemon.read_lines("flows")))

    def test_the_exit_status_is_the_commands(self):
        self.assertEqual([self.waylay_run("sh", "-c", f"exit {number}").status for number in (0, 1, 7, 200)], [0, 1, 7, 200])

    def test_output_errors_and_input_are_the_commands(self):
        outcome = self.waylay_run("sh", "-c", "cat; echo oops >&2", feed="from outside\n")
        self.assertEqual((outcome.out, outcome.err), ("from outside\n", "oops\n"))

    def test_a_command_that_cannot_be_found_says_so(self):
        outcome = self.waylay_run("/no/such/program")
        self.assertEqual(outcome.status, 127, outcome)
        self.assertIn("/no/such/program", outcome.err)

    def test_a_signal_reaches_the_command_and_its_end_is_told(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                log = self.folder / f"signal-{number}.log"
                running = self.daemon.begin(log, "run", "--", "sh", "-c",
                                            "trap 'echo caught; exit 42' TERM INT; echo ready; while :; do sleep 0.1; done",
                                            inside=self.inside)
                process.until(lambda: "ready" in running.said(), 10, "the command runs", also=running.said)
                running.signal(number)
                self.assertEqual(running.wait(10), 42)
                self.assertIn("caught", running.said())

    def test_a_command_killed_by_a_signal_is_told_as_a_shell_does(self):
        self.assertIn(self.waylay_run("sh", "-c", "kill -KILL $$").status, (128 + signal.SIGKILL, -signal.SIGKILL))

    def test_nothing_else_in_the_namespace_is_intercepted(self):
        log = self.folder / "run.log"
        running = self.daemon.begin(log, "run", "--", "sh", "-c", "echo ready; sleep 30", inside=self.inside)
        self.addCleanup(running.stop)
        process.until(lambda: "ready" in running.said(), 10, "the command runs", also=running.said)
        outcome = process.run([*self.inside, "curl", "--silent", "--cacert", world.current.authority.certificate,
                               "https://shop.test/"])
        self.assertIn("hello from shop", outcome.out)
        self.assertNotIn("shop.test", self.daemon.waylay("flows").out)

    def test_the_cgroup_is_the_callers_child_and_goes_away_with_the_command(self):
        outcome = self.waylay_run("cat", "/proc/self/cgroup")
        inside = [line for line in outcome.out.splitlines() if line.startswith("0::")][0][3:]
        own = [line for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")][0][3:]
        self.assertEqual(os.path.dirname(inside), own.rstrip("/") or "/", "a child of the caller's own cgroup")
        folder = place.cgroup2_root() / inside.strip("/")
        process.until(lambda: not folder.exists(), 10, "the command's cgroup is gone")

    def test_the_command_outlives_the_daemon_and_then_goes_direct(self):
        self.addCleanup(self.remove_run_cgroups, self.run_cgroups())  # a killed daemon leaves its last one to the next start
        log = self.folder / "run.log"
        loop = f"while :; do curl --silent --max-time 5 --cacert {self.both_roots()} https://shop.test/; sleep 0.2; done"
        running = self.daemon.begin(log, "run", "--", "sh", "-c", loop, inside=self.inside)
        self.addCleanup(running.stop)
        process.until(lambda: "hello" in running.said(), 10, "the command calls", also=running.said)
        self.daemon.kill("warden", "proxy")
        time.sleep(2)  # a call that was in flight at the kill may still fail
        seen = len(running.said())
        process.until(lambda: "hello" in running.said()[seen:], 10, "the command goes on", also=running.said)

    @staticmethod
    def run_cgroups():
        return set(place.cgroup2_root().rglob("waylay-run-*"))

    def remove_run_cgroups(self, earlier):
        for group in self.run_cgroups() - earlier:
            process.until(lambda: not (group / "cgroup.procs").read_text(), 10, f"the command has left {group}")
            place.remove_cgroup(group)

    def both_roots(self):
        file = self.folder / "both.pem"
        file.write_bytes(world.current.authority.certificate.read_bytes() + self.daemon.ca.read_bytes())
        return file
