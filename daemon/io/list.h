// A doubly linked list through its members: no allocation, and a member that is destroyed leaves its list by itself.
// A T derives from ListNode and is in at most one list at a time. The list does not own its members.
#pragma once

#include "base/check.h"

namespace waylay::io {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListNode* previous_ = nullptr;
  ListNode* next_ = nullptr;
};

template <class T>
class List {
 public:
  List() { head_.previous_ = head_.next_ = &head_; }
  ~List() { CHECK(empty()); }

  bool empty() const { return head_.next_ == &head_; }

  void push_back(T& item) {
    ListNode& node = item;
    CHECK(!node.linked());
    node.previous_ = head_.previous_;
    node.next_ = &head_;
    head_.previous_->next_ = &node;
    head_.previous_ = &node;
  }

  T* pop_front() {
    if (empty()) return nullptr;
    ListNode* node = head_.next_;
    node->unlink();
    return static_cast<T*>(node);
  }

  // Everything of `from` goes to the end of this list, in its order.
  void take(List& from) {
    while (T* item = from.pop_front()) push_back(*item);
  }

 private:
  ListNode head_;
};

}  // namespace waylay::io
