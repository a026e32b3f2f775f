#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "tls/certificate.h"
#include "tls/client_hello.h"
#include "tls/connection_notes.h"
#include "tls/context.h"
#include "tls/name_constraints.h"
#include "tls/ocsp.h"
#include "tls/provider.h"
#include "tls/root_index.h"
#include "tls/session_cache.h"
#include "tls/verification.h"

namespace waylay::tls {
namespace {

constexpr int kSecurityLevel = 2;

// Where distributions keep the bundle: Debian and Alpine, Fedora, SUSE. A file, not OpenSSL's directory of hashes,
// which would be read in the midst of handshakes and outside of the sandbox.
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                          "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

using MemoryBio = Handle<BIO, BIO_free_all>;

void free_cache(void*, void* cache, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<SessionCache*>(cache);
}

int cache_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_cache);
  return index;
}

bool attach_cache(SSL_CTX* context) {
  auto* cache = new SessionCache;  // the context's, once it is in there
  if (SSL_CTX_set_ex_data(context, cache_index(), cache) == 1) return true;
  delete cache;
  return false;
}

SessionCache& cache_of(const SSL_CTX* context) {
  return *static_cast<SessionCache*>(SSL_CTX_get_ex_data(context, cache_index()));
}

// With TLS 1.3 called after the handshake, once per ticket. Returning 1 keeps the reference.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
  if (SSL_get_verify_result(ssl) != X509_V_OK) return 0;
  ConnectionNotes& notes = notes_of(ssl);
  notes.ticket_came = true;
  cache_of(SSL_get_SSL_CTX(ssl)).put(notes.session_key, SslSession(session));
  return 1;
}

// An address is what is expected, and the certificate is for hosts: one that is for addresses too must be for this one.
bool is_for_hosts_only(X509_STORE_CTX* verification) {
  if (X509_STORE_CTX_get_error(verification) != X509_V_ERR_IP_ADDRESS_MISMATCH) return false;
  std::vector<std::string> names = subject_alternative_names(X509_STORE_CTX_get0_cert(verification), SIZE_MAX);
  // "192.0.2.1" and "*.0.2.1" are no host names, though certificates may hold them as such.
  auto is_host = [](std::string_view name) {
    std::string_view last_label = name.substr(name.rfind('.') + 1);
    return !is_ip_literal(name) && last_label.find_first_not_of("0123456789") != std::string_view::npos;
  };
  return !names.empty() && std::ranges::all_of(names, is_host);
}

// OpenSSL holds the certificate's names against the constraints of its authorities, and "*.example.org" is not the
// excluded "www.example.org": the host itself must be allowed as well. Asked at the leaf, when all signatures are good.
bool is_kept_from_host(X509_STORE_CTX* verification, const std::string& host) {
  if (X509_STORE_CTX_get_error_depth(verification) != 0 || is_ip_literal(host)) return false;
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(verification);
  for (int depth = 1; depth < sk_X509_num(chain); ++depth) {
    X509* authority = sk_X509_value(chain, depth);
    if (NameConstraints::of(authority).allows(host)) continue;
    X509_STORE_CTX_set_error(verification, X509_V_ERR_EXCLUDED_VIOLATION);
    X509_STORE_CTX_set_error_depth(verification, depth);
    X509_STORE_CTX_set_current_cert(verification, authority);
    return true;
  }
  return false;
}

int on_verify(int good, X509_STORE_CTX* verification) {
  void* ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
  ConnectionNotes& notes = notes_of(static_cast<SSL*>(ssl));
  if (good == 1 && !is_kept_from_host(verification, notes.host)) return 1;
  if (notes.names_are_shown && is_for_hosts_only(verification)) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
  }
  notes.problem = describe_verification_problem(verification, notes.host);
  notes.refused_certificate = share(X509_STORE_CTX_get0_cert(verification));
  return 0;
}

// Called when the server asks for a certificate: the one for its host is in place already, if there is one.
int on_certificate_request(SSL* ssl, void*) {
  notes_of(ssl).certificate_requested = true;
  return 1;
}

// Behind the server's certificate, whether a response came or not. A resumed handshake shows neither.
int on_status(SSL* ssl, void*) {
  if (SSL_session_reused(ssl) == 1) return 1;
  ConnectionNotes& notes = notes_of(ssl);
  notes.problem = check_stapling(ssl);
  if (!notes.problem) return 1;
  notes.refused_certificate = share(SSL_get0_peer_certificate(ssl));
  return 0;
}

Result<void> add_system_roots(X509_STORE* store, const std::string& bundle) {
  Result<RootIndex> index = RootIndex::read(bundle);
  if (!index) return fail(index, "loading the system's root certificates from " + bundle);
  if (provide_on_demand(store, std::move(*index))) return {};
  return fail(openssl_error(ErrorKind::Unavailable, "preparing the system's root certificates"));
}

Result<void> add_system_roots(X509_STORE* store) {
  for (const char* bundle : kSystemBundles)
    if (access(bundle, R_OK) == 0) return add_system_roots(store, bundle);
  return fail(
      Error::local(ErrorKind::NotFound, "no system root certificates: is the package ca-certificates installed?"));
}

Result<void> add_roots(X509_STORE* store, std::string_view pem) {
  MemoryBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  size_t added = 0;
  while (Certificate root{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, root.get()) != 1) return fail(openssl_error(ErrorKind::Invalid, "adding a root"));
    ++added;
  }
  ERR_clear_error();  // reading ends with "no start line"
  if (added == 0) return fail(Error::local(ErrorKind::Invalid, "no certificate in the extra roots"));
  return {};
}

