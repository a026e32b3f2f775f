// What a rule adds to a plan.
#include <algorithm>
#include <atomic>

#include "aws/fault.h"
#include "aws/signature.h"
#include "base/check.h"
#include "rules/rule.h"

namespace waylay::rules {
namespace {

uint64_t next_fault_id() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed);
}

// What a peer sent may hold what no header can: then a header of ours has a blank there.
std::string header_value(const Template& value, const match::Subject& subject) {
  std::string text = value.render(subject);
  if (value.is_plain() || http::valid_field_value(text)) return text;
  std::ranges::replace_if(text, [](char c) { return !http::valid_field_value({&c, 1}); }, ' ');
  return text;
}

Fields render(const std::vector<std::pair<std::string, Template>>& templates, const match::Subject& subject) {
  Fields fields;
  for (const auto& [name, value] : templates) fields.emplace_back(name, header_value(value, subject));
  return fields;
}

HeaderEdits render(const HeaderTemplates& templates, const match::Subject& subject) {
  return {render(templates.set, subject), render(templates.add, subject), templates.remove};
}

void append(HeaderEdits& to, HeaderEdits edits) {
  std::ranges::move(edits.set, std::back_inserter(to.set));
  std::ranges::move(edits.add, std::back_inserter(to.add));
  std::ranges::move(edits.remove, std::back_inserter(to.remove));
}

Response refusal(int status, std::string_view text) {
  return {status,
          std::string(http::default_reason(status)),
          {{"Content-Type", "text/plain; charset=utf-8"}, {"Server", "waylay"}},
          std::string(text) + "\n"};
}

Response too_many_requests(int64_t wait_ns) {
  Response response = refusal(429, "more requests than a rule of waylay lets pass");
  int64_t seconds = std::max<int64_t>((wait_ns + kSecond_ns - 1) / kSecond_ns, 1);
  response.fields.emplace_back("Retry-After", std::to_string(seconds));  // RFC 9110 section 10.2.3
  return response;
}

// One rule's wishes, added to those of the rules before it.
class Wishes {
 public:
  Wishes(Plan& plan, const Rule& rule, const Rule::Occasion& occasion, Tally::Use use)
      : plan_(plan), rule_(rule), actions_(rule.actions()), occasion_(occasion), use_(use) {}

  void add(std::string what) {
    if (replaces_response()) drop_response_edits();
    plan_.applied.push_back({rule_.name(), std::move(what), actions_.injects()});
    if (actions_.delay) plan_.delay_ns += actions_.delay->draw(use_.random);
    add_pace();
    plan_.keep_messages = std::max(plan_.keep_messages, actions_.keep_messages);
    add_request_edits();
    add_answer();
    add_response_edits();
  }

 private:
  // Whether there is no response of the upstream's to rewrite any more.
  bool replaces_response() const { return actions_.answers() && !(actions_.abort && actions_.abort->needs_response()); }

  void drop_response_edits() {
    plan_.status.reset();
    plan_.reason.reset();
    plan_.response_headers = {};
    plan_.response_body.clear();
  }

  void add_pace() {
    Pace pace{actions_.throttle_up, actions_.throttle_down, {}};
    if (actions_.chunk_delay) pace.chunk_delays.push_back({*actions_.chunk_delay, use_.random.branch(0)});
    plan_.pace.add(pace);
  }

  void add_request_edits() {
    HeaderEdits edits = render(actions_.request_headers, occasion_.subject);
    std::vector<BodyEdit> body = body_edits(actions_.request_body);
    std::optional<Redirect> upstream = actions_.upstream;
    if (!actions_.break_signature) keep_signature(edits, body, upstream);
    append(plan_.request_headers, std::move(edits));
    std::ranges::move(body, std::back_inserter(plan_.request_body));
    if (upstream) plan_.upstream = std::move(upstream);
  }

  std::vector<BodyEdit> body_edits(const std::vector<BodyAction>& actions) const {
    std::vector<BodyEdit> edits;
    for (const BodyAction& action : actions) {
      BodyEdit& edit = edits.emplace_back(BodyEdit{std::nullopt, action.edit, plan_.applied.size() - 1});
      if (action.replacement) edit.replacement = action.replacement->render(occasion_.subject);
    }
    return edits;
  }

