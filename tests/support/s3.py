"""s3rver, an S3 server from the npm registry, as an origin of the test world."""

import pathlib
import re

from support import certificates, engine, process

HOST = "s3.eu-west-1.amazonaws.com"
# The one account that s3rver knows.
ACCOUNT = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER", "AWS_SESSION_TOKEN": ""}


class S3:
    """Speaks TLS by itself, under the name of the real service. `installed`: the folder that `npm ci` filled."""

    def __init__(self, internet, place, authority, installed):
        folder = place.folder("s3")
        self.address, self.address6 = internet.new_addresses()
        internet.names[HOST] = (self.address, self.address6)
        certificate, key = authority.good("s3", HOST)
        self.fingerprint = certificates.fingerprint(certificate)
        (folder / "data").mkdir()
        program = pathlib.Path(installed) / "node_modules" / "s3rver" / "bin" / "s3rver.js"
        if not program.exists():
            raise AssertionError(f"{program} is not there; ./dev test installs it")
        self._process = process.Background(
            process.in_namespace(internet.namespace.path) +
            [engine.tool("node"), program, "--directory", folder / "data", "--address", self.address, "--port", "443",
             "--key", key, "--cert", certificate, "--no-vhost-buckets"],
            folder / "log", env=engine.plain_environment())
        process.until(lambda: "listening" in self._process.said() or not self._process.is_running(), 30, "s3rver listens",
                      also=self._process.said)
        if not self._process.is_running():
            raise AssertionError(self._process.said())

    def requests(self, key):
        """How many requests for this object were answered so far."""
        return len(re.findall(rf"/{re.escape(key)} \d\d\d ", re.sub(r"\x1b\[[0-9;]*m", "", self._process.said())))

    def stop(self):
        self._process.stop()
