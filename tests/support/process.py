"""Child processes that end with their parent, are ended by id only, and say what they said when something goes wrong."""

import ctypes
import os
import pathlib
import select
import signal
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _end_with_parent():
    """Also when the parent is killed outright; the dockerd among the children then ends its containers by itself."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run in the background of a script ignores it, and so would its children


def in_namespace(namespace):
    """The command prefix that runs something in a network namespace. Not `ip netns exec`: that hides the cgroups."""
    return ["nsenter", f"--net={namespace}"]


class Outcome:
    """A command that has ended: its exit status (negative: the signal), its output, the time it took, the id it had."""

    def __init__(self, command, status, out, err, seconds, pid):
        self.command, self.status, self.out, self.err, self.seconds, self.pid = command, status, out, err, seconds, pid

    @property
    def text(self):
        return self.out + self.err

    def __str__(self):
        return f"$ {' '.join(map(str, self.command))}\nexit status {self.status} after {self.seconds:.1f} s\n{self.text}"


def run(command, *, timeout=60, check=True, env=None, cwd=None, feed=None):
    """Runs a command to its end. With check a status other than 0 raises, with all that the command said."""
    command = [str(word) for word in command]
    started = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                             env=env, cwd=cwd, preexec_fn=_end_with_parent)
    try:
        out, err = child.communicate(feed, timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        raise AssertionError(f"no end within {timeout} s: $ {' '.join(command)}\n{out}{err}") from None
    outcome = Outcome(command, child.returncode, out, err, time.monotonic() - started, child.pid)
    if check and outcome.status != 0:
        raise AssertionError(str(outcome))
    return outcome


class Background:
    """A process that runs beside the test. Its output goes to a file, so that it can never block on a full pipe."""

    def __init__(self, command, log, *, env=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env,
                                          cwd=cwd, preexec_fn=_end_with_parent)
        self.pid = self.child.pid

    def is_running(self):
        return self.child.poll() is None

    def said(self):
        return self.log.read_text(errors="replace")

    def wait(self, timeout):
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s: {self.command}\n{self.said()[-4000:]}") from None

    def signal(self, number):
        if self.is_running():
            self.child.send_signal(number)

    def stop(self, timeout=15):
        """SIGTERM, then SIGKILL for what does not listen. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def until(true, timeout, what, *, pause=0.05, also=lambda: ""):
    """Waits until `true()` holds and returns what it returned; fails with `what` (and `also()`) otherwise."""
    end = time.monotonic() + timeout
    while True:
        answer = true()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}\n{also()}")
        time.sleep(pause)


def start_time(pid):
    """When a process started, in the kernel's ticks: with its id it names one process for good. None: it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def children(pid):
    """The ids of the direct children of a process."""
    found = []
    for thread in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            pass
    return found


def end_by_id(pid, started, timeout=10):
    """Ends a process that an earlier run left, unless its id has been given to another one since."""
    if started is None or start_time(pid) != started:
        return
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if start_time(pid) != started:
                return
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], timeout)[0]:
                return
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)
