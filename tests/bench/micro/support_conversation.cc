#include "bench/micro/support_conversation.h"

#include "base/check.h"

namespace waylay::bench {
namespace {

constexpr std::string_view kHost = "origin.test";
constexpr size_t kReceiveBuffer = 32 * 1024;  // io::RingOptions::buffer_size

flow::FlowFacts facts_of_a_connection(uint32_t target) {
  flow::FlowFacts facts;
  facts.target = target;
  facts.target_name = "docker:job";
  facts.owner.pid = 4711;
  facts.owner.comm = "python3";
  facts.owner.container_name = "job";
  facts.client = *Address::parse("127.0.0.1:40000");
  facts.destination = *Address::parse("192.0.2.10:443");
  return facts;
}

std::string message(std::string_view start_line, std::string_view fields, size_t body_size) {
  std::string text(start_line);
  text.append("\r\n").append(fields);
  if (body_size > 0) text.append("Content-Length: ").append(std::to_string(body_size)).append("\r\n");
  text.append("\r\n").append(body_size, 'x');
  return text;
}

}  // namespace

Daemon::Daemon(const std::string& rules)
    : scratch_(17 * 1024),
      origin_leaf_(world_.leaf(world_.origin_ca, *world_.origin_minter, std::string(kHost), nullptr, now())),
      environment_{
          world_.client_side_context,    world_.upstream_context, rules_, rejections_, protocols_, store_, identifiers_,
          std::span<std::byte>(scratch_)} {
  if (!rules.empty()) CHECK(rules_.add(rules, "benchmark", now()));
}

const std::shared_ptr<const tls::Leaf>& Daemon::client_leaf(X509* mirror) {
  if (!client_leaf_) client_leaf_ = new_client_leaf(mirror);
  return client_leaf_;
}

std::shared_ptr<const tls::Leaf> Daemon::new_client_leaf(X509* mirror) {
  return world_.leaf(world_.waylay_ca, *world_.waylay_minter, std::string(kHost), mirror, now());
}

Conversation::Conversation(Daemon& daemon, std::string client_session, std::string protocol, uint32_t new_target)
    : daemon_(daemon),
      protocol_(std::move(protocol)),
      is_new_(new_target != 0),
      scratch_(17 * 1024),
      now_(now()),
      flow_(daemon.environment(), facts_of_a_connection(is_new_ ? new_target : 1), {}, now_) {
  tls::UpstreamName name{std::string(kHost), std::move(client_session), {protocol_}};
  Result<tls::Channel> client = daemon.world().trusting_client_context.connect(name, &from_client_);
  CHECK(client);
  client_.emplace(std::move(*client));
  open();
}

Conversation::~Conversation() = default;

void Conversation::open() {
  client_->start();
  while (client_->state() != tls::Channel::State::Open || !origin_ || origin_->state() != tls::Channel::State::Open)
    turn();
}

void Conversation::exchange(std::string_view request, std::string_view response) {
  client_received_ = origin_received_ = 0;
  transfer(*client_, request, origin_received_);
  transfer(*origin_, response, client_received_);
}

void Conversation::transfer(tls::Channel& from, std::string_view text, const size_t& received) {
  for (size_t sent = 0; sent < text.size(); sent += kReceiveBuffer) {
    CHECK(from.write(as_bytes(text.substr(sent, kReceiveBuffer))));
    while (received < std::min(text.size(), sent + kReceiveBuffer)) turn();
  }
}

void Conversation::close() {
  flow_.on_client_eof(now_);
  while (!flow_.finished()) turn();
}

// Every side's bytes once, as a turn of the ring would bring them.
void Conversation::turn() {
  if (!from_client_.empty()) {
    ByteQueue bytes;
    bytes.swap(from_client_);
    flow_.on_client_bytes(bytes.bytes(), now_);
    bytes.clear();
    carry_out_commands();
  }
  if (origin_ && !flow_.to_upstream(upstream_).empty()) {
    read(*origin_, flow_.to_upstream(upstream_));
    flow_.on_writable(now_);
  }
  if (!from_origin_.empty()) {
    ByteQueue bytes;
    bytes.swap(from_origin_);
    flow_.on_upstream_bytes(upstream_, bytes.bytes(), now_);
    bytes.clear();
    carry_out_commands();
  }
  if (!flow_.to_client().empty()) {
    read(*client_, flow_.to_client());
    flow_.on_writable(now_);
  }
  carry_out_commands();
}

void Conversation::carry_out_commands() {
  while (std::optional<flow::Command> command = flow_.next_command()) {
    if (auto* connect = std::get_if<flow::ConnectUpstream>(&*command)) {
      upstream_ = connect->id;
      Result<tls::Channel> origin =
          daemon_.world().origin_context.accept(*daemon_.origin_leaf(), protocol_, "origin", &from_origin_);
      CHECK(origin);
      origin_.emplace(std::move(*origin));
      flow_.on_upstream_connected(upstream_, now_);
    } else if (auto* leaf = std::get_if<flow::RequestLeaf>(&*command)) {
      flow_.on_leaf(is_new_ ? daemon_.new_client_leaf(leaf->mirror) : daemon_.client_leaf(leaf->mirror), now_);
    }
  }
}

void Conversation::read(tls::Channel& channel, ByteQueue& from) {
  ByteQueue bytes;
  bytes.swap(from);
  channel.put(bytes.bytes());
  for (Bytes plaintext;;) {
    switch (channel.next(scratch_, plaintext)) {
      case tls::Channel::Event::Plaintext:
        if (&channel == &*client_) {
          client_got(plaintext);
        } else {
          origin_got(plaintext);
        }
        break;
      case tls::Channel::Event::HandshakeDone:
      case tls::Channel::Event::CloseNotify:
        break;
      case tls::Channel::Event::NeedMore:
        return bytes.clear();
      case tls::Channel::Event::Failed:
        CHECK(!"TLS works between the ends of a benchmark");
    }
  }
}

H2Conversation::H2Conversation(Daemon& daemon, std::string client_session)
    : Conversation(daemon, std::move(client_session), "h2") {}

void H2Conversation::exchanges(size_t count) {
  ends_.ask(count);
  while (!ends_.all_answered()) {
    ByteQueue bytes;
    ends_.pull_client(bytes);
    CHECK(client().write(bytes.bytes()));
    bytes.clear();
    ends_.pull_origin(bytes);
    CHECK(origin().write(bytes.bytes()));
    turn();
  }
}

std::string small_request(int number) {
  return message("GET /bucket/reports/2026/11/22/part-00017.json?versionId=3 HTTP/1.1",
                 "Host: origin.test\r\n"
                 "Accept-Encoding: identity\r\n"
                 "User-Agent: aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12\r\n"
                 "X-Amz-Date: 20261122T120000Z\r\n"
                 "X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"
                 "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-west-1/s3/aws4_request, "
                 "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                 "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n"
                 "amz-sdk-invocation-id: 5f0f5c1e-2f3b-4a80-9d3a-" +
                     std::to_string(100'000'000'000 + number) +
                     "\r\n"
                     "amz-sdk-request: attempt=1\r\n",
                 0);
}

std::string small_response() {
  return response_of(1024);
}

std::string response_of(size_t body_size) {
  return message("HTTP/1.1 200 OK",
                 "x-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\r\n"
                 "x-amz-request-id: 318BC8BC148832E5\r\n"
                 "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                 "Last-Modified: Sat, 21 Nov 2026 17:50:00 GMT\r\n"
                 "ETag: \"fba9dede5f27731c9771645a39863328\"\r\n"
                 "Content-Type: application/json\r\n"
                 "Server: AmazonS3\r\n",
                 body_size);
}

std::string request_of(size_t body_size) {
  return message("PUT /bucket/big.bin HTTP/1.1", "Host: origin.test\r\nContent-Type: application/octet-stream\r\n",
                 body_size);
}

std::string plain_request() {
  return message("GET /small.json HTTP/1.1", "Host: origin.test\r\n", 0);
}

std::string plain_response() {
  return message("HTTP/1.1 200 OK",
                 "Server: nginx/1.22.1\r\n"
                 "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                 "Content-Type: application/json\r\n"
                 "Last-Modified: Sun, 22 Nov 2026 11:59:00 GMT\r\n"
                 "Connection: keep-alive\r\n"
                 "ETag: \"6921a5e4-400\"\r\n"
                 "Accept-Ranges: bytes\r\n",
                 1024);
}

std::string rules_of(size_t count, size_t applying) {
  std::string json = "{\"rules\": [";
  for (size_t i = 0; i < count; ++i) {
    std::string number = std::to_string(i);
    std::string host = i < applying ? std::string(kHost) : "host" + number + ".example.org";
    if (i > 0) json += ", ";
    json += R"({"name": "r)" + number + R"(", "match": "http.host == \")" + host +
            R"(\" and http.request.method == \"GET\" and http.response.code == 200", "status": 429})";
  }
  return json + "]}";
}

}  // namespace waylay::bench
