#include "unit/tls/support_records.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <functional>
#include <random>

#include "base/check.h"
#include "tls/connection_notes.h"
#include "tls/provider.h"
#include "tls/record_layer.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

using Event = Channel::Event;

std::map<std::string, uint64_t> counts;

void count(const std::string& what) {
  ++counts[what];
}

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed * 2654435761U + 1) {}
  size_t below(size_t n) { return static_cast<size_t>(random_() % n); }
  size_t between(size_t least, size_t most) { return least + below(most - least + 1); }
  bool one_in(size_t n) { return below(n) == 0; }
  // Mostly small, sometimes several records, now and then around the size of one.
  size_t amount() {
    if (one_in(12)) return between(16'380, 16'388);
    return one_in(10) ? below(50'000) : below(600);
  }

 private:
  std::minstd_rand random_;
};

constexpr const char* kSuites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};

int keep_session(SSL* ssl, SSL_SESSION* session);

// The secrets of the last handshake, by OpenSSL's own way of telling them.
struct Told {
  Secret client, server;
} told;

void note_secret(const SSL*, const char* line) {
  std::string_view text = line;
  bool client = text.starts_with("CLIENT_TRAFFIC_SECRET_0 "), server = text.starts_with("SERVER_TRAFFIC_SECRET_0 ");
  if (!client && !server) return;
  std::string_view hex = text.substr(text.rfind(' ') + 1);
  std::array<std::byte, kLargestHash> bytes;
  auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); };
  for (size_t i = 0; i < hex.size() / 2; ++i)
    bytes[i] = static_cast<std::byte>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  (client ? told.client : told.server) = Secret(Bytes(bytes).first(hex.size() / 2));
}

// Handshakes for one cipher suite, resumed without a key exchange, as cheap as they can be.
struct Handshakes {
  explicit Handshakes(const char* suite)
      : server(SSL_CTX_new_ex(tls_library(), nullptr, TLS_server_method())),
        client(SSL_CTX_new_ex(tls_library(), nullptr, TLS_client_method())) {
    static const Identity identity = issue({.names = {"DNS:a.example"}}, nullptr);
    SSL_CTX_use_certificate(server.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(server.get(), identity.key.get());
    SSL_CTX_set1_groups_list(server.get(), const_cast<char*>("P-256"));
    for (SSL_CTX* context : {server.get(), client.get()}) {
      SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
      SSL_CTX_set_ciphersuites(context, suite);
      SSL_CTX_set_options(context, SSL_OP_ALLOW_NO_DHE_KEX);
    }
    SSL_CTX_set_session_cache_mode(server.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_cache_mode(client.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_keylog_callback(server.get(), note_secret);
    SSL_CTX_set_app_data(client.get(), this);
    SSL_CTX_sess_set_new_cb(client.get(), keep_session);
  }

  SslCtx server, client;
  SslSession session;
};

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* handshakes = static_cast<Handshakes*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  notes_of(ssl).ticket_came = true;
  if (handshakes->session) return 0;
  handshakes->session.reset(session);
  return 1;
}

// An OpenSSL endpoint behind the channel's interface, and what a test does to it beneath.
struct Endpoint {
  End end;
  SSL* ssl = nullptr;
  ConnectionNotes* notes = nullptr;

  void make(SSL_CTX* context, bool server) {
    end.channel = server ? plain_server(context, &end.output) : plain_client(context, "", &end.output);
    ssl = ssl_of_last_plain_peer();
    notes = &notes_of(ssl);
  }
};

Handshakes& handshakes_of(const char* suite) {
  static std::map<std::string, Handshakes> all;
  auto found = all.find(suite);
  if (found != all.end()) return found->second;
  Handshakes& made = all.try_emplace(suite, suite).first->second;
  Endpoint server, client;
  server.make(made.server.get(), true);
  client.make(made.client.get(), false);
  SSL_set1_groups_list(client.ssl, const_cast<char*>("P-256"));
  client.end.channel->start();
  converse(client.end, server.end);
  CHECK(made.session != nullptr);
  return made;
}

std::string pattern(size_t size, size_t from) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>((from + i) * 131 >> 3);
  return text;
}

// A connection after its handshake, without its tickets being delivered.
struct Connection {
  explicit Connection(Chance& chance, bool own_records)
      : suite(kSuites[chance.below(3)]), server_is_ours(chance.one_in(2)) {
    Handshakes& handshakes = handshakes_of(suite);
    Endpoint& server = server_is_ours ? ours : peer;
    Endpoint& client = server_is_ours ? peer : ours;
    server.make(handshakes.server.get(), true);
    client.make(handshakes.client.get(), false);
    ours.notes->own_records = own_records;
    SSL_set_num_tickets(server.ssl, chance.below(3));
    SSL_set1_groups_list(client.ssl, const_cast<char*>("X25519"));
    SslSession session(SSL_SESSION_dup(handshakes.session.get()));
    SSL_set_session(client.ssl, session.get());
    client.end.channel->start();
    for (Endpoint* to : {&server, &client, &server}) {
      Endpoint& from = to == &server ? client : server;
      ByteQueue bytes;
      bytes.swap(from.end.output);
      to->end.take(bytes.bytes());
    }
    CHECK(both_open(server.end, client.end));
    RecordCounter counter;
    counter.add(server.end.output.bytes());
    tickets = counter.whole();
    count(std::string(suite) + (server_is_ours ? ", we are the server" : ", we are the client"));
  }

