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

// One request and its answer: the status, and each piece of the body as it comes. `on_body` false: enough.
Result<int> exchange(const std::string& path, std::string_view method, std::string_view target, std::string_view body,
                     const std::function<bool(int status, std::string_view)>& on_body) {
  Result<Fd> socket = connect_to_daemon(path);
  if (!socket) return fail(socket);
  if (Result<void> sent = send_all(*socket, request_text(method, target, body)); !sent) return fail(sent);
  using Event = http::H1Reader::Event;
  http::H1Reader reader(http::Kind::Response, Side::Upstream);
  reader.answer_to(method);
  int status = 0;
  std::array<std::byte, 64 * 1024> buffer;
  for (;;) {
    Result<size_t> size = receive(*socket, buffer);
    if (!size) return fail(size);
    if (*size == 0) return fail(lost("ended in the middle of an answer"));
    reader.put({buffer.data(), *size});
    for (Event event = reader.next(); event != Event::NeedMore; event = reader.next()) {
      if (event == Event::Head) status = reader.head().status();
      if (event == Event::Body && !on_body(status, as_text(reader.payload()))) return status;
      if (event == Event::End && status >= 200) return status;
      if (event == Event::Failed || event == Event::Tunnel) return fail(lost("gave an answer that is no HTTP"));
    }
  }
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

Result<std::string> whole_answer(const std::string& path, std::string_view method, std::string_view target,
                                 std::string_view body) {
  std::string answer;
  Result<int> status = exchange(path, method, target, body, [&](int, std::string_view piece) {
    answer += piece;
    return answer.size() < kMaximumAnswer;
  });
  if (!status) return fail(status);
  if (*status >= 400) return fail(error_in(parse(answer), "waylayd answered " + std::to_string(*status)));
  return answer;
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

Result<Json> ApiClient::request(std::string_view method, std::string_view target, std::string_view body) const {
  Result<std::string> answer = whole_answer(path_, method, target, body);
  if (!answer) return fail(answer);
  Json json = parse(*answer);
  if (json.is_discarded()) return fail(lost("gave an answer that is no JSON"));
  return json;
}

Result<std::string> ApiClient::get_text(std::string_view target) const {
  return whole_answer(path_, "GET", target, {});
}

Result<void> ApiClient::follow(std::string_view target, const std::function<bool(std::string_view)>& on_line) const {
  std::string waiting, refusal;
  Result<int> status = exchange(path_, "GET", target, {}, [&](int code, std::string_view piece) {
    if (code >= 400) {
      refusal += piece;
      return true;
    }
    waiting += piece;
    size_t begin = 0;
    for (size_t end; (end = waiting.find('\n', begin)) != std::string::npos; begin = end + 1)
      if (!on_line(std::string_view(waiting).substr(begin, end - begin))) return false;
    waiting.erase(0, begin);
    return true;
  });
  if (!status) return fail(status);
  if (*status >= 400) return fail(error_in(parse(refusal), "waylayd answered " + std::to_string(*status)));
  return {};
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
