"""The place where a run keeps what it makes, and the removal of what runs that ended without tidying up left behind.

A run's name is "waylayt" and its process id. Everything that it makes in the system carries that name: network
namespaces, links, cgroups; its files lie in two folders, since sockets need short paths and data needs a real disk.
"""

import json
import os
import pathlib
import re
import shutil
import stat

from support import process

PREFIX = "waylayt"
SHORT = pathlib.Path("/run/waylay-test")
LARGE = pathlib.Path("/var/tmp/waylay-test")


class Place:
    def __init__(self):
        remove_leftovers()
        self.name = f"{PREFIX}{os.getpid()}"
        self.short = SHORT / self.name
        self.large = LARGE / self.name
        for folder in (self.short, self.large):
            folder.mkdir(parents=True, exist_ok=True)
        # The client's and the daemon's unprivileged processes pass through, and find only what is meant for them.
        os.chmod(self.large, 0o755)
        self._processes = {}
        self.remember(os.getpid())
        self._count = 0

    def remember(self, pid):
        """Writes a process down, so that a later run can end it if this one does not come to it."""
        self._processes[str(pid)] = process.start_time(pid)
        note = self.short / "processes.json"
        note.with_suffix(".new").write_text(json.dumps(self._processes))
        os.rename(note.with_suffix(".new"), note)

    def number(self):
        """A number that nothing else of this run has."""
        self._count += 1
        return self._count

    def folder(self, name):
        folder = self.large / f"{self.number():03d}-{name}"
        folder.mkdir()
        return folder

    def remove(self):
        _remove_named(self.name)


def remove_leftovers():
    """Removes everything of runs whose own process has ended."""
    for note in SHORT.glob(f"{PREFIX}*"):
        processes = _read_processes(note)
        owner = note.name.removeprefix(PREFIX)
        if owner in processes and process.start_time(owner) == processes[owner]:
            continue  # another run, still going on
        for pid, started in processes.items():
            process.end_by_id(int(pid), started)
        _remove_named(note.name)


def _read_processes(folder):
    try:
        return json.loads((folder / "processes.json").read_text())
    except (OSError, ValueError):
        return {}


def _remove_named(name):
    for namespace in pathlib.Path("/run/netns").glob(f"{name}-*"):
        process.run(["ip", "netns", "delete", namespace.name], check=False)
    for folder in (SHORT / name, LARGE / name):
        _unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)
    for parent in cgroup_roots():
        for group in pathlib.Path(parent).glob(f"{name}*"):
            remove_cgroup(group)


def _unmount_below(folder):
    """The deepest first; lazily, since an engine that was killed may have left something in use."""
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((unescape(point) for point in mounts), reverse=True):
        if point == str(folder) or point.startswith(f"{folder}/"):
            process.run(["umount", "--lazy", point], check=False)


def unescape(text):
    """mountinfo writes a space as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def cgroup_roots():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            yield unescape(fields[4])


def cgroup2_root():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2" and fields[3] == "/":
            return pathlib.Path(unescape(fields[4]))
    raise AssertionError("cgroup2 is mounted nowhere: Waylay needs it at /sys/fs/cgroup or /sys/fs/cgroup/unified")


def remove_cgroup(group):
    """A cgroup and what is below it, deepest first; one that holds processes stays."""
    for path, folders, _ in os.walk(group, topdown=False):
        for folder in folders:
            remove_empty(os.path.join(path, folder))
    remove_empty(group)


def remove_empty(folder):
    try:
        if stat.S_ISDIR(os.lstat(folder).st_mode):
            os.rmdir(folder)
    except OSError:
        pass
