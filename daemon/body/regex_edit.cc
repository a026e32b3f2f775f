#include "body/regex_edit.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "body/coding.h"

namespace waylay::body {
namespace {

constexpr size_t kMostGroups = 10;  // \0 to \9

class RegexEdit final : public Edit {
 public:
  RegexEdit(std::unique_ptr<const re2::RE2> pattern, std::string with, bool only_first)
      : pattern_(std::move(pattern)), with_(std::move(with)), only_first_(only_first) {}

  std::string_view what() const override { return "regex"; }

  Result<std::string> apply(const Content& content) const override {
    re2::StringPiece text(content.text().data(), content.text().size());
    std::array<re2::StringPiece, kMostGroups> groups;
    int count = 1 + RE2::MaxSubmatch(with_);
    std::string edited;
    size_t copied = 0, from = 0;
    bool found = false;
    while (from <= text.size() && !(found && only_first_) &&
           pattern_->Match(text, from, text.size(), RE2::UNANCHORED, groups.data(), count)) {
      auto begin = static_cast<size_t>(groups[0].data() - text.data());
      edited.append(text.data() + copied, begin - copied);
      if (!pattern_->Rewrite(&edited, with_, groups.data(), count) || edited.size() > kMostDecoded) return too_large();
      found = true;
      copied = begin + groups[0].size();
      // Behind an empty match the next one is looked for a byte further on.
      from = groups[0].empty() ? copied + 1 : copied;
    }
    if (!found) return fail(Error::local(ErrorKind::Invalid, "the pattern is not in the body"));
    edited.append(text.data() + copied, text.size() - copied);
    if (edited.size() > kMostDecoded) return too_large();
    return edited;
  }

 private:
  static std::unexpected<Error> too_large() {
    return fail(
        Error::local(ErrorKind::Limit, "the body would become larger than " + std::to_string(kMostDecoded) + " bytes"));
  }

  std::unique_ptr<const re2::RE2> pattern_;
  std::string with_;
  bool only_first_;
};

}  // namespace

std::expected<std::shared_ptr<const Edit>, Mistake> make_regex_edit(const std::string& pattern, std::string with,
                                                                    bool only_first) {
  constexpr int64_t kMostMemory = 1 << 20;  // as in a match: what the program and its automaton may hold
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  auto compiled = std::make_unique<const re2::RE2>(pattern, options);
  if (!compiled->ok()) return std::unexpected(Mistake{"/regex", "the regular expression (RE2): " + compiled->error()});
  std::string error;
  if (!compiled->CheckRewriteString(with, &error)) return std::unexpected(Mistake{"/with", error});
  return std::make_shared<const RegexEdit>(std::move(compiled), std::move(with), only_first);
}

}  // namespace waylay::body
