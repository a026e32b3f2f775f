#include "record/dry_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "flow/redact.h"
#include "flow/subject.h"
#include "rules/rule.h"
#include "rules/rule_reader.h"

namespace waylay::record {
namespace {

using match::Field;

bool is_body(Field field) {
  match::Moment moment = match::info(field).moment;
  return moment == match::Moment::RequestBody || moment == match::Moment::ResponseBody;
}

class HoldsRedacted final : public match::ValueVisitor {
 public:
  bool visit(const match::Value& value) override {
    const auto* text = std::get_if<std::string_view>(&value);
    found_ = found_ || (text && text->find(flow::kRedacted) != std::string_view::npos);
    return !found_;
  }
  bool found() const { return found_; }

 private:
  bool found_ = false;
};

// A recorded exchange as a rule would have seen it, as far as the record tells.
class Recorded final : public match::PartialSubject {
 public:
  explicit Recorded(const flow::ExchangeFacts& exchange) : exchange_(exchange), facts_(exchange) {}

  match::Value value(Field field, std::string_view key) const override {
    if (field == Field::HttpResponseCode && exchange_.upstream_status != 0) return int64_t{exchange_.upstream_status};
    return facts_.value(field, key);
  }
  void values(Field field, std::string_view key, match::ValueVisitor& visitor) const override {
    facts_.values(field, key, visitor);
  }
  bool knows(Field field, std::string_view key) const override {
    bool known = !is_body(field) && !was_changed(field) && !is_redacted(field, key);
    if (!known) unknown_.insert(field);
    return known;
  }
  const std::set<Field>& unknown() const { return unknown_; }

 private:
  // A rule answered or rewrote: what the upstream had said, or would have, is not on record but for its status.
  bool was_changed(Field field) const {
    if (match::info(field).moment != match::Moment::Response || !exchange_.injected()) return false;
    return field != Field::HttpResponseCode || exchange_.upstream_status == 0;
  }
  bool is_redacted(Field field, std::string_view key) const {
    if (match::info(field).type != match::Type::String) return false;
    HoldsRedacted looks;
    facts_.values(field, key, looks);
    return looks.found();
  }

  const flow::ExchangeFacts& exchange_;
  flow::Subject facts_;
  mutable std::set<Field> unknown_;
};

void keep_newest(std::vector<uint64_t>& ids, uint64_t id) {
  if (ids.size() == DryRun::kExamples) ids.erase(ids.begin());
  ids.push_back(id);
}

}  // namespace

Result<DryRun> DryRun::of(std::span<const rules::Document> documents, Time now) {
  DryRun run;
  for (const rules::Document& document : documents) {
    Result<std::vector<std::shared_ptr<rules::Rule>>> read = rules::read_rules(document.json, document.origin);
    if (!read) return fail(read);
    for (const auto& rule : *read) {
      rule->begin(now);
      Result<match::PartialExpression> match = match::PartialExpression::compile(rule->match().text());
      if (!match) return fail(match);
      run.trials_.push_back(
          {.rule = rule, .match = std::move(*match), .examples = {}, .unknown_examples = {}, .unknown_fields = {}});
    }
  }
  return run;
}

void DryRun::see(const flow::ExchangeFacts& exchange) {
  ++seen_;
  for (Trial& trial : trials_) try_rule(trial, exchange);
}

void DryRun::try_rule(Trial& trial, const flow::ExchangeFacts& exchange) {
  Recorded subject(exchange);
  match::Truth truth = trial.match.evaluate(subject);
  if (truth == match::Truth::No) return;
  if (truth == match::Truth::Unknown) {
    ++trial.unknown;
    trial.unknown_fields.insert(subject.unknown().begin(), subject.unknown().end());
    return keep_newest(trial.unknown_examples, exchange.id);
  }
  ++trial.matched;
  keep_newest(trial.examples, exchange.id);
  if (trial.rule->take(subject, match::Moment::End, exchange.call.attempt, exchange.started)) ++trial.acted;
}

std::string DryRun::to_json() const {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (const Trial& trial : trials_) {
    std::vector<std::string_view> fields;
    fields.reserve(trial.unknown_fields.size());
    for (Field field : trial.unknown_fields) fields.push_back(match::info(field).name);
    rules.push_back({{"name", trial.rule->name()},
                     {"matched", trial.matched},
                     {"would_act", trial.acted},
                     {"unknown", trial.unknown},
                     {"unknown_fields", fields},
                     {"examples", trial.examples},
                     {"unknown_examples", trial.unknown_examples}});
  }
  nlohmann::ordered_json json = {{"seen", seen_}, {"lost", lost_}, {"rules", std::move(rules)}};
  return json.dump();
}

}  // namespace waylay::record
