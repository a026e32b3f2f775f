// What Waylay accepts from an upstream and what it refuses: a matrix of certificates and servers, each behind a whole
// flow with a real TLS client in front. Whatever is refused gets no byte of a request, and the client an alert; what is
// accepted gets the request. The matrix is printed.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include "flow/support_pki.h"
#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

using namespace pki;
using tls::Cause;

constexpr std::string_view kRequest = "GET /secret HTTP/1.1\r\nHost: www.origin.test\r\n\r\n";

// Made once: roots, and intermediates below the good one.
struct World {
  Identity root = issue(ca("Good Root"), nullptr);
  Identity old_root = issue(with(ca("Old Root"), [](Spec& s) { s.until_days = -1; }), nullptr);
  Identity small_root = issue(with(ca("Small Root"), [](Spec& s) { s.key = "RSA-1024"; }), nullptr);
  Identity sha1_root = issue(with(ca("SHA-1 Root"), [](Spec& s) { s.digest = "SHA1"; }), nullptr);
  Identity trusted_leaf = issue({.common_name = "trusted itself"}, nullptr);
  Identity stranger = issue(ca("Stranger"), nullptr);
  Identity trusted_intermediate = issue(ca("Trusted Intermediate"), &stranger);
  Identity intermediate = issue(ca("Intermediate", "critical,CA:TRUE,pathlen:0"), &root);
  tls::UpstreamContext context = make_context(false), strict_context = make_context(true);

  static Spec with(Spec spec, const std::function<void(Spec&)>& change) {
    change(spec);
    return spec;
  }

  tls::UpstreamContext make_context(bool strict) {
    tls::UpstreamOptions options;
    options.use_system_roots = false;
    for (const Identity* trusted : {&root, &old_root, &small_root, &sha1_root, &trusted_leaf, &trusted_intermediate})
      options.extra_roots_pem += pem(*trusted);
    auto policy = std::make_shared<tls::UpstreamPolicy>();
    policy->strict_x509 = strict;
    return std::move(*tls::UpstreamContext::create(*tls::UpstreamRoots::load(options), policy));
  }

  static World& instance() {
    static World world;
    return world;
  }
};

struct Row {
  std::string what;
  Cause refused_for = Cause::None;  // None: accepted
  std::function<Server(World&)> server;
  std::string host = "www.origin.test";
  bool strict = false;
};

Server shows(Identity identity, std::initializer_list<const Identity*> chain = {}) {
  Server server;
  server.identity = std::move(identity);
  for (const Identity* each : chain) server.chain.push_back(tls::share(each->certificate.get()));
  return server;
}

std::function<Server(World&)> leaf(std::function<void(Spec&)> change) {
  return [change = std::move(change)](World& world) { return shows(issue(World::with({}, change), &world.root)); };
}

// OpenSSL as a server of TLS 1.2 refuses to use a key against its key usage.
std::function<Server(World&)> leaf_of_tls13(const std::string& key_usage) {
  return [key_usage](World& world) {
    Server server = shows(issue(World::with({}, [&](Spec& spec) { spec.key_usage = key_usage; }), &world.root));
    server.version = TLS1_3_VERSION;
    return server;
  };
}

std::function<Server(World&)> named(const std::string& names) {
  return leaf([names](Spec& spec) { spec.names = names; });
}

// A leaf below an intermediate that was changed.
std::function<Server(World&)> below(std::function<void(Spec&)> change, const Spec& leaf = {}) {
  return [change = std::move(change), leaf](World& world) {
    Identity middle = issue(World::with(ca("Middle"), change), &world.root);
    return shows(issue(leaf, &middle), {&middle});
  };
}

std::function<Server(World&)> wildcard_below(const std::string& name_constraints) {
  Spec leaf;
  leaf.names = "DNS:*.origin.test";
  return below([name_constraints](Spec& s) { s.name_constraints = name_constraints; }, leaf);
}

std::function<Server(World&)> stapling(std::function<std::string(World&, const Identity& leaf)> make,
                                       const std::string& feature = "") {
  return [make = std::move(make), feature](World& world) {
    Spec spec;
    spec.tls_feature = feature;
    Server server = shows(issue(spec, &world.intermediate), {&world.intermediate});
    if (make) server.stapled = make(world, server.identity);
    return server;
  };
}

