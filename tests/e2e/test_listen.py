"""`waylayd --listen`: connections that somebody else redirected, here an nft rule in a gateway between two namespaces."""

import world
from support import network, process

PORT = 8443


class Listen(world.Case):
    """client ── gateway (nft redirect, waylayd --listen) ── internet. The daemon itself runs in the gateway."""

    starts_daemon = False

    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.gateway, self.client = network.Namespace(self.place, "gate"), network.Namespace(self.place, "cli")
        for space in (self.gateway, self.client):
            self.addCleanup(space.remove)
        self.internet.link(self.gateway.path, ipv6=True)
        self.client_link = network.join(self.client.path, ["198.18.0.2/24", "2001:db8:feed::2/64"],
                                        self.gateway.path, ["198.18.0.1/24", "2001:db8:feed::1/64"])[1]
        inside = process.in_namespace(self.client.path)
        process.run([*inside, "ip", "route", "add", self.internet.V4, "via", "198.18.0.1"])
        process.run([*inside, "ip", "-6", "route", "add", self.internet.V6, "via", "2001:db8:feed::1"])
        self.in_client, self.in_gateway = inside, process.in_namespace(self.gateway.path)

    def redirect(self, family, address):
        process.run([*self.in_gateway, "nft", f"add table {family} t; add chain {family} t c {{ type nat hook prerouting "
                     f"priority dstnat; }}; add rule {family} t c iifname {self.client_link} tcp dport 443 redirect to :{PORT}"])
        self.daemon = self.new_daemon("gate", "--listen", f"{address}:{PORT}")
        self.daemon.inside = self.in_gateway
        self.daemon.start()

    def get(self, address, port=443, *options):
        host = f"shop.test:{port}:[{address}]" if ":" in address else f"shop.test:{port}:{address}"
        return process.run([*self.in_client, "curl", "--silent", "--show-error", "--max-time", "10", "--cacert", self.daemon.ca,
                            "--resolve", host, *options, f"https://shop.test:{port}/"], check=False)

    def hold_that_it_intercepts(self, address):
        answer = self.get(address)
        self.assertIn("hello from shop", answer.out, answer)
        flow = self.only([line for line in self.daemon.read_lines("flows") if "shop.test" in str(line)])
        self.assertIn(address, str(flow["destination"]))
        self.daemon.waylay("rules", "add", "busy", "--match", 'http.host == "shop.test"', "--status", "429")
        self.assertIn("429", self.get(address, 443, "--include").out)

    def test_what_an_nft_rule_redirected_is_intercepted(self):
        self.redirect("ip", "0.0.0.0")
        self.hold_that_it_intercepts(self.shop.address)

    def test_over_ipv6_too(self):
        self.redirect("ip6", "[::]")
        self.hold_that_it_intercepts(self.shop.address6)

    def test_a_connection_to_the_listener_itself_is_refused_and_does_not_loop(self):
        self.redirect("ip", "0.0.0.0")
        outcome = self.get("198.18.0.1", PORT)
        self.assertNotEqual(outcome.status, 0)
        self.assertLess(outcome.seconds, 8, "refused, not timed out")
        self.assertTrue(self.daemon.is_running())
        self.assertLess(len(self.daemon.read_lines("flows")), 3)
        self.hold_that_it_intercepts(self.shop.address)
