#include "warden/protocol.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

// Names of processes and cgroups are bytes chosen by others; JSON text must be UTF-8, so what is not is replaced.
std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Both ends are the same binary, so a missing or mistyped member is a broken peer, not an older version.
template <class T, class Read>
Result<T> parse(std::string_view text, std::string_view what, Read read) {
  try {
    T value;
    read(Json::parse(text), value);
    return value;
  } catch (const Json::exception& error) {
    return fail(Error::local(ErrorKind::Invalid, std::string(what) + ": " + error.what()));
  }
}

bool is_known(MessageType type) {
  return type >= MessageType::Start && type <= MessageType::Process;
}

// Room for the descriptors of one message, aligned as cmsg(3) wants it.
struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(sizeof(int) * kMaximumDescriptors)> bytes{};
};

void attach_descriptors(msghdr& message, ControlBuffer& control, const std::vector<int>& descriptors) {
  if (descriptors.empty()) return;
  size_t size = sizeof(int) * descriptors.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(part), descriptors.data(), size);
}

std::vector<Fd> take_descriptors(msghdr& message) {
  std::vector<Fd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<Fd> sealed_memory(std::string_view text) {
  Fd memory(::memfd_create("waylay-start", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return fail(posix_error(errno, "making a memfd"));
  while (!text.empty()) {
    ssize_t written = ::write(memory.get(), text.data(), text.size());
    if (written < 0) return fail(posix_error(errno, "writing to a memfd"));
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (::fcntl(memory.get(), F_ADD_SEALS, kSeals) < 0) return fail(posix_error(errno, "sealing a memfd"));
  return memory;
}

// Only what is sealed is read: it is memory, so reading cannot block, and it cannot change meanwhile.
Result<std::string> read_sealed_memory(int fd) {
  struct stat status{};
  if (::fcntl(fd, F_GET_SEALS) != kSeals || ::fstat(fd, &status) < 0) {
    return fail(Error::local(ErrorKind::Invalid, "a long payload is not in sealed memory"));
  }
  if (static_cast<uint64_t>(status.st_size) > kMaximumStart)
    return fail(Error::local(ErrorKind::Limit, "payload too long"));
  std::string text(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    ssize_t got = ::pread(fd, text.data() + filled, text.size() - filled, static_cast<off_t>(filled));
    if (got <= 0) return fail(posix_error(got < 0 ? errno : EIO, "reading a memfd"));
    filled += static_cast<size_t>(got);
  }
  return text;
}

Result<Message> with_long_payload(Message message) {
  if (message.header.type != MessageType::Start || message.descriptors.empty()) {
    return fail(Error::local(ErrorKind::Invalid, "only Start may have a long payload"));
  }
  Result<std::string> payload = read_sealed_memory(message.descriptors.back().get());
  if (!payload) return fail(payload);
  message.descriptors.pop_back();
  message.payload = std::move(*payload);
  return message;
}

}  // namespace

std::string encode(const Header& header, std::string_view payload) {
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes.append(payload);
}

Result<Message> decode(Bytes bytes, std::vector<Fd> descriptors) {
  if (bytes.size() < sizeof(Header)) return fail(Error::local(ErrorKind::Truncated, "message shorter than its header"));
  if (bytes.size() > sizeof(Header) + kMaximumPayload) return fail(Error::local(ErrorKind::Limit, "message too long"));
  Message message;
  std::memcpy(&message.header, bytes.data(), sizeof(Header));
  if (!is_known(message.header.type)) {
    auto number = std::to_string(static_cast<uint32_t>(message.header.type));
    return fail(Error::local(ErrorKind::Invalid, "unknown message type " + number));
  }
  message.payload = as_text(bytes.subspan(sizeof(Header)));
  message.descriptors = std::move(descriptors);
  return message;
}

namespace {

Result<void> send_start(int socket, Header header, std::string_view payload, std::vector<int> descriptors) {
  if (payload.size() > kMaximumStart) return fail(Error::local(ErrorKind::Limit, "message payload too long"));
  Result<Fd> memory = sealed_memory(payload);
  if (!memory) return fail(memory);
  descriptors.push_back(memory->get());
  header.payload_in_memfd = 1;
  return send(socket, header, {}, descriptors);
}

}  // namespace

Result<void> send(int socket, const Header& header, std::string_view payload, const std::vector<int>& descriptors) {
  if (header.type == MessageType::Start && payload.size() > kMaximumPayload)
    return send_start(socket, header, payload, descriptors);
  if (payload.size() > kMaximumPayload) return fail(Error::local(ErrorKind::Limit, "message payload too long"));
  if (descriptors.size() > kMaximumDescriptors) return fail(Error::local(ErrorKind::Limit, "too many descriptors"));
  std::string bytes = encode(header, payload);
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlBuffer control;
  attach_descriptors(message, control, descriptors);
  ssize_t sent = 0;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  if (errno == EPIPE || errno == ECONNRESET) {
    return fail(Error::local(ErrorKind::Unavailable, "the other process has closed its channel"));
  }
  return fail(posix_error(errno, "sending on a channel"));
}

Result<Message> receive(int socket) {
  std::array<std::byte, sizeof(Header) + kMaximumPayload> bytes;
  iovec part{bytes.data(), bytes.size()};
  ControlBuffer control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t received = 0;
  do received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0 && errno != ECONNRESET) return fail(posix_error(errno, "receiving on a channel"));
  if (received <= 0) {
    return fail(Error::local(ErrorKind::Unavailable, "the other process has closed its channel"));
  }
  std::vector<Fd> descriptors = take_descriptors(message);
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    // With room for every allowed descriptor, MSG_CTRUNC means that this process may open no more files.
    return fail(Error::local(ErrorKind::Limit, "message truncated: too long, or out of file descriptors"));
  }
  Result<Message> decoded = decode(Bytes(bytes).first(static_cast<size_t>(received)), std::move(descriptors));
  if (!decoded || decoded->header.payload_in_memfd == 0) return decoded;
  return with_long_payload(std::move(*decoded));
}

std::string to_json(const StartInfo& info) {
  Json client_certificates = Json::array();
  for (const StartInfo::ClientCertificate& each : info.client_certificates)
    client_certificates.push_back({{"hosts", each.hosts}, {"certificate", each.certificate}, {"key", each.key}});
  return to_text({{"workers", info.workers},
                  {"has_listen", info.has_listen},
                  {"listen_address", info.listen_address},
                  {"ca_certificate", info.ca_certificate},
                  {"upstream_roots", info.upstream_roots},
                  {"strict_x509", info.strict_x509},
                  {"client_certificates", std::move(client_certificates)},
                  {"rules_directory", info.rules_directory},
                  {"log_level", info.log_level},
                  {"ech", info.ech},
                  {"leaf_key", info.leaf_key},
                  {"own_records", info.own_records},
                  {"error_page", info.error_page}});
}

Result<StartInfo> start_info_from_json(std::string_view json) {
  return parse<StartInfo>(json, "start information", [](const Json& from, StartInfo& to) {
    from.at("workers").get_to(to.workers);
    from.at("has_listen").get_to(to.has_listen);
    from.at("listen_address").get_to(to.listen_address);
    from.at("ca_certificate").get_to(to.ca_certificate);
    from.at("upstream_roots").get_to(to.upstream_roots);
    from.at("strict_x509").get_to(to.strict_x509);
    for (const Json& each : from.at("client_certificates")) {
      StartInfo::ClientCertificate& one = to.client_certificates.emplace_back();
      each.at("hosts").get_to(one.hosts);
      each.at("certificate").get_to(one.certificate);
      each.at("key").get_to(one.key);
    }
    from.at("rules_directory").get_to(to.rules_directory);
    from.at("log_level").get_to(to.log_level);
    from.at("ech").get_to(to.ech);
    from.at("leaf_key").get_to(to.leaf_key);
    from.at("own_records").get_to(to.own_records);
    from.at("error_page").get_to(to.error_page);
  });
}

std::string to_json(const TargetInfo& info) {
  return to_text({{"name", info.name},
                  {"container_id", info.container_id},
                  {"container_name", info.container_name},
                  {"container_image", info.container_image},
                  {"ports", info.ports},
                  {"netns_cookie", info.netns_cookie},
                  {"insist", info.insist},
                  {"attached_ns", info.attached_ns},
                  {"trust", info.trust}});
}

Result<TargetInfo> target_info_from_json(std::string_view json) {
  return parse<TargetInfo>(json, "target information", [](const Json& from, TargetInfo& to) {
    from.at("name").get_to(to.name);
    from.at("container_id").get_to(to.container_id);
    from.at("container_name").get_to(to.container_name);
    from.at("container_image").get_to(to.container_image);
    from.at("ports").get_to(to.ports);
    from.at("netns_cookie").get_to(to.netns_cookie);
    from.at("insist").get_to(to.insist);
    from.at("attached_ns").get_to(to.attached_ns);
    from.at("trust").get_to(to.trust);
  });
}

std::string to_json(const ProcessInfo& info) {
  return to_text({{"exe", info.exe},
                  {"comm", info.comm},
                  {"cgroup", info.cgroup},
                  {"container_id", info.container_id},
                  {"container_name", info.container_name},
                  {"container_image", info.container_image}});
}

Result<ProcessInfo> process_info_from_json(std::string_view json) {
  return parse<ProcessInfo>(json, "process information", [](const Json& from, ProcessInfo& to) {
    from.at("exe").get_to(to.exe);
    from.at("comm").get_to(to.comm);
    from.at("cgroup").get_to(to.cgroup);
    from.at("container_id").get_to(to.container_id);
    from.at("container_name").get_to(to.container_name);
    from.at("container_image").get_to(to.container_image);
  });
}

}  // namespace waylay::warden