std::function<Server(World&)> stapling(const OcspSpec& spec, const std::string& feature = "") {
  return stapling(
      [spec](World& world, const Identity& of) {
        return ocsp_response(of, world.intermediate, world.intermediate, spec);
      },
      feature);
}

std::function<Server(World&)> speaking(std::function<void(Server&)> change) {
  return [change = std::move(change)](World& world) {
    Server server = shows(issue({}, &world.root));
    change(server);
    return server;
  };
}

std::vector<Row> good_rows() {
  return {
      {"a P-256 leaf of a root", {}, leaf([](Spec&) {})},
      {"a P-384 leaf", {}, leaf([](Spec& s) { s.key = "P-384"; })},
      {"a P-521 leaf", {}, leaf([](Spec& s) { s.key = "P-521"; })},
      {"an RSA leaf of 2048 bits", {}, leaf([](Spec& s) { s.key = "RSA-2048"; })},
      {"an Ed25519 leaf", {}, leaf([](Spec& s) { s.key = "ED25519"; })},
      {"a signature with SHA-512", {}, leaf([](Spec& s) { s.digest = "SHA512"; })},
      {"a leaf below an intermediate",
       {},
       [](World& w) { return shows(issue({}, &w.intermediate), {&w.intermediate}); }},
      {"the root sent along",
       {},
       [](World& w) { return shows(issue({}, &w.intermediate), {&w.intermediate, &w.root}); }},
      {"the chain in disorder, with a stranger",
       {},
       [](World& w) { return shows(issue({}, &w.intermediate), {&w.stranger, &w.root, &w.intermediate}); }},
      {"two intermediates",
       {},
       [](World& w) {
         Identity first = issue(ca("First", "critical,CA:TRUE,pathlen:1"), &w.root),
                  second = issue(ca("Second"), &first);
         return shows(issue({}, &second), {&second, &first});
       }},
      {"an expired cross-certificate beside a valid root",
       {},
       [](World& w) {
         Identity cross = issue(World::with(ca("Good Root"), [](Spec& s) { s.until_days = -1; }), &w.stranger);
         return shows(issue({}, &w.root), {&cross});
       }},
      {"a root that signed itself with SHA-1", {}, [](World& w) { return shows(issue({}, &w.sha1_root)); }},
      {"a self-signed leaf that is trusted itself", {}, [](World& w) { return shows(w.trusted_leaf.copy()); }},
      {"an intermediate that is trusted itself",
       {},
       [](World& w) { return shows(issue({}, &w.trusted_intermediate)); }},
      {"a trusted intermediate below an unknown root that is sent along",
       {},
       [](World& w) { return shows(issue({}, &w.trusted_intermediate), {&w.trusted_intermediate, &w.stranger}); }},
      {"a stapled response below a trusted intermediate",
       {},
       [](World& w) {
         Server server = shows(issue({}, &w.trusted_intermediate));
         server.stapled = ocsp_response(server.identity, w.trusted_intermediate, w.trusted_intermediate, {});
         return server;
       }},
      {"a wildcard for its label", {}, named("DNS:*.origin.test")},
      {"the name among others", {}, named("DNS:a.test,DNS:b.test,DNS:www.origin.test,IP:192.0.2.1")},
      {"the name in capitals", {}, named("DNS:WWW.Origin.TEST")},
      {"an IP address", {}, named("IP:192.0.2.10"), "192.0.2.10"},
      {"a name of another script", {}, named("DNS:xn--bcher-kva.test"), "xn--bcher-kva.test"},
      {"no subject", {}, leaf([](Spec& s) {
         s.common_name = "";
         s.names = "critical,DNS:www.origin.test";
       })},
      {"no extended key usage", {}, leaf([](Spec& s) { s.extended_key_usage = ""; })},
      {"several extended key usages", {}, leaf([](Spec& s) { s.extended_key_usage = "clientAuth,serverAuth"; })},
      {"no key usage", {}, leaf([](Spec& s) { s.key_usage = ""; })},
      {"name constraints that permit the name", {}, below([](Spec& s) {
         s.name_constraints = "critical,permitted;DNS:origin.test";
       })},
      {"name constraints that exclude another, of a wildcard",
       {},
       wildcard_below("critical,permitted;DNS:origin.test,excluded;DNS:mail.origin.test")},
      {"name constraints that exclude another", {}, below([](Spec& s) {
         s.name_constraints = "critical,excluded;DNS:other.test";
       })},
      {"a stapled response: good", {}, stapling(OcspSpec{})},
      {"a stapled response of today, without nextUpdate", {}, stapling({.next_update_s = std::nullopt})},
      {"a stapled response of a delegated responder", {}, stapling([](World& w, const Identity& of) {
         Spec spec;
         spec.common_name = "responder";
         spec.extended_key_usage = "OCSPSigning";
         return ocsp_response(of, w.intermediate, issue(spec, &w.intermediate));
       })},
      {"must-staple, and a good response", {}, stapling(OcspSpec{}, "status_request")},
      {"TLS 1.2 alone", {}, speaking([](Server& s) { s.version = TLS1_2_VERSION; })},
      {"TLS 1.3 alone", {}, speaking([](Server& s) { s.version = TLS1_3_VERSION; })},
      {"strict: all as RFC 5280 says",
       {},
       [](World& w) { return shows(issue({}, &w.intermediate), {&w.intermediate}); },
       "www.origin.test",
       true},
      {"not strict: an authority without key usage", {}, below([](Spec& s) { s.key_usage = ""; })},
      {"not strict: an authority's constraints not critical", {}, below([](Spec& s) {
         s.basic_constraints = "CA:TRUE";
       })},
      {"not strict: no key identifiers", {}, below([](Spec& s) { s.key_identifiers = false; })},
  };
}

