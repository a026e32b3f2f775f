#include "warden/admin.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "kernel/process.h"
#include "warden/files.h"
#include "warden/trust_statement.h"

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaximumConnections = 64;
constexpr int64_t kPatience_ns = 10 * kSecond_ns;

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::unexpected<Error> invalid(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

constexpr std::array<std::pair<std::string_view, Request::Verb>, 7> kVerbs = {{
    {"attach", Request::Verb::Attach},
    {"detach", Request::Verb::Detach},
    {"run", Request::Verb::Run},
    {"targets", Request::Verb::Targets},
    {"trust", Request::Verb::Trust},
    {"ca", Request::Verb::Ca},
    {"ping", Request::Verb::Ping},
}};

Result<void> read_ports(const Json& value, std::vector<uint16_t>& into) {
  constexpr size_t kMaximumPorts = 16;  // bpf/waylay.h, WAYLAY_MAX_PORTS
  bool fits = value.is_array() && !value.empty() && value.size() <= kMaximumPorts;
  for (const Json& port : value)
    fits = fits && port.is_number_unsigned() && port.get<uint64_t>() >= 1 && port.get<uint64_t>() <= 65535;
  if (!fits) return invalid("/ports: must be a list of 1 to 16 port numbers");
  into = value.get<std::vector<uint16_t>>();
  return {};
}

Result<void> read_bool(const Json& value, const std::string& key, bool& into) {
  if (!value.is_boolean()) return invalid("/" + key + ": must be true or false");
  into = value.get<bool>();
  return {};
}

Result<void> read_member(const std::string& key, const Json& value, Request& into) {
  if (key == "verb") return {};
  if (key == "ports") return read_ports(value, into.options.ports);
  if (key == "insist") return read_bool(value, key, into.options.insist);
  if (key == "trust") return read_bool(value, key, into.options.trust);
  if (key == "tree") return read_bool(value, key, into.options.tree);
  if (key == "redirect_loopback") return read_bool(value, key, into.options.redirect_loopback);
  if (key == "all") return read_bool(value, key, into.all);
  if (key == "now") return read_bool(value, key, into.now);
  if (key == "target") {
    if (!value.is_string()) return invalid("/target: must be a text");
    into.target = value.get<std::string>();
    return {};
  }
  if (key == "pid") {
    if (!value.is_number_unsigned() || value.get<uint64_t>() == 0 || value.get<uint64_t>() > 0x7fffffff)
      return invalid("/pid: must be a process number");
    into.child = value.get<pid_t>();
    return {};
  }
  return invalid("/" + key + ": unknown member");
}

Result<Json> parse_object(std::string_view line) {
  try {
    Json json = Json::parse(line);
    if (!json.is_object()) return invalid("the request must be an object, {...}");
    return json;
  } catch (const Json::exception& error) {
    return invalid(std::string("the request is no JSON: ") + error.what());
  }
}

Result<Request::Verb> verb_of(const Json& json) {
  auto found = json.find("verb");
  if (found == json.end() || !found->is_string()) return invalid("/verb: must be a text");
  auto known =
      std::ranges::find(kVerbs, found->get_ref<const std::string&>(), [](const auto& pair) { return pair.first; });
  if (known == kVerbs.end()) return invalid("/verb: must be attach, detach, run, targets, trust, ca or ping");
  return known->second;
}

bool is_member(int connection, gid_t group) {
  std::vector<gid_t> groups(1024);
  socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) < 0) return false;
  groups.resize(size / sizeof(gid_t));
  return std::ranges::find(groups, group) != groups.end();
}

