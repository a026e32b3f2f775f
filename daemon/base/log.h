// One line per event on standard error, as key=value. Info is for operators; debug is the trace that tests use.
// Keys, message bodies and secrets never go to the log.
#pragma once

#include <string>
#include <string_view>

namespace waylay::log {

enum class Level { Debug, Info, Warning, Error };

// `process` is "warden", "proxy" or empty. Under systemd (JOURNAL_STREAM is set) lines carry the journal's <N> priority
// prefix instead of a time.
void start(std::string_view process, Level least);
void set_level(Level least);
bool enabled(Level level);

void write(Level level, std::string_view line);
inline void debug(std::string_view line) {
  write(Level::Debug, line);
}
inline void info(std::string_view line) {
  write(Level::Info, line);
}
inline void warning(std::string_view line) {
  write(Level::Warning, line);
}
inline void error(std::string_view line) {
  write(Level::Error, line);
}

// A value that came from outside, made safe for one line: quoted when it holds a blank, control characters escaped.
std::string quoted(std::string_view value);

}  // namespace waylay::log
