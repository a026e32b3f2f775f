"""Whoever reads its roots from elsewhere than a PEM bundle trusts us too: Java, and OpenSSL's directories by hash."""

import shutil

import world
from support import engine, process

JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
OPEN = ("import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())")
FETCH = """
import java.net.URL;
class Fetch {
  public static void main(String[] words) throws Exception {
    System.out.print(new String(new URL(words[0]).openStream().readAllBytes()));
  }
}
"""


class Directories(world.Case):
    """Debian's Python finds a server's root by its hash in /etc/ssl/certs."""

    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.certificates = self.folder / "certs"
        (self.certificates / "java").mkdir(parents=True)
        shutil.copy(engine.BUNDLE, self.certificates / "ca-certificates.crt")
        shutil.copy(world.current.authority.certificate, self.certificates / "origin.pem")
        digest = process.run(["openssl", "x509", "-in", self.certificates / "origin.pem", "-noout", "-hash"]).out.strip()
        (self.certificates / f"{digest}.0").symlink_to("origin.pem")
        shutil.copy("/etc/ssl/certs/java/cacerts", self.certificates / "java" / "cacerts")
        self.job = self.container(volumes=[(self.certificates, "/etc/ssl/certs:ro")])

    def fetch(self):
        return self.job.run("/usr/bin/python3", "-c", OPEN, "https://shop.test/").out

    def entries(self):
        return self.job.run("ls", "/etc/ssl/certs").out.split()

    def test_urllib_trusts_us_while_attached(self):
        before, mounts = self.entries(), self.mount_points(self.job)
        self.assertIn("hello from shop", self.fetch())
        self.attach(self.job)
        self.assert_intercepted(self.job, "shop.test", self.shop)
        self.assertIn("hello from shop", self.fetch())
        self.assertEqual(sum("shop.test" in str(line) and line["type"] == "exchange" for line in self.daemon.read_lines("flows")), 1)
        self.assertEqual(len(self.entries()), len(before) + 1)
        self.detach(self.job)
        self.assertEqual((self.entries(), self.mount_points(self.job)), (before, mounts))
        self.assertIn("hello from shop", self.fetch())
        self.assertEqual(list((self.daemon.runtime / "trust" / "merged").iterdir()), [])

    def test_what_a_crash_left_is_removed_by_the_next_start(self):
        before, mounts = self.entries(), self.mount_points(self.job)
        self.attach(self.job)
        self.daemon.kill("warden", "proxy")
        self.assertNotEqual(self.mount_points(self.job), mounts)
        self.daemon.start()
        self.assertEqual((self.entries(), self.mount_points(self.job)), (before, mounts))
        self.assertEqual(list((self.daemon.runtime / "trust" / "merged").iterdir()), [])


class Java(world.Case):
    def setUp(self):
        super().setUp()
        self.origin("shop")

    def test_a_command_of_java_trusts_us_and_keeps_its_own_options(self):
        program = self.folder / "Fetch.java"
        program.write_text(FETCH)
        outcome = self.daemon.waylay("run", "--", JAVA, program, "https://shop.test/", inside=self.client_namespace(),
                                     env=engine.plain_environment(JAVA_TOOL_OPTIONS="-Dwaylay.own=1"))
        self.assertIn("hello from shop", outcome.out)
        self.assertIn("-Dwaylay.own=1", outcome.err, "Java tells which options it picked up")
        self.assertIn("shop.test", self.daemon.waylay("flows").out)
