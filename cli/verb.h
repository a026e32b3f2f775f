// What a verb is made of: the one description from which arguments are parsed and usage, help, shell completion and the
// man page are printed. The table itself is in verbs.cc.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace waylay::cli {

// What the process ends with; scripts rely on these.
enum Exit : int {
  kOk = 0,
  kRefused = 1,      // the daemon refused, or nothing was found
  kUsage = 2,        // the command line is wrong
  kUnreachable = 3,  // no daemon, or no permission to talk to it
};

struct Option {
  std::string_view name;   // "--match"
  char letter = 0;         // 'f' for -f
  std::string_view value;  // "EXPR"; empty: a flag
  std::string_view help;
  bool repeated = false;
};

struct Example {
  std::string_view command, meaning;
};

struct Arguments {
  std::string_view name;  // "TARGET"; empty: none are taken
  size_t least = 0, most = 0;
  bool command = false;       // the first one ends the options: what follows is a command of its own
  bool then_command = false;  // such a command may follow behind "--"
};

// Options by name, in the order given; a flag has one empty value.
class Parsed {
 public:
  std::vector<std::string> arguments, command;
  void add(std::string_view name, std::string value) { options_[std::string(name)].push_back(std::move(value)); }
  bool has(std::string_view name) const { return options_.contains(std::string(name)); }
  const std::vector<std::string>& all(std::string_view name) const;
  std::optional<std::string> last(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>> options_;
};

class Session;

struct Verb {
  std::string_view name;  // "attach", "rules add"
  std::string_view summary;
  std::string_view description;  // paragraphs, separated by an empty line
  std::vector<Option> options;
  Arguments arguments;
  std::vector<Example> examples;
  int (*run)(Session& session, const Parsed& parsed);
};

std::span<const Verb> verbs();
const Verb* find_verb(std::string_view name);
std::span<const Option> global_options();

// "waylay attach [--port N]... TARGET"
std::string usage_of(const Verb& verb);
std::string synopsis_of(const Option& option);  // "-f, --follow", "--port N"

struct CommandLine {
  const Verb* verb = nullptr;  // null: help or version was asked for, or nothing
  Parsed parsed;               // with the global options
};

// Errors are of kind Invalid and say how it should have been written.
Result<CommandLine> parse_command_line(std::span<const std::string> words);

}  // namespace waylay::cli
