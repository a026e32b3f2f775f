// The table of verbs: the one source of what the tool takes and what it says of itself.
#include "cli/given_rules.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

constexpr size_t kMany = 1'000'000;

const std::vector<Option>& attach_options() {
  static const std::vector<Option> kOptions = {
      {"--port", 'p', "N", "Intercept this TCP port; several may be given [443]", true},
      {"--insist", 0, "", "Do not pass a client through that refused our certificate"},
      {"--no-trust", 0, "", "Do not make the target trust our CA"},
      {"--tree", 0, "", "With pid:N, its descendants too"},
      {"--redirect-loopback", 0, "", "Connections to loopback addresses too"},
  };
  return kOptions;
}

Option match_option() {
  return {"--match", 'm', "EXPR", "Only what this expression matches; see \"waylay fields\""};
}
Option json_option() {
  return {"--json", 0, "", "For programs: one JSON object a line"};
}

// Of a verb that takes rules: its own options behind those that describe a rule.
std::vector<Option> with_rule_options(const std::vector<Option>& own) {
  std::vector<Option> all = rule_options();
  all.insert(all.begin(), own.begin(), own.end());
  return all;
}
Option file_option() {
  return {"--file", 0, "FILE", "Rules from this file", true};
}

std::vector<Verb> make_verbs() {
  return {
      {"attach",
       "Intercept the HTTPS connections of a running container, process or cgroup",
       "TARGET is docker:NAME (or NAME, or the beginning of its id), pid:N or cgroup:PATH. New connections are "
       "redirected to the daemon; those already open go on undisturbed. Nothing in the target is restarted or "
       "configured.\n\n"
       "The daemon's CA is merged into the trust bundles, truststores and directories that the target's processes "
       "read, "
       "and the merge is undone by detach. "
       "What could not be made to trust it is said.",
       attach_options(),
       {"TARGET", 1, 1},
       {{"waylay attach web", "the container web, port 443"},
        {"waylay attach docker:web --port 443 --port 8443", "two ports"},
        {"waylay attach pid:4711 --tree", "a process and what it starts"},
        {"waylay attach cgroup:/system.slice/job.service", "everything below a cgroup"}},
       attach},
      {"detach",
       "Stop intercepting",
       "New connections go direct at once. Open ones are carried until they end, unless --now closes them.",
       {{"--all", 'a', "", "Every target"}, {"--now", 0, "", "Close open intercepted connections too"}},
       {"TARGET", 0, 1},
       {{"waylay detach web", ""}, {"waylay detach --all", "every target"}},
       detach},
      {"run",
       "Run a command that is intercepted from its first packet",
       "The command gets a cgroup of its own, and the environment variables that make it trust the daemon's CA. Its "
       "input, "
       "output, signals and exit status are passed on; 128+N tells that signal N ended it, 126 and 127 that it could "
       "not "
       "be started.",
       {{"--port", 'p', "N", "Intercept this TCP port; several may be given [443]", true},
        {"--insist", 0, "", "Do not pass a client through that refused our certificate"},
        {"--no-trust", 0, "", "Leave its environment as it is"}},
       {"CMD ARGS...", 1, kMany, true},
       {{"waylay run -- curl https://example.org/", ""}, {"waylay run -- python3 job.py", "boto3 and all"}},
       run_command},
      {"status",
       "Show the daemon and its targets",
       "For each target: what the kernel redirected or left alone, what the daemon intercepted or passed through, and "
       "why.",
       {json_option()},
       {},
       {{"waylay status", ""}, {"waylay status --json | jq .targets", ""}},
       status},
      {"flows",
       "List HTTP exchanges, or follow them live",
       "A line for each exchange: when, its number (for \"waylay show\"), who, what, the status, how long it took, and "
       "what "
       "rules did. Connections that were passed through or failed appear as well, numbered f1, f2, ..., with the "
       "reason.\n\n"
       "Of WebSockets, tunnels and gRPC calls it says how much went up and down. With --follow, one that was upgraded "
       "has a second line when it is over, and a WebSocket whose messages a rule keeps (--keep-messages) one for each "
       "message that was sent, or that the client got.",
       {{"--follow", 'f', "", "Go on with what comes; the last 10 first"},
        match_option(),
        {"--limit", 'n', "N", "At most this many of the newest [1000; 10 with --follow]"},
        json_option()},
       {},
       {{"waylay flows -f", ""},
        {"waylay flows -f --match 'http.response.code >= 500'", ""},
        {"waylay flows --match 'aws.service == \"s3\" and exchange.injected'", ""},
        {"waylay flows --match 'websocket.payload.close.status_code != 1000'", "WebSockets that ended badly"}},
       flows},
      {"show",
       "Show one exchange or connection in full",
       "ID is what \"waylay flows\" shows: a number for an exchange, f and a number for a connection. Credentials, "
       "cookies "
       "and tokens are never shown.",
       {json_option()},
       {"ID", 1, 1},
       {{"waylay show 17", "an exchange"}, {"waylay show f3", "a connection"}},
       show},
      {"retries",
       "Show which calls were retried, why, and what it cost",
       "Exchanges are grouped into calls by what the SDK says of them (amz-sdk-invocation-id), or by what they have in "
       "common, and then marked as inferred. Each failed attempt is organic (the service's doing) or injected (a "
       "rule's).",
       {match_option(), {"--limit", 'n', "N", "At most this many of the newest calls [all]"}, json_option()},
       {},
       {{"waylay retries", ""}, {"waylay retries --match 'container.name == \"web\"'", ""}},
       retries},
      {"rules add",
       "Add a rule",
       "What matches is changed in the way that the other options say. Without --match, everything matches.\n\n"
       "A rule that makes something go wrong (--fault, --abort, --delay, --status from 400) ends after an hour, unless "
       "--for says otherwise.",
       rule_options(),
       {"NAME", 1, 1},
       {{"waylay rules add slow --match 'aws.service == \"s3\" and aws.attempt <= 2' --fault aws:slowdown", ""},
        {"waylay rules add busy --match 'http.host == \"example.org\"' --status 429 --times 3", ""},
        {"waylay rules add mock --match 'http.host == \"example.org\"' --respond 200 --body '{}' --set-header "
         "'Content-Type: application/json'",
         ""}},
       rules_add},
      {"rules list",
       "List the rules with their counters",
       "",
       {json_option()},
       {},
       {{"waylay rules list", ""}},
       rules_list},
      {"rules remove",
       "Remove a rule, or all",
       "Rules that come from files in rules.d are removed there.",
       {{"--all", 'a', "", "All rules that were added or loaded"}},
       {"NAME", 0, 1},
       {{"waylay rules remove slow", ""}, {"waylay rules remove --all", ""}},
       rules_remove},
      {"rules load",
       "Take rules from JSON files, or read rules.d again",
       "With FILEs, their rules are added to those that were added or loaded before; all of them or none. A file holds "
       "one "
       "rule, or {\"rules\": [...]}, with comments if you like. \"file\" in a respond is read relative to the "
       "rule "
       "file.\n\n"
       "Without, the files in /etc/waylay/rules.d are read again, as by \"systemctl reload waylayd\": a file that is "
       "wrong "
       "changes nothing, and is named with the place. Rules that are as they were go on counting. What is to last "
       "longer "
       "than the daemon belongs into rules.d.",
       {{"--replace", 0, "", "With FILEs: instead of all rules that were added or loaded before"}},
       {"FILE", 0, kMany},
       {{"waylay rules load", "rules.d again"},
        {"waylay rules load throttle.json", ""},
        {"waylay rules load --replace throttle.json", "edit, then load again"}},
       rules_load},
      {"rules diff",
       "Show what a load would change, or what changed between versions",
       "Rule by rule: added (+), removed (-), changed (~), each with its lines. Without arguments, what lies in "
       "rules.d is "
       "compared with what came from there; FILEs with all that was added or loaded, as \"rules load --replace\" would "
       "put "
       "them in its place.",
       {{"--from", 0, "VERSION", "Compare this version; see \"waylay rules history\""},
        {"--to", 0, "VERSION", "With this one [what is in force]"},
        json_option()},
       {"FILE", 0, kMany},
       {{"waylay rules diff", "what \"rules load\" would change"},
        {"waylay rules diff throttle.json", "what \"rules load --replace throttle.json\" would change"},
        {"waylay rules diff --from 7", "what happened since version 7"}},
       rules_diff},
      {"rules history",
       "List the versions of the rules: who changed what, and when",
       "Every change makes a version: rules added, removed or loaded, faults switched off, a hold or a scenario that "
       "begins "
       "or ends. The last hundred are kept, since the daemon started.",
       {json_option()},
       {},
       {{"waylay rules history", ""}},
       rules_history},
      {"rules rollback",
       "Bring back the rules of a version",
       "The rules of files and those that were added become what they were then. Those that are in force unchanged go "
       "on "
       "counting; one that comes back begins anew, as if it were added now. Holds, scenarios and \"waylay off\" stay "
       "as they "
       "are. Files in rules.d are not written: they are read again by \"rules load\" and when the daemon starts.",
       {},
       {"VERSION", 1, 1},
       {{"waylay rules rollback 7", ""}},
       rules_rollback},
      {"rules dry-run",
       "Count what rules would have done, without doing it",
       "On the exchanges on record, or, with --live, on those that come. RULE is a rule as JSON, or the NAME of one in "
       "force; "
       "--file names files with rules; or the options of \"rules add\" say it, of which --match alone is enough. Each "
       "rule is "
       "tried by itself, with its limits.\n\n"
       "A record does not hold all that a rule sees: bodies are not kept, secrets are redacted, and what another rule "
       "changed is not what came from upstream. What cannot be known is counted apart.",
       with_rule_options(
           {file_option(), {"--live", 0, "TIME", "Count what comes, for so long: 30s, 5m"}, json_option()}),
       {"RULE|NAME", 0, kMany},
       {{"waylay rules dry-run --match 'aws.service == \"s3\" and http.response.code == 200'", ""},
        {"waylay rules dry-run --live 1m --match 'http.host == \"example.org\"' --status 503 --every 10", ""},
        {"waylay rules dry-run slow", "a rule in force"}},
       rules_dry_run},
      {"rules lint",
       "Warn of rules that will not do what they seem to",
       "Of the rules in force, or of FILEs, each by itself; nothing is added or changed. Each warning names the fact "
       "and "
       "the fix: a bare 429 that botocore does not retry, a Retry-After that it ignores, a redirect without Location, "
       "an "
       "error without a code, a rule that another one shadows.",
       {{"--strict", 0, "", "End with status 1 if there is a warning"}, json_option()},
       {"FILE", 0, kMany},
       {{"waylay rules lint", "the rules in force"}, {"waylay rules lint --strict rules.d/*.json", "in CI"}},
       rules_lint},
      {"rules faults",
       "List the AWS faults that rules can name",
       "Each is what the service that was called sends: its status, its error code, in its protocol. The error codes "
       "themselves can be named as well: aws:NoSuchKey.",
       {json_option()},
       {},
       {{"waylay rules faults", ""}},
       rules_faults},
      {"scenarios list",
       "List the ready-made scenarios, and which of them run",
       "",
       {{"--names", 0, "", "Only the names, without asking the daemon"}, json_option()},
       {},
       {{"waylay scenarios", ""}},
       scenarios_list},
      {"scenarios show",
       "Explain a scenario: what happens, its parameters, its rules",
       "NAME may also be the path of a file of your own (./mine.json).",
       {json_option()},
       {"NAME", 1, 1},
       {{"waylay scenarios show talk", ""}},
       scenarios_show},
      {"scenarios start",
       "Start a scenario: its rules act until its time is over",
       "Every scenario ends by itself; \"waylay scenarios\" shows how long it lasts, and \"waylay off\" stops them "
       "all. A "
       "scenario that runs is not started again; one that is over may be.",
       {{"--match", 'm', "EXPR", "Only these requests; see \"waylay fields\""},
        {"--for", 0, "TIME", "How long: 10m, 2h"},
        {"--set", 0, "NAME=VALUE", "Another parameter; \"waylay scenarios show NAME\" lists them", true}},
       {"NAME", 1, 1},
       {{"waylay scenarios start talk --for 5m", ""},
        {"waylay scenarios start s3-slowdown --match 'container.name == \"web\" and aws.service == \"s3\"'", ""},
        {"waylay scenarios start flaky-network --set rate=0.02", ""}},
       scenarios_start},
      {"scenarios stop",
       "Stop a scenario: the rules that it made go, and no others",
       "",
       {{"--all", 'a', "", "All that were started"}},
       {"NAME", 0, 1},
       {{"waylay scenarios stop talk", ""}},
       scenarios_stop},
      {"hold",
       "Let rules act only while a command runs, or until Ctrl-C",
       "A dead-man switch: the rules act when the command begins, and are gone when it ends. They are tied to this "
       "tool's "
       "connection to the daemon: if it is killed, they are gone at once as well. The command's input, output, signals "
       "and "
       "exit status are passed on.\n\n"
       "RULE is a rule as JSON; --file names files with rules; or the options of \"rules add\" say it, with a NAME "
       "before them "
       "if you like. As everywhere, what makes something go wrong ends after an hour at the latest, unless --for says "
       "otherwise.",
       with_rule_options({file_option()}),
       {"RULE|NAME", 0, kMany, false, true},
       {{"waylay hold --match 'aws.service == \"s3\"' --fault aws:slowdown -- ./nightly-job", ""},
        {"waylay hold --fault aws:throttle --times 20 -- waylay run -- python3 job.py", "intercepted, and throttled"},
        {"waylay hold --file outage.json", "until Ctrl-C"}},
       hold},
      {"off",
       "Stop all faults at once; interception stays",
       "Rules that inject (which make something go wrong, or answer in the service's place) are kept, but do not act, "
       "and "
       "neither do new ones, until \"waylay on\". What is intercepted stays so; rules that only edit headers go on. An "
       "exchange that has begun ends under the rules with which it began.",
       {},
       {},
       {{"waylay off", ""}},
       switch_off},
      {"on", "Let the rules that \"waylay off\" stopped act again", "", {}, {}, {{"waylay on", ""}}, switch_on},
      {"fields",
       "List the fields of the expression language",
       "With PATTERN, only those whose name or description holds it.",
       {json_option()},
       {"PATTERN", 0, 1},
       {{"waylay fields", ""}, {"waylay fields aws", ""}},
       fields},
      {"trust",
       "Say who in a target trusts the daemon's CA",
       "Without TARGET: the paths and environment variables to set by hand.",
       {},
       {"TARGET", 0, 1},
       {{"waylay trust web", ""}},
       trust},
      {"ca", "Print the CA's certificate (PEM)", "", {}, {}, {{"waylay ca > waylay-ca.pem", ""}}, print_ca},
      {"completion",
       "Print completion for a shell: bash, zsh or fish",
       "",
       {},
       {"SHELL", 1, 1},
       {{"source <(waylay completion bash)", ""},
        {"waylay completion fish > ~/.config/fish/completions/waylay.fish", ""}},
       completion},
      {"man", "Print the manual page (roff)", "", {}, {}, {{"waylay man | man -l -", ""}}, man_page},
      {"version", "Print the versions of the tool and of the daemon", "", {}, {}, {{"waylay version", ""}}, version},
      {"help", "Explain a verb", "", {}, {"VERB", 0, 2}, {{"waylay help rules add", ""}}, help},
  };
}

}  // namespace

