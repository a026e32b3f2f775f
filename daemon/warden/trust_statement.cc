#include "warden/trust_statement.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/handle.h"
#include "kernel/process.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr std::array<std::string_view, 6> kReadEachRun = {"curl", "wget", "git", "git-remote-http", "http", "openssl"};
constexpr std::array<std::string_view, 16> kNoTls = {
    "sh",   "bash",      "dash",        "ash",       "busybox", "sleep", "tini", "dumb-init",
    "init", "catatonit", "docker-init", "s6-svscan", "cat",     "tail",  "su",   "pause"};

std::string_view base_name(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

template <class T>
bool read_at(int fd, uint64_t offset, T& into) {
  return ::pread(fd, &into, sizeof into, static_cast<off_t>(offset)) == static_cast<ssize_t>(sizeof into);
}

// A Go program has a section ".go.buildinfo" (or, stripped of section names, none: then it is nobody we know).
bool is_go_program(pid_t pid) {
  Fd exe(::open(("/proc/" + std::to_string(pid) + "/exe").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Elf64_Ehdr header{};
  if (!exe || !read_at(exe.get(), 0, header)) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return false;
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > 1024) return false;
  Elf64_Shdr names{};
  if (!read_at(exe.get(), header.e_shoff + uint64_t{header.e_shstrndx} * sizeof(Elf64_Shdr), names)) return false;
  std::string text(std::min<uint64_t>(names.sh_size, size_t{64} * 1024), '\0');
  ssize_t got = ::pread(exe.get(), text.data(), text.size(), static_cast<off_t>(names.sh_offset));
  return got > 0 && text.find(".go.buildinfo") != std::string::npos;
}

bool has_tls_library(pid_t pid) {
  Fd maps(::open(("/proc/" + std::to_string(pid) + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  if (!maps) return false;
  Result<std::string> text = read_all(maps.get(), size_t{4} * 1024 * 1024, "maps");
  if (!text) return false;
  return text->find("/libssl") != std::string::npos || text->find("/libgnutls") != std::string::npos ||
         text->find("/libnss3") != std::string::npos;
}

RootsReading reading_of_name(std::string_view name) {
  if (name.starts_with("python") || name.starts_with("pypy") || name.starts_with("ruby") || name.starts_with("php")) {
    return RootsReading::Connection;
  }
  if (name == "node" || name == "nodejs") return RootsReading::Start;
  if (name == "java") return RootsReading::Once;
  if (std::ranges::find(kReadEachRun, name) != kReadEachRun.end()) return RootsReading::EachRun;
  if (std::ranges::find(kNoTls, name) != kNoTls.end()) return RootsReading::NoTls;
  return RootsReading::Unknown;
}

std::string_view words(RootsReading reading, bool merged) {
  switch (reading) {
    case RootsReading::NoTls:
      return "";
    case RootsReading::Connection:
      return merged
                 ? "reads its bundle (certifi, botocore) for each new connection: trusts us from its next connection on"
                 : "will refuse us until its bundle contains our CA, and is passed through after its first failure";
    case RootsReading::EachRun:
      return merged ? "reads its bundle at each run: the next run trusts us" : "will refuse us";
    case RootsReading::FirstUse:
      return "Go program, reads its roots once, when it first verifies a server: if it has done so, it will refuse us, "
             "and is "
             "passed through after its first failure";
    case RootsReading::Start:
      return "started before attach and reads its roots at start only: will refuse us, and is passed through after its "
             "first "
             "failure";
    case RootsReading::Once:
      return merged ? "reads its truststore once: trusts us if it has made no TLS connection yet, else it refuses us "
                      "and is passed through after its first failure"
                    : "has a truststore of its own and reads it once: will refuse us, and is passed through after its "
                      "first failure";
    case RootsReading::Unknown:
      return merged ? "trusts us from the next TLS context it makes, if it reads the system's bundle"
                    : "will refuse us unless it trusts our CA already, and is passed through after its first failure";
  }
  return "";
}

}  // namespace

RootsReading roots_reading_of(pid_t pid) {
  Result<kernel::Process> process = kernel::read_process(pid);
  if (!process) return RootsReading::NoTls;
  RootsReading reading = reading_of_name(base_name(process->exe.empty() ? process->comm : process->exe));
  if (reading != RootsReading::Unknown) return reading;
  if (is_go_program(pid)) return RootsReading::FirstUse;
  return has_tls_library(pid) ? RootsReading::Unknown : RootsReading::NoTls;
}

std::vector<std::string> trust_statements(const std::vector<pid_t>& processes, bool merged, size_t limit) {
  std::vector<std::string> lines;
  for (pid_t pid : processes) {
    if (lines.size() >= limit) break;
    std::string_view text = words(roots_reading_of(pid), merged);
    Result<kernel::Process> process = kernel::read_process(pid);
    if (text.empty() || !process) continue;
    std::string name(base_name(process->exe.empty() ? process->comm : process->exe));
    lines.push_back("pid " + std::to_string(pid) + " " + name + ": " + std::string(text));
  }
  return lines;
}

}  // namespace waylay::warden
