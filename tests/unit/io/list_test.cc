#include "io/list.h"

#include <gtest/gtest.h>

#include <memory>

namespace waylay::io {
namespace {

struct Item : ListNode {
  explicit Item(int n) : number(n) {}
  int number;
};

TEST(List, KeepsItsOrder) {
  List<Item> list;
  Item one(1), two(2);
  list.push_back(one);
  list.push_back(two);
  EXPECT_EQ(list.pop_front()->number, 1);
  EXPECT_EQ(list.pop_front()->number, 2);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(List, ADestroyedItemLeavesIt) {
  List<Item> list;
  Item one(1);
  auto two = std::make_unique<Item>(2);
  Item three(3);
  for (Item* item : {&one, two.get(), &three}) list.push_back(*item);
  two.reset();
  EXPECT_EQ(list.pop_front()->number, 1);
  EXPECT_EQ(list.pop_front()->number, 3);
  EXPECT_TRUE(list.empty());
}

TEST(List, TakesAnotherListBehindItsOwnItems) {
  List<Item> list, other;
  Item one(1), two(2), three(3);
  list.push_back(one);
  other.push_back(two);
  other.push_back(three);
  list.take(other);
  EXPECT_TRUE(other.empty());
  for (int expected : {1, 2, 3}) EXPECT_EQ(list.pop_front()->number, expected);
}

}  // namespace
}  // namespace waylay::io