const std::vector<Option>& rule_options() {
  static const std::vector<Option> kOptions = {
      match_option(),
      {"--status", 0, "N", "Change the response's status"},
      {"--reason", 0, "TEXT", "Change its reason phrase"},
      {"--set-header", 0, "'N: V'", "Set a header of the response", true},
      {"--add-header", 0, "'N: V'", "Add a header to the response", true},
      {"--remove-header", 0, "N", "Remove a header of the response", true},
      {"--set-request-header", 0, "'N: V'", "Set a header of the request", true},
      {"--add-request-header", 0, "'N: V'", "Add a header to the request", true},
      {"--remove-request-header", 0, "N", "Remove a header of the request", true},
      {"--delay", 0, "TIME", "Let the client wait: 200ms, 1.5s"},
      {"--respond", 0, "STATUS", "Answer in the service's place"},
      {"--body", 0, "TEXT", "With --respond: the body"},
      {"--body-file", 0, "FILE", "With --respond: the body, from a file"},
      {"--abort", 0, "", "Reset the connection"},
      {"--keep-messages", 0, "", "Keep the messages of a WebSocket, up to 64 KiB, and show them"},
      {"--fault", 0, "NAME", "Fail as the service would: aws:throttle; see \"waylay rules faults\""},
      {"--attempts", 0, "N-M", "Only these attempts of an SDK's call: 1-2, or 3"},
      {"--for", 0, "TIME", "How long the rule lives: 10m, 2h, forever [1h for what makes something go wrong]"},
      {"--times", 0, "N", "This often, then never again"},
      {"--every", 0, "N", "Each Nth match"},
      {"--probability", 0, "P", "By chance, 0 to 1"},
      {"--seed", 0, "N", "With --probability: the same seed, the same decisions"},
      {"--per-minute", 0, "N", "At most this often in a minute"}};
  return kOptions;
}

std::span<const Verb> verbs() {
  static const std::vector<Verb> kVerbs = make_verbs();
  return kVerbs;
}

std::span<const Option> global_options() {
  static const std::vector<Option> kOptions = {
      {"--runtime-dir", 0, "DIR", "Where the daemon's sockets are [/run/waylay, or $WAYLAY_RUNTIME_DIR]"},
      {"--color", 0, "WHEN", "auto, always or never [auto: on a terminal, unless NO_COLOR is set]"},
      {"--help", 'h', "", "Explain the tool or a verb"},
      {"--version", 'V', "", "Print the tool's version"},
  };
  return kOptions;
}

}  // namespace waylay::cli
