// A command that runs as if there were no waylay between it and the shell: same terminal, same process group, signals
// and exit status passed on.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::cli {

constexpr int kNotFound = 127, kNotExecutable = 126, kSignalled = 128;  // as shells do

// The child's end and what is passed on to it. To be blocked before fork(), and unblocked in the child.
sigset_t watched_signals();

// In the child, never returns: executes the command with these signals blocked, or says why not.
[[noreturn]] void execute(const std::vector<std::string>& command, const sigset_t& signals);

// Watched beside signals: `on_readable` is called when something is to be read, until it answers false.
struct Beside {
  int descriptor = -1;
  std::function<bool()> on_readable;
};

// Waits for the child's end: its exit status, or 128+N.
int supervise(pid_t child, const sigset_t& signals, const Beside& beside = {});

// Without a child: waits until a signal asks for our end (true), or `beside` has answered false.
bool wait_for_signal(const sigset_t& signals, const Beside& beside);

}  // namespace waylay::cli
