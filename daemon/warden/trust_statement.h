// What each running process of a target will make of our CA: some read their roots for every connection, some once,
// some at their start only. Nothing here changes anything; it is said in attach's answer.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace waylay::warden {

enum class RootsReading {
  NoTls,       // shells, init programs and the like
  Connection,  // Python's requests, urllib3 and botocore, PHP, Ruby: a new TLS context for (almost) every connection
  EachRun,     // curl, wget, git
  FirstUse,    // Go: at its first verification, then never again
  Start,       // Node
  Once,        // Java: when the first TLS context is made
  Unknown,     // has a TLS library, but is nobody we know
};

RootsReading roots_reading_of(pid_t pid);

// One line per process that matters, at most `limit` lines: "pid 12 node: ...". `merged`: its bundles contain our CA
// now.
std::vector<std::string> trust_statements(const std::vector<pid_t>& processes, bool merged, size_t limit);

}  // namespace waylay::warden
