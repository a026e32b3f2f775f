#include "kernel/container.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/handle.h"

namespace waylay::kernel {
namespace {

using nlohmann::json;

constexpr size_t kAnswerLimit = 8 << 20;
constexpr int64_t kPatience_ns = 5 * kSecond_ns;
constexpr size_t kIdSize = 64;
constexpr size_t kNamesSuggested = 3;

Error bad_answer(std::string_view why) {
  return Error::local(ErrorKind::Invalid, "the container engine's answer cannot be understood: " + std::string(why));
}

// ---- HTTP over the socket: one request, the answer until the engine closes. HTTP/1.0 asks for neither chunks nor
// keep-alive; an engine behind a forwarding proxy may send chunks all the same, so both forms are read.

Result<Fd> connect_to(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path)
    return fail(Error::local(ErrorKind::Invalid, "'" + path + "' is not the path of a socket"));
  std::memcpy(name.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail(posix_error(errno, "making a Unix socket"));
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) return fd;
  if (errno == ENOENT || errno == ECONNREFUSED)
    return fail(
        Error::local(ErrorKind::Unavailable, "no container engine answers at " + path +
                                                 ": is it running, and is docker.socket in the configuration right?"));
  if (errno == EAGAIN)
    return fail(Error::local(ErrorKind::Unavailable, "the container engine at " + path + " is too busy to answer"));
  return fail(posix_error(errno, "connecting to the container engine at " + path));
}

Result<void> wait_for(int fd, short events, int64_t deadline_ns) {
  while (true) {
    int64_t left_ns = deadline_ns - now().steady_ns;
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    int ready = left_ns > 0 ? ::poll(&waiting, 1, static_cast<int>(left_ns / kMillisecond_ns) + 1) : 0;
    if (ready > 0) return {};
    if (ready == 0)
      return fail(Error::local(ErrorKind::Timeout, "the container engine did not answer within five seconds"));
    if (errno != EINTR) return fail(posix_error(errno, "waiting for the container engine"));
  }
}

Result<void> send_whole(int fd, std::string_view text, int64_t deadline_ns) {
  while (!text.empty()) {
    ssize_t size = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      text.remove_prefix(static_cast<size_t>(size));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(posix_error(errno, "asking the container engine"));
    if (Result<void> ready = wait_for(fd, POLLOUT, deadline_ns); !ready) return ready;
  }
  return {};
}

Result<std::string> receive_whole(int fd, int64_t deadline_ns) {
  std::string answer;
  char piece[16384];
  while (true) {
    if (Result<void> ready = wait_for(fd, POLLIN, deadline_ns); !ready) return fail(ready);
    ssize_t size = ::recv(fd, piece, sizeof piece, 0);
    if (size == 0) return answer;
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return fail(posix_error(errno, "reading the container engine's answer"));
    answer.append(piece, static_cast<size_t>(size));
    if (answer.size() > kAnswerLimit)
      return fail(Error::local(ErrorKind::Limit, "the container engine's answer is longer than 8 MiB"));
  }
}

Result<std::string> unchunk(std::string_view rest) {
  std::string body;
  while (true) {
    size_t size = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size, 16);
    size_t line = rest.find("\r\n");
    if (error != std::errc{} || line == std::string_view::npos) return fail(bad_answer("a chunk without its size"));
    if (size == 0) return body;
    rest.remove_prefix(line + 2);
    if (size > rest.size() || rest.size() - size < 2) return fail(bad_answer("it ends inside a chunk"));
    body.append(rest.substr(0, size));
    rest.remove_prefix(size + 2);
  }
}

struct Answer {
  int status = 0;
  std::string body;
};

Result<Answer> split_answer(std::string_view text) {
  size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.") || end == std::string_view::npos || end < 12)
    return fail(bad_answer("it is not HTTP"));
  Answer answer;
  std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  bool chunked = to_lower(text.substr(0, end)).find("\r\ntransfer-encoding: chunked") != std::string::npos;
  std::string_view rest = text.substr(end + 4);
  if (!chunked) {
    answer.body = rest;
    return answer;
  }
  Result<std::string> body = unchunk(rest);
  if (!body) return fail(body);
  answer.body = std::move(*body);
  return answer;
}

Result<Answer> get(const std::string& socket_path, const std::string& target) {
  int64_t deadline_ns = now().steady_ns + kPatience_ns;
  Result<Fd> socket = connect_to(socket_path);
  if (!socket) return fail(socket);
  std::string request = "GET " + target + " HTTP/1.0\r\nHost: docker\r\nConnection: close\r\n\r\n";
  if (Result<void> sent = send_whole(socket->get(), request, deadline_ns); !sent) return fail(sent);
  Result<std::string> text = receive_whole(socket->get(), deadline_ns);
  if (!text) return fail(text);
  return split_answer(*text);
}

// ---- JSON. Every exception of the library ends here.