// The answer to a peer that does not read it is dropped after two seconds.
void answer_and_close(const Fd& connection, std::string_view line) {
  const timeval timeout{2, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  while (!line.empty()) {
    ssize_t sent = ::send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    line.remove_prefix(static_cast<size_t>(sent));
  }
}

Json to_json(const Attached& attached) {
  const TargetInfo& info = attached.info;
  Json json = {{"id", attached.id},
               {"name", info.name},
               {"cgroup", attached.cgroup},
               {"ports", info.ports},
               {"insist", info.insist},
               {"families", {{"ipv4", attached.families.v4}, {"ipv6", attached.families.v6}}},
               {"attached_at", to_iso8601(info.attached_ns)},
               {"trust", info.trust}};
  if (!info.container_id.empty()) {
    json["container"] = {{"id", info.container_id}, {"name", info.container_name}, {"image", info.container_image}};
  }
  return json;
}

// `waylay run` asks for its own child, which it holds back from exec: nobody else's process is ever moved.
Result<void> check_child(pid_t child, const Peer& peer) {
  Result<kernel::Process> process = kernel::read_process(child);
  if (!process) return fail(process, "the command");
  if (process->parent != peer.pid) {
    return fail(
        Error::local(ErrorKind::Permission, "process " + std::to_string(child) + " is not a child of the caller"));
  }
  if (process->uid != peer.user && peer.user != 0) {
    return fail(Error::local(ErrorKind::Permission, "process " + std::to_string(child) + " belongs to another user"));
  }
  return {};
}

}  // namespace

Result<Peer> authorise(int connection, gid_t group) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
    return fail(posix_error(errno, "asking who is there"));
  Peer peer{credentials.pid, credentials.uid, credentials.gid};
  bool no_group = group == static_cast<gid_t>(-1);
  if (peer.user == 0 || (!no_group && (peer.group == group || is_member(connection, group)))) return peer;
  return fail(Error::local(ErrorKind::Permission, "user " + std::to_string(peer.user) +
                                                      " is neither root nor in the group of waylayd's sockets"));
}

Result<Request> parse_request(std::string_view line) {
  Result<Json> json = parse_object(line);
  if (!json) return fail(json);
  Result<Request::Verb> verb = verb_of(*json);
  if (!verb) return fail(verb);
  Request request{.verb = *verb};
  for (const auto& [key, value] : json->items()) {
    if (Result<void> read = read_member(key, value, request); !read) return fail(read);
  }
  if (request.verb == Request::Verb::Attach && request.target.empty())
    return invalid("/target: must say what to attach");
  if (request.verb == Request::Verb::Detach && request.target.empty() != request.all)
    return invalid("detach needs either a target or all");
  if (request.verb == Request::Verb::Run && request.child == 0) return invalid("/pid: must name the command's process");
  return request;
}

std::string error_answer(const Error& error) {
  return to_line(
      {{"ok", false}, {"error", {{"kind", std::string(to_string(error.kind))}, {"message", error.message}}}});
}

// --- AdminConnections ---

Result<Fd> AdminConnections::listen(const std::string& path, gid_t group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return invalid(path + ": too long for a socket's path (107 characters)");
  path.copy(address.sun_path, path.size());
  ::unlink(path.c_str());  // ours alone: the lock is held
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail(posix_error(errno, "making a socket"));
  mode_t old = ::umask(0177);
  int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  int error = errno;
  ::umask(old);
  if (bound < 0) return fail(posix_error(error, "binding " + path));
  if (group != static_cast<gid_t>(-1)) {
    if (::chown(path.c_str(), 0, group) < 0) return fail(posix_error(errno, "giving " + path + " to its group"));
    if (::chmod(path.c_str(), 0660) < 0) return fail(posix_error(errno, "setting the mode of " + path));
  }
  if (::listen(listener.get(), 128) < 0) return fail(posix_error(errno, "listening on " + path));
  return listener;
}

AdminConnections::AdminConnections(Fd listener, gid_t group, EventSource& events, uint64_t first_key, Handle handle)
    : listener_(std::move(listener)),
      group_(group),
      events_(events),
      first_key_(first_key),
      next_key_(first_key + 1),
      handle_(std::move(handle)) {
  if (Result<void> watched = events_.watch(listener_.get(), EPOLLIN, first_key_); !watched)
    log::error(watched.error().message);
}