std::vector<Row> bad_dates() {
  return {
      {"expired", Cause::Expired, leaf([](Spec& s) { s.until_days = -1; })},
      {"ended before it began", Cause::Expired, leaf([](Spec& s) {
         s.from_days = -1;
         s.until_days = -2;
       })},
      {"of the future", Cause::NotYetValid, leaf([](Spec& s) { s.from_days = 1; })},
      {"an expired intermediate", Cause::Expired, below([](Spec& s) { s.until_days = -1; })},
      {"an intermediate of the future", Cause::NotYetValid, below([](Spec& s) { s.from_days = 1; })},
      {"an expired root", Cause::Expired, [](World& w) { return shows(issue({}, &w.old_root)); }},
  };
}

std::vector<Row> bad_names() {
  return {
      {"for another host", Cause::WrongHost, named("DNS:other.test")},
      {"the host in the common name alone", Cause::WrongHost, leaf([](Spec& s) {
         s.common_name = "www.origin.test";
         s.names = "";
       })},
      {"the common name, other names beside it", Cause::WrongHost, leaf([](Spec& s) {
         s.common_name = "www.origin.test";
         s.names = "DNS:other.test";
       })},
      {"for its parent", Cause::WrongHost, named("DNS:origin.test")},
      {"for a child", Cause::WrongHost, named("DNS:a.www.origin.test")},
      {"for a longer name", Cause::WrongHost, named("DNS:xwww.origin.test")},
      {"for the name with more behind it", Cause::WrongHost, named("DNS:www.origin.test.evil.test")},
      {"a wildcard above its label", Cause::WrongHost, named("DNS:*.test")},
      {"a wildcard for a top-level domain", Cause::WrongHost, named("DNS:*.test"), "origin.test"},
      {"a wildcard below its label", Cause::WrongHost, named("DNS:*.www.origin.test")},
      {"a wildcard within a label", Cause::WrongHost, named("DNS:w*.origin.test")},
      {"a wildcard in the middle", Cause::WrongHost, named("DNS:www.*.test")},
      {"two wildcards", Cause::WrongHost, named("DNS:*.*.test")},
      {"a wildcard alone", Cause::WrongHost, named("DNS:*")},
      {"a wildcard before a script's mark", Cause::WrongHost, named("DNS:xn--*.origin.test"), "xn--a.origin.test"},
      {"NUL behind the name", Cause::WrongHost, leaf([](Spec& s) {
         s.change = [](X509* c) { add_raw_dns_name(c, std::string_view("www.origin.test\0.evil.test", 26)); };
       })},
      {"a blank before the name", Cause::WrongHost,
       leaf([](Spec& s) { s.change = [](X509* c) { add_raw_dns_name(c, " www.origin.test"); }; })},
      {"the name as a URI", Cause::WrongHost, named("URI:https://www.origin.test/")},
      {"the name as a mail address", Cause::WrongHost, named("email:www@www.origin.test")},
      {"the wrong IP address", Cause::WrongHost, named("IP:192.0.2.11"), "192.0.2.10"},
      {"an IP address as a host name", Cause::WrongHost, named("DNS:192.0.2.10"), "192.0.2.10"},
      {"an IP address as the common name", Cause::WrongHost, leaf([](Spec& s) {
         s.common_name = "192.0.2.10";
         s.names = "";
       }),
       "192.0.2.10"},
      {"a wildcard for an IP address", Cause::WrongHost, named("DNS:*.0.2.10"), "192.0.2.10"},
      {"name constraints that exclude the name", Cause::NameConstraints,
       below([](Spec& s) { s.name_constraints = "critical,excluded;DNS:origin.test"; })},
      {"name constraints that permit another", Cause::NameConstraints,
       below([](Spec& s) { s.name_constraints = "critical,permitted;DNS:other.test"; })},
      {"name constraints that exclude the name, of a wildcard", Cause::NameConstraints,
       wildcard_below("critical,permitted;DNS:origin.test,excluded;DNS:www.origin.test")},
      {"name constraints that are not critical", Cause::NameConstraints,
       below([](Spec& s) { s.name_constraints = "excluded;DNS:www.origin.test"; })},
  };
}

