#include "cli/client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/json.h"
#include "cli/terminal.h"
#include "http/h1.h"

namespace waylay::cli {
namespace {

constexpr size_t kMaximumAnswer = 1024UL * 1024 * 1024;  // of one that is kept whole; the daemon's store is far smaller

Error unreachable(const std::string& path, int code) {
  std::string socket = path.substr(path.rfind('/') + 1);
  if (code == EACCES || code == EPERM)
    return Error::local(ErrorKind::Permission,
                        "permission denied on " + path +
                            ": join the group waylay (usermod -aG waylay USER, then log in again) or use sudo");
  std::string why = code == ENOENT ? "there is no " + path : posix_error(code, path).message;
  return Error::local(ErrorKind::Unavailable, "waylayd does not answer (" + why +
                                                  "): is it running? Start it with \"systemctl start waylayd\", or run "
                                                  "waylayd as root; --runtime-dir says where its " +
                                                  socket + " is");
}

Error lost(std::string_view what) {
  return {ErrorKind::Unavailable, Side::Upstream, "waylayd " + std::string(what), 0};
}

Result<void> send_all(const Fd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(lost("closed the connection"));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

// Zero at the stream's end.
Result<size_t> receive(const Fd& socket, std::span<std::byte> buffer) {
  for (;;) {
    ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) return static_cast<size_t>(size);
    if (errno != EINTR) return fail(lost("closed the connection"));
  }
}

std::string request_text(std::string_view method, std::string_view target, std::string_view body) {
  http::Head head = http::Head::request(method, target);
  head.add("Host", "waylay");
  head.add("Connection", "close");
  if (!body.empty() || method == "POST" || method == "PUT") {
    head.add("Content-Type", "application/json");
    head.add("Content-Length", std::to_string(body.size()));
  }
  return head.raw() + std::string(body);
}

ErrorKind kind_named(std::string_view name) {
  for (ErrorKind kind : {ErrorKind::System, ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Conflict,
                         ErrorKind::Permission, ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Limit})
    if (to_string(kind) == name) return kind;
  return ErrorKind::Invalid;
}

Error error_in(const Json& answer, std::string_view otherwise) {
  const Json& error = member(answer, "error");
  const Json& words = member(error, "message");  // of several lines, when it points into an expression
  std::string message = words.is_string() ? harmless(words.get_ref<const std::string&>(), true) : "";
  return {kind_named(text(error, "kind")), Side::Upstream, message.empty() ? std::string(otherwise) : message, 0};
}

}  // namespace

Result<Fd> connect_to_daemon(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Error::local(ErrorKind::Invalid, path + ": too long for a socket's path (107 characters)"));
  path.copy(address.sun_path, path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail(posix_error(errno, "making a socket"));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(unreachable(path, errno));
  return socket;
}

Stream::Stream(Fd socket, std::string_view method)
    : socket_(std::move(socket)), reader_(http::Kind::Response, Side::Upstream) {
  reader_.answer_to(method);
}

Result<void> Stream::receive_more() {
  using Event = http::H1Reader::Event;
  std::array<std::byte, 64 * 1024> buffer;
  Result<size_t> size = receive(socket_, buffer);
  if (!size) return fail(size);
  if (*size == 0) return fail(lost("ended in the middle of an answer"));
  reader_.put({buffer.data(), *size});
  for (Event event = reader_.next(); event != Event::NeedMore && !ended_; event = reader_.next()) {
    if (event == Event::Failed || event == Event::Tunnel) return fail(lost("gave an answer that is no HTTP"));
    if (event == Event::Head) status_ = reader_.head().status();
    if (event == Event::Body) waiting_ += as_text(reader_.payload());
    if (event == Event::End && status_ < 200) status_ = 0;  // an informational one: the answer is still to come
    if (event == Event::End && status_ >= 200) ended_ = true;
    if (waiting_.size() > kMaximumAnswer) return fail(lost("gave an answer without an end"));
  }
  return {};
}

Result<std::optional<std::string>> Stream::next_line() {
  size_t end = 0;
  while ((end = waiting_.find('\n')) == std::string::npos) {
    if (ended_) return std::nullopt;
    if (Result<void> more = receive_more(); !more) return fail(more);
  }
  std::string line = waiting_.substr(0, end);
  waiting_.erase(0, end + 1);
  return line;
}

Result<std::string> Stream::rest() {
  while (!ended_)
    if (Result<void> more = receive_more(); !more) return fail(more);
  return std::exchange(waiting_, {});
}

Result<Stream> ApiClient::open(std::string_view method, std::string_view target, std::string_view body) const {
  Result<Fd> socket = connect_to_daemon(path_);
  if (!socket) return fail(socket);
  if (Result<void> sent = send_all(*socket, request_text(method, target, body)); !sent) return fail(sent);
  Stream stream(std::move(*socket), method);
  while (stream.status_ < 200)
    if (Result<void> more = stream.receive_more(); !more) return fail(more);
  if (stream.status_ < 400) return stream;
  Result<std::string> refusal = stream.rest();
  if (!refusal) return fail(refusal);
  return fail(error_in(parse(*refusal), "waylayd answered " + std::to_string(stream.status_)));
}

Result<std::string> ApiClient::whole_answer(std::string_view method, std::string_view target,
                                            std::string_view body) const {
  Result<Stream> stream = open(method, target, body);
  if (!stream) return fail(stream);
  return stream->rest();
}

Result<Json> ApiClient::request(std::string_view method, std::string_view target, std::string_view body) const {
  Result<std::string> answer = whole_answer(method, target, body);
  if (!answer) return fail(answer);
  Json json = parse(*answer);
  if (json.is_discarded()) return fail(lost("gave an answer that is no JSON"));
  return json;
}

Result<std::string> ApiClient::get_text(std::string_view target) const {
  return whole_answer("GET", target, {});
}

Result<void> ApiClient::follow(std::string_view target, const std::function<bool(std::string_view)>& on_line) const {
  Result<Stream> stream = open("GET", target);
  if (!stream) return fail(stream);
  for (;;) {
    Result<std::optional<std::string>> line = stream->next_line();
    if (!line) return fail(line);
    if (!*line || !on_line(**line)) return {};
  }
}

Result<Json> WardenClient::ask(const Json& question) const {
  Result<Fd> socket = connect_to_daemon(path_);
  if (!socket) return fail(socket);
  if (Result<void> sent = send_all(*socket, to_line(question) + "\n"); !sent) return fail(sent);
  std::string answer;
  std::array<std::byte, 16 * 1024> buffer;
  while (answer.find('\n') == std::string::npos) {
    Result<size_t> size = receive(*socket, buffer);
    if (!size) return fail(size);
    if (*size == 0) return fail(lost("ended in the middle of an answer"));
    answer += as_text({buffer.data(), *size});
  }
  Json json = parse(answer);
  if (json.is_discarded()) return fail(lost("gave an answer that is no JSON"));
  if (!flag(json, "ok")) return fail(error_in(json, "waylayd refused and did not say why"));
  return json;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string out;
  for (char c : text) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 kUnreserved.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      auto byte = static_cast<uint8_t>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace waylay::cli
