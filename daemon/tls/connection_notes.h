// What our callbacks and our BIO know about one SSL. It belongs to the SSL (ex_data) and is freed with it, so that
// OpenSSL's callbacks, which get nothing but the SSL, never look at something that has moved or gone.
#pragma once

#include <memory>
#include <string>

#include "base/byte_queue.h"
#include "tls/cause.h"
#include "tls/key_schedule.h"
#include "tls/openssl.h"
#include "tls/record_counter.h"

namespace waylay::tls {

struct ConnectionNotes {
  // The records may be taken from OpenSSL once the handshake is done: these say where it then stands.
  bool own_records = false;  // wanted
  bool is_server = false;
  TrafficSecrets secrets;
  RecordCounter received, sent;  // under the application secrets
  TrafficSecrets* wanted_secrets() { return own_records ? &secrets : nullptr; }
  void keep_openssl() {
    own_records = false;
    secrets = {};
  }
  void count_received(Bytes bytes) {
    if (!(is_server ? secrets.client : secrets.server).empty()) received.add(bytes);
  }
  void count_sent(Bytes bytes) {
    if (!(is_server ? secrets.server : secrets.client).empty()) sent.add(bytes);
  }

  Bytes input;                  // received ciphertext that OpenSSL has not read yet: borrowed
  ByteQueue* output = nullptr;  // where ciphertext goes: borrowed

  std::string alpn_chosen;       // towards the client
  std::string host;              // towards the upstream: whom its certificate must name
  bool names_are_shown = false;  // towards the upstream: see UpstreamName
  std::string session_key;       // towards the upstream: where its sessions are remembered

  Problem problem;  // why the upstream's certificate was refused
  Certificate refused_certificate;
  bool certificate_requested = false;  // the upstream wants one from us
  bool certificate_offered = false;    // and we have one for it
  bool certificate_sent = false;       // the client has been shown our leaf in this handshake
  int received_alert = -1;
  bool ticket_came = false;  // from the upstream: its session is in the cache

  void forget_handshake() { alpn_chosen = host = session_key = std::string(); }
};

ConnectionNotes* attach_notes(SSL* ssl);                  // null: no memory
std::unique_ptr<ConnectionNotes> detach_notes(SSL* ssl);  // they outlive the SSL, which may only be freed from now on
ConnectionNotes& notes_of(const SSL* ssl);

}  // namespace waylay::tls
