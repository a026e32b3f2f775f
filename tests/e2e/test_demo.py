"""What the README promises first: the demo, in both variants, says what it should and leaves nothing behind."""

import pathlib
import unittest

import world
from support import place, process


class Demo(unittest.TestCase):
    def show(self, **environment):
        # A run of its own, as a stranger would start it, with an environment that must not matter.
        stray = {"AWS_CA_BUNDLE": "/nonexistent", "AWS_PROFILE": "nobody", "HTTPS_PROXY": "http://192.0.2.1:1",
                 "DOCKER_HOST": "unix:///nonexistent", "REQUESTS_CA_BUNDLE": "/nonexistent"}
        script = pathlib.Path(__file__).resolve().parents[2] / "demo" / "demo.py"
        outcome = process.run(["/usr/bin/python3", "-B", script, world.current.build], timeout=180,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **stray, **environment})
        name = f"{place.PREFIX}{outcome.pid}"  # what the demo makes carries the id of its process
        left = [*place.SHORT.glob(name), *place.LARGE.glob(name), *pathlib.Path("/run/netns").glob(f"{name}*")]
        self.assertEqual(left, [])
        return outcome.out

    def test_slow_down_is_injected_retried_and_explained(self):
        shown = self.show()
        for words in ("legacy   mode: 3 requests", "standard mode: 3 requests", "injected by slow-down", "GetObject",
                      "succeeded after 3 attempts"):
            self.assertIn(words, shown)

    def test_the_talks_trick_is_retried_by_legacy_and_not_by_standard(self):
        shown = self.show(WAYLAY_DEMO="talk")
        for words in ("legacy   mode: 5 requests", "standard mode: 1 request ", "legacy retried it", "standard did not retry it"):
            self.assertIn(words, shown)
