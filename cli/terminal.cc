#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace waylay::cli {
namespace {

std::string_view code_of(Color color) {
  switch (color) {
    case Color::Plain:
      return "";
    case Color::Bold:
      return "1";
    case Color::Dim:
      return "2";
    case Color::Red:
      return "31";
    case Color::Green:
      return "32";
    case Color::Yellow:
      return "33";
    case Color::Blue:
      return "34";
    case Color::Magenta:
      return "35";
  }
  return "";
}

bool is_continuation(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

std::string number(double value, int digits) {
  std::array<char, 32> buffer;
  int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return {buffer.data(), static_cast<size_t>(size)};
}

std::string formatted(const tm& when, const char* format) {
  std::array<char, 64> buffer;
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &when)};
}

}  // namespace

Terminal Terminal::of_standard_output(std::string_view when) {
  Terminal terminal;
  bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* kind = std::getenv("TERM");
  bool dumb = !kind || std::string_view(kind) == "dumb";
  terminal.color = when == "always" || (when != "never" && is_terminal && !dumb && !std::getenv("NO_COLOR"));
  winsize size{};
  if (is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) terminal.width = size.ws_col;
  return terminal;
}

std::string Terminal::paint(Color wanted, std::string_view text) const {
  if (!color || wanted == Color::Plain || text.empty()) return std::string(text);
  std::string out = "\033[";
  return out.append(code_of(wanted)).append("m").append(text).append("\033[0m");
}

std::string harmless(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    bool c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0 && is_continuation(text[i + 1]);
    if (c1) ++i;
    bool harmful = (byte < 0x20 && !(lines && byte == '\n')) || byte == 0x7f || c1;
    out += harmful ? '?' : text[i];
  }
  return out;
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string cut(std::string_view text, size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end)
    if (!is_continuation(text[end]) && ++seen == columns) break;
  return std::string(text.substr(0, end)) + "\u2026";
}

std::string pad(std::string_view text, size_t columns) {
  std::string out(text);
  size_t used = columns_of(text);
  if (used < columns) out.append(columns - used, ' ');
  return out;
}

std::string pad_left(std::string_view text, size_t columns) {
  size_t used = columns_of(text);
  return std::string(used < columns ? columns - used : 0, ' ').append(text);
}

Table::Table(std::vector<std::string> titles) : titles_(std::move(titles)), right_(titles_.size(), false) {}

void Table::align_right(size_t column) {
  right_[column] = true;
}

std::string Table::text(const Terminal& terminal) const {
  std::vector<size_t> widths;
  widths.reserve(titles_.size());
  for (const std::string& title : titles_) widths.push_back(columns_of(title));
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    size_t used = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      bool last = i + 1 == cells.size();
      if (last && terminal.width > used && !right_[i]) {
        text += cut(cells[i], terminal.width - used);
      } else if (right_[i]) {
        text += pad_left(cells[i], widths[i]);
      } else {
        text += last ? cells[i] : pad(cells[i], widths[i]);
      }
      if (!last) text += "  ";
      used += widths[i] + 2;
    }
    while (text.ends_with(' ')) text.pop_back();
    return text;
  };
  std::string out = terminal.paint(Color::Bold, line(titles_)) + "\n";
  for (const auto& row : rows_) out += line(row) + "\n";
  return out;
}

std::string human_duration(double milliseconds) {
  if (milliseconds < 10) return number(milliseconds, 1) + " ms";
  if (milliseconds < 1000) return number(milliseconds, 0) + " ms";
  double seconds = milliseconds / 1000;
  if (seconds < 60) return number(seconds, 1) + " s";
  auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

std::string short_duration(int64_t seconds) {
  auto part = [](int64_t value, const char* unit) { return std::to_string(value) + unit; };
  if (seconds >= 3600) return part(seconds / 3600, "h ") + part(seconds / 60 % 60, "m");
  return seconds >= 60 ? part(seconds / 60, "m ") + part(seconds % 60, "s") : part(seconds, "s");
}

std::string human_size(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double size = static_cast<double>(bytes);
  for (const char* unit : {" KiB", " MiB", " GiB"}) {
    size /= 1024;
    if (size < 1024) return number(size, 1) + unit;
  }
  return number(size / 1024, 1) + " TiB";
}

std::string human_time(std::string_view iso8601, int64_t now_s) {
  tm utc{};
  std::string text(iso8601);
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (!rest) return harmless(iso8601);
  time_t when = ::timegm(&utc);
  tm local{};
  ::localtime_r(&when, &local);
  std::string_view fraction(rest);
  fraction = fraction.substr(0, fraction.find('Z'));
  constexpr int64_t kRecent_s = 20 * 3600;
  bool recent = now_s - when < kRecent_s && when - now_s < kRecent_s;
  return recent ? formatted(local, "%H:%M:%S") + std::string(fraction) : formatted(local, "%m-%d %H:%M");
}

}  // namespace waylay::cli