  const char* suite;
  bool server_is_ours;
  uint64_t tickets = 0;  // the server's records under its secret so far, not delivered
  Endpoint ours, peer;
};

// --- The twin ---

class Comparison {
 public:
  explicit Comparison(uint64_t seed) : chance_(seed), connection_(chance_, false), limit_(chance_.between(1, 12)) {
    bool server = connection_.server_is_ours;
    peer_secret_ = server ? told.client : told.server;
    written_ = server ? connection_.tickets : 0;
    if (!chance_.one_in(4)) limit_ = UINT64_MAX;
    // The peer's tickets may be on their way, but nothing of it has been read.
    layer_ = RecordLayer::make({.suite = *find_record_suite(connection_.suite),
                                .is_server = server,
                                .reading = peer_secret_,
                                .writing = server ? told.server : told.client,
                                .records_read = 0,
                                .records_written = written_,
                                .records_per_key = limit_});
    sent_.append(ours().output.bytes());
    ours().output.clear();
    take_from_peer();
  }

  std::string run() {
    size_t steps = chance_.between(1, 14);
    for (size_t i = 0; i < steps && goes_on(); ++i) step();
    if (chance_.one_in(4)) cut();
    while (goes_on() && !to_us_.empty() && !closed_) deliver_to_us();
    if (problem_.empty() && !incomparable_) end();
    return problem_;
  }

 private:
  bool goes_on() const { return problem_.empty() && !failed_ && !incomparable_; }

  void step() {
    switch (chance_.below(10)) {
      case 0:
      case 1:
        return we_write();
      case 2:
      case 3:
        return peer_writes();
      case 4:
        return peer_updates_its_key();
      case 5:
        return peer_sends_ticket();
      case 6:
        return forge();
      case 7:
        if (chance_.one_in(4)) return somebody_closes();
        return;
      default:
        return deliver_to_us();
    }
  }

  // OpenSSL can neither write nor close between two parts of a handshake message, which we can.
  bool openssl_waits_for_a_message() const { return SSL_in_init(connection_.ours.ssl) == 1; }

