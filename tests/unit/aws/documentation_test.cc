// The tables of docs/faults.md are the code's.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "aws/error_code.h"
#include "aws/profile.h"
#include "aws/service.h"
#include "support/page.h"

namespace waylay::aws {
namespace {

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::RestXml:
      return "rest-xml";
    case Protocol::Query:
      return "query";
    case Protocol::Ec2:
      return "ec2";
    case Protocol::Json10:
      return "json 1.0";
    case Protocol::Json11:
      return "json 1.1";
    case Protocol::RestJson:
      return "rest-json";
    case Protocol::RpcV2Cbor:
      return "rpc-v2-cbor";
    case Protocol::Unknown:
      break;
  }
  return "";
}

std::string cell(const Profile& profile, const Service& service) {
  const ErrorCode* error =
      find_error_code(code_of(profile, &service, service.protocol), service.name, service.protocol);
  if (!error) return "?";
  bool renamed = service.protocol == Protocol::Query && !error->query_code.empty();
  std::string text(renamed ? error->query_code : error->code);
  return text + " " + std::to_string(error->status);
}

// SlowDown is the same for all of them.
std::vector<Profile> telling_profiles() {
  std::vector<Profile> telling(profiles().begin(), profiles().end());
  std::erase_if(telling, [](const Profile& profile) { return profile.name == "slowdown"; });
  return telling;
}

std::string profile_table() {
  std::string text = "| service | protocol |", rule = "|---|---|";
  for (const Profile& profile : telling_profiles()) {
    text += " " + std::string(profile.name) + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const Service& service : services()) {
    text += "| " + std::string(service.name) + " | " + std::string(name_of(service.protocol)) + " |";
    for (const Profile& profile : telling_profiles()) text += " " + cell(profile, service) + " |";
    text += "\n";
  }
  return text;
}

std::string meanings() {
  std::string text = "| fault | what goes wrong |\n|---|---|\n";
  for (const Profile& profile : profiles())
    text += "| `aws:" + std::string(profile.name) + "` | " + std::string(profile.documentation) + " |\n";
  return text;
}

// "400; lambda 404": the general row's status last in the table, first in the words.
std::string code_table() {
  std::map<std::string, std::pair<std::string, std::string>> codes;  // statuses, the query protocol's name
  for (const ErrorCode& row : error_codes()) {
    auto& [statuses, query_code] = codes[std::string(row.code)];
    std::string where(row.service);
    if (row.protocol != Protocol::Unknown) where = name_of(row.protocol);
    std::string one = where.empty() ? std::to_string(row.status) : where + " " + std::to_string(row.status);
    bool general_first = where.empty() && !statuses.empty();
    statuses = general_first ? one + "; " + statuses : statuses + (statuses.empty() ? "" : "; ") + one;
    if (!row.query_code.empty()) query_code = "`" + std::string(row.query_code) + "`";
  }
  std::string text = "| code | status | in the query protocol |\n|---|---|---|\n";
  for (const auto& [code, row] : codes) text += "| `" + code + "` | " + row.first + " | " + row.second + " |\n";
  return text;
}

TEST(Documentation, ItsTablesOfFaultsAreTheCodes) {
  Page page("faults.md");
  page.expect_section("profiles", meanings());
  page.expect_section("services", profile_table());
  page.expect_section("codes", code_table());
}

}  // namespace
}  // namespace waylay::aws
