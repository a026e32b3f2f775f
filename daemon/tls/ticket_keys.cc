#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/check.h"

namespace waylay::tls {
namespace {

using Cipher = Handle<EVP_CIPHER, EVP_CIPHER_free>;

bool randomize(TicketKeys::Key& key) {
  return RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
         RAND_bytes(key.secrets.data(), static_cast<int>(key.secrets.size())) == 1;
}

int64_t period_of(Time time) {
  return time.steady_ns / TicketKeys::kPeriod_ns;
}

// What a context for clients knows of tickets: ex_data, since OpenSSL calls back with an SSL, which may outlive whoever
// made the context.
struct Sealing {
  TicketKeys keys;
  Cipher cipher;  // fetched once
};

void free_sealing(void*, void* sealing, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Sealing*>(sealing);
}

int sealing_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_sealing);
  return index;
}

Sealing& sealing_of(const SSL_CTX* context) {
  auto* sealing = static_cast<Sealing*>(SSL_CTX_get_ex_data(context, sealing_index()));
  CHECK(sealing != nullptr);
  return *sealing;
}

bool begin(const Sealing& with, const TicketKeys::Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
           bool seal) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex2(cipher, with.cipher.get(), key.cipher(), iv, seal ? 1 : 0, nullptr) == 1 &&
         EVP_MAC_init(mac, key.mac(), TicketKeys::Key::kSecret, parameters) == 1;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 is done, 2 that the client gets a new ticket besides, 0 that the whole
// handshake takes place. With TLS 1.3 a ticket is for one connection (RFC 8446 appendix C.4).
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  const Sealing& with = sealing_of(SSL_get_SSL_CTX(ssl));
  const TicketKeys::Key& current = with.keys.current();
  if (seal == 1) {
    std::ranges::copy(current.name, name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(with.cipher.get())) != 1) return -1;
    return begin(with, current, iv, cipher, mac, true) ? 1 : -1;
  }
  const TicketKeys::Key* key = with.keys.find(name);
  if (key == nullptr) return 0;
  if (!begin(with, *key, iv, cipher, mac, false)) return -1;
  return key == &current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

}  // namespace

// The one before the first has sealed nothing, and nobody may guess it.
Result<TicketKeys> TicketKeys::make(Time now) {
  TicketKeys keys(period_of(now));
  if (!randomize(keys.current_) || !randomize(keys.previous_))
    return fail(openssl_error(ErrorKind::Unavailable, "making session ticket keys"));
  return keys;
}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&current_, sizeof current_);
  OPENSSL_cleanse(&previous_, sizeof previous_);
}

// Period by period: workers that look at different times come to the same keys.
int64_t TicketKeys::renew(Time now) {
  for (int64_t period = period_of(now); period_ < period; ++period_) step();
  return (period_ + 1) * kPeriod_ns;
}

void TicketKeys::step() {
  previous_ = current_;
  std::array<unsigned char, sizeof current_.secrets + 1> message;
  std::array<unsigned char, SHA512_DIGEST_LENGTH> digest;
  std::ranges::copy(current_.secrets, message.begin());
  message.back() = 'n';
  CHECK(SHA512(message.data(), message.size(), digest.data()) != nullptr);
  std::copy_n(digest.begin(), current_.name.size(), current_.name.begin());
  message.back() = 's';
  CHECK(SHA512(message.data(), message.size(), current_.secrets.data()) != nullptr);
  OPENSSL_cleanse(message.data(), message.size());
}

const TicketKeys::Key* TicketKeys::find(const unsigned char* name) const {
  for (const Key* key : {&current_, &previous_})
    if (std::equal(key->name.begin(), key->name.end(), name)) return key;
  return nullptr;
}

bool seal_tickets(SSL_CTX* context, const TicketKeys& keys) {
  Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
  if (!cipher) return false;
  auto sealing = std::make_unique<Sealing>(keys, std::move(cipher));
  if (SSL_CTX_set_ex_data(context, sealing_index(), sealing.get()) != 1) return false;
  (void)sealing.release();
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

int64_t renew_ticket_keys(SSL_CTX* context, Time now) {
  return sealing_of(context).keys.renew(now);
}

}  // namespace waylay::tls
