"""The client's side of TLS, with clients of every kind; and what is passed through undecrypted, with its reason."""

import json
import sys

import world
from support import process

STRONG = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
          "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}


class Clients(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")

    def begin(self, *options):
        self.job = self.container()
        self.attach(self.job, *options)

    def connect(self, *wishes):
        """What each connection came to; all of them must have been intercepted."""
        answers = self.python(self.job, "tls_client.py", json.dumps([{"host": "shop.test", **wish} for wish in wishes]))
        for wish, answer in zip(wishes, answers, strict=True):
            self.assertEqual((answer["error"], answer.get("status")), ("", 200), wish)
            self.assertIn("Waylay CA", answer["issuer"], wish)
        return answers

    def test_both_versions_and_their_sessions(self):
        self.begin()
        answers = self.connect({"most": "1.2", "times": 3}, {"times": 3})
        self.assertEqual([answer["version"] for answer in answers], ["TLSv1.2", "TLSv1.3"])
        self.assertEqual([answer["reused"] for answer in answers], [True, True])
        self.assertEqual([answer["key"] for answer in answers], ["EC", "EC"])

    def test_a_hello_in_pieces_of_one_octet(self):
        self.begin()
        self.connect({"piece": 1}, {"fragment": 1}, {"fragment": 1, "piece": 7}, {"most": "1.2", "fragment": 3, "piece": 1})

    def test_clients_that_know_only_rsa(self):
        self.begin()
        old, new = self.connect({"most": "1.2", "ciphers": "ECDHE-RSA-AES256-GCM-SHA384"}, {})
        self.assertEqual((old["key"], new["key"]), ("RSA", "EC"))
        self.assertEqual(old["cipher"], "ECDHE-RSA-AES256-GCM-SHA384")

    def test_names_of_every_kind(self):
        address = f"203.0.113.{self.internet._last_origin + 1}"
        self.origin("wild", "wild.test", "*.wild.test", "xn--bcher-kva.test", address)
        self.internet.names["deep.wild.test"] = self.internet.names["wild.test"]
        del self.internet.names["*.wild.test"], self.internet.names[address]
        self.begin()
        wild, idn, by_address, nameless = self.connect(
            {"host": "deep.wild.test"}, {"host": "xn--bcher-kva.test"}, {"host": address}, {"host": "shop.test", "name": None})
        self.assertIn("*.wild.test", wild["names"])
        self.assertIn("xn--bcher-kva.test", idn["names"])
        self.assertIn(address, by_address["names"])
        self.assertEqual(nameless["names"], ["shop.test"], "the upstream's names and no others")

    def test_protocols_that_differ(self):
        self.begin()
        common, none = self.connect({"alpn": ["h2", "http/1.1"]}, {})
        self.assertEqual((common["alpn"], none["alpn"]), ("http/1.1", None))
        refused = self.python(self.job, "tls_client.py", json.dumps([{"host": "shop.test", "alpn": ["h2"]}]))[0]
        # Python's server, of whom nothing is wanted that it has, chooses nothing and goes on; so do we.
        self.assertTrue(refused["error"] or refused["alpn"] is None, refused)

    def test_a_scanner_finds_strong_suites_only(self):
        self.begin("--insist")  # it leaves right after each handshake, as one does who refuses our certificate
        found = self.python(self.job, "tls_scan.py", "shop.test", timeout=120)
        self.assertGreater(found["asked"], 100)
        self.assertEqual(set(found["accepted"]), STRONG)
        self.assertEqual(found["old_versions"], [])

    def test_a_client_may_not_renegotiate(self):
        self.begin()
        told = self.job.run("sh", "-c", "(sleep 1; echo R; sleep 2) | openssl s_client -connect shop.test:443 "
                            "-servername shop.test -tls1_2 -legacy_renegotiation", check=False, timeout=30)
        self.assertIn("Secure Renegotiation IS supported", told.out)
        self.assertIn("Extended master secret: yes", told.out)
        self.assertIn("Compression: NONE", told.out)
        self.assertIn("RENEGOTIATING", told.text)
        self.assertRegex(told.text, "(?i)no.renegotiation")


class Settings(world.Case):
    starts_daemon = False

    def test_the_keys_of_certificates_are_as_configured(self):
        self.origin("shop")
        self.daemon = self.new_daemon("a", "--leaf-key", "rsa2048").start()
        job = self.container()
        self.attach(job)
        answer = self.python(job, "tls_client.py", '[{"host": "shop.test"}]')[0]
        self.assertEqual((answer["error"], answer["key"], answer["version"]), ("", "RSA", "TLSv1.3"))

    def test_encrypted_client_hellos_are_treated_as_configured(self):
        self.origin("public", "public.example")
        hello = (world.NPM.parents[1] / "tests/fuzz/corpus/client_hello/ech_outer").read_bytes().hex()
        script = ("import socket, sys; one = socket.create_connection(('public.example', 443), 20); "
                  "one.sendall(bytes.fromhex(sys.argv[1])); print(one.recv(6).hex())")
        for policy, outcome in (("reject", "failed"), ("passthrough", "passthrough")):
            with self.subTest(policy=policy):
                self.daemon = self.new_daemon(policy, "--ech", policy).start()
                job = self.container()
                self.attach(job)
                answer = job.run("/usr/bin/python3", "-c", script, hello).out.strip()
                flow = process.until(lambda: [one for one in self.daemon.read_lines("flows") if one["closed"]], 10, "the flow ended")[-1]
                self.assertEqual(flow["outcome"], outcome, flow)
                self.assertTrue(self.daemon.read("show", f"f{flow['id']}")["ech_offered"])
                self.assertEqual(answer[:2], "16", "a ServerHello, ours or the origin's")
                # This client leaves in the midst of the handshake.
                self.assertIn("encrypted ClientHello" if policy == "passthrough" else "during the handshake", flow["reason"])
                self.daemon.stop()


class PassedThrough(world.Case):
    """What cannot or shall not be decrypted works as without us, and the flow says why."""

    def begin(self, *options):
        self.job = self.container()
        self.attach(self.job, *options)

    def reason(self, name):
        """Of the last connection, which must have been passed through."""
        def ended():
            flows = [flow for flow in self.daemon.read_lines("flows") if flow["type"] == "flow"]
            return flows and flows[-1]["closed"] and flows[-1]
        flow = process.until(ended, 10, "the connection's end is known", also=lambda: self.daemon.waylay("flows").out)
        self.assertEqual(flow["outcome"], "passthrough", flow)
        self.assertGreater(flow["bytes_from_client"], 0)
        self.assertGreater(flow["bytes_from_upstream"], 0)
        return flow["reason"]

    def test_clients_and_servers_of_the_past(self):
        pair = world.current.authority.good("old", "old.test")
        self.openssl_server(pair, "old.test", options=["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        self.begin()
        page = self.job.run("sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -ign_eof -tls1_1 "
                            "-cipher ALL:@SECLEVEL=0 -verify_return_error -connect old.test:443", check=False, timeout=30)
        self.assertIn("TLSv1.1", page.out, page)
        self.assertEqual(self.reason("old.test"), "client offers no TLS version above 1.1")

    def test_plain_http_on_the_port_of_https(self):
        self.program("plain.test", ready="Serving", command_at=lambda address: [
            sys.executable, "-u", "-m", "http.server", "443", "--bind", address, "--directory", "/clients-not-there"])
        self.begin()
        status = self.curl(self.job, "http://plain.test:443/", "--output", "/dev/null", "--write-out", "%{http_code}").out
        self.assertEqual(status, "404")
        self.assertIn("not TLS", self.reason("plain.test"))

    def test_a_server_that_speaks_first(self):
        script = world.origin.__file__.replace("origin.py", "greeting_server.py")
        self.program("greeting.test", ready="ready", command_at=lambda address: [sys.executable, script, address, "443"])
        self.begin()
        script = ("import socket; one = socket.create_connection(('greeting.test', 443), 20); print(one.recv(100).decode(), end=''); "
                  "one.sendall(b'hello\\r\\n'); print(one.recv(100).decode(), end='')")
        self.assertEqual(self.job.run("/usr/bin/python3", "-c", script).out, "220 greeting.test speaks first\n250 hello\n")
        self.assertIn("the server may have to speak first", self.reason("greeting.test"))

    def test_protocols_inside_tls_that_are_not_http(self):
        pair = world.current.authority.good("mqtt", "mqtt.test")
        self.openssl_server(pair, "mqtt.test", options=["-alpn", "mqtt"])
        self.begin()
        self.job.run("sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -ign_eof -alpn mqtt -connect mqtt.test:443")
        self.assertEqual(self.reason("mqtt.test"), "client speaks mqtt only, which is not decrypted")

    def test_a_client_that_does_not_trust_us_from_its_second_try_on(self):
        self.origin("shop")
        self.begin()
        script = ("import socket, ssl, sys, time\n"
                  "context = ssl.create_default_context(cadata=sys.argv[1])\n"
                  "for pause in (0, 1):\n"  # the refusal must have reached us before it comes again
                  "    time.sleep(pause)\n"
                  "    try:\n"
                  "        with context.wrap_socket(socket.create_connection(('shop.test', 443), 20), server_hostname='shop.test') as one:\n"
                  "            one.sendall(b'GET / HTTP/1.1\\r\\nHost: shop.test\\r\\nConnection: close\\r\\n\\r\\n')\n"
                  "            print(one.recv(12).decode())\n"
                  "    except ssl.SSLError as error:\n"
                  "        print(error.reason)\n")
        told = self.job.run("/usr/bin/python3", "-c", script, world.current.authority.certificate.read_text()).out
        self.assertEqual(told.splitlines(), ["CERTIFICATE_VERIFY_FAILED", "HTTP/1.1 200"])
        self.assertIn("refused our certificate before", self.reason("shop.test"))

    def test_what_a_rule_passes_through(self):
        shop = self.origin("shop")
        self.begin()
        file = self.folder / "pass.json"
        file.write_text('{"rules": [{"name": "leave-it", "match": "tls.sni == \\"shop.test\\"", "passthrough": true}]}')
        self.daemon.waylay("rules", "load", file)
        self.assert_direct(self.job, "shop.test", shop)
        self.assertEqual(self.reason("shop.test"), "rule leave-it passes it through")


class Faults(world.Case):
    """Certificates that are wrong on purpose, and alerts, as curl and Python understand them."""

    def setUp(self):
        super().setUp()
        self.origin("shop")
        self.job = self.container()
        self.attach(self.job)

    def told(self, action):
        """What curl and Python say of shop.test under a rule with this action."""
        file = self.folder / "fault.json"
        file.write_text(json.dumps({"rules": [{"name": "fault", "match": 'tls.sni == "shop.test"', "tls": action}]}))
        self.daemon.waylay("rules", "load", "--replace", file)
        curl = self.curl(self.job, "https://shop.test/", check=False)
        self.assertNotEqual(curl.status, 0)
        python = self.python(self.job, "tls_client.py", '[{"host": "shop.test"}]')[0]
        self.assertTrue(python["error"])
        return curl.text.lower(), python["error"].lower()

    def hold(self, action, curl_words, python_words):
        curl, python = self.told(action)
        self.assertRegex(curl, curl_words)
        self.assertRegex(python, python_words)

    def test_an_expired_certificate(self):
        self.hold("expired", "certificate has expired", "certificate has expired")

    def test_a_certificate_for_another_host(self):
        self.hold("wrong-host", "no alternative certificate subject name matches", "hostname mismatch")

    def test_a_self_signed_certificate(self):
        self.hold("self-signed", "self.signed certificate", "self.signed certificate")

    def test_an_alert_in_the_handshake(self):
        self.hold({"alert": "handshake_failure"}, "alert handshake failure", "handshake.failure")
        self.hold({"alert": "unrecognized_name"}, "unrecognized name", "unrecognized.name")

    def test_a_client_that_was_shown_a_fault_is_intercepted_when_it_is_over(self):
        self.told("self-signed")
        self.daemon.waylay("rules", "remove", "fault")
        self.assertEqual(self.curl(self.job, "https://shop.test/").out, "hello from shop\n")
        outcomes = [flow["outcome"] for flow in self.daemon.read_lines("flows") if flow["type"] == "flow"]
        self.assertNotIn("passthrough", outcomes)


class TcpFacts(world.Case):
    def test_both_sides_are_measured(self):
        self.origin("shop")
        job = self.container()
        self.attach(job)
        self.curl(job, "https://shop.test/bytes/3000000", "--output", "/dev/null")
        def measured():
            exchange = self.daemon.read_lines("flows")[-1]
            flow = self.daemon.read("show", f"f{exchange['flow']}")
            return flow["tcp"]["client"] and flow["tcp"]["upstream"] and flow["tcp"]
        tcp = process.until(measured, 10, "TCP_INFO of both sides", also=lambda: self.daemon.waylay("flows").out)
        for side in ("client", "upstream"):
            facts = tcp[side]
            self.assertTrue(0 < facts["rtt_us"] < 5_000_000, facts)
            self.assertTrue(0 < facts["rtt_variance_us"] < 5_000_000, facts)
            self.assertTrue(1 <= facts["congestion_window"] < 100_000, facts)
            self.assertTrue(500 <= facts["maximum_segment"] <= 65535, facts)
            self.assertTrue(0 <= facts["retransmits"] < 1000, facts)
        self.assertGreater(tcp["client"]["delivery_rate"], 10_000, "it sent three megabytes to the client")