  void we_write() {
    if (ours().channel->shutdown_sent() || openssl_waits_for_a_message()) return;
    std::string text = pattern(chance_.amount(), said_);
    said_ += text.size();
    if (text.empty()) return;
    count("we write");
    // OpenSSL has no limit of its own: it is told to renew its key where our layer does it by itself.
    for (size_t at = 0; at < text.size(); at += kLargestPlaintext) {
      if (SSL_get_key_update_type(connection_.ours.ssl) != SSL_KEY_UPDATE_NONE) {
        count("we renew our key because the peer asked");  // OpenSSL's answer comes with the write
        written_ = 0;
      }
      if (written_ >= limit_) {
        count("we renew our key because it is worn out");
        SSL_key_update(connection_.ours.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
        written_ = 0;
      }
      (void)ours().channel->write(as_bytes(std::string_view(text).substr(at, kLargestPlaintext)));
      ++written_;
    }
    layer_->write(as_bytes(text), layer_output_);
    compare("after we wrote");
  }

  void peer_writes() {
    if (peer().channel->shutdown_sent()) return;
    count("the peer writes");
    std::string text = pattern(chance_.amount(), heard_);
    heard_ += text.size();
    (void)peer().channel->write(as_bytes(text));
    take_from_peer();
  }

  // What the peer has sent goes on the way to us, and is counted under its key.
  void take_from_peer() {
    RecordCounter counter;
    counter.add(peer().output.bytes());
    peer_records_ += counter.whole();
    to_us_.append(peer().output.bytes());
    peer().output.clear();
  }

  void peer_updates_its_key() {
    if (peer().channel->shutdown_sent()) return;
    bool ask = chance_.one_in(2);
    count(ask ? "the peer renews its key and asks for ours" : "the peer renews its key");
    int type = ask ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
    CHECK(SSL_key_update(connection_.peer.ssl, type) == 1 && SSL_do_handshake(connection_.peer.ssl) == 1);
    take_from_peer();
    next_peer_secret();
  }

  void next_peer_secret() {
    std::array<std::byte, kLargestHash> next;
    size_t size = peer_secret_.bytes().size();
    Hash hash = size == 32 ? Hash::Sha256 : Hash::Sha384;
    CHECK(expand_label(hash, peer_secret_.bytes(), "traffic upd", {}, std::span(next).first(size)));
    peer_secret_ = Secret(Bytes(next).first(size));
    peer_records_ = 0;
  }

  void peer_sends_ticket() {
    if (connection_.server_is_ours || peer().channel->shutdown_sent()) return;
    count("a ticket comes late");
    CHECK(SSL_new_session_ticket(connection_.peer.ssl) == 1 && SSL_do_handshake(connection_.peer.ssl) == 1);
    take_from_peer();
  }

  void somebody_closes() {
    if (chance_.one_in(2)) {
      count("the peer closes");
      peer().channel->shutdown();
      return take_from_peer();
    }
    if (openssl_waits_for_a_message()) return;
    count("we close");
    ours().channel->shutdown();
    layer_->close(layer_output_);
    compare("after we closed");
  }

  // --- Records that no honest peer sends ---

  void forge() {
    switch (chance_.below(8)) {
      case 0:
        return flip_a_bit();
      case 1:
        return forge_header();
      case 2:
        return forge_alert();
      case 3:
        return forge_handshake();
      case 4:
        return forge_padding();
      case 5:
        return forge_empty_records();
      case 6:
        return forge_size();
      default:
        return forge_type();
    }
  }

  void flip_a_bit() {
    if (to_us_.empty()) return;
    count("a bit is flipped");
    std::string bytes(to_us_.text());
    size_t at = chance_.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << chance_.below(8));
    to_us_.clear();
    to_us_.append(bytes);
  }

  void cut() {
    count("it is cut off");
    std::string bytes(to_us_.text().substr(0, chance_.below(to_us_.size() + 1)));
    to_us_.clear();
    to_us_.append(bytes);
  }

