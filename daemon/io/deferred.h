// A call that the ring makes at the end of the current batch of completions. Last calls (on_closed, after which the
// owner may destroy the object) go through here, so that no object disappears under a function that is using it.
#pragma once

#include "io/list.h"

namespace waylay::io {

class Deferred : public ListNode {
 public:
  // Deferred closed_ = Deferred::calling<&Stream::closed>(this);   then ring.defer(closed_);
  template <auto member, class Owner>
  static Deferred calling(Owner* owner) {
    return Deferred(owner, [](void* to) { (static_cast<Owner*>(to)->*member)(); });
  }

 private:
  friend class Ring;
  using Callback = void (*)(void*);
  Deferred(void* owner, Callback callback) : owner_(owner), callback_(callback) {}

  void* owner_;
  Callback callback_;
};

}  // namespace waylay::io
