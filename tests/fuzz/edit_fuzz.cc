// Edits and JSON paths from anywhere, on bodies from anywhere. The input is an edit, a zero byte, a path, a zero byte
// and a body.
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "body/coding.h"
#include "body/edit.h"

namespace {

using namespace waylay;
using namespace waylay::body;

std::string_view take_until_zero(std::string_view& input) {
  std::string_view part = input.substr(0, input.find('\0'));
  input.remove_prefix(std::min(input.size(), part.size() + 1));
  return part;
}

void look_up(std::string_view text, const Content& content) {
  auto path = match::JsonPath::parse(text);
  if (const auto* problem = std::get_if<match::JsonPath::Problem>(&path)) {
    CHECK(problem->begin <= text.size() && !problem->what.empty());
    return;
  }
  CHECK(match::fits(match::Type::Json, content.at(std::get<match::JsonPath>(path))));
}

void edit(std::string_view text, const Content& content) {
  auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return;
  auto read = read_edit(json);
  if (!read) {
    CHECK(!read.error().what.empty());
    return;
  }
  Result<std::string> after = (*read)->apply(content);
  if (!after) {
    CHECK(!after.error().message.empty());
    return;
  }
  CHECK(after->size() <= kMostDecoded);
  if ((*read)->what() != "regex") CHECK(Content(*after).json() != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMost = 4096;  // a patch's own nesting is bounded where rules are read; here by its size
  std::string_view input(reinterpret_cast<const char*>(data), std::min(size, kMost));
  std::string_view edit_text = take_until_zero(input), path = take_until_zero(input);
  Content content{std::string(input)};
  look_up(path, content);
  edit(edit_text, content);
  return 0;
}
