// Completion scripts, made from the table of verbs.
#include <algorithm>
#include <ostream>
#include <set>

#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string first_word(std::string_view name) {
  return std::string(name.substr(0, name.find(' ')));
}

std::vector<std::string> first_words() {
  std::vector<std::string> words;
  for (const Verb& verb : verbs())
    if (words.empty() || words.back() != first_word(verb.name)) words.push_back(first_word(verb.name));
  return words;
}

// "rules": words that need a second one.
std::vector<std::string> groups() {
  std::vector<std::string> words;
  for (const Verb& verb : verbs())
    if (std::string first = first_word(verb.name); first.size() < verb.name.size())
      if (std::ranges::find(words, first) == words.end()) words.push_back(first);
  return words;
}

bool takes_scenario(const Verb& verb) {
  return verb.name.starts_with("scenarios ") && verb.arguments.name == "NAME";
}
constexpr std::string_view kScenarioNames = "$(waylay scenarios list --names 2>/dev/null)";

std::vector<std::string_view> second_words(std::string_view group) {
  std::vector<std::string_view> words;
  for (const Verb& verb : verbs())
    if (verb.name.starts_with(group) && verb.name.size() > group.size() && verb.name[group.size()] == ' ')
      words.push_back(verb.name.substr(group.size() + 1));
  return words;
}

