// One end of a TLS connection, without I/O: ciphertext comes in as spans, goes out into a ByteQueue. Made by
// ClientContext::accept() (we are the server, the peer is the intercepted client) and UpstreamContext::connect().
//
//   Handshaking --HandshakeDone--> Open --CloseNotify--> Closed       any --Failed--> Failed
//
// After a TLS 1.3 handshake its SSL is freed and the records become our own (record_layer.h), where the context was
// made for it; with TLS 1.2 or anything unusual they stay OpenSSL's. Nobody outside can tell.
//
// Use: put() what was received, then call next() until it answers NeedMore or Failed. After every call, also a failing
// one, the owner sends what is in the output queue: alerts matter. A Channel may be moved while no span is put.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "tls/cause.h"
#include "tls/openssl.h"

namespace waylay::tls {

class Channel {
 public:
  // `output` is borrowed and outlives the channel. `ssl` comes from one of our contexts (its side is already chosen).
  Channel(Ssl ssl, ByteQueue* output);
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  enum class State { Handshaking, Open, Closed /* the peer's close_notify came; writing is still possible */, Failed };
  State state() const;

  // Borrowed until next() answers NeedMore or Failed; it is then wholly consumed. One span at a time.
  void put(Bytes ciphertext);

  enum class Event { NeedMore, HandshakeDone, Plaintext, CloseNotify, Failed };
  // `plaintext` is set with Event::Plaintext; it lies in `scratch` (16 KiB holds any record) until the next call.
  Event next(std::span<std::byte> scratch, Bytes& plaintext);

  // Upstream side: writes the ClientHello into the output. NeedMore, or Failed.
  Event start();

  // Seals into the output. One call per batch makes the fewest records. Allowed when Open or Closed, before shutdown().
  Result<void> write(Bytes plaintext);

  // Sends close_notify, once; nothing can be written afterwards, reading goes on. Nothing happens before the end of the
  // handshake.
  void shutdown();
  bool shutdown_sent() const;

  // If the transport ended now, would something be missing? True until the peer's close_notify.
  bool truncated() const;

  // After Failed. Kind Certificate: verification failed, or the peer refused ours; the message has the reason in words:
  // "certificate has expired: it was valid until 2026-11-01T00:00:00.000Z", "host name mismatch: the certificate is for
  // a.example, b.example", "client refused our certificate: unknown_ca alert".
  const Error& error() const;
  Cause cause() const;  // of a failed handshake with an upstream, else None

  // What the client's behaviour says about our certificate. Alert is known as soon as it comes; the other two once the
  // transport has ended, which only the owner knows: so ask when it has, or after Failed.
  enum class Rejection {
    None,
    Alert,           // unknown_ca, bad_certificate, certificate_unknown, certificate_expired, ...
    EndInHandshake,  // it ended after our certificate, without Finished and without a word
    EndBeforeData,   // it finished a full handshake and sent nothing: Node checks after the handshake, but so ends a
                     // connection that was opened in advance and never used
  };
  Rejection rejection() const;
  bool peer_rejected_certificate() const { return rejection() == Rejection::Alert; }
  int received_alert() const;  // the last alert's description, close_notify left out; -1: none

  std::string_view version() const;  // "TLSv1.3"; empty before the hellos are exchanged
  std::string_view cipher() const;   // "TLS_AES_128_GCM_SHA256"
  std::string_view alpn() const;     // chosen protocol, empty: none
  bool resumed() const;
  bool own_records() const;  // sealed and opened by us; the SSL is gone
  bool received_any_application_data() const;
  bool peer_asked_for_certificate() const;  // the upstream wants a client certificate
  bool sent_client_certificate() const;     // and got ours

  // Upstream side: the server's certificate, also one that verification refused. Borrowed until the next put(), null
  // before it came and once the records are our own.
  X509* peer_certificate() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

std::string_view to_string(Channel::State state);
std::string_view to_string(Channel::Event event);

}  // namespace waylay::tls
