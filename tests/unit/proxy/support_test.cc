#include "unit/proxy/support.h"

#include <liburing.h>
#include <sys/socket.h>

namespace waylay::proxy::testing {
namespace {

// The kernel takes it down when a task that it is about asks for something next: a read that waits ends with EINTR.
void leave_a_ring_with_something_in_flight(int fd) {
  io_uring ring;
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  ASSERT_EQ(io_uring_queue_init_params(4, &ring, &parameters), 0);
  static char octet;
  io_uring_prep_recv(io_uring_get_sqe(&ring), fd, &octet, 1, 0);
  ASSERT_EQ(io_uring_submit(&ring), 1);
  io_uring_queue_exit(&ring);
}

TEST(Support, ReadsOnWhenTheKernelTakesDownARingThatThisThreadHad) {
  auto [near, far] = channel_pair();
  give_up_after_patience(near.get());
  leave_a_ring_with_something_in_flight(far.get());
  std::thread later([&far] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    write_all(far.get(), "all of it");
    far.reset();
  });
  EXPECT_EQ(read_all(near.get()), "all of it");
  later.join();
}

}  // namespace
}  // namespace waylay::proxy::testing
