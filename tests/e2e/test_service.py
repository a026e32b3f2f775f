"""The service as installed, started for real by a systemd that boots in a container of its own."""

import os

import world
from support import process

# systemd needs to mount; waylayd needs what its unit asks for. Docker's default set has the rest.
CAPABILITIES = ("SYS_ADMIN", "SYS_PTRACE")


class Service(world.Case):
    starts_daemon = False

    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.stage = self.folder / "stage"
        process.run(["cmake", "--install", world.current.build], env={**os.environ, "DESTDIR": str(self.stage)})
        usr = world.current.engine.overlaid_usr(f"{self.place.name}-{self.place.number()}-usr", self.stage / "usr")
        machine = self.folder / "machine-id"
        machine.write_text("0123456789abcdef0123456789abcdef\n")  # without one systemd takes this for a first boot
        options = ["--cgroupns=host", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
                   "--tmpfs", "/run", "--tmpfs", "/tmp", "--tmpfs", "/var", "--stop-signal", "SIGRTMIN+3"]
        for capability in CAPABILITIES:
            options += ["--cap-add", capability]
        self.system = self.container("systemd", "/lib/systemd/systemd", "--unit=basic.target", usr=usr,
                                     environment={"container": "docker"}, options=options,
                                     volumes=[("/sys/fs/cgroup", "/sys/fs/cgroup:rw"), (machine, "/etc/machine-id:ro"),
                                              (self.stage / "etc" / "waylay", "/etc/waylay:ro"),
                                              *((os.devnull, f"/etc/systemd/system/{unit}:ro") for unit in
                                                ("docker.socket", "nftables.service", "systemd-firstboot.service"))])
        process.until(lambda: self.systemctl("is-system-running").out.strip() in ("running", "degraded"), 40,
                      "systemd has booted", also=lambda: self.systemctl("list-jobs").text + self.system.logs())

    def systemctl(self, *words):
        return self.system.run("systemctl", "--no-pager", *words, check=False)

    def start(self):
        self.system.run("systemd-sysusers")
        outcome = self.systemctl("start", "waylayd")
        self.assertEqual(outcome.status, 0, outcome.text + self.journal())

    def journal(self):
        return self.system.run("journalctl", "--no-pager", "--unit", "waylayd", check=False).text

    def test_the_unit_verifies_and_its_exposure_is_low(self):
        verified = self.system.run("systemd-analyze", "--man=no", "verify", "/lib/systemd/system/waylayd.service", check=False)
        self.assertEqual((verified.status, verified.text.strip()), (0, ""))
        security = self.system.run("systemd-analyze", "--no-pager", "security", "--offline=yes",
                                   "/lib/systemd/system/waylayd.service").out
        level = float(security.rpartition("exposure level for waylayd.service:")[2].split()[0])
        print(f"           systemd-analyze security: exposure {level}", flush=True)
        self.assertLess(level, 5.0)

    def test_it_starts_intercepts_and_stops(self):
        self.start()
        shown = dict(line.split("=", 1) for line in self.systemctl("show", "waylayd").out.splitlines() if "=" in line)
        self.assertEqual((shown["ActiveState"], shown["SubState"], shown["Type"]), ("active", "running", "notify"))
        self.system.run("waylay", "status")
        answer = self.system.run("waylay", "run", "--", "curl", "--silent", "--show-error", "https://shop.test/", check=False)
        self.assertIn("hello from shop", answer.out, answer.text + self.journal())
        self.assertIn("shop.test", self.system.run("waylay", "flows").out)
        stopped = self.systemctl("stop", "waylayd")
        self.assertEqual(stopped.status, 0, stopped)
        self.assertEqual(self.systemctl("show", "--property=Result", "waylayd").out.strip(), "Result=success", self.journal())

    def test_the_proxy_runs_as_the_user_waylay_and_the_group_may_use_the_sockets(self):
        self.start()
        users = self.system.run("ps", "-eo", "user,args").out
        self.assertRegex(users, r"(?m)^waylay\s+\S*waylayd\b")
        self.assertRegex(users, r"(?m)^root\s+\S*waylayd\b")
        sockets = self.system.run("stat", "--format", "%U:%G %a %n", "/run/waylay/waylay.sock", "/run/waylay/warden.sock").out
        self.assertEqual(sockets.splitlines(), ["root:waylay 660 /run/waylay/waylay.sock", "root:waylay 660 /run/waylay/warden.sock"])

    def test_killed_it_is_started_again(self):
        self.start()
        first = self.systemctl("show", "--property=MainPID", "--value", "waylayd").out.strip()
        self.system.run("kill", "-KILL", first)

        def again():
            pid = self.systemctl("show", "--property=MainPID", "--value", "waylayd").out.strip()
            return pid not in ("0", first) and self.systemctl("is-active", "waylayd").out.strip() == "active"

        process.until(again, 20, "systemd has started it again", also=self.journal)
        self.system.run("waylay", "status")
