#include "kernel/cgroup.h"

#include <gtest/gtest.h>

namespace waylay::kernel {
namespace {

TEST(Cgroup2Mount, IsFoundOnUnifiedAndOnHybridHosts) {
  EXPECT_EQ(*cgroup2_mount_in("22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
                              "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"),
            "/sys/fs/cgroup");
  EXPECT_EQ(*cgroup2_mount_in("40 30 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                              "41 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"),
            "/sys/fs/cgroup/unified");
}

TEST(Cgroup2Mount, MayHaveBlanksInItsPath) {
  EXPECT_EQ(*cgroup2_mount_in("41 30 0:31 / /mnt/my\\040cgroups rw - cgroup2 none rw\n"), "/mnt/my cgroups");
}

TEST(Cgroup2Mount, ThatIsMissingIsExplained) {
  Result<std::string> none = cgroup2_mount_in("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("cgroup2 is not mounted"), std::string::npos);
}

TEST(Cgroup2Path, IsTheLineOfHierarchyZero) {
  EXPECT_EQ(*cgroup2_path_in("9:name=systemd:/x\n0::/docker/abc\n"), "/docker/abc");
  EXPECT_EQ(*cgroup2_path_in("0::/\n"), "/");
  EXPECT_FALSE(cgroup2_path_in("4:memory:/docker/abc\n"));
}

TEST(Cgroup2Path, OutsideOfOurOwnNamespaceIsRefused) {
  EXPECT_FALSE(cgroup2_path_in("0::/../other\n"));
}

}  // namespace
}  // namespace waylay::kernel
