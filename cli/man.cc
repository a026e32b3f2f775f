// The manual page in roff (man(7)), made from the table of verbs.
#include <algorithm>
#include <ostream>

#include "cli/session.h"

namespace waylay::cli {
namespace {

// Backslashes and leading dots speak to roff; a minus is not a hyphen.
std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string option_list(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) out += ".TP\n.B " + roff(synopsis_of(option)) + "\n" + roff(option.help) + ".\n";
  return out;
}

std::string section_of(const Verb& verb) {
  std::string out = ".SS " + roff(usage_of(verb)) + "\n" + roff(verb.summary) + ".\n";
  for (std::string_view rest = verb.description; !rest.empty();) {
    size_t end = std::min(rest.find("\n\n"), rest.size());
    out += ".PP\n" + roff(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  out += option_list(verb.options);
  if (verb.examples.empty()) return out;
  out += ".PP\n.nf\n";
  for (const Example& example : verb.examples) {
    out += "    " + roff(example.command);
    if (!example.meaning.empty()) out += "   # " + roff(example.meaning);
    out += "\n";
  }
  return out + ".fi\n";
}

}  // namespace

std::string man_page_text() {
  std::string out = ".TH WAYLAY 1 \"\" \"waylay " WAYLAY_VERSION
                    "\" \"User Commands\"\n"
                    ".SH NAME\nwaylay \\- watch and rewrite the HTTPS traffic of running containers and processes\n"
                    ".SH SYNOPSIS\n.B waylay\n[\\fB\\-\\-runtime\\-dir\\fR \\fIDIR\\fR] [\\fB\\-\\-color\\fR "
                    "\\fIWHEN\\fR] \\fIVERB\\fR ...\n"
                    ".SH DESCRIPTION\n"
                    "The tool talks to the daemon waylayd, which intercepts the connections of the targets that are "
                    "attached. Members of the "
                    "group waylay may use it; to be one is to be able to read the traffic of every container.\n"
                    ".SH OPTIONS\n" +
                    option_list(global_options()) + ".SH VERBS\n";
  for (const Verb& verb : verbs()) out += section_of(verb);
  return out +
         ".SH EXIT STATUS\n"
         ".TP\n.B 0\nSuccess.\n.TP\n.B 1\nThe daemon refused, or nothing was found.\n.TP\n.B 2\nThe command line is "
         "wrong.\n"
         ".TP\n.B 3\nThe daemon cannot be reached.\n.PP\n"
         "\\fBwaylay run\\fR and \\fBwaylay hold\\fR end with the status of their command.\n"
         ".SH FILES\n.TP\n.I /run/waylay/waylay.sock\nThe control API: HTTP and JSON, for curl \\-\\-unix\\-socket and "
         "any language.\n"
         ".TP\n.I /run/waylay/warden.sock\nWhere targets are attached and detached.\n"
         ".TP\n.I /etc/waylay/rules.d/*.json\nRules that the daemon starts with, and reads again when told to.\n"
         ".TP\n.I /usr/share/waylay/scenarios/*.json\nThe ready-made scenarios.\n"
         ".SH ENVIRONMENT\n.TP\n.B WAYLAY_RUNTIME_DIR\nWhere the sockets are, unless \\-\\-runtime\\-dir says it.\n"
         ".TP\n.B NO_COLOR\nNo colour, unless \\-\\-color says otherwise.\n"
         ".SH SEE ALSO\nwaylayd(8)\n";
}

int man_page(Session& session, const Parsed&) {
  session.out << man_page_text();
  return kOk;
}

}  // namespace waylay::cli
