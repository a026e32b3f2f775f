#include "rules/actions.h"

#include <algorithm>

#include "tls/alert.h"

namespace waylay::rules {

bool Actions::of_exchange() const {
  return delay || chunk_delay || status || reason || !response_headers.empty() || !request_headers.empty() ||
         !response_body.empty() || !request_body.empty() || throttle_up > 0 || throttle_down > 0 || respond || abort ||
         !fault.empty() || service_throttle || handler || keep_messages > 0;
}

bool Actions::makes_fault() const {
  return abort || !fault.empty() || delay || chunk_delay || throttle_up > 0 || throttle_down > 0 || service_throttle ||
         block || tls || (status && *status >= 400);
}

bool Actions::injects() const {
  return makes_fault() || answers() || status || upstream || !response_body.empty() || !request_body.empty();
}

bool Actions::rewrites_response() const {
  bool edits_own_answer = !fault.empty() || service_throttle;
  bool edits_response = !edits_own_answer && (!response_headers.empty() || !response_body.empty());
  return status || reason || edits_response || (abort && abort->needs_response()) ||
         (handler && handler->phase == Handler::Phase::Response);
}

bool Actions::empty() const {
  return !of_exchange() && !upstream && !block && !passthrough && !tls;
}

namespace {

void add_fields(std::vector<match::Field>& to, const Template& from) {
  std::ranges::copy(from.fields(), std::back_inserter(to));
}

void add_fields(std::vector<match::Field>& to, const std::vector<std::pair<std::string, Template>>& from) {
  for (const auto& [name, value] : from) add_fields(to, value);
}

void add_fields(std::vector<match::Field>& to, const std::vector<BodyAction>& from) {
  for (const BodyAction& edit : from)
    if (edit.replacement) add_fields(to, *edit.replacement);
}

std::string_view name_of(TlsFault::Certificate certificate) {
  switch (certificate) {
    case TlsFault::Certificate::Right:
      return "";
    case TlsFault::Certificate::Expired:
      return "expired";
    case TlsFault::Certificate::WrongHost:
      return "wrong-host";
    case TlsFault::Certificate::SelfSigned:
      return "self-signed";
  }
  return "";
}

// "one, two, three"
class List {
 public:
  void say(bool whether, std::string_view what, std::string_view detail = {}) {
    if (!whether) return;
    text_.append(text_.empty() ? "" : ", ").append(what).append(detail.empty() ? "" : " ").append(detail);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void say_tls(List& list, const TlsAction& tls) {
  list.say(tls.certificate != TlsFault::Certificate::Right, "certificate", name_of(tls.certificate));
  if (tls.alert) list.say(true, "alert", tls::alert_name(*tls.alert));
  if (tls.delay) list.say(true, "handshake delay", tls.delay->text);
}

}  // namespace

std::vector<match::Field> Actions::template_fields() const {
  std::vector<match::Field> fields;
  for (const HeaderTemplates* headers : {&response_headers, &request_headers}) {
    add_fields(fields, headers->set);
    add_fields(fields, headers->add);
  }
  add_fields(fields, response_body);
  add_fields(fields, request_body);
  if (!respond) return fields;
  add_fields(fields, respond->fields);
  add_fields(fields, respond->body);
  return fields;
}

std::string Actions::describe() const {
  List list;
  list.say(passthrough, "passthrough");
  list.say(block.has_value(), "block");
  if (tls) say_tls(list, *tls);
  if (upstream) list.say(true, "upstream", upstream->text());
  if (delay) list.say(true, "delay", delay->text);
  if (chunk_delay) list.say(true, "chunk delay", chunk_delay->text);
  if (throttle_up > 0) list.say(true, "throttle up", std::to_string(throttle_up) + " bytes/s");
  if (throttle_down > 0) list.say(true, "throttle down", std::to_string(throttle_down) + " bytes/s");
  list.say(keep_messages > 0, "keep messages");
  list.say(!request_headers.empty(), "request headers");
  list.say(!request_body.empty(), "request body");
  if (status) list.say(true, "status", std::to_string(*status));
  if (reason && !status) list.say(true, "reason", *reason);
  if (respond) list.say(true, "respond", std::to_string(respond->status));
  list.say(!fault.empty(), "fault", fault);
  list.say(service_throttle, "rate limit");
  if (handler) list.say(true, "handler", handler->url);
  list.say(!response_headers.empty(), "headers");
  list.say(!response_body.empty(), "body");
  if (abort) list.say(true, "abort", abort->text());
  return list.take();
}

}  // namespace waylay::rules
