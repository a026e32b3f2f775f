#include "tls/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/alert.h"
#include "tls/connection_notes.h"
#include "tls/span_bio.h"

namespace waylay::tls {
namespace {

// OpenSSL tells here what its return values do not: alerts that arrive, and which messages were sent.
void on_info(const SSL* ssl, int where, int value) {
  ConnectionNotes& notes = notes_of(ssl);
  bool alert_received = (where & SSL_CB_ALERT) != 0 && (where & SSL_CB_READ) != 0;
  if (alert_received && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) notes.received_alert = value & 0xff;
  if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_SW_CERT) notes.certificate_sent = true;
}

// OpenSSL reads its errors off this thread's queue. Emptying it costs more than asking whether it is empty, as it
// nearly always is: 290 instructions, several times for each exchange.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

struct Channel::Core {
  Ssl ssl;
  ConnectionNotes* notes;  // owned by ssl
  State state = State::Handshaking;
  bool failed_in_handshake = false;
  bool shutdown_sent = false;
  bool received_data = false;
  Error error;
  Cause cause = Cause::None;

  bool is_server() const { return SSL_is_server(ssl.get()) == 1; }
  std::string_view peer() const { return is_server() ? "client" : "upstream"; }
  Error peer_error(ErrorKind kind, std::string message) const {
    return {kind, is_server() ? Side::Client : Side::Upstream, std::move(message), 0};
  }

