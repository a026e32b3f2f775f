// What the TLS tests have in common: a small PKI, peers that are plain OpenSSL, and a wire in memory between two ends.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tls/ca.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tls/leaf.h"

namespace waylay::tls::testing {

constexpr int64_t kDay_s = 24 * 60 * 60;

struct Identity {
  Certificate certificate;
  PrivateKey key;
};

struct CertificateSpec {
  std::string common_name = "test";
  std::vector<std::string> names = {};  // "DNS:a.example", "IP:192.0.2.1"
  int64_t from_days = -1, until_days = 30;
  std::string extended_key_usage = "serverAuth";
  bool is_ca = false;
  int rsa_bits = 0;  // 0: P-256
};

Identity issue(const CertificateSpec& spec, const Identity* issuer);  // null: self-signed
Identity make_root(const std::string& common_name);
std::string pem_of(const Identity& identity);

// Plain OpenSSL peers. `version` is TLS1_2_VERSION or TLS1_3_VERSION; 0 leaves both.
SslCtx server_context(const Identity& identity, int version = 0);
SslCtx client_context(const std::string& roots_pem, int version = 0);  // empty roots: does not verify
Channel plain_server(SSL_CTX* context, ByteQueue* output);
Channel plain_client(SSL_CTX* context, const std::string& name, ByteQueue* output,
                     const std::vector<std::string>& alpn = {}, SSL_SESSION* session = nullptr);
SSL* ssl_of_last_plain_peer();  // for what a Channel does not show, such as its session

// One end of a connection: a channel, what it wants to send, and what it has said so far.
struct End {
  ByteQueue output;
  std::optional<Channel> channel;
  std::string received;
  std::vector<Channel::Event> events;  // without NeedMore; Plaintext once in a row
  size_t scratch_bytes = 16 * 1024;

  bool saw(Channel::Event event) const;
  void take(Bytes ciphertext);  // put() and next() until it wants more
};

// Carries bytes both ways until nobody has anything to say, `chunk` bytes at a time.
void converse(End& a, End& b, size_t chunk = SIZE_MAX);
bool both_open(const End& a, const End& b);

// A client's connection to us: CA, minter, leaf for example.org and contexts.
struct ClientSide {
  ClientSide();
  std::shared_ptr<const Leaf> leaf(const std::string& name, X509* mirror = nullptr, LeafKey key = LeafKey::P256) const;

  CertificateAuthority ca;
  std::string ca_pem;
  std::unique_ptr<LeafMinter> minter;
  TicketKeys keys;
  ClientContext context;
  std::shared_ptr<const Leaf> example;
};

}  // namespace waylay::tls::testing
