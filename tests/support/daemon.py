"""The daemon under test and its command line tool."""

import json
import os
import pathlib
import signal
import subprocess

from support import engine, process


class Daemon:
    """A waylayd with folders of its own, so that several can run side by side and none touches an installed one."""

    def __init__(self, build, folder, runtime, *, docker_socket=None, upstream_roots=None, options=()):
        self.build, self.folder, self.runtime, self.state = build, folder, runtime, folder / "state"
        self.rules = folder / "rules.d"
        self.rules.mkdir(exist_ok=True)
        configuration = folder / "waylay.json"
        if not configuration.exists():
            configuration.write_text("{}\n")
        self.command = [build / "waylayd", "--config", configuration, "--state-dir", self.state, "--runtime-dir", runtime,
                        "--rules-dir", self.rules, "--log-level", "debug", "--workers", "2"]
        if docker_socket:
            self.command += ["--docker-socket", docker_socket]
        if upstream_roots:
            self.command += ["--upstream-roots", upstream_roots]
        self.command += options
        self.log = folder / "waylayd.log"
        self._process = None
        self.inside = []  # the prefix of the namespace that it runs in; none: the caller's
        self.heard = []  # everything that the tool printed, for the search for secrets

    @property
    def ca(self):
        return self.state / "ca.crt"

    @property
    def warden(self):
        return self._process.pid

    @property
    def proxy(self):
        """The warden's child that is not root."""
        for child in process.children(self.warden):
            try:
                if os.stat(f"/proc/{child}").st_uid != 0:
                    return child
            except OSError:
                pass
        raise AssertionError(f"the warden {self.warden} has no unprivileged child\n{self.said()[-3000:]}")

    def start(self):
        self._process = process.Background([*self.inside, *self.command], self.log, env=engine.plain_environment())
        process.until(self._answers, 20, "the daemon answers", also=lambda: self.said()[-4000:])
        return self

    def _answers(self):
        if not self._process.is_running():
            raise AssertionError(f"waylayd ended with {self._process.child.returncode}:\n{self.said()[-4000:]}")
        return (self.runtime / "waylay.sock").exists() and self.waylay("status", check=False).status == 0

    def is_running(self):
        return self._process is not None and self._process.is_running()

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def waylay(self, *words, check=True, timeout=60, inside=(), **options):
        """Runs the tool; `inside` is a prefix such as that of a network namespace."""
        options.setdefault("env", engine.plain_environment())
        outcome = process.run([*inside, self.build / "waylay", "--runtime-dir", self.runtime, *words], check=False,
                              timeout=timeout, **options)
        self.heard.append(outcome.text)
        if check and outcome.status != 0:
            raise AssertionError(f"{outcome}\n--- waylayd said:\n{self.said()[-4000:]}")
        return outcome

    def read(self, *words):
        """The tool's answer with --json, as an object."""
        return json.loads(self.waylay(*words, "--json").out)

    def read_lines(self, *words):
        """The same for verbs that print one JSON object a line."""
        return [json.loads(line) for line in self.waylay(*words, "--json").out.splitlines() if line.strip()]

    def begin(self, log, *words, inside=()):
        return process.Background([*inside, self.build / "waylay", "--runtime-dir", self.runtime, *words], log,
                                  env=engine.plain_environment())

    def stop(self):
        """Ends it as a service manager would; a daemon that does not end cleanly is a failure."""
        if not self.is_running():
            return
        self._process.signal(signal.SIGTERM)
        try:
            status = self._process.child.wait(20)
        except subprocess.TimeoutExpired:
            self._process.child.kill()
            raise AssertionError(f"waylayd did not end within 20 s of SIGTERM:\n{self.said()[-4000:]}") from None
        if status != 0:
            raise AssertionError(f"waylayd ended with {status} on SIGTERM:\n{self.said()[-4000:]}")

    def kill(self, *which):
        """kill -9 of "warden", "proxy" or both, and waits until neither is left."""
        pids = {"warden": self.warden, "proxy": self.proxy}
        started = {pid: process.start_time(pid) for pid in pids.values()}
        for name in which:
            os.kill(pids[name], signal.SIGKILL)
        process.until(lambda: all(ended(pid, start) for pid, start in started.items()) or None, 30,
                      f"after kill -9 of {' and '.join(which)} neither process is left", also=lambda: self.said()[-3000:])


def ended(pid, start):
    """A zombie has ended too: the warden is this process's own child, and is not waited for here."""
    if process.start_time(pid) != start:
        return True
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
