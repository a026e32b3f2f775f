#include "kernel/bpf_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace waylay::kernel {
namespace {

BpfEnvironment good() {
  return {.capabilities = ~0ull, .release = "6.1.0-28-amd64", .has_btf = true};
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(LikelyCause, IsAnOldKernelBeforeAnythingElse) {
  BpfEnvironment old = good();
  for (const char* release : {"5.10.0-33-amd64", "6.0.12", "4.19.0"}) {
    old.release = release;
    EXPECT_TRUE(mentions(likely_cause(EINVAL, BpfStep::Load, old), "6.1 or newer")) << release;
  }
  old.release = "6.18.44";
  EXPECT_FALSE(mentions(likely_cause(EINVAL, BpfStep::Load, old), "6.1 or newer"));
}

TEST(LikelyCause, IsTheMissingCapabilityByName) {
  BpfEnvironment weak = good();
  weak.capabilities &= ~(1ull << 39);
  EXPECT_TRUE(mentions(likely_cause(EPERM, BpfStep::Load, weak), "lacks CAP_BPF:"));
  weak.capabilities = 0;
  EXPECT_TRUE(
      mentions(likely_cause(EACCES, BpfStep::Attach, weak), "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN"));
}

TEST(LikelyCause, IsAnotherProgramWhenAPrivilegedAttachIsRefused) {
  EXPECT_TRUE(mentions(likely_cause(EPERM, BpfStep::Attach, good()), "another program"));
  EXPECT_TRUE(mentions(likely_cause(EPERM, BpfStep::Load, good()), "lockdown"));
}

TEST(LikelyCause, IsMissingTypeInformationWhenThereIsNone) {
  BpfEnvironment bare = good();
  bare.has_btf = false;
  EXPECT_TRUE(mentions(likely_cause(ESRCH, BpfStep::Load, bare), "CONFIG_DEBUG_INFO_BTF"));
}

TEST(LikelyCause, IsNotInventedWhereNothingIsKnown) {
  EXPECT_EQ(likely_cause(EIO, BpfStep::Load, good()), "");
}

}  // namespace
}  // namespace waylay::kernel
