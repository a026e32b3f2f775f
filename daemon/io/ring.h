// One worker's io_uring: submissions, completions, receive buffers, timers and deferred calls. Linux 6.1 or newer.
//
// make() may run in any thread, before privileges and system calls are given up: the ring is created disabled and
// restricted to the few operations used here (io_uring_register(2), IORING_REGISTER_RESTRICTIONS: no open, no socket,
// no unlink, no further registration), since a seccomp filter does not see what goes through a ring. enable() and
// everything after it belong to one thread.
//
// One turn is run_once(): what was started since the last turn is submitted with the same system call that waits.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "io/buffer_ring.h"
#include "io/deferred.h"
#include "io/list.h"
#include "io/op.h"
#include "io/receive.h"
#include "io/timer.h"

struct io_uring;
struct io_uring_sqe;

namespace waylay::io {

struct RingOptions {
  unsigned submissions = 512;        // more in one turn only costs a further system call
  unsigned completions = 8192;       // more at one moment are kept by the kernel, at the price of an allocation each
  unsigned buffer_count = 64;        // receives that can complete in one turn; no shortage in practice
  unsigned buffer_size = 32 * 1024;  // measured: a download costs 0.86 of what it costs with 64 KiB, with 16 KiB 0.97
};

struct RingCounters {
  uint64_t turns = 0;
  uint64_t completions = 0;
  uint64_t without_buffer = 0;  // receives that had to wait for a buffer
};

class Ring {
 public:
  static Result<std::unique_ptr<Ring>> make(const RingOptions& options = {});
  ~Ring();  // nothing may be in flight
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  Result<void> enable();  // by the worker's thread, once, before the first turn

  // Submits, waits for a completion, a timer, a deferred call or the deadline (steady ns), then handles everything that
  // is there.
  Result<void> run_once(int64_t deadline_ns = Timers::kNever);

  Time time() const { return time_; }  // as of this batch
  Timers& timers() { return timers_; }
  BufferRing& buffers() { return buffers_; }
  const RingCounters& counters() const { return counters_; }
  size_t in_flight() const { return in_flight_; }

  // A submission for `op`, to be filled in by one of liburing's io_uring_prep_ functions at once.
  io_uring_sqe* start(Op& op);
  void cancel(Op& op);  // asks for it, if in flight; the completion still comes, with -ECANCELED unless it was faster
  void defer(Deferred& call);

 private:
  friend class Receive;
  Ring();
  Result<void> create(const RingOptions& options);
  Result<void> restrict_operations();
  void queue(Receive& receive) { queued_.push_back(receive); }
  void wait_for_buffer(Receive& receive);
  void arm(List<Receive>& list);
  io_uring_sqe* next_submission();
  Result<void> submit_and_wait(int64_t deadline_ns);
  void complete_batch();
  void run_deferred();

  struct Exit {
    void operator()(io_uring* ring) const noexcept;
  };
  std::unique_ptr<io_uring, Exit> ring_;
  BufferRing buffers_;
  Timers timers_;
  List<Receive> queued_;
  List<Receive> starved_;
  List<Deferred> deferred_;
  Time time_;
  RingCounters counters_;
  size_t in_flight_ = 0;
};

}  // namespace waylay::io
