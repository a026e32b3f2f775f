#include "cli/rule_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"
#include "cli/json.h"

namespace waylay::cli {
namespace {

Result<bool> replace_body_file(Json& rule, const std::string& path, const std::string& pointer) {
  if (!rule.is_object() || !rule.contains("respond")) return false;
  Json& respond = rule["respond"];
  if (!respond.is_object() || !respond.contains("file")) return false;
  auto wrong = [&](std::string_view what) {
    return fail(Error::local(ErrorKind::Invalid, path + ": " + pointer + "/respond/file: " + std::string(what)));
  };
  if (!respond["file"].is_string()) return wrong("must be the name of a file");
  if (respond.contains("body") || respond.contains("body_base64")) return wrong("there is a \"body\" already");
  std::filesystem::path file = std::filesystem::path(path).parent_path() / respond["file"].get<std::string>();
  Result<std::string> body = read_file(file, kMaximumBodyFile);
  if (!body) return wrong(body.error().message);
  respond.erase("file");
  set_body(respond, *body);
  return true;
}

}  // namespace

Result<std::string> read_file(const std::string& path, size_t limit) {
  auto wrong = [&](std::string_view why) {
    return fail(Error::local(ErrorKind::Invalid, "reading " + path + ": " + std::string(why)));
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return wrong("it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return wrong(posix_error(errno == 0 ? EIO : errno, "cannot be opened").message);
  std::string text(limit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return wrong("cannot be read");
  if (text.size() > limit) return wrong("it is larger than " + std::to_string(limit / 1024) + " KiB");
  return text;
}

void set_body(Json& respond, const std::string& body) {
  if (is_utf8(body) && body.find("{{") == std::string::npos) {
    respond["body"] = body;
  } else {
    respond["body_base64"] = encode_base64(body);
  }
}

Result<std::string> read_rule_file(const std::string& path) {
  Result<std::string> text = read_file(path, kMaximumRuleFile);
  if (!text) return fail(text);
  Json document = Json::parse(*text, nullptr, false, true);
  if (document.is_discarded()) return text;
  bool changed = false;
  auto visit = [&](Json& rule, const std::string& pointer) -> Result<void> {
    Result<bool> replaced = replace_body_file(rule, path, pointer);
    if (!replaced) return fail(replaced);
    changed = changed || *replaced;
    return {};
  };
  bool listed = document.is_object() && document.contains("rules");
  Json& rules = listed ? document["rules"] : document;
  std::string prefix = listed ? "/rules" : "";
  if (!rules.is_array()) {
    if (Result<void> visited = visit(rules, prefix); !visited) return fail(visited);
  } else {
    for (size_t i = 0; i < rules.size(); ++i)
      if (Result<void> visited = visit(rules[i], prefix + "/" + std::to_string(i)); !visited) return fail(visited);
  }
  return changed ? to_line(document) : *text;
}

}  // namespace waylay::cli
