"""An upstream that cannot be trusted or reached: the client sees a failure, never content, and the flow says why."""

import json

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


class Policies(world.Case):
    """What the configuration asks of upstreams, and shows them."""

    starts_daemon = False

    def begin(self, upstream):
        self.daemon = self.new_daemon("a")
        (self.daemon.folder / "waylay.json").write_text(json.dumps({"upstream": upstream}))
        self.daemon.start()
        self.job = self.container()
        self.attach(self.job)

    def failure(self, host):
        """Why there was no TLS with this host; the client must have got nothing."""
        outcome = self.curl(self.job, f"https://{host}/", check=False)
        self.assertNotEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.out, "")
        flows = [flow for flow in self.daemon.read_lines("flows") if flow["type"] == "flow" and flow["server_name"] == host]
        return flows[-1]["tls"]["failure"]

    def test_client_certificates_are_shown_to_the_hosts_of_their_pattern_only(self):
        authority = world.current.authority
        pair = authority.good("partner", "api.partner.test", "partner.test", "stranger.test")
        # It asks everybody, and tells on its page whom it saw.
        self.openssl_server(pair, "api.partner.test", "partner.test", "stranger.test",
                            options=["-verify", "1", "-CAfile", authority.certificate])
        certificate, key = authority.for_client("waylay-at-partner")
        self.begin({"client_certificates": [{"hosts": ["*.partner.test"], "certificate": str(certificate), "key": str(key)}]})
        self.assertIn("waylay-at-partner", self.curl(self.job, "https://api.partner.test/").out)
        for host in ("partner.test", "stranger.test"):
            self.assertIn("no client certificate available", self.curl(self.job, f"https://{host}/").out, host)

    def test_an_upstream_that_insists_on_a_certificate_that_we_do_not_have_is_explained(self):
        authority = world.current.authority
        self.openssl_server(authority.good("strict-partner", "insists.test"), "insists.test",
                            options=["-Verify", "1", "-verify_return_error", "-CAfile", authority.certificate])
        self.begin({})
        self.curl(self.job, "https://insists.test/", check=False)
        self.assertIn("asks for a client certificate and we have none", self.daemon.waylay("flows").out)

    def test_strict_x509_refuses_what_is_otherwise_forgiven(self):
        authority = world.current.authority
        self.origin_with("lax", {"lax.test": authority.without_key_identifier("lax", "lax.test")})
        self.origin("shop")
        self.begin({})
        self.assertEqual(self.curl(self.job, "https://lax.test/").out, "hello from lax\n")
        self.daemon.stop()
        (self.daemon.folder / "waylay.json").write_text('{"upstream": {"strict_x509": true}}')
        self.daemon.start()
        self.attach(self.job)
        self.assertEqual(self.curl(self.job, "https://shop.test/").out, "hello from shop\n")
        self.assertTrue(self.failure("lax.test"))

    def test_stapled_ocsp_responses_are_believed(self):
        authority = world.current.authority
        good, revoked = authority.good("good", "good.test"), authority.good("revoked", "revoked.test")
        demanded, missing = authority.must_staple("demanded", "demanded.test"), authority.must_staple("missing", "missing.test")
        self.openssl_server(good, "good.test", options=["-status_file", authority.ocsp_response(good[0])])
        self.openssl_server(revoked, "revoked.test", options=["-status_file", authority.ocsp_response(revoked[0], "R")])
        self.openssl_server(demanded, "demanded.test", options=["-status_file", authority.ocsp_response(demanded[0])])
        self.openssl_server(missing, "missing.test")
        self.begin({})
        for host in ("good.test", "demanded.test"):
            self.assertIn("s_server", self.curl(self.job, f"https://{host}/").out, host)
        self.assertEqual(self.failure("revoked.test"), "revoked")
        self.assertEqual(self.failure("missing.test"), "stapling")
