// What libbpf and bpf(2) say, made into an Error that names the likely cause and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace waylay::kernel {

// What the likely cause depends on besides the error number.
struct BpfEnvironment {
  uint64_t capabilities = 0;  // effective ones, as in /proc/self/status
  std::string release;        // "6.1.0-28-amd64"
  bool has_btf = false;       // /sys/kernel/btf/vmlinux exists
};
BpfEnvironment read_bpf_environment();

enum class BpfStep { Load, Attach };

// Empty when there is nothing better to say than the error itself.
std::string likely_cause(int errno_value, BpfStep step, const BpfEnvironment& environment);

// From here on libbpf's messages go to log::debug, and the last warnings of the calling thread are kept.
void capture_libbpf_log();
std::string take_libbpf_warnings();

// `code` as libbpf returns it: negative errno, or positive.
Error bpf_error(int code, BpfStep step, std::string_view what);

}  // namespace waylay::kernel
