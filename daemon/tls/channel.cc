#include "tls/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/alert.h"
#include "tls/connection_notes.h"
#include "tls/record_layer.h"
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

std::string_view alpn_of(const SSL* ssl) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  return as_text(as_bytes(protocol, size));
}

// RFC 6066 section 4: a client may have asked for small records, which only OpenSSL does here.
bool wants_small_records(const SSL* ssl) {
  uint8_t length = SSL_SESSION_get_max_fragment_length(SSL_get0_session(ssl));
  return length >= TLSEXT_max_fragment_length_512 && length <= TLSEXT_max_fragment_length_4096;
}

// An upstream's tickets come in front of its data, and only OpenSSL makes sessions of them. Who sends so many records
// without one has none for us.
constexpr unsigned kRecordsWithoutTicket = 4;

}  // namespace

struct Channel::Core {
  Ssl ssl;                               // null once the records are our own
  ConnectionNotes* notes;                // owned by ssl, later by kept_notes
  std::unique_ptr<RecordLayer> records;  // null while they are OpenSSL's
  std::unique_ptr<ConnectionNotes> kept_notes;
  bool is_server;
  State state = State::Handshaking;
  bool failed_in_handshake = false;
  bool shutdown_sent = false;
  bool received_data = false;
  Error error;
  Cause cause = Cause::None;

  // When OpenSSL had nothing more in itself than what it had given out: so many records had then come.
  uint64_t records_settled = 0;
  unsigned data_records = 0;
  bool handshake_in_this_put = false;

  // What is asked of the connection when its SSL is gone.
  std::string_view version, cipher;  // OpenSSL's own, for ever
  std::string alpn;
  bool resumed = false;

  std::string_view peer() const { return is_server ? "client" : "upstream"; }
  Error peer_error(ErrorKind kind, std::string message) const {
    return {kind, is_server ? Side::Client : Side::Upstream, std::move(message), 0};
  }

  Event shake_hands();
  Event read(std::span<std::byte> scratch, Bytes& plaintext);
  Event read_own_records(std::span<std::byte> scratch, Bytes& plaintext);
  Event wait_for_more();
  bool may_take_records();
  void take_records();
  bool write(Bytes plaintext);
  Event closed_by_peer();
  Event failed();
  Error failure() const;
  Error alert_failure() const;
  Cause cause_of_failure() const;
};

Channel::Channel(Ssl ssl, ByteQueue* output) : core_(std::make_unique<Core>()) {
  core_->notes = &notes_of(ssl.get());
  core_->notes->output = output;
  core_->is_server = core_->notes->is_server = SSL_is_server(ssl.get()) == 1;
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
  core_->handshake_in_this_put = false;
}