std::vector<Row> bad_chains() {
  return {
      {"self-signed", Cause::UnknownAuthority, [](World&) { return shows(issue({}, nullptr)); }},
      {"of an unknown root", Cause::UnknownAuthority, [](World& w) { return shows(issue({}, &w.stranger)); }},
      {"of an unknown root that is sent along", Cause::UnknownAuthority,
       [](World& w) { return shows(issue({}, &w.stranger), {&w.stranger}); }},
      {"of an unknown root with a known name", Cause::InvalidChain,
       [](World&) {
         Identity forged = issue(World::with(ca("Good Root"), [](Spec& s) { s.key_identifiers = false; }), nullptr);
         return shows(issue(World::with({}, [](Spec& s) { s.key_identifiers = false; }), &forged));
       }},
      {"without its intermediate", Cause::UnknownAuthority, [](World& w) { return shows(issue({}, &w.intermediate)); }},
      {"with another intermediate", Cause::UnknownAuthority,
       [](World& w) {
         Identity other = issue(ca("Other"), &w.root);
         return shows(issue({}, &w.intermediate), {&other});
       }},
      {"signed by a leaf", Cause::InvalidChain,
       [](World& w) {
         Identity signer = issue({.common_name = "a leaf"}, &w.root);
         return shows(issue({}, &signer), {&signer});
       }},
      {"signed by a leaf that may sign", Cause::InvalidChain,
       below([](Spec& s) { s.basic_constraints = "critical,CA:FALSE"; })},
      {"an intermediate without basic constraints", Cause::InvalidChain, below([](Spec& s) {
         s.basic_constraints = "";
         s.key_usage = "";
       })},
      {"an intermediate that may sign no certificates", Cause::InvalidChain,
       below([](Spec& s) { s.key_usage = "critical,cRLSign"; })},
      {"an intermediate of X.509 version 1", Cause::InvalidChain, below([](Spec& s) {
         s.basic_constraints = s.key_usage = "";
         s.key_identifiers = false;
         s.change = [](X509* c) { X509_set_version(c, 0); };
       })},
      {"a path longer than allowed", Cause::InvalidChain,
       [](World& w) {
         Identity second = issue(ca("Too Deep"), &w.intermediate);
         return shows(issue({}, &second), {&second, &w.intermediate});
       }},
      {"a spoilt signature", Cause::InvalidChain,
       [](World& w) {
         Server server = shows(issue({}, &w.root));
         spoil_signature(server.identity.certificate.get());
         return server;
       }},
      {"a spoilt signature of the intermediate", Cause::InvalidChain,
       [](World& w) {
         Identity middle = issue(ca("Middle"), &w.root);
         Server server = shows(issue({}, &middle), {&middle});
         spoil_signature(server.chain[0].get());
         return server;
       }},
      {"an unknown critical extension", Cause::InvalidChain,
       leaf([](Spec& s) { s.change = add_unknown_critical_extension; })},
      {"an unknown critical extension of the intermediate", Cause::InvalidChain,
       below([](Spec& s) { s.change = add_unknown_critical_extension; })},
      {"for clients", Cause::WrongPurpose, leaf([](Spec& s) { s.extended_key_usage = "clientAuth"; })},
      {"for mail", Cause::WrongPurpose, leaf([](Spec& s) { s.extended_key_usage = "emailProtection"; })},
      {"for code", Cause::WrongPurpose, leaf([](Spec& s) { s.extended_key_usage = "critical,codeSigning"; })},
      {"for OCSP responses", Cause::WrongPurpose, leaf([](Spec& s) { s.extended_key_usage = "OCSPSigning"; })},
      {"of an authority for clients", Cause::WrongPurpose, below([](Spec& s) { s.extended_key_usage = "clientAuth"; })},
      {"a key that may sign certificates only", Cause::WrongPurpose, leaf_of_tls13("critical,keyCertSign")},
      {"a key that may sign revocation lists only", Cause::WrongPurpose, leaf_of_tls13("critical,cRLSign")},
      {"strict: an authority without key usage", Cause::InvalidChain, below([](Spec& s) { s.key_usage = ""; }),
       "www.origin.test", true},
      {"strict: an authority's constraints not critical", Cause::InvalidChain,
       below([](Spec& s) { s.basic_constraints = "CA:TRUE"; }), "www.origin.test", true},
      {"strict: no key identifiers", Cause::InvalidChain, below([](Spec& s) { s.key_identifiers = false; }),
       "www.origin.test", true},
  };
}

