#pragma once

#include <gtest/gtest.h>

#include "http/message.h"

namespace waylay::hook {

inline http::Head head_of(http::Kind kind, std::string raw) {
  Result<http::Head> head = http::Head::parse(kind, std::move(raw), Side::Local);
  EXPECT_TRUE(head);
  return std::move(*head);
}

}  // namespace waylay::hook
