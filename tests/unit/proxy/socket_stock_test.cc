#include "proxy/socket_stock.h"

#include <gtest/gtest.h>

#include "unit/proxy/support.h"

namespace waylay::proxy {
namespace {

using namespace testing;

class Customer {
 public:
  void buy(Shell& shell) {
    if (auto now_there = shell.sockets.take(Family::Ipv4, waiter_, shell.ring->time().steady_ns))
      take(std::move(*now_there));
  }
  bool served() const { return socket_ || error_; }
  bool waiting() const { return waiter_.waiting(); }
  const std::optional<Error>& error() const { return error_; }

 private:
  void take(Result<Fd> socket) {
    if (socket)
      socket_ = std::move(*socket);
    else
      error_ = std::move(socket).error();
  }
  Fd socket_;
  std::optional<Error> error_;
  Waiter<Fd> waiter_ = Waiter<Fd>::calling<&Customer::take>(this);
};

TEST(SocketStock, IsFilledInAdvanceSoThatTheFirstFlowNeedNotWait) {
  FakeWarden warden;
  Shell shell(warden);
  shell.sockets.prepare(Family::Ipv4);
  ASSERT_TRUE(shell.run_until([&] { return warden.sockets_given == 4; }));
  shell.run_for(50 * kMillisecond_ns);
  Customer customer;
  customer.buy(shell);
  EXPECT_TRUE(customer.served());
  EXPECT_FALSE(customer.error());
}

TEST(SocketStock, AnEmptyStockMakesACustomerWaitAndNeverFail) {
  FakeWarden warden;
  Shell shell(warden);
  std::vector<Customer> customers(200);
  for (Customer& customer : customers) customer.buy(shell);
  EXPECT_TRUE(customers.front().waiting());
  EXPECT_TRUE(shell.run_until([&] {
    return std::all_of(customers.begin(), customers.end(), [](const Customer& each) { return each.served(); });
  }));
  for (Customer& customer : customers) EXPECT_FALSE(customer.error());
  EXPECT_LE(warden.largest_question, 32);
}

TEST(SocketStock, ACustomerWhoGoesAwayIsNotServed) {
  FakeWarden warden;
  Shell shell(warden);
  {
    Customer impatient;
    impatient.buy(shell);
    EXPECT_TRUE(impatient.waiting());
  }
  Customer patient;
  patient.buy(shell);
  EXPECT_TRUE(shell.run_until([&] { return patient.served(); }));
}

TEST(SocketStock, WhoeverWaitsLearnsThatTheWardenRefuses) {
  FakeWarden warden;
  warden.refuses_sockets = true;
  Shell shell(warden);
  Customer customer;
  customer.buy(shell);
  ASSERT_TRUE(shell.run_until([&] { return customer.served(); }));
  EXPECT_EQ(customer.error()->code, EMFILE);
}

TEST(SocketStock, ADroppedStockRefusesAtOnce) {
  FakeWarden warden;
  Shell shell(warden);
  Customer waiting, late;
  waiting.buy(shell);
  shell.sockets.drop(Error::local(ErrorKind::Unavailable, "the target was detached"));
  EXPECT_TRUE(waiting.served());
  late.buy(shell);
  ASSERT_TRUE(late.served());
  EXPECT_EQ(late.error()->message, "the target was detached");
}

}  // namespace
}  // namespace waylay::proxy
