// What all TLS connections of one side share. A context belongs to one worker thread (UpstreamRoots are shared
// by all); channels made from it may outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_queue.h"
#include "tls/channel.h"
#include "tls/client_identity.h"
#include "tls/leaf.h"
#include "tls/openssl.h"
#include "tls/ticket_keys.h"

namespace waylay::tls {

// Who protects the records once a handshake is done.
enum class Records { OpenSsl, Own /* where record_layer.h can */ };

// We are the server, towards the intercepted client. TLS 1.2 and 1.3 with forward secrecy and AEAD only.
class ClientContext {
 public:
  static Result<ClientContext> create(const TicketKeys& keys, Records records = Records::Own);

  // `alpn_chosen` is what the upstream speaks, empty for none. A client that offers ALPN without it gets a
  // no_application_protocol alert; one that offers none gets none. Tickets are good for the same `ticket_scope` (the
  // target and the name) and the same leaf only. The bytes of the ClientHello are put() into the channel by the caller.
  Result<Channel> accept(const Leaf& leaf, std::string_view alpn_chosen, std::string_view ticket_scope,
                         ByteQueue* output) const;

  // Tickets are sealed with the keys of this time from now on. Returns when to be called next (Time::steady_ns).
  int64_t renew_ticket_keys(Time now);

 private:
  ClientContext(SslCtx context, Records records) : context_(std::move(context)), records_(records) {}
  SslCtx context_;
  Records records_;
};

struct UpstreamOptions {
  std::string extra_roots_file;  // PEM, empty: none
  std::string extra_roots_pem;   // the same as text
  bool use_system_roots = true;
  std::string system_bundle;  // empty: where distributions keep it
};

// The certificate authorities we trust: indexed once per process, the system's parsed as they are needed.
class UpstreamRoots {
 public:
  static Result<UpstreamRoots> load(const UpstreamOptions& options);
  X509_STORE* store() const { return store_.get(); }

 private:
  explicit UpstreamRoots(std::shared_ptr<X509_STORE> store) : store_(std::move(store)) {}
  std::shared_ptr<X509_STORE> store_;
};

// What is asked of upstreams beyond the chain, and what they may ask of us. Read by all workers, never changed.
struct UpstreamPolicy {
  Records records = Records::Own;
  bool strict_x509 = false;  // every rule of RFC 5280, also those that public authorities have broken for years
  std::vector<ClientIdentity> identities;  // the first that is for the host is shown when the upstream asks
};

struct UpstreamName {
  std::string host;               // DNS name or IP literal: what the certificate must be for; a DNS name is sent as SNI
  std::string session_scope;      // sessions are resumed within one scope only: target, address, port, ...
  std::vector<std::string> alpn;  // offered in this order, empty: no ALPN
  bool names_are_shown = false;   // to somebody who judges them: a certificate for hosts will do for an address
};

// We are the client, towards the real server. Always verified: chain, dates (by the system's clock), purpose, name
// constraints, strength of keys and signatures, the name by SAN only, and the OCSP response that is stapled to the
// certificate (or has to be).
class UpstreamContext {
 public:
  static Result<UpstreamContext> create(const UpstreamRoots& roots,
                                        std::shared_ptr<const UpstreamPolicy> policy = nullptr);
  static Result<UpstreamContext> create(const UpstreamOptions& options);  // loads the roots itself

  // Offers a session remembered for the same scope, host and ALPN. The handshake begins with Channel::start().
  Result<Channel> connect(const UpstreamName& name, ByteQueue* output) const;

 private:
  UpstreamContext(SslCtx context, std::shared_ptr<const UpstreamPolicy> policy)
      : policy_(std::move(policy)), context_(std::move(context)) {}
  std::shared_ptr<const UpstreamPolicy> policy_;
  SslCtx context_;  // owns the session cache, since new sessions arrive in the midst of channels
};

}  // namespace waylay::tls