void AdminConnections::on_event(uint64_t key) {
  if (key == first_key_) return accept();
  read(key);
}

void AdminConnections::accept() {
  Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection) return;
  Result<Peer> peer = authorise(connection.get(), group_);
  if (!peer) log::warning("refused an administrator: " + peer.error().message);
  Error busy = Error::local(ErrorKind::Limit, "too many requests at once");
  if (!peer || open_.size() >= kMaximumConnections)
    return answer_and_close(connection, error_answer(peer ? busy : peer.error()));
  uint64_t key = next_key_++;
  if (Result<void> watched = events_.watch(connection.get(), EPOLLIN | EPOLLRDHUP, key); !watched)
    return log::error(watched.error().message);
  open_[key] = {std::move(connection), *peer, "", now().steady_ns};
}

void AdminConnections::read(uint64_t key) {
  auto found = open_.find(key);
  if (found == open_.end()) return;
  Connection& connection = found->second;
  std::array<char, size_t{16} * 1024> buffer;
  ssize_t got = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) connection.received.append(buffer.data(), static_cast<size_t>(got));
  size_t end = connection.received.find('\n');
  bool too_long = std::min(end, connection.received.size()) > kMaximumRequest;
  if (got > 0 && end == std::string::npos && !too_long) return;
  Connection done = std::move(connection);
  open_.erase(found);
  if (too_long)
    return answer_and_close(done.fd, error_answer(Error::local(ErrorKind::Limit, "the request is longer than 64 KiB")));
  if (end == std::string::npos) return;  // it went away
  // Answers are written by threads that may wait, so the socket does from here on. Forgotten by epoll: a duplicate is
  // handed over.
  Fd blocking(::fcntl(done.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!blocking || ::fcntl(blocking.get(), F_SETFL, 0) < 0) return;
  events_.forget(done.fd.get());
  handle_(std::move(blocking), done.peer, done.received.substr(0, end));
}

void AdminConnections::expire() {
  int64_t oldest = now().steady_ns - kPatience_ns;
  std::erase_if(open_, [&](const auto& entry) { return entry.second.since_ns < oldest; });
}

// --- Dispatcher ---

void Dispatcher::dispatch(Fd connection, const Peer& peer, const std::string& line) {
  Result<Request> request = parse_request(line);
  log::info("request user=" + std::to_string(peer.user) + " pid=" + std::to_string(peer.pid) +
            " line=" + log::quoted(line.substr(0, 512)));
  if (!request) return answer_and_close(connection, error_answer(request.error()));
  bool changes = request->verb == Request::Verb::Attach || request->verb == Request::Verb::Detach ||
                 request->verb == Request::Verb::Run;
  // std::function wants to copy what it holds.
  auto shared = std::make_shared<Fd>(std::move(connection));
  auto job = [this, shared, peer, request = *request] {
    std::string text = answer(request, peer);
    if (text.starts_with("{\"error\""))
      log::warning("refused a request answer=" + log::quoted(text.substr(0, text.size() - 1)));
    answer_and_close(*shared, text);
  };
  JobThread& thread = changes ? parts_.working : parts_.inquiries;
  if (!thread.post(job))
    answer_and_close(*shared, error_answer(Error::local(ErrorKind::Unavailable, "waylayd is stopping, or too busy")));
}

std::string Dispatcher::answer(const Request& request, const Peer& peer) {
  switch (request.verb) {
    case Request::Verb::Attach:
      return attach(request);
    case Request::Verb::Detach:
      return detach(request);
    case Request::Verb::Run:
      return run(request, peer);
    case Request::Verb::Targets:
      return targets();
    case Request::Verb::Trust:
      return trust(request);
    case Request::Verb::Ca:
      return to_line({{"ok", true}, {"path", parts_.trust.ca_path()}, {"pem", parts_.ca_pem}});
    case Request::Verb::Ping:
      break;
  }
  return to_line({{"ok", true},
                  {"pid", ::getpid()},
                  {"version", WAYLAY_VERSION},
                  {"attach", parts_.unavailable.empty() ? "available" : parts_.unavailable}});
}