std::vector<Row> weak_ones() {
  return {
      {"an RSA leaf of 1024 bits", Cause::Weak, leaf([](Spec& s) { s.key = "RSA-1024"; })},
      {"an RSA leaf of 768 bits", Cause::Weak, leaf([](Spec& s) { s.key = "RSA-768"; })},
      {"an RSA intermediate of 1024 bits", Cause::Weak, below([](Spec& s) { s.key = "RSA-1024"; })},
      {"an RSA root of 1024 bits", Cause::Weak, [](World& w) { return shows(issue({}, &w.small_root)); }},
      {"a signature with SHA-1", Cause::Weak, leaf([](Spec& s) { s.digest = "SHA1"; })},
      {"an intermediate signed with SHA-1", Cause::Weak, below([](Spec& s) { s.digest = "SHA1"; })},
      {"a signature with MD5", Cause::Weak,
       [](World& w) {
         Identity rsa = issue(World::with(ca("RSA Middle"), [](Spec& s) { s.key = "RSA-2048"; }), &w.root);
         return shows(issue(World::with({}, [](Spec& s) { s.digest = "MD5"; }), &rsa), {&rsa});
       }},
      {"a Diffie-Hellman group of 1536 bits", Cause::Weak,
       [](World& w) {
         Server server = shows(issue(World::with({}, [](Spec& s) { s.key = "RSA-2048"; }), &w.root));
         server.version = TLS1_2_VERSION;
         server.ciphers = "DHE-RSA-AES128-GCM-SHA256";
         server.weak_dh = true;
         return server;
       }},
  };
}

