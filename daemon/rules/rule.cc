#include "rules/rule.h"

#include <algorithm>

namespace waylay::rules {
namespace {

using match::Field;
using match::Moment;

// Whether nothing in it needs an exchange; block and upstream need none if their match does not.
bool suits_a_connection(const Rule::Parts& parts) {
  const Actions& actions = parts.actions;
  if (actions.is_for_connections()) return true;
  bool exchanges_only = parts.limits.rate || parts.limits.first_attempt != 0 || actions.of_exchange() || actions.at ||
                        (actions.upstream && actions.upstream->rewrite_host);
  return !exchanges_only && std::max(parts.match.known_at(), parts.only_while.known_at()) <= Moment::Hello;
}

Moment earliest(const Rule::Parts& parts) {
  if (suits_a_connection(parts)) return Moment::Hello;
  if (parts.actions.rewrites_response()) return Moment::Response;
  return parts.actions.at.value_or(Moment::Request);
}

// A template may need the body of the message at whose head the rule would act: waiting for it costs nothing but time.
// It is not worth a request to the upstream that would not have been made.
Moment moment_of(const Rule::Parts& parts) {
  Moment moment = std::max({earliest(parts), parts.match.known_at(), parts.only_while.known_at()});
  Moment last = moment < Moment::Response ? Moment::RequestBody : Moment::ResponseBody;
  for (Field field : parts.actions.template_fields())
    if (Moment needed = match::info(field).moment; needed <= last) moment = std::max(moment, needed);
  return moment;
}

std::string_view text_of(const match::Subject& subject, Field field) {
  match::Value value = subject.value(field, {});
  const auto* text = std::get_if<std::string_view>(&value);
  return text ? *text : std::string_view();
}

}  // namespace

Rule::Rule(Parts parts)
    : parts_(std::move(parts)),
      acts_at_(moment_of(parts_)),
      what_(parts_.actions.describe()),
      tally_(std::make_shared<Tally>(parts_.limits, Time{})) {}

std::optional<Tally::Use> Rule::take(const match::Subject& subject, Moment now, int attempt, Time time) const {
  if (parts_.match.evaluate(subject, now) != match::Truth::Yes) return std::nullopt;
  if (parts_.only_while.evaluate(subject, now) != match::Truth::Yes) return std::nullopt;
  return tally_->take(attempt, time, parts_.limits.rate ? rate_key(subject) : std::string());
}

std::string Rule::rate_key(const match::Subject& subject) const {
  switch (parts_.limits.rate->per) {
    case RateLimit::Per::All:
      return "";
    case RateLimit::Per::Container:
      return std::string(text_of(subject, Field::ContainerId));
    case RateLimit::Per::Host:
      return std::string(text_of(subject, Field::HttpHost));
    case RateLimit::Per::Bucket:
      return std::string(text_of(subject, Field::AwsBucket));
    case RateLimit::Per::Operation:
      return std::string(text_of(subject, Field::AwsService)).append(".").append(text_of(subject, Field::AwsOperation));
    case RateLimit::Per::Target:
      return std::string(text_of(subject, Field::FlowTarget));
  }
  return "";
}

}  // namespace waylay::rules
