// What our callbacks and our BIO know about one SSL. It belongs to the SSL (ex_data) and is freed with it, so that
// OpenSSL's callbacks, which get nothing but the SSL, never look at something that has moved or gone.
#pragma once

#include <string>

#include "base/byte_queue.h"
#include "tls/cause.h"
#include "tls/openssl.h"

namespace waylay::tls {

struct ConnectionNotes {
  Bytes input;                  // received ciphertext that OpenSSL has not read yet: borrowed
  ByteQueue* output = nullptr;  // where ciphertext goes: borrowed

  std::string alpn_chosen;  // towards the client
  std::string host;         // towards the upstream: whom its certificate must name
  std::string session_key;  // towards the upstream: where its sessions are remembered

  Problem problem;  // why the upstream's certificate was refused
  Certificate refused_certificate;
  bool certificate_requested = false;  // the upstream wants one from us
  bool certificate_offered = false;    // and we have one for it
  bool certificate_sent = false;       // the client has been shown our leaf in this handshake
  int received_alert = -1;
};

ConnectionNotes* attach_notes(SSL* ssl);  // null: no memory
ConnectionNotes& notes_of(const SSL* ssl);

}  // namespace waylay::tls
