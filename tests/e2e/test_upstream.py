"""An upstream that cannot be trusted or reached: the client sees a failure, never content, and the flow says why."""

import world


class UpstreamCertificates(world.Case):
    def setUp(self):
        super().setUp()
        authority = world.current.authority
        good = authority.good("for-another-name", "right.test")
        self.origin_with("expired", {"expired.test": authority.expired("expired", "expired.test")})
        self.origin_with("selfsigned", {"selfsigned.test": authority.self_signed("selfsigned", "selfsigned.test")})
        self.origin_with("wronghost", {"wronghost.test": good})
        self.origin_with("cnonly", {"cnonly.test": authority.with_subject_only("cnonly", "cnonly.test")})
        self.job = self.container()
        self.attach(self.job)

    def hold(self, host, *reasons):
        for options in ([], ["--insecure"]):
            outcome = self.curl(self.job, f"https://{host}/", *options, check=False)
            self.assertNotEqual(outcome.status, 0, outcome)
            self.assertEqual(outcome.out, "", "no content")
        flows = self.daemon.waylay("flows").out
        line = "\n".join(line for line in flows.splitlines() if host in line)
        self.assertTrue(any(reason in line.lower() for reason in reasons), f"one of {reasons} in:\n{flows}")

    def test_expired(self):
        self.hold("expired.test", "expired")

    def test_self_signed(self):
        self.hold("selfsigned.test", "self-signed", "self signed")

    def test_wrong_host(self):
        self.hold("wronghost.test", "mismatch", "another name", "not valid for", "hostname", "host name")

    def test_a_name_in_the_subject_alone(self):
        self.hold("cnonly.test", "mismatch", "another name", "not valid for", "hostname", "host name")


class Unreachable(world.Case):
    def test_a_refused_connection_is_refused_and_explained(self):
        self.origin("shop", "shop.test", port=444)  # nobody listens on 443 at this address
        job = self.container()
        direct = self.curl(job, "https://shop.test/", check=False)
        self.attach(job)
        outcome = self.curl(job, "https://shop.test/", check=False)
        self.assertNotEqual(direct.status, 0)
        self.assertNotEqual(outcome.status, 0)
        self.assertIn("refused", self.daemon.waylay("flows").out.lower())

    def test_what_is_not_tls_is_passed_through(self):
        self.origin("shop")
        job = self.container()
        self.attach(job)
        # The origin answers plain HTTP with a TLS alert or an end; either way it is the origin's answer.
        self.curl(job, "http://shop.test:443/", check=False)
        self.assertIn("passed through", self.daemon.waylay("flows").out.lower().replace("passthrough", "passed through"))