template <class Words>
std::string joined(const Words& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

std::string option_words(const Verb& verb) {
  std::vector<std::string_view> names;
  names.reserve(verb.options.size() + global_options().size());
  for (const Option& option : verb.options) names.push_back(option.name);
  for (const Option& option : global_options()) names.push_back(option.name);
  return joined(names);
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_script() {
  std::string out =
      "# bash completion for waylay; source <(waylay completion bash)\n"
      "_waylay() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      "      --runtime-dir|--color) ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) if [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; [[ ' " +
      joined(groups()) +
      " ' == *\" $verb \"* ]] || break; else verb+=\" ${COMP_WORDS[i]}\"; break; fi ;;\n"
      "    esac\n"
      "  done\n"
      "  local words=\n"
      "  case $previous in\n"
      "    --color) COMPREPLY=($(compgen -W 'auto always never' -- \"$current\")); return ;;\n"
      "    --runtime-dir) COMPREPLY=($(compgen -d -- \"$current\")); return ;;\n"
      "    --body-file|--file) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    --fault) COMPREPLY=($(compgen -W 'aws\\:slowdown aws\\:throttle' -- \"$current\")); return ;;\n"
      "  esac\n"
      "  case $verb in\n"
      "    '') words='" +
      joined(first_words()) + " --help --version --runtime-dir --color' ;;\n";
  for (const std::string& group : groups())
    out += "    " + group + ") words='" + joined(second_words(group)) + "' ;;\n";
  for (const Verb& verb : verbs()) {
    out += "    " + shell_quoted(verb.name) + ") words='" + option_words(verb);
    if (verb.name == "completion") out += " bash zsh fish";
    if (verb.name == "help") out += " " + joined(first_words());
    out += "'";
    if (takes_scenario(verb)) out += std::string("\" ") + std::string(kScenarioNames) + "\"";
    if (verb.arguments.name == "FILE") out += "; COMPREPLY=($(compgen -f -- \"$current\"))";
    out += " ;;\n";
  }
  return out +
         "  esac\n"
         "  COMPREPLY+=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _waylay waylay\n";
}

// Within a zsh specification, ':' and brackets end a part.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ':' || c == '[' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_options(const Verb& verb) {
  std::string out;
  auto add = [&](const Option& option) {
    std::string spec =
        std::string(option.repeated ? "*" : "") + std::string(option.name) + "[" + zsh_text(option.help) + "]";
    if (!option.value.empty())
      spec += ":" + zsh_text(option.value) + ":" + (option.value == "FILE" || option.value == "DIR" ? "_files" : "");
    out += " \\\n          " + shell_quoted(spec);
  };
  for (const Option& option : verb.options) add(option);
  for (const Option& option : global_options()) add(option);
  if (verb.arguments.name == "FILE") out += " \\\n          '*:file:_files'";
  if (takes_scenario(verb)) out += " \\\n          \"1:scenario:(" + std::string(kScenarioNames) + ")\"";
  if (verb.name == "completion") out += " \\\n          '1:shell:(bash zsh fish)'";
  return out;
}

std::string zsh_group(const std::string& group) {
  std::string out = "  if [[ $verb == " + group + " ]]; then\n    if ((CURRENT == 3)); then\n      local -a members=(";
  for (std::string_view member : second_words(group)) {
    const Verb* verb = find_verb(group + " " + std::string(member));
    out += "\n        " + shell_quoted(std::string(member) + ":" + std::string(verb->summary));
  }
  return out + ")\n      _describe verb members\n      return\n    fi\n    verb=\"" + group + " ${words[3]}\"\n  fi\n";
}

std::string zsh_script() {
  std::string out =
      "#compdef waylay\n"
      "# zsh completion for waylay; waylay completion zsh > \"${fpath[1]}/_waylay\"\n"
      "_waylay() {\n"
      "  local verb=${words[2]}\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a verbs=(";
  std::set<std::string> seen;
  for (const Verb& verb : verbs())
    if (seen.insert(first_word(verb.name)).second)
      out += "\n      " + shell_quoted(first_word(verb.name) + ":" +
                                       (verb.name.find(' ') == std::string_view::npos ? std::string(verb.summary)
                                                                                      : "Change what passes"));
  out += ")\n    _describe verb verbs\n    return\n  fi\n";
  for (const std::string& group : groups()) out += zsh_group(group);
  out += "  case $verb in\n";
  for (const Verb& verb : verbs())
    out += "    " + shell_quoted(verb.name) + ")\n        _arguments" + zsh_options(verb) + " ;;\n";
  return out + "  esac\n}\n_waylay \"$@\"\n";
}

std::string fish_condition(std::string_view name) {
  size_t blank = name.find(' ');
  std::string condition = "__fish_seen_subcommand_from " + std::string(name.substr(0, blank));
  if (blank != std::string_view::npos)
    condition += "; and __fish_seen_subcommand_from " + std::string(name.substr(blank + 1));
  return condition;
}

std::string fish_option(const Option& option) {
  std::string out = " -l " + std::string(option.name.substr(2));
  if (option.letter) out.append(" -s ").append(1, option.letter);
  if (!option.value.empty()) out += option.value == "FILE" || option.value == "DIR" ? " -r -F" : " -x";
  return out + " -d " + shell_quoted(option.help);
}

std::string fish_script() {
  std::string out =
      "# fish completion for waylay; waylay completion fish > ~/.config/fish/completions/waylay.fish\ncomplete -c "
      "waylay -f\n";
  for (const Option& option : global_options()) out += "complete -c waylay" + fish_option(option) + "\n";
  std::string none = "not __fish_seen_subcommand_from " + joined(first_words());
  std::set<std::string> seen;
  for (const Verb& verb : verbs()) {
    std::string first = first_word(verb.name);
    bool group = first.size() < verb.name.size();
    if (seen.insert(first).second)
      out += "complete -c waylay -n " + shell_quoted(none) + " -a " + first + " -d " +
             shell_quoted(group ? "Change what passes" : verb.summary) + "\n";
    if (group)
      out += "complete -c waylay -n " +
             shell_quoted("__fish_seen_subcommand_from " + first + "; and not __fish_seen_subcommand_from " +
                          joined(second_words(first))) +
             " -a " + std::string(verb.name.substr(first.size() + 1)) + " -d " + shell_quoted(verb.summary) + "\n";
    for (const Option& option : verb.options)
      out += "complete -c waylay -n " + shell_quoted(fish_condition(verb.name)) + fish_option(option) + "\n";
  }
  out += "complete -c waylay -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
  out +=
      "complete -c waylay -n '__fish_seen_subcommand_from start show' -a '(waylay scenarios list --names "
      "2>/dev/null)'\n";
  return out + "complete -c waylay -n '__fish_seen_subcommand_from load diff lint' -F\n";
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return "";
}

int completion(Session& session, const Parsed& parsed) {
  std::string script = completion_script(parsed.arguments[0]);
  if (script.empty())
    return session.misused("there is completion for bash, zsh and fish, not for \"" + parsed.arguments[0] + "\"");
  session.out << script;
  return kOk;
}

}  // namespace waylay::cli
