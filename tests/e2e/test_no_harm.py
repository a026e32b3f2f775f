"""Attaching and detaching under load harms nobody: no failed call, no broken connection, no changed name resolution."""

import world
from support import s3


class NoHarm(world.Case):
    def steady_job(self, origin):
        """A container whose first process calls every 20 ms. Its bundle is its own, named by AWS_CA_BUNDLE."""
        job = self.container(environment={"AWS_CA_BUNDLE": "/roots.pem"},
                             volumes=[(world.current.authority.certificate, "/roots.pem:ro")])
        calls = self.begin_python(job, "steady.py", "120")
        calls.wait_for(20, 20, "the job is calling")
        return job, calls

    def test_two_hundred_calls_at_20_ms_survive_attach_and_detach(self):
        origin = self.origin("aws", s3.HOST, close=True)
        job, calls = self.steady_job(origin)
        self.attach(job)
        calls.wait_for(205, 60, "200 calls while attached, and those that were under way")
        intercepted = sum("ListBuckets" in str(line) for line in self.daemon.read_lines("flows"))
        self.detach(job)
        self.assert_direct(job, s3.HOST, origin)
        calls.wait_for(50, 30, "50 calls after detach")
        calls.stop()
        self.assertEqual(calls.problems(), [])
        self.assertGreaterEqual(intercepted, 200, "all calls while attached were decrypted")
        self.assertLessEqual(abs(len(origin.requests()) - len(calls.all())), 2, "each call reached the origin once")

    def test_attaching_and_detaching_ten_times_under_load(self):
        origin = self.origin("aws", s3.HOST, close=True)
        job, calls = self.steady_job(origin)
        for _ in range(10):
            self.attach(job)
            calls.wait_for(10, 20, "ten calls while attached")
            self.detach(job)
        calls.stop()
        self.assertEqual(calls.problems(), [])

    def test_an_open_connection_goes_on_undisturbed_and_is_counted_as_bypassed(self):
        shop = self.origin("shop")
        job = self.container()
        calls = self.begin_python(job, "keep_alive.py", "shop.test", "60")
        calls.wait_for(5, 10, "the client is calling")
        self.attach(job)
        calls.wait_for(20, 10, "20 calls while attached")
        status = self.daemon.read("status")
        shown = self.daemon.waylay("status").out
        self.detach(job)
        calls.wait_for(5, 10, "5 calls after detach")
        calls.stop()
        lines = calls.all()
        self.assertEqual(calls.problems(), [])
        self.assertEqual({line["port"] for line in lines}, {lines[0]["first_port"]}, "it is one and the same connection")
        self.assertEqual(lines[-1]["certificate"], shop.fingerprint)
        self.assertIn("bypassed", shown)
        self.assertIn("bypassed", str(status))

    def test_an_intercepted_connection_is_carried_on_after_detach_until_it_ends(self):
        shop = self.origin("shop")
        job = self.container()
        self.attach(job)
        calls = self.begin_python(job, "keep_alive.py", "shop.test", "60")
        calls.wait_for(5, 10, "the client is calling")
        self.detach(job)
        calls.wait_for(20, 10, "20 calls over the same connection after detach")
        calls.stop()
        self.assertEqual(calls.problems(), [])
        self.assertNotEqual(calls.all()[0]["certificate"], shop.fingerprint)
        self.assertEqual({line["port"] for line in calls.all()}, {calls.all()[0]["first_port"]})

    def test_detach_now_closes_what_is_open(self):
        self.origin("shop")
        job = self.container()
        self.attach(job)
        calls = self.begin_python(job, "keep_alive.py", "shop.test", "60")
        calls.wait_for(5, 10, "the client is calling")
        self.detach(job, "--now")
        calls.wait_for(10, 15, "calls after detach --now")
        calls.stop()
        self.assertTrue(calls.problems() or len({line["port"] for line in calls.all()}) > 1, "the connection was closed")

    def test_names_resolve_in_the_same_order_in_a_container_without_ipv6(self):
        shop = self.origin("shop", "both.test")
        job = self.container(hosts=f"{shop.address6} both.test\n{shop.address} both.test\n")
        before = self.python(job, "addresses.py", "both.test")
        self.assertEqual(before["order"], [shop.address, shop.address6], "reachable ones first")
        self.attach(job)
        during = self.python(job, "addresses.py", "both.test")
        self.assert_intercepted(job, "both.test", shop)
        self.detach(job)
        after = self.python(job, "addresses.py", "both.test")
        self.assertEqual((during, after), (before, before))

    def test_a_node_process_from_before_the_attach_fails_once_at_most_and_then_goes_undecrypted(self):
        shop = self.origin("shop")
        job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/roots.pem"},
                             volumes=[(world.current.authority.certificate, "/roots.pem:ro")])
        calls = world.Lines(job.begin(self.folder / "node.jsonl", "node", "/clients/steady.mjs", "shop.test", "60"))
        self.addCleanup(calls.stop)
        calls.wait_for(5, 15, "the Node job is calling")
        self.attach(job)
        calls.wait_for(30, 20, "30 calls while attached")
        flows, status = self.daemon.waylay("flows").out, self.daemon.waylay("status").out
        calls.stop()
        self.assertLessEqual(len(calls.problems()), 1, calls.problems())
        self.assertEqual(calls.all()[-1]["certificate"], shop.fingerprint, "passed through: the origin's own certificate")
        self.assertIn("passed through", flows.lower().replace("passthrough", "passed through"))
        self.assertIn("passed through", status.lower().replace("passthrough", "passed through"))

    def test_insist_never_passes_through(self):
        self.origin("shop")
        job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/roots.pem"},
                             volumes=[(world.current.authority.certificate, "/roots.pem:ro")])
        calls = world.Lines(job.begin(self.folder / "node.jsonl", "node", "/clients/steady.mjs", "shop.test", "60"))
        self.addCleanup(calls.stop)
        calls.wait_for(5, 15, "the Node job is calling")
        self.attach(job, "--insist")
        calls.wait_for(10, 20, "10 calls while attached")
        calls.stop()
        self.assertGreaterEqual(len(calls.problems()), 8)