std::vector<Row> bad_staples() {
  return {
      {"revoked", Cause::Revoked, stapling({.status = V_OCSP_CERTSTATUS_REVOKED})},
      {"revoked, and must-staple", Cause::Revoked, stapling({.status = V_OCSP_CERTSTATUS_REVOKED}, "status_request")},
      {"a stapled response: unknown", Cause::Stapling, stapling({.status = V_OCSP_CERTSTATUS_UNKNOWN})},
      {"a stapled response out of date", Cause::Stapling, stapling({.this_update_s = -7200, .next_update_s = -3600})},
      {"a stapled response of last week, without nextUpdate", Cause::Stapling,
       stapling({.this_update_s = -7 * 86'400, .next_update_s = std::nullopt})},
      {"a stapled response of the future", Cause::Stapling, stapling({.this_update_s = 3600, .next_update_s = 7200})},
      {"a stapled response with a spoilt signature", Cause::Stapling, stapling({.spoil = true})},
      {"a stapled response signed by a stranger", Cause::Stapling,
       stapling([](World& w, const Identity& of) { return ocsp_response(of, w.intermediate, w.stranger); })},
      {"a stapled response signed by the leaf", Cause::Stapling,
       stapling([](World& w, const Identity& of) { return ocsp_response(of, w.intermediate, of); })},
      {"a stapled response about another certificate", Cause::Stapling, stapling([](World& w, const Identity&) {
         return ocsp_response(issue({}, &w.intermediate), w.intermediate, w.intermediate);
       })},
      {"a stapled response about one of another authority", Cause::Stapling,
       stapling([](World& w, const Identity& of) { return ocsp_response(of, w.root, w.intermediate); })},
      {"a stapled error: try later", Cause::Stapling,
       stapling([](World&, const Identity&) { return ocsp_error(OCSP_RESPONSE_STATUS_TRYLATER); })},
      {"a stapled error: unauthorized", Cause::Stapling,
       stapling([](World&, const Identity&) { return ocsp_error(OCSP_RESPONSE_STATUS_UNAUTHORIZED); })},
      {"a stapled response that is none", Cause::Stapling,
       stapling([](World&, const Identity&) { return std::string("hello"); })},
      {"a stapled response with bytes behind it", Cause::Stapling,
       stapling([](World& w, const Identity& of) { return ocsp_response(of, w.intermediate, w.intermediate) + "x"; })},
      {"a stapled response cut off", Cause::Stapling, stapling([](World& w, const Identity& of) {
         std::string whole = ocsp_response(of, w.intermediate, w.intermediate);
         return whole.substr(0, whole.size() / 2);
       })},
      {"must-staple, and nothing came", Cause::Stapling, stapling(nullptr, "status_request")},
  };
}

std::vector<Row> bad_servers() {
  return {
      {"TLS 1.1 alone", Cause::Version, speaking([](Server& s) { s.version = TLS1_1_VERSION; })},
      {"TLS 1.0 alone", Cause::Version, speaking([](Server& s) { s.version = TLS1_VERSION; })},
      {"no encryption", Cause::Handshake, speaking([](Server& s) {
         s.version = TLS1_2_VERSION;
         s.ciphers = "ECDHE-ECDSA-NULL-SHA";
       })},
      {"no authentication", Cause::Handshake, speaking([](Server& s) {
         s.version = TLS1_2_VERSION;
         s.ciphers = "AECDH-AES128-SHA";
       })},
      {"a client certificate demanded", Cause::ClientCertificate,
       speaking([](Server& s) { s.wants_client_certificate = true; })},
  };
}

void print(const Row& row, const char* version, const FlowFacts& facts) {
  bool refused = facts.tls_failure != Cause::None;
  std::string why =
      refused ? std::string(tls::to_string(facts.tls_failure)) + ": " + facts.reason : facts.upstream_tls.cipher;
  std::printf("%-8s %-7s %-52s %s\n", refused ? "refused" : "accepted", version, row.what.c_str(), why.c_str());
}

void expect(const Row& row, int version) {
  SCOPED_TRACE(row.what);
  World& world = World::instance();
  Server server = row.server(world);
  if (server.version == 0) server.version = version;
  if (server.version != version && version == TLS1_3_VERSION) return;  // said once
  tls::SslCtx context = server.context();
  Playbook::Setup setup;
  setup.name = row.host;
  setup.upstream = row.strict ? &world.strict_context : &world.context;
  setup.origin = [&](ByteQueue* output) { return accept(context.get(), output); };
  Playbook play(std::move(setup));
  play.run();
  bool accepted = play.facts().outcome == Outcome::Intercepted;
  if (accepted) play.client_says(kRequest);
  print(row, server.version == TLS1_3_VERSION ? "TLS 1.3" : "TLS", play.facts());
  EXPECT_EQ(tls::to_string(play.facts().tls_failure), tls::to_string(row.refused_for)) << play.transcript();
  if (row.refused_for == Cause::None) {
    EXPECT_EQ(play.origin_got(), kRequest) << play.transcript();
    EXPECT_NE(play.facts().upstream_tls.cipher, "");
    return;
  }
  EXPECT_EQ(play.origin_got(), "") << play.transcript();
  EXPECT_EQ(play.client_got(), "") << "nothing but an alert or a reset";
  if (!accepted) EXPECT_FALSE(play.facts().reason.empty());
  if (!accepted) EXPECT_TRUE(play.exchanges().empty());
  EXPECT_TRUE(play.flow().finished()) << play.transcript();
}

void expect_all(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) expect(row, version);
}

TEST(UpstreamCertificates, GoodOnesAreAccepted) {
  expect_all(good_rows());
}
TEST(UpstreamCertificates, OutOfDateOnesAreRefused) {
  expect_all(bad_dates());
}
TEST(UpstreamCertificates, ThoseForOthersAreRefused) {
  expect_all(bad_names());
}
TEST(UpstreamCertificates, BrokenChainsAreRefused) {
  expect_all(bad_chains());
}
TEST(UpstreamCertificates, WeakOnesAreRefused) {
  expect_all(weak_ones());
}
TEST(UpstreamCertificates, RevokedAndUnstapledOnesAreRefused) {
  expect_all(bad_staples());
}
TEST(UpstreamCertificates, ServersThatCannotBeTrustedAreRefused) {
  expect_all(bad_servers());
}

TEST(UpstreamCertificates, SayWhatKindOfPeerIsNone) {
  for (std::string bytes : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n"}) {
    Playbook::Setup setup;
    setup.origin_says_raw = bytes;
    Playbook play(std::move(setup));
    play.run();
    EXPECT_EQ(play.facts().tls_failure, Cause::NotTls) << play.transcript();
    EXPECT_TRUE(play.flow().finished());
  }
}

// The other way to be told: a page with the reason instead of an alert.
TEST(UpstreamCertificates, AreExplainedOnAPageWhereThatIsWanted) {
  World& world = World::instance();
  tls::SslCtx context = shows(issue({.until_days = -1}, &world.root)).context();
  Playbook::Setup setup;
  setup.name = "www.origin.test";
  setup.error_page = true;
  setup.upstream = &world.context;
  setup.origin = [&](ByteQueue* output) { return accept(context.get(), output); };
  Playbook play(std::move(setup));
  play.client_says(kRequest);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 ")) << play.transcript();
  EXPECT_NE(play.client_got().find("certificate has expired: it was valid until"), std::string::npos);
  EXPECT_EQ(play.origin_got(), "");
  EXPECT_EQ(play.facts().tls_failure, Cause::Expired);
  EXPECT_NE(play.facts().reason.find("expired"), std::string::npos);
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::UpstreamFailed);
}

TEST(ClientCertificates, AreShownToTheHostsTheyAreForAndToNobodyElse) {
  World& world = World::instance();
  Identity us = issue(World::with({},
                                  [](Spec& s) {
                                    s.common_name = "us";
                                    s.extended_key_usage = "clientAuth";
                                  }),
                      &world.intermediate);
  std::string key(4096, '\0');
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, us.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  key.resize(static_cast<size_t>(BIO_read(bio, key.data(), static_cast<int>(key.size()))));
  BIO_free(bio);
  tls::UpstreamOptions options{.extra_roots_pem = pem(world.root), .use_system_roots = false};
  auto policy = std::make_shared<tls::UpstreamPolicy>();
  policy->identities.push_back(*tls::ClientIdentity::load({"*.origin.test"}, pem(us) + pem(world.intermediate), key));
  tls::UpstreamContext context = std::move(*tls::UpstreamContext::create(*tls::UpstreamRoots::load(options), policy));

  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (std::string host : {"www.origin.test", "other.test"}) {
      Server server = shows(issue({.names = "DNS:" + host}, &world.root));
      server.version = version;
      server.wants_client_certificate = true;
      server.client_roots = pem(world.root);
      tls::SslCtx server_context = server.context();
      Playbook::Setup setup;
      setup.name = host;
      setup.upstream = &context;
      setup.origin = [&](ByteQueue* output) { return accept(server_context.get(), output); };
      Playbook play(std::move(setup));
      play.run();
      bool ours = host == "www.origin.test";
      if (play.facts().outcome == Outcome::Intercepted) play.client_says(kRequest);
      EXPECT_EQ(play.origin_got(), ours ? kRequest : "") << play.transcript();
      EXPECT_EQ(play.facts().client_certificate, ours);
      EXPECT_EQ(play.facts().tls_failure, ours ? Cause::None : Cause::ClientCertificate) << play.transcript();
    }
  }
}

}  // namespace
}  // namespace waylay::flow
