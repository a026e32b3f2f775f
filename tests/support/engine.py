"""A private Docker engine, beside whatever engine the machine has, and containers made of the machine's own files.

The engine makes no bridge and no firewall rule. Its one image is empty but for a small /etc; the machine's /usr is mounted
read-only into each container, so that nothing is downloaded and real programs run.
"""

import io
import json
import os
import pathlib
import shutil
import tarfile

from support import place, process

IMAGE = "waylay-test:latest"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Bundles that AWS clients carry of their own, where this machine has them. A container gets copies of them.
OWN_BUNDLES = ("/usr/lib/python3/dist-packages/botocore/cacert.pem", "/usr/lib/python3/dist-packages/certifi/cacert.pem")
FLAGS = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
         "--exec-opt", "native.cgroupdriver=cgroupfs", "--log-level", "warn"]


def tool(name):
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/sbin:/sbin")
    if found is None:
        raise AssertionError(f"{name} is not on this machine; ./dev installs it")
    return found


def plain_environment(**extra):
    """What a client or an engine may know of the caller's environment: nothing but where programs are."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **extra}


class Engine:
    def __init__(self, run_place):
        self._place = run_place
        self._data, self._run = run_place.large / "docker", run_place.short / "docker"
        self.socket = run_place.short / "docker.sock"
        self._docker = tool("docker")
        self.log = run_place.large / "dockerd.log"
        self._process = process.Background(
            [tool("dockerd"), "--data-root", self._data, "--exec-root", self._run, "-p", run_place.short / "docker.pid",
             "-H", f"unix://{self.socket}", *FLAGS],
            self.log, env=plain_environment(HOME=str(run_place.large)))
        run_place.remember(self._process.pid)
        try:
            process.until(self._answers, 60, "the private Docker engine answers", also=self._process.said)
            for child in process.children(self._process.pid):
                run_place.remember(child)  # containerd: should the engine be killed, its id is still known
        except BaseException:
            self.stop()
            raise

    def _answers(self):
        if not self._process.is_running():
            raise AssertionError(f"the private Docker engine ended:\n{self._process.said()[-4000:]}")
        return self.docker("version", check=False, timeout=20).status == 0

    def docker(self, *words, **options):
        environment = plain_environment(HOME=str(self._place.large))
        return process.run([self._docker, "-H", f"unix://{self.socket}", *words], env=environment, **options)

    def make_image(self, extra_root):
        """The image: links as in any merged-/usr system, and a small /etc whose trust bundle also holds extra_root."""
        archive = self._place.large / "image.tar"
        with tarfile.open(archive, "w") as tar:
            for name in ("usr", "proc", "sys", "dev", "run", "tmp", "var", "var/tmp", "root", "etc", "etc/ssl", "etc/ssl/certs"):
                _add_folder(tar, name)
            for name in ("bin", "sbin", "lib", "lib64"):
                _add_link(tar, name, f"usr/{name}")
            for name in ("ld.so.cache", "ssl/openssl.cnf", "services", "protocols"):
                if os.path.exists(f"/etc/{name}"):
                    _add_file(tar, f"etc/{name}", pathlib.Path(f"/etc/{name}").read_bytes())
            _add_file(tar, "etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\n")
            _add_file(tar, "etc/host.conf", b"multi on\n")  # all addresses of a name in /etc/hosts, not only the first
            _add_file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/tmp:/bin/sh\n")
            _add_file(tar, "etc/group", b"root:x:0:\nworker:x:1000:\n")
            _add_file(tar, BUNDLE[1:], pathlib.Path(BUNDLE).read_bytes() + extra_root)
        self.docker("import", archive, IMAGE)
        archive.unlink()
        self._bundles = []
        for number, bundle in enumerate(filter(os.path.exists, OWN_BUNDLES)):
            copy = self._place.large / f"bundle-{number}.pem"
            copy.write_bytes(pathlib.Path(bundle).read_bytes() + extra_root)
            self._bundles.append((copy, os.path.realpath(bundle)))

    def start(self, name, command, *, hosts=None, usr="/usr", volumes=(), environment=None, options=()):
        """A container on no network. hosts is the text of its /etc/hosts, usr a folder or a volume for its /usr."""
        words = ["run", "--detach", "--name", name, "--network", "none", "--hostname", name,
                 "--volume", f"{usr}:/usr:ro", "--tmpfs", "/usr/local", "--env", "HOME=/root", "--env", "LANG=C.UTF-8"]
        for copy, bundle in self._bundles:
            if not bundle.startswith("/etc/"):
                words += ["--volume", f"{copy}:{bundle}:ro"]
        if hosts is not None:
            file = self._place.folder(f"hosts-{name}") / "hosts"
            file.write_text(hosts)
            words += ["--volume", f"{file}:/etc/hosts:ro"]
        for source, target in volumes:
            words += ["--volume", f"{source}:{target}"]
        for key, value in (environment or {}).items():
            words += ["--env", f"{key}={value}"]
        self.docker(*words, *options, IMAGE, *command)
        return Container(self, name)

    def overlaid_usr(self, name, above):
        """A volume that shows the machine's /usr with the folder `above` laid over it."""
        self.docker("volume", "create", "--driver", "local", "--opt", "type=overlay", "--opt", "device=overlay",
                    "--opt", f"o=lowerdir={above}:/usr", name)
        return name

    def stop(self):
        if self._process.is_running() and self.socket.exists():
            names = self.docker("ps", "--all", "--quiet", check=False).out.split()
            if names:
                self.docker("rm", "--force", *names, check=False)
        self._process.stop(30)
        _remove_groups()


def _remove_groups():
    """The engine leaves its (empty) cgroup `docker` behind; one that another engine uses is not empty."""
    for root in place.cgroup_roots():
        place.remove_empty(pathlib.Path(root) / "docker")


class Container:
    def __init__(self, engine, name):
        self.engine, self.name = engine, name
        facts = json.loads(engine.docker("inspect", name).out)[0]
        self.id, self.pid = facts["Id"], facts["State"]["Pid"]

    @property
    def namespace(self):
        return f"/proc/{self.pid}/ns/net"

    def run(self, *command, **options):
        """Runs a command in the container to its end."""
        return self.engine.docker("exec", self.name, *command, **options)

    def begin(self, log, *command):
        """Runs a command in the container beside the test."""
        return process.Background([self.engine._docker, "-H", f"unix://{self.engine.socket}", "exec", self.name, *command],
                                  log, env=plain_environment(HOME="/root"))

    def logs(self):
        return self.engine.docker("logs", self.name).text

    def mounts(self):
        return pathlib.Path(f"/proc/{self.pid}/mountinfo").read_text()

    def stop(self, seconds=1):
        self.engine.docker("stop", "--time", seconds, self.name)

    def remove(self):
        self.engine.docker("rm", "--force", self.name, check=False)


def _add_folder(tar, name):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
    tar.addfile(entry)


def _add_link(tar, name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _add_file(tar, name, content):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