template <class Work>
auto parse(const std::string& body, Work work) -> Result<decltype(work(json()))> {
  try {
    return work(json::parse(body));
  } catch (const json::exception& error) {
    return fail(bad_answer(error.what()));
  }
}

std::string without_slash(const std::string& name) {
  return name.starts_with('/') ? name.substr(1) : name;
}

Container listed(const json& entry) {
  Container container;
  container.id = entry.at("Id").get<std::string>();
  // A linked container has names like "/other/alias" as well; its own is the one with a single slash.
  for (const json& name : entry.at("Names"))
    if (std::string plain = without_slash(name.get<std::string>()); plain.find('/') == std::string::npos)
      container.name = plain;
  container.image = entry.value("Image", "");
  container.running = entry.value("State", "") == "running";
  return container;
}

std::vector<Container> all_listed(const json& document) {
  std::vector<Container> containers;
  for (const json& entry : document) containers.push_back(listed(entry));
  return containers;
}

Container inspected(const json& document) {
  Container container;
  container.id = document.at("Id").get<std::string>();
  container.name = without_slash(document.at("Name").get<std::string>());
  container.image = document.at("Config").value("Image", "");
  const json& state = document.at("State");
  container.running = state.at("Running").get<bool>();
  container.pid = container.running ? state.at("Pid").get<pid_t>() : 0;
  return container;
}

// ---- choosing

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Levenshtein's distance, in one row.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

std::string nearest_names(std::string_view wanted, const std::vector<Container>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Container& each : all) names.push_back(each.name);
  std::ranges::sort(names, {}, [&](const std::string& name) { return std::pair(distance(wanted, name), name); });
  names.resize(std::min(names.size(), kNamesSuggested));
  return joined(names);
}

Error unknown(std::string_view wanted, const std::vector<Container>& all) {
  std::string message = "there is no container '" + std::string(wanted) + "'";
  message += all.empty() ? ": the engine has none" : "; the nearest names are " + nearest_names(wanted, all);
  return Error::local(ErrorKind::NotFound, message);
}

Error ambiguous(std::string_view wanted, const std::vector<const Container*>& candidates) {
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const Container* each : candidates) names.push_back(each->name + " (" + each->id.substr(0, 12) + ")");
  return Error::local(ErrorKind::Conflict, "'" + std::string(wanted) + "' could be any of " + joined(names));
}

// A name wins over an id: a container may well be called "cafe".
Result<std::string> choose(std::string_view wanted, const std::vector<Container>& all) {
  for (const Container& each : all)
    if (each.name == wanted) return each.id;
  std::vector<const Container*> candidates;
  if (is_hex(wanted))
    for (const Container& each : all)
      if (each.id.starts_with(wanted)) candidates.push_back(&each);
  if (candidates.size() == 1) return candidates.front()->id;
  if (candidates.empty()) return fail(unknown(wanted, all));
  return fail(ambiguous(wanted, candidates));
}

bool is_id(std::string_view text) {
  return text.size() == kIdSize && is_hex(text);
}

}  // namespace

Result<std::vector<Container>> ContainerEngine::list() const {
  Result<Answer> answer = get(socket_path_, "/containers/json?all=1");
  if (!answer) return fail(answer);
  if (answer->status != 200) return fail(bad_answer("status " + std::to_string(answer->status)));
  return parse(answer->body, all_listed);
}

Result<Container> ContainerEngine::find(std::string_view name_or_id) const {
  std::string wanted = without_slash(std::string(name_or_id));
  if (wanted.empty()) return fail(Error::local(ErrorKind::Invalid, "a container's name is empty"));
  Result<std::vector<Container>> all = list();
  if (!all) return fail(all);
  Result<std::string> id = choose(wanted, *all);
  if (!id) return fail(id);
  // The id becomes part of a request line: only what an id may be.
  if (!is_id(*id)) return fail(bad_answer("a container's id is not 64 hexadecimal digits"));
  Result<Answer> answer = get(socket_path_, "/containers/" + *id + "/json");
  if (!answer) return fail(answer);
  if (answer->status == 404)
    return fail(Error::local(ErrorKind::NotFound, "the container '" + wanted + "' was removed a moment ago"));
  if (answer->status != 200) return fail(bad_answer("status " + std::to_string(answer->status)));
  return parse(answer->body, inspected);
}

std::optional<std::string> container_id_in(std::string_view cgroup_path) {
  // From the innermost part outwards: a process may have made cgroups of its own below the container's.
  std::string_view rest = cgroup_path;
  while (!rest.empty()) {
    size_t slash = rest.rfind('/');
    std::string_view part = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(0, slash);
    if (part.ends_with(".scope")) part.remove_suffix(6);
    if (size_t colon = part.rfind(':'); colon != std::string_view::npos) part.remove_prefix(colon + 1);
    if (size_t dash = part.rfind('-'); dash != std::string_view::npos) part.remove_prefix(dash + 1);
    if (is_id(part)) return std::string(part);
  }
  return std::nullopt;
}

}  // namespace waylay::kernel
