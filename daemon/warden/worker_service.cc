#include "warden/worker_service.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/log.h"

namespace waylay::warden {
namespace {

constexpr uint64_t kStop = ~0ULL;

// A worker that does not take its answers must not hold up the others.
constexpr timeval kSendTimeout{1, 0};

void watch(int epoll, int fd, uint64_t key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

struct Asked {
  pid_t pid = 0;
  uint64_t cgroup_id = 0;
};

std::optional<Asked> parse_question(std::string_view text) {
  Asked asked;
  const char* end = text.data() + text.size();
  auto [blank, pid_code] = std::from_chars(text.data(), end, asked.pid);
  if (pid_code != std::errc() || blank == end || *blank != ' ' || asked.pid <= 0) return std::nullopt;
  auto [rest, id_code] = std::from_chars(blank + 1, end, asked.cgroup_id);
  if (id_code != std::errc() || rest != end) return std::nullopt;
  return asked;
}

void reply(int channel, const Header& header, std::string_view payload, const std::vector<int>& descriptors = {}) {
  Result<void> sent = send(channel, header, payload, descriptors);
  // The end of the proxy is noticed elsewhere; here it only means that nobody waits for the answer.
  if (!sent && sent.error().kind != ErrorKind::Unavailable) log::warning("answer to a worker: " + sent.error().message);
}

}  // namespace

WorkerService::WorkerService(std::vector<Fd> channels, Authority& authority, SocketSource& sockets,
                             ProcessDirectory& processes, JobThread& inquiries,
                             std::function<void(const Error&)> on_broken)
    : channels_(std::move(channels)),
      authority_(authority),
      sockets_(sockets),
      processes_(processes),
      inquiries_(inquiries),
      on_broken_(std::move(on_broken)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  CHECK(epoll_ && stop_event_);
  watch(epoll_.get(), stop_event_.get(), kStop);
  for (size_t i = 0; i < channels_.size(); ++i) {
    ::setsockopt(channels_[i].get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
    watch(epoll_.get(), channels_[i].get(), i);
  }
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "waylay-serve");
}

void WorkerService::stop() {
  if (!thread_.joinable()) return;
  CHECK(::eventfd_write(stop_event_.get(), 1) == 0);
  thread_.join();
}

void WorkerService::run() {
  while (true) {
    std::array<epoll_event, 16> events;
    int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<size_t>(i)].data.u64 == kStop) return;
      serve(events[static_cast<size_t>(i)].data.u64);
    }
  }
}

void WorkerService::serve(size_t channel) {
  int fd = channels_[channel].get();
  Result<Message> message = receive(fd);
  if (message) return answer(fd, *message);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (message.error().kind != ErrorKind::Unavailable) on_broken_(message.error());
}

void WorkerService::answer(int channel, const Message& message) {
  switch (message.header.type) {
    case MessageType::Sign:
      return sign(channel, message);
    case MessageType::WantSockets:
      return make_sockets(channel, message);
    case MessageType::WhoIs:
      return ask_for_process(channel, message);
    default:
      on_broken_(Error::local(ErrorKind::Invalid, "a worker sent a message that is not a worker's"));
  }
}

void WorkerService::sign(int channel, const Message& message) {
  Header header{.type = MessageType::Signature, .id = message.header.id};
  Result<std::vector<std::byte>> signature = authority_.sign(as_bytes(message.payload), now());
  if (signature) return reply(channel, header, as_text(Bytes(*signature)));
  header.status = EPERM;
  reply(channel, header, signature.error().message);
}

void WorkerService::make_sockets(int channel, const Message& message) {
  const Header& asked = message.header;
  Header header{.type = MessageType::Sockets, .target = asked.target, .id = asked.id, .family = asked.family};
  Result<std::vector<Fd>> made =
      sockets_.make(asked.target, asked.family == 6 ? Family::Ipv6 : Family::Ipv4, asked.count);
  if (!made) {
    header.status = made.error().code != 0 ? made.error().code : ENODEV;
    return reply(channel, header, made.error().message);
  }
  std::vector<int> descriptors;
  for (const Fd& each : *made) descriptors.push_back(each.get());
  header.count = static_cast<uint16_t>(descriptors.size());
  reply(channel, header, {}, descriptors);
}

void WorkerService::ask_for_process(int channel, const Message& message) {
  Header header{.type = MessageType::Process, .target = message.header.target, .id = message.header.id};
  std::optional<Asked> asked = parse_question(message.payload);
  if (!asked) return on_broken_(Error::local(ErrorKind::Invalid, "a worker's question about a process cannot be read"));
  bool taken = inquiries_.post([this, channel, header, question = *asked] {
    std::optional<ProcessInfo> info = processes_.find(header.target, question.pid, question.cgroup_id);
    reply(channel, header, info ? to_json(*info) : "");
  });
  if (!taken) reply(channel, header, "");
}

}  // namespace waylay::warden
