#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

constexpr size_t kWidth = 80;

// Words of a paragraph, in lines that fit.
std::string wrapped(std::string_view paragraph, size_t indent) {
  std::string out;
  size_t column = 0;
  while (!paragraph.empty()) {
    size_t end = std::min(paragraph.find(' '), paragraph.size());
    std::string_view word = paragraph.substr(0, end);
    paragraph.remove_prefix(std::min(end + 1, paragraph.size()));
    if (column > 0 && indent + column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string option_lines(std::span<const Option> options) {
  size_t width = 0;
  for (const Option& option : options) width = std::max(width, synopsis_of(option).size());
  std::string out;
  for (const Option& option : options)
    out += "  " + pad(synopsis_of(option), width) + "  " + wrapped(option.help, width + 4) + "\n";
  return out;
}

std::string example_lines(const Verb& verb) {
  std::string out;
  for (const Example& example : verb.examples) {
    out.append("  ").append(example.command);
    if (!example.meaning.empty()) out.append("   # ").append(example.meaning);
    out += "\n";
  }
  return out;
}

}  // namespace

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find("\n\n"), text.size());
    out += wrapped(text.substr(0, end), 0) + "\n\n";
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string help_of(const Verb& verb) {
  std::string out =
      std::string(verb.summary) + ".\n\nUsage: " + wrapped(usage_of(verb), 11) + "\n\n" + paragraphs(verb.description);
  if (!verb.options.empty()) out += "Options:\n" + option_lines(verb.options) + "\n";
  out += "Global options:\n" + option_lines(global_options());
  if (!verb.examples.empty()) out += "\nExamples:\n" + example_lines(verb);
  return out;
}

std::string general_help() {
  std::string out =
      "Waylay watches and rewrites the HTTPS traffic of running containers and processes.\n\n"
      "Usage: waylay [--runtime-dir DIR] [--color WHEN] VERB ...\n\nVerbs:\n";
  size_t width = 0;
  for (const Verb& verb : verbs()) width = std::max(width, verb.name.size());
  for (const Verb& verb : verbs()) out += "  " + pad(verb.name, width) + "  " + wrapped(verb.summary, width + 4) + "\n";
  out += "\nOptions:\n" + option_lines(global_options());
  out +=
      "\nThe first five minutes:\n"
      "  waylay attach web                 # a running container\n"
      "  waylay flows -f                   # what it says, live\n"
      "  waylay rules add slow --match 'aws.service == \"s3\" and aws.attempt <= 2' --fault aws:slowdown\n"
      "  waylay retries                    # what its SDK did about it\n"
      "  waylay detach web\n"
      "\n\"waylay VERB --help\" tells more.\n";
  return out;
}

int help(Session& session, const Parsed& parsed) {
  std::string name;
  for (const std::string& word : parsed.arguments) name += (name.empty() ? "" : " ") + word;
  const Verb* verb = find_verb(name);
  if (verb) {
    session.out << help_of(*verb);
    return kOk;
  }
  if (name.empty()) {
    session.out << general_help();
    return kOk;
  }
  bool found = false;
  for (const Verb& member : verbs()) {
    if (!member.name.starts_with(name + " ")) continue;
    session.out << (found ? "\n" : "") << help_of(member);
    found = true;
  }
  return found ? int{kOk} : session.misused("there is no verb \"" + name + "\"; waylay --help lists them");
}

int version(Session& session, const Parsed&) {
  session.out << "waylay " << WAYLAY_VERSION << "\n";
  Result<Json> daemon = session.api.get("/v1/version");
  if (!daemon) return session.complain(daemon.error());
  session.out << "waylayd " << text(*daemon, "version") << "\n";
  return kOk;
}

}  // namespace waylay::cli