std::string Dispatcher::attach(const Request& request) {
  Result<TargetSpec> spec = parse_target(request.target);
  if (!spec) return error_answer(spec.error());
  Result<Attached> attached = parts_.attachments.attach(*spec, request.options);
  if (!attached) return error_answer(attached.error());
  return to_line({{"ok", true}, {"target", to_json(*attached)}, {"notes", attached->notes}});
}

std::string Dispatcher::detach(const Request& request) {
  if (request.all) return to_line({{"ok", true}, {"detached", parts_.attachments.detach_all(request.now)}});
  Result<TargetSpec> spec = parse_target(request.target);
  if (!spec) return error_answer(spec.error());
  Result<std::string> name = parts_.attachments.detach(*spec, request.now);
  if (!name) return error_answer(name.error());
  return to_line({{"ok", true}, {"detached", {*name}}});
}

std::string Dispatcher::run(const Request& request, const Peer& peer) {
  if (Result<void> checked = check_child(request.child, peer); !checked) return error_answer(checked.error());
  Result<Attached> attached = parts_.attachments.run(peer.pid, request.child, request.options);
  if (!attached) return error_answer(attached.error());
  return to_line({{"ok", true},
                  {"target", to_json(*attached)},
                  {"notes", attached->notes},
                  {"environment", parts_.trust.environment()}});
}

std::string Dispatcher::targets() {
  std::vector<ListedTarget> all = parts_.attachments.list();
  Json list = Json::array();
  for (const ListedTarget& listed : all) {
    Json entry = to_json(listed.target);
    entry["state"] = listed.ended ? "ended" : "attached";
    if (listed.ended) {
      entry["ended_at"] = to_iso8601(listed.ended_ns);
      entry["reason"] = listed.reason;
      if (std::string note = ended_note(listed, all); !note.empty()) entry["note"] = note;
    }
    list.push_back(std::move(entry));
  }
  return to_line({{"ok", true}, {"targets", list}});
}

// Somebody who attached "web" believes that it is watched; after a restart it is not.
std::string Dispatcher::ended_note(const ListedTarget& listed, const std::vector<ListedTarget>& all) {
  const TargetInfo& info = listed.target.info;
  if (info.container_name.empty() || listed.reason == "detached") return "";
  bool again = std::ranges::any_of(
      all, [&](const ListedTarget& other) { return !other.ended && other.target.info.name == info.name; });
  if (again) return "";
  Result<kernel::Container> container = find_container(parts_.docker_sockets, info.container_name);
  return container && container->running ? "restarted, not intercepted: attach it again" : "";
}

std::string Dispatcher::trust(const Request& request) {
  if (request.target.empty()) {
    return to_line({{"ok", true},
                    {"bundle", parts_.trust.bundle_path()},
                    {"ca", parts_.trust.ca_path()},
                    {"environment", parts_.trust.environment()}});
  }
  Result<TargetSpec> spec = parse_target(request.target);
  if (!spec) return error_answer(spec.error());
  if (!parts_.cgroups) return error_answer(Error::local(ErrorKind::Unavailable, parts_.unavailable));
  Result<FoundTarget> found = find_target(*spec, {}, *parts_.cgroups, parts_.docker_sockets);
  if (!found) return error_answer(found.error());
  for (const ListedTarget& listed : parts_.attachments.list()) {
    if (listed.ended || listed.target.info.name != found->name) continue;
    return to_line({{"ok", true}, {"summary", listed.target.info.trust}, {"notes", listed.target.notes}});
  }
  constexpr size_t kMaximumStatements = 40;
  return to_line(
      {{"ok", true},
       {"summary", found->name + " is not attached; its processes, if it were:"},
       {"notes", trust_statements(found->processes, found->kind == TargetKind::Docker, kMaximumStatements)}});
}

}  // namespace waylay::warden
