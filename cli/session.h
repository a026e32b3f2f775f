// What every verb gets: the daemon's sockets, and where to print.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "cli/client.h"
#include "cli/terminal.h"
#include "cli/verb.h"

namespace waylay::cli {

class Session {
 public:
  Session(const std::string& runtime_directory, Terminal terminal, std::ostream& out, std::ostream& errors);

  ApiClient api;
  WardenClient warden;
  Terminal terminal;
  std::ostream& out;
  std::ostream& errors;

  int64_t now_s() const;

  // Says what went wrong, and what the process should end with.
  int complain(const Error& error) const;
  int misused(std::string_view message) const;
};

// The whole tool, without the process around it.
int run_tool(std::span<const std::string> words, std::ostream& out, std::ostream& errors);

// The verbs, a file for each family.
int attach(Session& session, const Parsed& parsed);
int detach(Session& session, const Parsed& parsed);
int trust(Session& session, const Parsed& parsed);
int print_ca(Session& session, const Parsed& parsed);
int run_command(Session& session, const Parsed& parsed);
int status(Session& session, const Parsed& parsed);
int flows(Session& session, const Parsed& parsed);
int show(Session& session, const Parsed& parsed);
int retries(Session& session, const Parsed& parsed);
int rules_add(Session& session, const Parsed& parsed);
int rules_list(Session& session, const Parsed& parsed);
int rules_remove(Session& session, const Parsed& parsed);
int rules_load(Session& session, const Parsed& parsed);
int rules_diff(Session& session, const Parsed& parsed);
int rules_history(Session& session, const Parsed& parsed);
int rules_rollback(Session& session, const Parsed& parsed);
int hold(Session& session, const Parsed& parsed);
int rules_dry_run(Session& session, const Parsed& parsed);
int scenarios_list(Session& session, const Parsed& parsed);
int scenarios_show(Session& session, const Parsed& parsed);
int scenarios_start(Session& session, const Parsed& parsed);
int scenarios_stop(Session& session, const Parsed& parsed);
int rules_lint(Session& session, const Parsed& parsed);
int rules_faults(Session& session, const Parsed& parsed);
int switch_off(Session& session, const Parsed& parsed);
int switch_on(Session& session, const Parsed& parsed);
int fields(Session& session, const Parsed& parsed);
int help(Session& session, const Parsed& parsed);
int version(Session& session, const Parsed& parsed);
int completion(Session& session, const Parsed& parsed);
int man_page(Session& session, const Parsed& parsed);

// Text made of the table of verbs.
std::string paragraphs(std::string_view text);  // in lines that fit, each with an empty one behind it
std::string general_help();
std::string help_of(const Verb& verb);
std::string completion_script(std::string_view shell);  // empty: unknown shell
std::string man_page_text();

}  // namespace waylay::cli