  void forge_header() {
    count("a forged header");
    std::string bytes = {"\x14\x15\x16\x17\x18\x80"[chance_.below(6)], "\x03\x03\x03\x02\x04"[chance_.below(5)],
                         static_cast<char>(chance_.below(6)), static_cast<char>(chance_.below(80)),
                         static_cast<char>(chance_.below(256))};
    bytes.append(chance_.below(300), 'x');
    to_us_.append(bytes);
  }

  void forge_alert() {
    count("a forged alert");
    size_t times = chance_.one_in(3) ? chance_.between(1, 7) : 1;
    bool canceled = chance_.one_in(2);
    for (size_t i = 0; i < times; ++i) {
      std::string alert = {static_cast<char>(chance_.between(1, 2)), static_cast<char>(chance_.between(1, 121))};
      if (canceled) alert[1] = 90;
      if (chance_.one_in(10)) alert.resize(chance_.below(4), '\0');
      if (chance_.one_in(5)) seal_forged(ContentType::ApplicationData, chance_.one_in(2) ? "" : "x");
      seal_forged(ContentType::Alert, alert);
    }
  }

  static std::string message(int type, std::string_view body) {
    std::string text = {static_cast<char>(type), 0, static_cast<char>(body.size() >> 8),
                        static_cast<char>(body.size())};
    return text.append(body);
  }

  std::string any_message() {
    std::string ticket(
        "\0\0\0\x64"
        "abcd"
        "\x08"
        "01234567"
        "\0\x05"
        "hello"
        "\0\0",
        26);
    switch (chance_.below(9)) {
      case 0:
        return message(24, std::string(1, '\0'));
      case 1:
        return message(24, std::string(1, '\1'));
      case 2:
        return message(24, std::string(1, '\2'));
      case 3:
        return message(24, std::string(chance_.below(4), '\0'));
      case 4:
        return message(4, std::string_view(ticket).substr(0, chance_.below(ticket.size())));
      case 5:
        return message(13, std::string(chance_.below(20), '\0'));  // CertificateRequest
      case 6:
        return message(static_cast<int>(chance_.below(30)), std::string(chance_.below(20), '\0'));
      default:
        return message(4, ticket);
    }
  }

  void forge_handshake() {
    count("a forged handshake message");
    std::string text = any_message();
    // What a KeyUpdate does to keys is the honest peer's to show: the forger's end with it.
    while (chance_.one_in(3)) text += any_message();
    if (chance_.one_in(4)) return seal_forged(ContentType::Handshake, text);
    while (!text.empty()) {
      size_t size = chance_.between(1, text.size());
      seal_forged(ContentType::Handshake, text.substr(0, size));
      text.erase(0, size);
      if (chance_.one_in(12)) seal_forged(ContentType::ApplicationData, "between");
    }
  }

