// Somebody who waits for an answer that comes later: a member of its owner, which stops waiting by destroying it or by
// unlink(). The owner is called once, from Ring::run_once(), and may wait again.
#pragma once

#include <utility>

#include "base/result.h"
#include "io/list.h"

namespace waylay::proxy {

template <class T>
class Waiter : public io::ListNode {
 public:
  // Waiter<Fd> socket_ = Waiter<Fd>::calling<&Upstream::on_socket>(this);
  template <auto member, class Owner>
  static Waiter calling(Owner* owner) {
    return Waiter(owner, [](void* to, Result<T> answer) { (static_cast<Owner*>(to)->*member)(std::move(answer)); });
  }

  bool waiting() const { return linked(); }
  void answer(Result<T> answer) { callback_(owner_, std::move(answer)); }  // unlinked before

 private:
  using Callback = void (*)(void*, Result<T>);
  Waiter(void* owner, Callback callback) : owner_(owner), callback_(callback) {}

  void* owner_;
  Callback callback_;
};

template <class T>
using Waiters = io::List<Waiter<T>>;

// Those who wait now are told; who begins to wait meanwhile is not.
template <class T>
void fail_all(Waiters<T>& waiters, const Error& error) {
  Waiters<T> told;
  told.take(waiters);
  while (Waiter<T>* waiter = told.pop_front()) waiter->answer(fail(error));
}

}  // namespace waylay::proxy
