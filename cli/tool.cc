#include <cstdlib>
#include <ostream>

#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string runtime_directory(const Parsed& parsed) {
  if (std::optional<std::string> given = parsed.last("--runtime-dir")) return *given;
  const char* inherited = std::getenv("WAYLAY_RUNTIME_DIR");
  return inherited && *inherited ? inherited : "/run/waylay";
}

int print(std::ostream& out, const std::string& text) {
  out << text;
  return kOk;
}

}  // namespace

int run_tool(std::span<const std::string> words, std::ostream& out, std::ostream& errors) {
  Result<CommandLine> line = parse_command_line(words);
  if (!line) {
    errors << "waylay: " << line.error().message << "\nTry \"waylay --help\".\n";
    return kUsage;
  }
  const Parsed& parsed = line->parsed;
  if (parsed.has("--version")) return print(out, "waylay " WAYLAY_VERSION "\n");
  if (parsed.has("--help")) return print(out, line->verb ? help_of(*line->verb) : general_help());
  if (!line->verb) {
    errors << general_help();
    return kUsage;
  }
  std::string color = parsed.last("--color").value_or("auto");
  if (color != "auto" && color != "always" && color != "never") {
    errors << "waylay: --color is auto, always or never\n";
    return kUsage;
  }
  Session session(runtime_directory(parsed), Terminal::of_standard_output(color), out, errors);
  int exit = line->verb->run(session, parsed);
  out.flush();
  return exit;
}

}  // namespace waylay::cli
