#include "body/json_pointer.h"

#include <charconv>
#include <ranges>

namespace waylay::body {
namespace {

// RFC 6901 section 3: ~ stands only in ~0 and ~1.
std::optional<std::string> unescaped(std::string_view token) {
  std::string text;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      text += token[i];
      continue;
    }
    ++i;
    if (i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    text += token[i] == '0' ? '~' : '/';
  }
  return text;
}

}  // namespace

std::optional<std::vector<std::string>> read_pointer(std::string_view text) {
  std::vector<std::string> tokens;
  if (text.empty()) return tokens;
  if (text[0] != '/') return std::nullopt;
  for (auto part : std::views::split(text.substr(1), '/')) {
    std::optional<std::string> token = unescaped(std::string_view(part.begin(), part.end()));
    if (!token) return std::nullopt;
    tokens.push_back(*std::move(token));
  }
  if (tokens.empty()) tokens.emplace_back();  // "/" is the member ""
  return tokens;
}

std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (char c : member) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

std::optional<size_t> index_of(std::string_view token) {
  size_t index = 0;
  if (token.size() > 1 && token[0] == '0') return std::nullopt;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}

}  // namespace waylay::body
