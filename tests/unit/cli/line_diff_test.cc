#include "cli/line_diff.h"

#include <gtest/gtest.h>

namespace waylay::cli {
namespace {

using Lines = std::vector<std::string>;

TEST(LineDiff, ShowsWhatWentAndWhatCame) {
  EXPECT_EQ(line_diff("a\nb\nc", "a\nx\nc"), (Lines{" a", "-b", "+x", " c"}));
  EXPECT_EQ(line_diff("a\nb", "b\nc"), (Lines{"-a", " b", "+c"}));
}

TEST(LineDiff, OfOneSideIsThatSide) {
  EXPECT_EQ(line_diff("", "a\nb\n"), (Lines{"+a", "+b"}));
  EXPECT_EQ(line_diff("a", ""), Lines{"-a"});
  EXPECT_EQ(line_diff("", ""), Lines{});
  EXPECT_EQ(line_diff("same\n", "same"), Lines{" same"});
}

TEST(LineDiff, ReplacesTextsThatAreTooLongToCompare) {
  std::string many, more;
  for (int i = 0; i < 3000; ++i) many += "line\n", more += "other\n";
  Lines lines = line_diff(many, more);
  ASSERT_EQ(lines.size(), 6000u);
  EXPECT_EQ(lines.front(), "-line");
  EXPECT_EQ(lines.back(), "+other");
}

}  // namespace
}  // namespace waylay::cli