// ALPN's wire form (RFC 7301 section 3.1): each protocol behind its length.
Result<std::string> alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      return fail(Error::local(ErrorKind::Invalid, "ALPN protocol length"));
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

// RFC 6066 section 3: an IP address is not sent as a server name.
bool expect_host(SSL* ssl, std::string host) {  // by value: OpenSSL wants it writable
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_ip_literal(host)) return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

bool show_identity(SSL* ssl, const ClientIdentity& identity) {
  if (SSL_use_certificate(ssl, identity.certificate.get()) != 1) return false;
  for (const Certificate& issuer : identity.chain)
    if (SSL_add1_chain_cert(ssl, issuer.get()) != 1) return false;
  return SSL_use_PrivateKey(ssl, identity.key.get()) == 1;
}

bool set_alpn(SSL* ssl, const std::string& list) {
  const auto* protocols = reinterpret_cast<const unsigned char*>(list.data());
  return list.empty() || SSL_set_alpn_protos(ssl, protocols, static_cast<unsigned>(list.size())) == 0;
}

// Lengths in front, so that no two different triples give the same key.
std::string session_key(const UpstreamName& name, const std::string& host, const std::string& alpn) {
  return std::to_string(name.session_scope.size()) + (name.names_are_shown ? "~" : ":") + name.session_scope +
         std::to_string(host.size()) + ":" + host + alpn;
}

}  // namespace

Result<UpstreamRoots> UpstreamRoots::load(const UpstreamOptions& options) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  if (!store) return fail(openssl_error(ErrorKind::Unavailable, "making the store of root certificates"));
  // RFC 5280 section 6.1: what is trusted need not be self-signed. An intermediate that was configured ends the chain.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const std::string& file = options.extra_roots_file;
  if (!file.empty() && X509_STORE_load_file(store.get(), file.c_str()) != 1) {
    return fail(openssl_error(ErrorKind::Invalid, "loading extra root certificates from " + file));
  }
  if (!options.extra_roots_pem.empty()) {
    if (Result<void> added = add_roots(store.get(), options.extra_roots_pem); !added) return fail(added);
  }
  if (options.use_system_roots) {  // behind the others: see provide_on_demand
    const std::string& bundle = options.system_bundle;
    Result<void> added = bundle.empty() ? add_system_roots(store.get()) : add_system_roots(store.get(), bundle);
    if (!added) return fail(added);
  }
  return UpstreamRoots(std::move(store));
}

Result<UpstreamContext> UpstreamContext::create(const UpstreamOptions& options) {
  Result<UpstreamRoots> roots = UpstreamRoots::load(options);
  if (!roots) return fail(roots);
  return create(*roots);
}

Result<UpstreamContext> UpstreamContext::create(const UpstreamRoots& roots,
                                                std::shared_ptr<const UpstreamPolicy> policy) {
  if (!policy) policy = std::make_shared<const UpstreamPolicy>();
  SslCtx context(SSL_CTX_new_ex(tls_library(), nullptr, TLS_client_method()));
  if (!context) return fail(openssl_error(ErrorKind::Unavailable, "making the TLS context for upstreams"));
  SSL_CTX* raw = context.get();
  SSL_CTX_set1_cert_store(raw, roots.store());
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, on_verify);
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, on_new_session);
  SSL_CTX_set_cert_cb(raw, on_certificate_request, nullptr);
  SSL_CTX_set_tlsext_status_type(raw, TLSEXT_STATUSTYPE_ocsp);
  SSL_CTX_set_tlsext_status_cb(raw, on_status);
  if (policy->strict_x509) X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_X509_STRICT);
  if (!attach_cache(raw) || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1) {
    return fail(openssl_error(ErrorKind::Unavailable, "setting up the TLS context for upstreams"));
  }
  return UpstreamContext(std::move(context), std::move(policy));
}

Result<Channel> UpstreamContext::connect(const UpstreamName& name, ByteQueue* output) const {
  Result<std::string> host = normalize_host_name(name.host);
  if (!host) return fail(host, "connecting to an upstream");
  Result<std::string> alpn = alpn_list(name.alpn);
  if (!alpn) return fail(alpn, "connecting to " + *host);

  ERR_clear_error();
  Ssl ssl(SSL_new(context_.get()));
  ConnectionNotes* notes = ssl ? attach_notes(ssl.get()) : nullptr;
  if (notes == nullptr || !expect_host(ssl.get(), *host) || !set_alpn(ssl.get(), *alpn)) {
    return fail(openssl_error(ErrorKind::Unavailable, "making a TLS endpoint for " + *host, Side::Upstream));
  }
  auto identity = std::ranges::find_if(policy_->identities, [&](const auto& each) { return each.is_for(*host); });
  if (identity != policy_->identities.end()) {
    if (!show_identity(ssl.get(), *identity))
      return fail(openssl_error(ErrorKind::Invalid, "using the client certificate for " + *host));
    notes->certificate_offered = true;
  }
  notes->own_records = policy_->records == Records::Own;
  notes->host = *host;
  notes->names_are_shown = name.names_are_shown;
  notes->session_key = session_key(name, *host, *alpn);
  SSL_set_connect_state(ssl.get());
  // Sessions carry OpenSSL's own time stamps, so they are judged by the same clock.
  SslSession session = cache_of(context_.get()).take(notes->session_key, static_cast<int64_t>(std::time(nullptr)));
  if (session) SSL_set_session(ssl.get(), session.get());
  return Channel(std::move(ssl), output);
}

}  // namespace waylay::tls
