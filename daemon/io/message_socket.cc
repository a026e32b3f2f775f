#include "io/message_socket.h"

#include <liburing.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "io/ring.h"
#include "io/socket.h"

namespace waylay::io {
namespace {

constexpr size_t kControlSize = CMSG_SPACE(MessageSocket::kMaxDescriptors * sizeof(int));

std::vector<Fd> take_descriptors(msghdr& header) {
  std::vector<Fd> descriptors;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

// What the kernel writes into: message, control data and the header that points to both.
struct MessageSocket::Incoming {
  msghdr header{};
  iovec part{};
  alignas(cmsghdr) std::array<std::byte, kControlSize> control;
  std::array<std::byte, kMaxMessage> message;

  msghdr* prepare() {
    part = {message.data(), message.size()};
    header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    return &header;
  }
};

struct MessageSocket::Outgoing {
  Outgoing(Bytes bytes, std::vector<Fd> fds) : message(bytes.begin(), bytes.end()), descriptors(std::move(fds)) {}

  std::vector<std::byte> message;
  std::vector<Fd> descriptors;
  msghdr header{};
  iovec part{};
  alignas(cmsghdr) std::array<std::byte, kControlSize> control{};

  msghdr* prepare() {
    part = {message.data(), message.size()};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) attach_descriptors();
    return &header;
  }

  void attach_descriptors() {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    for (size_t i = 0; i < descriptors.size(); i++) {
      int fd = descriptors[i].get();
      std::memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
    }
  }
};

MessageSocket::MessageSocket(Ring& ring, Owner& owner) : ring_(ring), owner_(owner) {}
MessageSocket::~MessageSocket() = default;

void MessageSocket::open(Fd fd) {
  CHECK(state_ == State::New && fd);
  state_ = State::Open;
  fd_ = std::move(fd);
  set_blocking(fd_.get());
  incoming_ = std::make_unique<Incoming>();
  start_receive();
}

void MessageSocket::start_receive() {
  io_uring_prep_recvmsg(ring_.start(receive_), fd_.get(), incoming_->prepare(), MSG_CMSG_CLOEXEC);
}

void MessageSocket::received(const Completion& completion) {
  std::vector<Fd> descriptors;  // owned from here on, whatever happens to the message
  if (completion.result >= 0) descriptors = take_descriptors(incoming_->header);
  if (state_ != State::Open) return join();
  if (completion.result == -EINTR) return start_receive();
  if (completion.result < 0) return lost(posix_error(-completion.result, "receiving from the other process"));
  if (completion.result == 0)
    return lost(Error::local(ErrorKind::Unavailable, "the other process has ended the connection"));
  if ((incoming_->header.msg_flags & MSG_TRUNC) != 0)
    return lost(Error::local(ErrorKind::Limit, "a message of the other process is too long"));
  owner_.on_message(*this, Bytes(incoming_->message).first(static_cast<size_t>(completion.result)),
                    std::move(descriptors));
  if (state_ == State::Open) start_receive();
}

Result<void> MessageSocket::send(Bytes message, std::vector<Fd> descriptors) {
  CHECK(!message.empty() && message.size() <= kMaxMessage && descriptors.size() <= kMaxDescriptors);
  if (state_ != State::Open) return fail(Error::local(ErrorKind::Unavailable, "the other process is gone"));
  if (outgoing_.size() >= kMaxQueued)
    return fail(Error::local(ErrorKind::Limit, "too many messages wait for the other process"));
  outgoing_.push_back(std::make_unique<Outgoing>(message, std::move(descriptors)));
  if (!send_.in_flight()) start_send();
  return {};
}

void MessageSocket::start_send() {
  io_uring_prep_sendmsg(ring_.start(send_), fd_.get(), outgoing_.front()->prepare(), MSG_NOSIGNAL);
}

void MessageSocket::sent(const Completion& completion) {
  if (state_ != State::Open) return join();
  if (completion.result == -EINTR) return start_send();
  if (completion.result < 0) return lost(posix_error(-completion.result, "sending to the other process"));
  outgoing_.pop_front();
  if (!outgoing_.empty()) start_send();
}

void MessageSocket::lost(Error error) {
  terminate();
  owner_.on_lost(*this, std::move(error));
}

void MessageSocket::close() {
  if (state_ == State::Open) terminate();
}

void MessageSocket::terminate() {
  state_ = State::Closing;
  ring_.cancel(receive_);
  ring_.cancel(send_);
  join();
}

void MessageSocket::join() {
  if (!receive_.in_flight() && !send_.in_flight()) ring_.defer(joined_);
}

void MessageSocket::joined() {
  state_ = State::Closed;
  fd_.reset();
  outgoing_.clear();
  incoming_.reset();
  owner_.on_closed(*this);
}

}  // namespace waylay::io
