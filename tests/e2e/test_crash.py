"""What a killed daemon leaves: nothing that harms the container, and nothing that the next start does not remove."""

import json
import os
import pathlib
import time

import world
from support import place, process, s3


class Crash(world.Case):
    def setUp(self):
        super().setUp()
        self.origin_server = self.origin("aws", s3.HOST, close=True)
        self.job = self.container(environment={"AWS_CA_BUNDLE": "/roots.pem"},
                                  volumes=[(world.current.authority.certificate, "/roots.pem:ro")])
        self.mounts_before = self.mount_points(self.job)
        self.calls = self.begin_python(self.job, "steady.py", "120")
        self.calls.wait_for(10, 20, "the job is calling")
        self.attach(self.job)
        self.calls.wait_for(20, 20, "20 calls while attached")

    def kill_and_look(self, *which):
        killed_at = time.time()
        self.daemon.kill(*which)
        self.calls.wait_for(100, 60, "100 calls after the kill")
        problems = self.calls.problems()
        for call in problems:
            self.assertLess(call["begun"], killed_at + 2, "only calls in flight at the kill, or within two seconds, may fail")
        self.assert_direct(self.job, s3.HOST, self.origin_server)
        self.assertEqual(self.programs_on(self.job), [], "no BPF program is left on the container's cgroup")
        self.assertFalse(process.run(["nsenter", f"--net={self.job.namespace}", "ss", "-Hltn"]).out.strip(),
                         "no listener is left in the container")
        # The next start removes what is left in the container, and attaching works again.
        self.daemon.start()
        process.until(lambda: self.mount_points(self.job) == self.mounts_before, 10, "the merged bundles are gone",
                      also=lambda: self.job.mounts())
        self.attach(self.job)
        self.assert_intercepted(self.job, s3.HOST, self.origin_server)
        self.calls.wait_for(20, 20, "20 calls after attaching again")
        self.detach(self.job)
        self.calls.stop()
        self.assertEqual(self.calls.problems(), problems, "nothing failed after the restart")

    def programs_on(self, container):
        group = [line.split("::")[1] for line in pathlib.Path(f"/proc/{container.pid}/cgroup").read_text().splitlines()
                 if line.startswith("0::")][0]
        folder = place.cgroup2_root() / group.strip("/")
        shown = process.run(["/usr/sbin/bpftool", "--json", "cgroup", "show", folder], check=False)
        return json.loads(shown.out) if shown.out.strip() else []

    def test_the_programs_are_seen_while_attached(self):
        """Holds the check itself: the other cases rely on bpftool finding them."""
        self.assertTrue(self.programs_on(self.job))

    def test_the_warden_is_killed(self):
        self.kill_and_look("warden")

    def test_the_proxy_is_killed(self):
        self.kill_and_look("proxy")

    def test_both_are_killed(self):
        self.kill_and_look("warden", "proxy")

    def test_stopping_the_daemon_undoes_everything(self):
        self.daemon.stop()
        self.calls.wait_for(20, 20, "20 calls after the stop")
        self.calls.stop()
        self.assertEqual(self.calls.problems(), [])
        self.assert_direct(self.job, s3.HOST, self.origin_server)
        self.assertEqual(self.mount_points(self.job), self.mounts_before)
        self.assertEqual(self.programs_on(self.job), [])


class Ended(world.Case):
    def test_a_stopped_container_is_shown_as_ended_and_its_namespace_is_gone(self):
        self.origin("shop")
        job = self.container()
        self.attach(job)
        self.curl(job, "https://shop.test/")
        links = self.internet_links()
        job.stop()
        process.until(lambda: "ended" in self.daemon.waylay("status").out.lower(), 10, "status shows that the target ended",
                      also=lambda: self.daemon.waylay("status").out)
        # The other end of its veth lives in the internet's namespace and dies with the container's.
        process.until(lambda: self.internet_links() == links - 1, 15, "the container's namespace is gone")

    def test_a_restarted_container_is_a_new_target_and_is_not_intercepted(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        world.current.engine.docker("restart", "--time", "0", job.name)
        again = world.engine.Container(world.current.engine, job.name)
        self.internet.link(again.namespace)
        process.until(lambda: "ended" in self.daemon.waylay("status").out.lower(), 10, "status shows that the target ended")
        self.assert_direct(again, "shop.test", shop)
        self.assertIn("not intercepted", self.daemon.waylay("status").out.lower())
        self.attach(again)
        self.assert_intercepted(again, "shop.test", shop)

    def internet_links(self):
        return process.run(["ip", "-n", self.internet.namespace.name, "-oneline", "link", "show", "type", "veth"]).out.count("\n")


class Restart(world.Case):
    def test_the_authority_survives_a_restart_and_its_key_is_for_root_alone(self):
        first = self.daemon.ca.read_text()
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.daemon.ca.read_text(), first)
        keys = [file for file in self.daemon.state.rglob("*") if file.is_file() and "PRIVATE KEY" in file.read_text(errors="replace")]
        self.assertTrue(keys)
        for key in keys:
            self.assertEqual((key.stat().st_uid, key.stat().st_mode & 0o777), (0, 0o600), key)

    def test_the_proxy_has_no_privileges(self):
        status = pathlib.Path(f"/proc/{self.daemon.proxy}/status").read_text()
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        self.assertNotIn("0", facts["Uid"].split())
        self.assertEqual({int(facts[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd")}, {0})
        self.assertEqual(facts["NoNewPrivs"], "1")
        self.assertEqual(facts["Seccomp"], "2", "a seccomp filter is in force")
        self.assertFalse(any("docker.sock" in target for target in self.open_files(self.daemon.proxy)))

    def open_files(self, pid):
        return [os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