Channel::Event Channel::next(std::span<std::byte> scratch, Bytes& plaintext) {
  plaintext = {};
  switch (core_->state) {
    case State::Handshaking:
      return core_->shake_hands();
    case State::Open:
      return core_->records ? core_->read_own_records(scratch, plaintext) : core_->read(scratch, plaintext);
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
  CHECK(!core_->is_server && core_->state == State::Handshaking);
  return core_->shake_hands();
}

Channel::Event Channel::Core::shake_hands() {
  clear_errors();
  SecretsCapture capture(notes->wanted_secrets());
  int done = SSL_do_handshake(ssl.get());
  if (done == 1) {
    state = State::Open;
    handshake_in_this_put = true;
    records_settled = notes->received.whole();
    return Event::HandshakeDone;
  }
  if (SSL_get_error(ssl.get(), done) == SSL_ERROR_WANT_READ) return Event::NeedMore;
  failed_in_handshake = true;
  return failed();
}

Channel::Event Channel::Core::read(std::span<std::byte> scratch, Bytes& plaintext) {
  if (notes->input.empty() && SSL_has_pending(ssl.get()) == 0) return wait_for_more();
  clear_errors();
  SecretsCapture capture(notes->wanted_secrets());
  size_t size = 0;
  int done = SSL_read_ex(ssl.get(), scratch.data(), scratch.size(), &size);
  if (done == 1) {
    received_data = true;
    plaintext = scratch.first(size);
    if (SSL_pending(ssl.get()) == 0) {
      records_settled = notes->received.whole();
      ++data_records;
    }
    return Event::Plaintext;
  }
  switch (SSL_get_error(ssl.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return wait_for_more();
    case SSL_ERROR_ZERO_RETURN:
      return closed_by_peer();
    default:
      return failed();
  }
}

Channel::Event Channel::Core::wait_for_more() {
  if (may_take_records()) take_records();
  return Event::NeedMore;
}

// Only where nothing is under way within OpenSSL: the last record it got was data and has been given out wholly (so
// that it holds no part of a handshake message either), nothing is half written, and both sequence numbers are known.
bool Channel::Core::may_take_records() {
  if (!notes->own_records || shutdown_sent) return false;
  const TrafficSecrets& secrets = notes->secrets;
  if (secrets.client.empty() || secrets.server.empty() || secrets.updated || wants_small_records(ssl.get()) ||
      find_record_suite(SSL_get_cipher_name(ssl.get())) == nullptr) {
    notes->keep_openssl();
    return false;
  }
  bool between_records = notes->received.between_records() && notes->sent.between_records();
  if (!between_records || notes->received.whole() != records_settled || SSL_has_pending(ssl.get()) == 1) return false;
  if (is_server) return true;
  // What the owner has borrowed of the SSL, the certificate, it may look at until the next put().
  bool tickets_done = notes->ticket_came ? data_records > 0 : data_records >= kRecordsWithoutTicket;
  return tickets_done && !handshake_in_this_put;
}

void Channel::Core::take_records() {
  const TrafficSecrets& secrets = notes->secrets;
  records = RecordLayer::make({.suite = *find_record_suite(SSL_get_cipher_name(ssl.get())),
                               .is_server = is_server,
                               .reading = is_server ? secrets.client : secrets.server,
                               .writing = is_server ? secrets.server : secrets.client,
                               .records_read = notes->received.whole(),
                               .records_written = notes->sent.whole()});
  notes->keep_openssl();  // if there are none, and else there is nothing more to want
  if (!records) return;
  version = SSL_get_version(ssl.get());
  cipher = SSL_get_cipher_name(ssl.get());
  alpn = alpn_of(ssl.get());
  resumed = SSL_session_reused(ssl.get()) == 1;
  kept_notes = detach_notes(ssl.get());
  ssl.reset();
  notes->forget_handshake();
}

Channel::Event Channel::Core::read_own_records(std::span<std::byte> scratch, Bytes& plaintext) {
  RecordLayer::Event event = records->next(notes->input, scratch, plaintext, *notes->output);
  if (records->received_alert() >= 0) notes->received_alert = records->received_alert();
  switch (event) {
    case RecordLayer::Event::NeedMore:
      return Event::NeedMore;
    case RecordLayer::Event::Plaintext:
      received_data = true;
      return Event::Plaintext;
    case RecordLayer::Event::CloseNotify:
      return closed_by_peer();
    case RecordLayer::Event::Failed:
      return failed();
  }
  return failed();
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
  std::string context = std::string("TLS with the ").append(peer());
  if (records && !records->problem().empty())
    return peer_error(ErrorKind::Protocol, context.append(": ").append(records->problem()));
  if (notes->received_alert >= 0) return alert_failure();
  if ((SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0) {
    return peer_error(ErrorKind::Protocol, context + ": it closed the connection during the handshake");
  }
  return openssl_error(ErrorKind::Protocol, context, is_server ? Side::Client : Side::Upstream);
}

// Before failure(), which empties OpenSSL's queue.
Cause Channel::Core::cause_of_failure() const {
  // With TLS 1.3 the server's judgement of our certificate comes after the handshake, as the first thing it says.
  bool refused_late = notes->received_alert >= 0 && !received_data;
  if (is_server || records || (!failed_in_handshake && !refused_late)) return Cause::None;
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
  if (is_server && is_about_certificate(description)) {
    return peer_error(ErrorKind::Certificate, who + " refused our certificate: " + alert);
  }
  if (!is_server && notes->certificate_requested) {
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
  if (plaintext.empty() || core_->write(plaintext)) return {};
  core_->failed();
  return fail(Error(core_->error));
}

bool Channel::Core::write(Bytes plaintext) {
  if (records) return records->write(plaintext, *notes->output);
  clear_errors();
  size_t written = 0;
  return SSL_write_ex(ssl.get(), plaintext.data(), plaintext.size(), &written) == 1;
}

void Channel::shutdown() {
  bool possible = core_->state == State::Open || core_->state == State::Closed;
  if (!possible || core_->shutdown_sent) return;
  core_->shutdown_sent = true;
  if (core_->records) return core_->records->close(*core_->notes->output);
  clear_errors();
  SSL_shutdown(core_->ssl.get());
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
  if (!core.is_server) return Rejection::None;
  int alert = core.notes->received_alert;
  if (alert >= 0 && is_about_certificate(static_cast<uint8_t>(alert))) return Rejection::Alert;
  if (!core.notes->certificate_sent || alert == static_cast<int>(Alert::EchRequired)) return Rejection::None;
  if (core.state == State::Handshaking || core.failed_in_handshake) return Rejection::EndInHandshake;
  return core.received_data ? Rejection::None : Rejection::EndBeforeData;
}

std::string_view Channel::version() const {
  if (core_->records) return core_->version;
  bool known = SSL_get_current_cipher(core_->ssl.get()) != nullptr;
  return known ? SSL_get_version(core_->ssl.get()) : std::string_view();
}

std::string_view Channel::cipher() const {
  if (core_->records) return core_->cipher;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(core_->ssl.get());
  return cipher == nullptr ? std::string_view() : SSL_CIPHER_get_name(cipher);
}

std::string_view Channel::alpn() const {
  return core_->records ? std::string_view(core_->alpn) : alpn_of(core_->ssl.get());
}

bool Channel::resumed() const {
  return core_->records ? core_->resumed : SSL_session_reused(core_->ssl.get()) == 1;
}
bool Channel::own_records() const {
  return core_->records != nullptr;
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
  if (refused != nullptr || core_->records) return refused;
  return SSL_get0_peer_certificate(core_->ssl.get());
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
