#include "aws/body.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "aws/operation.h"

namespace waylay::aws {
namespace {

constexpr size_t kMostTableNameBytes = 255;

bool is_dynamodb(const Call& call) {
  return call.service == "dynamodb" || call.service == "streams.dynamodb";
}

bool is_query(const Call& call) {
  return call.protocol == Protocol::Query || call.protocol == Protocol::Ec2;
}

bool is_json(const Call& call) {
  return call.protocol == Protocol::Json10 || call.protocol == Protocol::Json11;
}

// "orders"; of "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-day" too. Other ARNs name no table.
std::string_view table_of(std::string_view value) {
  if (value.starts_with("arn:")) {
    constexpr std::string_view kMark = ":table/";
    size_t mark = value.find(kMark);
    if (mark == std::string_view::npos) return {};
    value.remove_prefix(mark + kMark.size());
    value = value.substr(0, value.find('/'));
  }
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  bool is_name = !value.empty() && value.size() <= kMostTableNameBytes && std::ranges::all_of(value, allowed);
  return is_name ? value : std::string_view();
}

// Reads until it has found the table, and builds nothing. A name counts only where the request puts it: an item may
// have an attribute "TableName" of its own.
//
//     {"TableName": "orders", ...}                        depth 1
//     {"RequestItems": {"orders": ...}}                   a member's name at depth 2
//     {"TransactItems": [{"Put": {"TableName": ...}}]}    depth 4, where the outer array counts as one
class TableFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string take() { return std::move(table_); }

  bool key(string_t& name) override {
    if (depth_ == 1) outer_ = name;
    awaited_ = depth_ == 1 ? is_table_member(name) : depth_ == 4 && outer_ == "TransactItems" && name == "TableName";
    return depth_ == 2 && outer_ == "RequestItems" ? found(name) : true;
  }
  bool string(string_t& value) override { return !std::exchange(awaited_, false) || found(value); }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return other(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  static bool is_table_member(std::string_view name) {
    return name == "TableName" || name == "TableArn" || name == "ResourceArn" || name == "StreamArn";
  }
  // False ends the parse.
  bool found(std::string_view value) {
    table_ = table_of(value);
    return table_.empty();
  }
  bool enter() {
    ++depth_;
    return other();
  }
  bool leave() {
    --depth_;
    return other();
  }
  bool other() {
    awaited_ = false;
    return true;
  }

  int depth_ = 0;
  bool awaited_ = false;  // the value that follows is the table's name
  std::string outer_;     // the member of the request that is being read
  std::string table_;
};

}  // namespace

bool is_told_by_body(const http::Head& request, const Call& call) {
  if (!call.known() || request.method() != "POST") return false;
  if (is_query(call)) return call.operation.empty() && is_form(request);
  return is_dynamodb(call) && is_json(call);
}

void read_body(std::string_view body, Call& call) {
  if (is_query(call) && call.operation.empty()) {
    std::optional<std::string_view> action = query_value(body, "Action");
    if (action && is_identifier(*action)) call.operation = *action;
  }
  if (!is_dynamodb(call) || !is_json(call)) return;
  TableFinder finder;
  nlohmann::json::sax_parse(body.begin(), body.end(), &finder);
  call.table = finder.take();
}

}  // namespace waylay::aws
