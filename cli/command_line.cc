#include <algorithm>

#include "base/nearest.h"
#include "cli/verb.h"

namespace waylay::cli {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

// The words not yet read, and what they were read into.
class Reader {
 public:
  explicit Reader(std::span<const std::string> words) : words_(words) {}

  Result<CommandLine> read() {
    while (position_ < words_.size()) {
      if (Result<void> step = read_word(words_[position_++]); !step) return fail(step);
    }
    if (Result<void> complete = finish(); !complete) return fail(complete);
    return std::move(line_);
  }

 private:
  Result<void> read_word(const std::string& word) {
    if (word == "--" && line_.verb) {
      take_rest(line_.verb->arguments.then_command ? line_.parsed.command : line_.parsed.arguments);
      return {};
    }
    if (word.size() > 1 && word[0] == '-' && !line_.verb && !group_.empty()) use_listing();
    if (word.size() > 1 && word[0] == '-') return word[1] == '-' ? read_long(word) : read_letters(word);
    if (!line_.verb) return read_verb(word);
    line_.parsed.arguments.push_back(word);
    if (line_.verb->arguments.command) take_rest(line_.parsed.arguments);
    return {};
  }

  void take_rest(std::vector<std::string>& into) {
    into.insert(into.end(), words_.begin() + static_cast<ptrdiff_t>(position_), words_.end());
    position_ = words_.size();
  }

  // "rules" needs a second word: "rules list".
  Result<void> read_verb(const std::string& word) {
    std::string name = group_.empty() ? word : group_ + " " + word;
    line_.verb = find_verb(name);
    if (line_.verb) return {};
    std::vector<std::string_view> names;
    for (const Verb& verb : verbs()) {
      names.push_back(verb.name);
      if (verb.name.starts_with(name + " ")) {
        group_ = name;
        return {};
      }
    }
    return wrong("unknown verb \"" + name + "\"" + did_you_mean(name, names));
  }

  // A group without a second word lists what there is: "rules" is "rules list".
  void use_listing() { line_.verb = find_verb(group_ + " list"); }

  const Option* find_option(std::string_view name, char letter) const {
    auto matches = [&](const Option& option) { return letter ? option.letter == letter : option.name == name; };
    if (line_.verb) {
      auto found = std::ranges::find_if(line_.verb->options, matches);
      if (found != line_.verb->options.end()) return &*found;
    }
    auto found = std::ranges::find_if(global_options(), matches);
    return found == global_options().end() ? nullptr : &*found;
  }

  std::unexpected<Error> unknown_option(const std::string& word) const {
    std::vector<std::string_view> names;
    for (const Option& option : global_options()) names.push_back(option.name);
    if (line_.verb)
      for (const Option& option : line_.verb->options) names.push_back(option.name);
    std::string of = line_.verb ? " of waylay " + std::string(line_.verb->name) : "";
    return wrong("unknown option " + word + of + did_you_mean(word, names));
  }

  Result<void> read_long(const std::string& word) {
    size_t equals = word.find('=');
    const Option* option = find_option(std::string_view(word).substr(0, equals), 0);
    if (!option) return unknown_option(word.substr(0, equals));
    if (option->value.empty() && equals != std::string::npos)
      return wrong(std::string(option->name) + " takes no value");
    if (equals != std::string::npos) return add(*option, word.substr(equals + 1));
    return option->value.empty() ? add(*option, "") : add_next(*option);
  }

  // "-f", "-fx", "-n5" and "-n 5".
  Result<void> read_letters(const std::string& word) {
    for (size_t i = 1; i < word.size(); ++i) {
      const Option* option = find_option({}, word[i]);
      if (!option) return unknown_option("-" + word.substr(i, 1));
      if (!option->value.empty()) return i + 1 < word.size() ? add(*option, word.substr(i + 1)) : add_next(*option);
      if (Result<void> added = add(*option, ""); !added) return fail(added);
    }
    return {};
  }

  Result<void> add_next(const Option& option) {
    if (position_ == words_.size()) return wrong(std::string(option.name) + " needs a value: " + synopsis_of(option));
    return add(option, words_[position_++]);
  }

  Result<void> add(const Option& option, std::string value) {
    if (!option.repeated && !option.value.empty() && line_.parsed.has(option.name))
      return wrong(std::string(option.name) + " is given twice");
    line_.parsed.add(option.name, std::move(value));
    return {};
  }

  Result<void> finish() {
    bool asks = line_.parsed.has("--help") || line_.parsed.has("--version");
    if (asks) return {};
    if (!group_.empty() && !line_.verb) use_listing();
    if (!group_.empty() && !line_.verb) return wrong(group_ + " needs one more word: " + members_of(group_));
    if (!line_.verb) return {};
    const Arguments& expected = line_.verb->arguments;
    size_t given = line_.parsed.arguments.size();
    if (given < expected.least)
      return wrong("waylay " + std::string(line_.verb->name) + " needs " + std::string(expected.name));
    if (given > expected.most)
      return wrong("waylay " + std::string(line_.verb->name) + " does not take \"" +
                   line_.parsed.arguments[expected.most] + "\"");
    return {};
  }

  static std::string members_of(const std::string& group) {
    std::string members;
    for (const Verb& verb : verbs()) {
      if (!verb.name.starts_with(group + " ")) continue;
      members.append(members.empty() ? "" : ", ").append(verb.name.substr(group.size() + 1));
    }
    return members;
  }

  std::span<const std::string> words_;
  size_t position_ = 0;
  std::string group_;
  CommandLine line_;
};

}  // namespace

const std::vector<std::string>& Parsed::all(std::string_view name) const {
  static const std::vector<std::string> kNone;
  auto found = options_.find(std::string(name));
  return found == options_.end() ? kNone : found->second;
}

std::optional<std::string> Parsed::last(std::string_view name) const {
  const std::vector<std::string>& values = all(name);
  if (values.empty()) return std::nullopt;
  return values.back();
}

const Verb* find_verb(std::string_view name) {
  auto found = std::ranges::find(verbs(), name, &Verb::name);
  return found == verbs().end() ? nullptr : &*found;
}

std::string synopsis_of(const Option& option) {
  std::string text;
  if (option.letter) text.append("-").append(1, option.letter).append(", ");
  text.append(option.name);
  if (!option.value.empty()) text.append(" ").append(option.value);
  return text;
}

std::string usage_of(const Verb& verb) {
  std::string text = "waylay " + std::string(verb.name);
  for (const Option& option : verb.options) {
    text.append(" [").append(option.name);
    if (!option.value.empty()) text.append(" ").append(option.value);
    text.append(option.repeated ? "]..." : "]");
  }
  const Arguments& arguments = verb.arguments;
  if (arguments.name.empty()) return text;
  text.append(arguments.command ? " -- " : arguments.least == 0 ? " [" : " ").append(arguments.name);
  if (!arguments.command && arguments.most > 1) text.append("...");
  if (!arguments.command && arguments.least == 0) text.append("]");
  if (arguments.then_command) text.append(" [-- CMD ARGS...]");
  return text;
}

Result<CommandLine> parse_command_line(std::span<const std::string> words) {
  return Reader(words).read();
}

}  // namespace waylay::cli