  // The service would refuse the request for another reason than the one that the rule is about.
  void keep_signature(HeaderEdits& edits, std::vector<BodyEdit>& body, std::optional<Redirect>& upstream) {
    bool rewrites_host = upstream && upstream->rewrite_host;
    if (edits.empty() && body.empty() && !rewrites_host) return;
    std::optional<aws::Signature> signature = aws::Signature::of(occasion_.request);
    if (!signature) return;
    auto covered = [&](const std::string& name) {
      if (!signature->covers_header(name)) return false;
      note_not_applied(name);
      return true;
    };
    std::erase_if(edits.set, [&](const auto& field) { return covered(field.first); });
    std::erase_if(edits.add, [&](const auto& field) { return covered(field.first); });
    std::erase_if(edits.remove, covered);
    if (!body.empty() && signature->covers_body()) {
      note_not_applied("request body");
      body.clear();
    }
    if (rewrites_host && covered("host")) upstream->rewrite_host = false;
  }

  void note_not_applied(std::string_view what) {
    plan_.applied.back().what.append("; not applied, since the request's signature covers it: ").append(what);
  }

  void add_answer() {
    plan_.abort = actions_.abort;
    plan_.handler = actions_.handler;
    if (actions_.block) return add_block();
    if (!actions_.fault.empty()) return add_fault(actions_.fault);
    if (actions_.service_throttle && occasion_.call.known()) return add_fault("aws:throttle");
    if (actions_.service_throttle) plan_.respond = too_many_requests(use_.wait_ns);
    if (actions_.respond) add_respond(*actions_.respond);
    if (plan_.respond && occasion_.request.method() == "HEAD") plan_.respond->body.clear();
  }

  void add_block() {
    if (*actions_.block == Block::Reset) {
      plan_.abort = Abort{};
    } else {
      plan_.respond = refusal(403, "a rule of waylay blocks this request");
    }
  }

  void add_fault(std::string_view fault) {
    Result<aws::Answer> answer =
        aws::make_fault(fault, occasion_.call, occasion_.request, occasion_.time, next_fault_id());
    CHECK(answer);  // the name was checked when the rule was loaded
    plan_.respond =
        Response{answer->status, std::move(answer->reason), std::move(answer->fields), std::move(answer->body)};
  }

  void add_respond(const Respond& respond) {
    plan_.respond = Response{respond.status, respond.reason, render(respond.fields, occasion_.subject),
                             respond.body.render(occasion_.subject)};
  }

  // Of our own answer at once, since the upstream's is not awaited.
  void add_response_edits() {
    HeaderEdits edits = render(actions_.response_headers, occasion_.subject);
    if (plan_.respond) return edits.apply(plan_.respond->fields);
    append(plan_.response_headers, std::move(edits));
    std::ranges::move(body_edits(actions_.response_body), std::back_inserter(plan_.response_body));
    if (actions_.status) {
      plan_.status = actions_.status;
      plan_.reason = actions_.reason.value_or(std::string(http::default_reason(*actions_.status)));
    } else if (actions_.reason) {
      plan_.reason = actions_.reason;
    }
  }

  Plan& plan_;
  const Rule& rule_;
  const Actions& actions_;
  const Rule::Occasion& occasion_;
  Tally::Use use_;
};

}  // namespace

void Rule::apply(Plan& plan, const Occasion& occasion, Tally::Use use) const {
  Wishes(plan, *this, occasion, use).add(what_);
}

void Rule::apply(ConnectionPlan& plan, Tally::Use use) const {
  const Actions& actions = parts_.actions;
  plan.applied.push_back({name(), what_, actions.injects()});
  plan.passthrough = actions.passthrough;
  plan.block = actions.block;
  if (actions.upstream) plan.upstream = actions.upstream;
  if (!actions.tls) return;
  if (actions.tls->certificate != TlsFault::Certificate::Right) plan.tls.certificate = actions.tls->certificate;
  if (actions.tls->alert) plan.tls.alert = actions.tls->alert;
  if (actions.tls->delay) plan.tls.delay_ns += actions.tls->delay->draw(use.random);
}

}  // namespace waylay::rules