  Event shake_hands();
  Event read(std::span<std::byte> scratch, Bytes& plaintext);
  Event closed_by_peer();
  Event failed();
  Error failure() const;
  Error alert_failure() const;
  Cause cause_of_failure() const;
};

Channel::Channel(Ssl ssl, ByteQueue* output) : core_(std::make_unique<Core>()) {
  core_->notes = &notes_of(ssl.get());
  core_->notes->output = output;
  core_->ssl = std::move(ssl);
  CHECK(set_span_bio(core_->ssl.get(), core_->notes));
  SSL_set_info_callback(core_->ssl.get(), on_info);
}

Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;

Channel::State Channel::state() const {
  return core_->state;
}

void Channel::put(Bytes ciphertext) {
  CHECK(core_->notes->input.empty());
  core_->notes->input = ciphertext;
}

Channel::Event Channel::next(std::span<std::byte> scratch, Bytes& plaintext) {
  plaintext = {};
  clear_errors();
  switch (core_->state) {
    case State::Handshaking:
      return core_->shake_hands();
    case State::Open:
      return core_->read(scratch, plaintext);
    case State::Closed:
      core_->notes->input = {};  // RFC 8446 section 6.1: what follows a close_notify is ignored
      return Event::NeedMore;
    case State::Failed:
      core_->notes->input = {};
      return Event::Failed;
  }
  return Event::Failed;
}

Channel::Event Channel::start() {
  CHECK(!core_->is_server() && core_->state == State::Handshaking);
  clear_errors();
  return core_->shake_hands();
}

Channel::Event Channel::Core::shake_hands() {
  int done = SSL_do_handshake(ssl.get());
  if (done == 1) {
    state = State::Open;
    return Event::HandshakeDone;
  }
  if (SSL_get_error(ssl.get(), done) == SSL_ERROR_WANT_READ) return Event::NeedMore;
  failed_in_handshake = true;
  return failed();
}

Channel::Event Channel::Core::read(std::span<std::byte> scratch, Bytes& plaintext) {
  if (notes->input.empty() && SSL_has_pending(ssl.get()) == 0) return Event::NeedMore;
  size_t size = 0;
  int done = SSL_read_ex(ssl.get(), scratch.data(), scratch.size(), &size);
  if (done == 1) {
    received_data = true;
    plaintext = scratch.first(size);
    return Event::Plaintext;
  }
  switch (SSL_get_error(ssl.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return Event::NeedMore;
    case SSL_ERROR_ZERO_RETURN:
      return closed_by_peer();
    default:
      return failed();
  }
}

Channel::Event Channel::Core::closed_by_peer() {
  state = State::Closed;
  return Event::CloseNotify;
}

Channel::Event Channel::Core::failed() {
  cause = cause_of_failure();
  error = failure();
  state = State::Failed;
  notes->input = {};
  return Event::Failed;
}

// The reason that helps most comes first: our own refusal of a certificate, what the peer said, what OpenSSL says.
Error Channel::Core::failure() const {
  if (notes->problem) return peer_error(ErrorKind::Certificate, notes->problem.words);
  if (notes->received_alert >= 0) return alert_failure();
  std::string context = std::string("TLS with the ").append(peer());
  if ((SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0) {
    return peer_error(ErrorKind::Protocol, context + ": it closed the connection during the handshake");
  }
  return openssl_error(ErrorKind::Protocol, context, is_server() ? Side::Client : Side::Upstream);
}

// Before failure(), which empties OpenSSL's queue.
Cause Channel::Core::cause_of_failure() const {
  // With TLS 1.3 the server's judgement of our certificate comes after the handshake, as the first thing it says.
  bool refused_late = notes->received_alert >= 0 && !received_data;
  if (is_server() || (!failed_in_handshake && !refused_late)) return Cause::None;
  if (notes->problem) return notes->problem.cause;
  if (notes->received_alert == SSL_AD_PROTOCOL_VERSION) return Cause::Version;
  if (notes->received_alert >= 0) return notes->certificate_requested ? Cause::ClientCertificate : Cause::Handshake;
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
      return Cause::Version;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return Cause::NotTls;
    case SSL_R_DH_KEY_TOO_SMALL:
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
      return Cause::Weak;
    default:
      return Cause::Handshake;
  }
}

Error Channel::Core::alert_failure() const {
  auto description = static_cast<uint8_t>(notes->received_alert);
  std::string who(peer());
  std::string alert = std::string(alert_name(description)).append(" alert");
  if (is_server() && is_about_certificate(description)) {
    return peer_error(ErrorKind::Certificate, who + " refused our certificate: " + alert);
  }
  if (!is_server() && notes->certificate_requested) {
    std::string_view ours = notes->certificate_offered ? " refused our client certificate: "
                                                       : " asks for a client certificate and we have none: ";
    return peer_error(ErrorKind::Certificate, who.append(ours) + alert);
  }
  return peer_error(ErrorKind::Protocol, who + " ended TLS: " + alert);
}

Result<void> Channel::write(Bytes plaintext) {
  if (core_->state == State::Failed) return fail(Error(core_->error));
  if (core_->state == State::Handshaking || core_->shutdown_sent) {
    return fail(Error::local(ErrorKind::Invalid, "writing to a TLS channel that is not open"));
  }
  if (plaintext.empty()) return {};
  clear_errors();
  size_t written = 0;
  if (SSL_write_ex(core_->ssl.get(), plaintext.data(), plaintext.size(), &written) == 1) return {};
  core_->failed();
  return fail(Error(core_->error));
}

void Channel::shutdown() {
  bool possible = core_->state == State::Open || core_->state == State::Closed;
  if (!possible || core_->shutdown_sent) return;
  clear_errors();
  SSL_shutdown(core_->ssl.get());
  core_->shutdown_sent = true;
}

bool Channel::shutdown_sent() const {
  return core_->shutdown_sent;
}
bool Channel::truncated() const {
  return core_->state != State::Closed;
}
const Error& Channel::error() const {
  return core_->error;
}
Cause Channel::cause() const {
  return core_->cause;
}
int Channel::received_alert() const {
  return core_->notes->received_alert;
}

Channel::Rejection Channel::rejection() const {
  const Core& core = *core_;
  if (!core.is_server()) return Rejection::None;
  int alert = core.notes->received_alert;
  if (alert >= 0 && is_about_certificate(static_cast<uint8_t>(alert))) return Rejection::Alert;
  if (!core.notes->certificate_sent || alert == static_cast<int>(Alert::EchRequired)) return Rejection::None;
  if (core.state == State::Handshaking || core.failed_in_handshake) return Rejection::EndInHandshake;
  return core.received_data ? Rejection::None : Rejection::EndBeforeData;
}

std::string_view Channel::version() const {
  bool known = SSL_get_current_cipher(core_->ssl.get()) != nullptr;
  return known ? SSL_get_version(core_->ssl.get()) : std::string_view();
}

std::string_view Channel::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(core_->ssl.get());
  return cipher == nullptr ? std::string_view() : SSL_CIPHER_get_name(cipher);
}

std::string_view Channel::alpn() const {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(core_->ssl.get(), &protocol, &size);
  return as_text(as_bytes(protocol, size));
}

bool Channel::resumed() const {
  return SSL_session_reused(core_->ssl.get()) == 1;
}
bool Channel::received_any_application_data() const {
  return core_->received_data;
}
bool Channel::peer_asked_for_certificate() const {
  return core_->notes->certificate_requested;
}
bool Channel::sent_client_certificate() const {
  return core_->notes->certificate_requested && core_->notes->certificate_offered;
}

X509* Channel::peer_certificate() const {
  X509* refused = core_->notes->refused_certificate.get();
  return refused != nullptr ? refused : SSL_get0_peer_certificate(core_->ssl.get());
}

std::string_view to_string(Channel::State state) {
  switch (state) {
    case Channel::State::Handshaking:
      return "handshaking";
    case Channel::State::Open:
      return "open";
    case Channel::State::Closed:
      return "closed";
    case Channel::State::Failed:
      return "failed";
  }
  return "?";
}

std::string_view to_string(Channel::Event event) {
  switch (event) {
    case Channel::Event::NeedMore:
      return "need more";
    case Channel::Event::HandshakeDone:
      return "handshake done";
    case Channel::Event::Plaintext:
      return "plaintext";
    case Channel::Event::CloseNotify:
      return "close_notify";
    case Channel::Event::Failed:
      return "failed";
  }
  return "?";
}

}  // namespace waylay::tls
