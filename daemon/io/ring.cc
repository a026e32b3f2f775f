#include "io/ring.h"

#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace waylay::io {
namespace {

constexpr std::array kAllowedOperations = {
    IORING_OP_ACCEPT,       IORING_OP_CONNECT, IORING_OP_RECV, IORING_OP_SEND,  // streams
    IORING_OP_RECVMSG,      IORING_OP_SENDMSG,                                  // messages with descriptors
    IORING_OP_READ,                                                             // eventfd
    IORING_OP_ASYNC_CANCEL,
};

Error setup_error(int code) {
  std::string_view cause = "";
  if (code == EPERM)
    cause = " (is the sysctl kernel.io_uring_disabled set, or does this container's seccomp profile forbid it?)";
  if (code == ENOSYS) cause = " (this kernel was built without io_uring, or a seccomp profile hides it)";
  if (code == EINVAL) cause = " (Linux 6.1 or newer is needed)";
  if (code == ENOMEM) cause = " (is the locked-memory limit, ulimit -l, too low?)";
  return posix_error(code, "setting up io_uring" + std::string(cause));
}

// liburing 2.3 declares the calls for these two registrations, but does not export them; 2.4 does.
int register_with(const io_uring& ring, unsigned operation, const void* argument, unsigned count) {
  return static_cast<int>(syscall(SYS_io_uring_register, ring.ring_fd, operation, argument, count));
}

// Waiting ended without a completion, or was interrupted: nothing is wrong, and the next turn goes on.
bool is_only_a_pause(int code) {
  return code == ETIME || code == EINTR || code == EAGAIN || code == EBUSY;
}

}  // namespace

Ring::Ring() : time_(now()) {}

Ring::~Ring() {
  CHECK(in_flight_ == 0);
}

void Ring::Exit::operator()(io_uring* ring) const noexcept {
  io_uring_queue_exit(ring);
  delete ring;
}

Result<std::unique_ptr<Ring>> Ring::make(const RingOptions& options) {
  std::unique_ptr<Ring> ring(new Ring());
  if (Result<void> created = ring->create(options); !created) return fail(created);
  Result<BufferRing> buffers = BufferRing::make(ring->ring_.get(), options.buffer_count, options.buffer_size);
  if (!buffers) return fail(buffers);
  ring->buffers_ = std::move(*buffers);
  if (Result<void> restricted = ring->restrict_operations(); !restricted) return fail(restricted);
  return ring;
}

Result<void> Ring::create(const RingOptions& options) {
  io_uring_params parameters{};
  // DEFER_TASKRUN is the one flag that matters for speed: completions are worked on when the worker waits, not by
  // interrupting it.
  parameters.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  parameters.cq_entries = options.completions;
  auto ring = std::make_unique<io_uring>();
  if (int code = io_uring_queue_init_params(options.submissions, ring.get(), &parameters); code < 0)
    return fail(setup_error(-code));
  ring_.reset(ring.release());
  return {};
}

Result<void> Ring::restrict_operations() {
  std::array<io_uring_restriction, kAllowedOperations.size() + 1> restrictions{};
  for (size_t i = 0; i < kAllowedOperations.size(); i++) {
    restrictions[i].opcode = IORING_RESTRICTION_SQE_OP;
    restrictions[i].sqe_op = kAllowedOperations[i];
  }
  restrictions.back().opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  restrictions.back().sqe_flags = IOSQE_BUFFER_SELECT;
  if (register_with(*ring_, IORING_REGISTER_RESTRICTIONS, restrictions.data(), restrictions.size()) < 0)
    return fail(posix_error(errno, "restricting io_uring to the operations in use"));
  return {};
}

Result<void> Ring::enable() {
  if (register_with(*ring_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0)
    return fail(posix_error(errno, "enabling io_uring"));
  time_ = now();
  return {};
}

Result<void> Ring::run_once(int64_t deadline_ns) {
  arm(starved_);
  arm(queued_);
  if (Result<void> waited = submit_and_wait(deadline_ns); !waited) return fail(waited);
  time_ = now();
  counters_.turns++;
  complete_batch();
  timers_.fire(time_.steady_ns);
  run_deferred();
  return {};
}

Result<void> Ring::submit_and_wait(int64_t deadline_ns) {
  int64_t until_ns = deferred_.empty() ? std::min(deadline_ns, timers_.next_ns()) : 0;
  __kernel_timespec timeout{};
  if (until_ns != Timers::kNever) {
    int64_t wait_ns = until_ns == 0 ? 0 : std::max<int64_t>(0, until_ns - now().steady_ns);
    timeout.tv_sec = wait_ns / kSecond_ns;
    timeout.tv_nsec = wait_ns % kSecond_ns;
  }
  io_uring_cqe* first = nullptr;
  int code = io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, until_ns == Timers::kNever ? nullptr : &timeout,
                                              nullptr);
  if (code < 0 && !is_only_a_pause(-code)) return fail(posix_error(-code, "waiting for io_uring"));
  return {};
}

void Ring::complete_batch() {
  for (unsigned ready = io_uring_cq_ready(ring_.get()); ready > 0; ready--) {
    io_uring_cqe* cqe = nullptr;
    io_uring_peek_cqe(ring_.get(), &cqe);
    Op* op = static_cast<Op*>(io_uring_cqe_get_data(cqe));
    Completion completion{cqe->res, cqe->flags};
    io_uring_cqe_seen(ring_.get(), cqe);
    counters_.completions++;
    if (!op) continue;  // the answer to a cancel: the cancelled operation tells for itself
    if (!completion.more()) {
      op->in_flight_ = false;
      in_flight_--;
    }
    op->callback_(op->owner_, completion);
  }
}

void Ring::run_deferred() {
  List<Deferred> calls;
  calls.take(deferred_);
  while (Deferred* call = calls.pop_front()) call->callback_(call->owner_);
}

io_uring_sqe* Ring::start(Op& op) {
  CHECK(!op.in_flight_);
  io_uring_sqe* submission = next_submission();
  io_uring_sqe_set_data(submission, &op);  // liburing's io_uring_prep_ functions leave it alone
  op.in_flight_ = true;
  in_flight_++;
  return submission;
}

void Ring::cancel(Op& op) {
  if (!op.in_flight_) return;
  // Submissions are worked on in their order: an Op that later lies at the same address cannot be meant.
  io_uring_sqe* submission = next_submission();
  io_uring_prep_cancel64(submission, reinterpret_cast<uintptr_t>(&op), 0);
  io_uring_sqe_set_data(submission, nullptr);
}

void Ring::defer(Deferred& call) {
  if (!call.linked()) deferred_.push_back(call);
}

void Ring::wait_for_buffer(Receive& receive) {
  counters_.without_buffer++;
  starved_.push_back(receive);
}

void Ring::arm(List<Receive>& list) {
  while (Receive* receive = list.pop_front()) {
    io_uring_sqe* submission = start(receive->op_);
    io_uring_prep_recv(submission, receive->fd_, nullptr, 0, 0);
    submission->flags = IOSQE_BUFFER_SELECT;
    submission->buf_group = 0;
    // What was read empty is waited for without looking into it again.
    if (receive->drained_) submission->ioprio = IORING_RECVSEND_POLL_FIRST;
  }
}

io_uring_sqe* Ring::next_submission() {
  if (io_uring_sqe* free = io_uring_get_sqe(ring_.get())) return free;
  io_uring_submit(ring_.get());
  io_uring_sqe* free = io_uring_get_sqe(ring_.get());
  CHECK(free);
  return free;
}

}  // namespace waylay::io
