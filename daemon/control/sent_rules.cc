#include "control/sent_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace waylay::control {
namespace {

using Json = nlohmann::ordered_json;

bool is_file(const Json& json) {
  return json.is_object() && json.size() == 2 && json.contains("name") && json["name"].is_string() &&
         json.contains("text") && json["text"].is_string();
}

// Whatever is not exactly this form is a document, whose reader says what is wrong with it.
bool is_files(const Json& json) {
  return json.is_object() && json.size() == 1 && json.contains("files") && json["files"].is_array() &&
         std::ranges::all_of(json["files"], is_file);
}

}  // namespace

SentRules::SentRules(const Request& request) : request_(request) {
  auto found = request.query.find("origin");
  origin_ = found == request.query.end() || found->second.empty() ? "api" : found->second;
  Json json = Json::parse(request.body, nullptr, false);
  if (!is_files(json)) return;
  for (const Json& file : json["files"])
    files_.push_back({file["name"].get<std::string>(), file["text"].get<std::string>()});
}

std::vector<rules::Document> SentRules::documents() const {
  if (files_.empty()) return {{request_.body, origin_}};
  std::vector<rules::Document> all;
  all.reserve(files_.size());
  for (const File& file : files_) all.push_back({file.text, file.name});
  return all;
}

}  // namespace waylay::control