  void forge_padding() {
    count("padding");
    std::string inner = chance_.one_in(4) ? "" : pattern(chance_.below(400), 7) + '\x17';
    inner.append(chance_.one_in(6) ? 16'384 - inner.size() : chance_.below(500), '\0');
    if (!inner.empty()) to_us_.append(protect(inner));
  }

  void forge_empty_records() {
    count("empty records");
    size_t times = chance_.between(1, 40);
    for (size_t i = 0; i < times; ++i) seal_forged(ContentType::ApplicationData, "");
  }

  void forge_size() {
    count("a size at the limit");
    std::string inner = pattern(chance_.between(16'380, 16'390), 1) + '\x17';
    if (chance_.one_in(2)) inner.append(16'640 - kTag - inner.size() + chance_.below(3), '\0');
    to_us_.append(protect(inner));
  }

  void forge_type() {
    count("a forged content type");
    seal_forged(static_cast<ContentType>(chance_.below(30)), "content");
  }

  void seal_forged(ContentType type, std::string_view content) {
    to_us_.append(protect(std::string(content) + static_cast<char>(type)));
  }

  // A record with the peer's next number, whatever is inside: by OpenSSL's AEAD, not by what is tested.
  std::string protect(std::string_view inner) {
    Hash hash = peer_secret_.bytes().size() == 32 ? Hash::Sha256 : Hash::Sha384;
    std::array<std::byte, 32> key;
    std::array<std::byte, 12> nonce;
    const EVP_CIPHER* cipher = std::string_view(connection_.suite).find("128") != std::string_view::npos
                                   ? EVP_aes_128_gcm()
                               : hash == Hash::Sha384 ? EVP_aes_256_gcm()
                                                      : EVP_chacha20_poly1305();
    size_t key_size = static_cast<size_t>(EVP_CIPHER_get_key_length(cipher));
    CHECK(expand_label(hash, peer_secret_.bytes(), "key", {}, std::span(key).first(key_size)));
    CHECK(expand_label(hash, peer_secret_.bytes(), "iv", {}, nonce));
    for (size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<std::byte>(peer_records_ >> (8 * i) & 0xff);
    ++peer_records_;
    size_t length = inner.size() + kTag;
    std::string record = {0x17, 3, 3, static_cast<char>(length >> 8), static_cast<char>(length)};
    record.resize(kRecordHeader + length);
    auto* bytes = reinterpret_cast<unsigned char*>(record.data());
    int size = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex2(context, cipher, as_u8(key), as_u8(nonce), nullptr);
    EVP_EncryptUpdate(context, nullptr, &size, bytes, kRecordHeader);
    EVP_EncryptUpdate(context, bytes + kRecordHeader, &size, as_u8(as_bytes(inner)), static_cast<int>(inner.size()));
    EVP_EncryptFinal_ex(context, bytes + kRecordHeader + inner.size(), &size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTag, bytes + kRecordHeader + inner.size());
    EVP_CIPHER_CTX_free(context);
    return record;
  }

  // --- Hearing ---

  void deliver_to_us() {
    if (to_us_.empty() || closed_ || failed_) return;
    size_t size = chance_.one_in(3) ? to_us_.size() : chance_.between(1, std::min<size_t>(to_us_.size(), 3'000));
    std::string bytes(to_us_.text().substr(0, size));
    to_us_.consume(size);
    size_t before = heard_by_openssl_.size();
    bool we_were_done = layer_->closed();
    hear_as_openssl(bytes);
    if (!failed_ && !ours().output.empty()) {
      count("we renew our key because the peer asked");
      written_ = 0;
    }
    hear_as_we(bytes);
    // OpenSSL answers KeyUpdates behind its close_notify as well, against RFC 8446 section 6.1.
    if (we_were_done) ours().output.clear();
    compare("after something was heard");
    if (heard_by_openssl_.size() > before) count("data is heard");
  }

  void hear_as_openssl(std::string_view bytes) {
    std::vector<std::byte> scratch(chance_.one_in(2) ? 17'000 : chance_.between(1, 40'000));
    ours().channel->put(as_bytes(bytes));
    for (;;) {
      Bytes plaintext;
      Event event = ours().channel->next(scratch, plaintext);
      heard_by_openssl_.append(as_text(plaintext));
      if (event == Event::CloseNotify) closed_ = true;
      if (event == Event::Failed) failed_ = true;
      if (event == Event::NeedMore || event == Event::Failed) return;
    }
  }

  void hear_as_we(std::string_view bytes) {
    std::vector<std::byte> scratch(chance_.one_in(2) ? 17'000 : chance_.between(1, 40'000));
    std::vector<std::byte> copy(as_bytes(bytes).begin(), as_bytes(bytes).end());  // of its own size
    Bytes input = copy;
    while (!we_closed_ && !we_failed_) {
      Bytes plaintext;
      RecordLayer::Event event = layer_->next(input, scratch, plaintext, layer_output_);
      heard_by_us_.append(as_text(plaintext));
      if (event == RecordLayer::Event::CloseNotify) we_closed_ = true;
      if (event == RecordLayer::Event::Failed) we_failed_ = true;
      if (event == RecordLayer::Event::NeedMore) return;
    }
  }

  // OpenSSL answers a KeyUpdate before it reads the next handshake message. Did that message's header end its record,
  // it then reads the message only with the record after it: fragments are judged later, or found to be mixed with
  // data.
  bool openssl_holds_a_message_back() const {
    constexpr size_t kAnswer = RecordProtection::sealed_size(5);
    bool answered = layer_output_.size() >= kAnswer && layer_output_.bytes()[4] == std::byte{kAnswer - kRecordHeader};
    // Behind our own close_notify it answers as well, and we do not.
    return (answered || layer_->closed()) && heard_by_us_ == heard_by_openssl_ && we_closed_ == closed_ && we_failed_;
  }

  void compare(const std::string& when) {
    bool same = we_failed_ == failed_ && ours().output.text() == layer_output_.text();
    if (!same && openssl_holds_a_message_back()) {
      count("OpenSSL held a message back");
      incomparable_ = true;
    }
    if (!problem_.empty() || incomparable_) return;
    if (heard_by_us_ != heard_by_openssl_) problem_ = "other data was heard " + when;
    if (we_closed_ != closed_) problem_ = "close_notify was " + std::string(closed_ ? "not seen " : "seen ") + when;
    if (we_failed_ != failed_)
      problem_ = (failed_ ? "OpenSSL failed: " + ours().channel->error().message
                          : "we failed: " + std::string(layer_->problem())) +
                 ", the other did not, " + when;
    if (layer_->received_alert() != ours().channel->received_alert())
      problem_ = "other alert " + std::to_string(layer_->received_alert()) + " was heard than " +
                 std::to_string(ours().channel->received_alert()) + " " + when;
    if (failed_ && problem_.empty())
      count("failed: " + (layer_->problem().empty() ? "by an alert" : std::string(layer_->problem())));
    compare_output(when);
  }

  // The same secrets, numbers and content: the same bytes.
  void compare_output(const std::string& when) {
    std::string_view theirs = ours().output.text(), own = layer_output_.text();
    if (theirs != own && problem_.empty())
      problem_ = "other bytes were sent " + when + ": " + std::to_string(own.size()) + " by us, " +
                 std::to_string(theirs.size()) + " by OpenSSL; " + std::string(layer_->problem()) + " / " +
                 ours().channel->error().message;
    sent_.append(ours().output.bytes());
    ours().output.clear();
    layer_output_.clear();
  }

  // The peer hears all that was sent, cut in pieces.
  void end() {
    if (!closed_ && !failed_) count("it ends without close_notify");
    if (closed_) count("it ends with close_notify");
    while (!sent_.empty()) {
      size_t size = chance_.between(1, sent_.size());
      std::string bytes(sent_.text().substr(0, size));
      sent_.consume(size);
      peer().take(as_bytes(bytes));
      if (peer().channel->state() != Channel::State::Open) break;
    }
    if (peer().received != pattern(said_, 0)) problem_ = "the peer heard something else";
    bool alert_was_sent = failed_ && !layer_->problem().empty() && !layer_->closed();
    if (alert_was_sent && !peer().saw(Event::Failed)) problem_ = "the peer did not hear our alert";
  }

  End& ours() { return connection_.ours.end; }
  End& peer() { return connection_.peer.end; }

  Chance chance_;
  Connection connection_;
  uint64_t limit_;
  std::unique_ptr<RecordLayer> layer_;
  ByteQueue layer_output_, to_us_, sent_;
  std::string heard_by_openssl_, heard_by_us_, problem_;
  size_t said_ = 0, heard_ = 0;
  bool incomparable_ = false;
  bool closed_ = false, failed_ = false, we_closed_ = false, we_failed_ = false;
  uint64_t written_ = 0;  // records under our key
  Secret peer_secret_;    // what the peer seals with at present, and how many records it has sealed
  uint64_t peer_records_ = 0;
};

// --- The change ---

class Talk {
 public:
  explicit Talk(uint64_t seed) : chance_(seed), connection_(chance_, true) {}

  std::string run() {
    size_t steps = chance_.between(1, 30);
    for (size_t i = 0; i < steps && problem_.empty(); ++i) step();
    while (problem_.empty() && (!ours().output.empty() || !peer().output.empty())) deliver();
    if (problem_.empty()) end();
    return problem_;
  }

 private:
  void step() {
    switch (chance_.below(10)) {
      case 0:
      case 1:
        return write(ours(), said_);
      case 2:
      case 3:
        return write(peer(), told_);
      case 4:
        if (!chance_.one_in(3) || peer().channel->shutdown_sent()) return;
        CHECK(SSL_key_update(connection_.peer.ssl, static_cast<int>(chance_.below(2))) == 1);
        CHECK(SSL_do_handshake(connection_.peer.ssl) == 1);
        return;
      case 5:
        if (connection_.server_is_ours || peer().channel->shutdown_sent()) return;
        CHECK(SSL_new_session_ticket(connection_.peer.ssl) == 1 && SSL_do_handshake(connection_.peer.ssl) == 1);
        return;
      case 6:
        if (chance_.one_in(10)) (chance_.one_in(2) ? ours() : peer()).channel->shutdown();
        return;
      default:
        return deliver();
    }
  }

  void write(End& end, size_t& total) {
    if (end.channel->shutdown_sent()) return;
    std::string text = pattern(chance_.amount(), total);
    total += text.size();
    if (!end.channel->write(as_bytes(text))) problem_ = "writing failed: " + end.channel->error().message;
  }

  void deliver() {
    bool to_us = chance_.one_in(2);
    End &from = to_us ? peer() : ours(), &to = to_us ? ours() : peer();
    if (from.output.empty()) return;
    size_t all = from.output.size();
    size_t size = chance_.one_in(3) ? all : chance_.between(1, std::min<size_t>(all, 3'000));
    std::string bytes(from.output.text().substr(0, size));
    from.output.consume(size);
    to.scratch_bytes = chance_.one_in(2) ? 17'000 : chance_.between(1, 40'000);
    bool before = ours().channel->own_records();
    to.take(as_bytes(bytes));
    if (!before && ours().channel->own_records()) count("the records become our own");
    for (End* end : {&from, &to})
      if (end->saw(Event::Failed)) problem_ = "failed: " + end->channel->error().message;
  }

  void end() {
    if (ours().received != pattern(told_, 0)) problem_ = "we heard something else";
    if (peer().received != pattern(said_, 0)) problem_ = "the peer heard something else";
    if (ours().saw(Event::CloseNotify) != peer().channel->shutdown_sent()) problem_ = "our close_notify";
    if (peer().saw(Event::CloseNotify) != ours().channel->shutdown_sent()) problem_ = "the peer's close_notify";
    if (ours().channel->truncated() == peer().channel->shutdown_sent()) problem_ = "our truncation";
    if (ours().channel->version() != "TLSv1.3" || ours().channel->cipher() != connection_.suite ||
        !ours().channel->resumed())
      problem_ = "what the channel tells of its handshake";
    count(ours().channel->own_records() ? "own records at the end" : "OpenSSL's records at the end");
  }

  End& ours() { return connection_.ours.end; }
  End& peer() { return connection_.peer.end; }

  Chance chance_;
  Connection connection_;
  size_t said_ = 0, told_ = 0;
  std::string problem_;
};

}  // namespace

std::string compare_with_openssl(uint64_t seed) {
  return Comparison(seed).run();
}

std::string talk_through_the_change(uint64_t seed) {
  return Talk(seed).run();
}

const std::map<std::string, uint64_t>& happened() {
  return counts;
}

}  // namespace waylay::tls::testing
