#include "rules/actions_reader.h"

#include <algorithm>

#include "aws/fault.h"
#include "base/nearest.h"
#include "rules/connection_reader.h"
#include "rules/delay_reader.h"
#include "rules/duration.h"
#include "rules/handler_reader.h"
#include "rules/header_reader.h"
#include "rules/respond_reader.h"

namespace waylay::rules {
namespace {

constexpr int64_t kMostStall_ns = 24 * 3600 * kSecond_ns;
// Of one WebSocket's messages. The store holds 64 MiB of all exchanges.
constexpr uint64_t kUsuallyKept = 64 * 1024;
constexpr int64_t kMostKept = 4 * 1024 * 1024;

constexpr std::pair<std::string_view, Abort::How> kAborts[] = {
    {"rst", Abort::How::Reset},          {"fin", Abort::How::Close},     {"stall", Abort::How::Stall},
    {"bad-chunk", Abort::How::BadChunk}, {"goaway", Abort::How::GoAway}, {"wrong-length", Abort::How::WrongLength},
};

void read_how(Reader& reader, const Json& value, const Place& place, Abort& abort) {
  std::optional<std::string> name = reader.text(value, place);
  if (!name) return;
  std::vector<std::string_view> names;
  for (const auto& [known, how] : kAborts) {
    if (known == *name) abort.how = how;
    names.push_back(known);
  }
  if (std::ranges::find(names, *name) == names.end())
    reader.wrong(place, "\"" + *name + "\" is unknown: rst, fin, stall, bad-chunk, wrong-length or goaway" +
                            did_you_mean(*name, names));
}

void read_after_bytes(Reader& reader, const Json& value, const Place& place, Abort& abort) {
  std::optional<int64_t> bytes = reader.integer(value, place);
  if (!bytes) return;
  if (*bytes < 0) reader.wrong(place, "must be at least 0, which is behind the head");
  if (abort.how == Abort::How::GoAway) reader.wrong(place, "\"goaway\" comes behind a whole response");
  abort.after_bytes = static_cast<uint64_t>(*bytes);
}

Abort read_abort(Reader& reader, const Json& value, const Place& place) {
  Abort abort;
  if (!value.is_object()) {
    read_how(reader, value, place, abort);
    return abort;
  }
  if (!reader.is_object(value, place, {"how", "after_bytes", "for"})) return abort;
  const Json* how = Reader::member(value, "how");
  if (!how) reader.wrong(place, "needs \"how\"");
  if (how) read_how(reader, *how, place / "how", abort);
  if (const Json* after = Reader::member(value, "after_bytes"))
    read_after_bytes(reader, *after, place / "after_bytes", abort);
  abort.for_ns = reader.duration(value, "for", place, "how long a stall lasts", kMostStall_ns);
  if (abort.for_ns && abort.how != Abort::How::Stall) reader.wrong(place / "for", "goes with \"stall\"");
  return abort;
}

uint64_t read_rate(Reader& reader, const Json& throttle, std::string_view key, const Place& place) {
  std::optional<std::string> text = reader.text(throttle, key, place);
  if (!text) return 0;
  std::optional<int64_t> bytes = parse_size(*text);
  if (bytes && *bytes > 0) return static_cast<uint64_t>(*bytes);
  reader.wrong(place / key, "\"" + *text +
                                "\" is not a number of bytes a second: write \"10KiB\" (units B KB MB GB KiB "
                                "MiB GiB)");
  return 0;
}

void read_throttle(Reader& reader, const Json& value, const Place& place, Actions& actions) {
  if (!reader.is_object(value, place, {"up", "down"})) return;
  actions.throttle_up = read_rate(reader, value, "up", place);
  actions.throttle_down = read_rate(reader, value, "down", place);
  if (value.empty()) reader.wrong(place, "needs \"up\", \"down\" or both");
}

uint64_t read_keep_messages(Reader& reader, const Json& value, const Place& place) {
  if (value == true) return kUsuallyKept;
  std::optional<std::string> text = reader.text(value, place);
  if (!text) return 0;
  std::optional<int64_t> bytes = parse_size(*text);
  if (bytes && *bytes > 0 && *bytes <= kMostKept) return static_cast<uint64_t>(*bytes);
  reader.wrong(place, "\"" + *text + "\" is not how much to keep: write true, for 64KiB, or a size up to 4MiB");
  return 0;
}

std::string read_fault(Reader& reader, const Json& value, const Place& place) {
  std::string fault = reader.text(value, place).value_or("");
  if (reader.failed()) return fault;
  if (Result<void> known = aws::check_fault(fault); !known) reader.wrong(place, known.error().message);
  return fault;
}

std::optional<match::Moment> read_at(Reader& reader, const Json& value, const Place& place) {
  if (value == "response") return match::Moment::Response;
  if (value == "request") return match::Moment::Request;
  reader.wrong(place, "must be \"request\" or \"response\": when the rule acts");
  return std::nullopt;
}

struct Member {
  std::string_view name;
  void (*read)(Reader& reader, const Json& value, const Place& place, Actions& actions);
};

// In the order in which they are read: one looks at what was read before it.
constexpr Member kMembers[] = {
    {"at", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.at = read_at(r, v, p); }},
    {"break_signature",
     [](Reader& r, const Json& v, const Place& p, Actions& a) { a.break_signature = r.boolean(v, p).value_or(false); }},
    {"status",
     [](Reader& r, const Json& v, const Place& p, Actions& a) {
       a.status = read_status(r, v, p);
       if (a.status && has_no_body(*a.status))
         r.wrong(p, "a response with status " + std::to_string(*a.status) +
                        " has no body, but the upstream's may have one: use \"respond\"");
     }},
    {"reason", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.reason = read_reason(r, v, p); }},
    {"headers", [](Reader& r, const Json& v, const Place& p,
                   Actions& a) { a.response_headers = read_edits(r, v, p, EditOf::Response); }},
    {"request_headers",
     [](Reader& r, const Json& v, const Place& p, Actions& a) {
       a.request_headers = read_edits(r, v, p, a.break_signature ? EditOf::SignedRequest : EditOf::Request);
     }},
    {"body", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.response_body = read_body_edits(r, v, p); }},
    {"request_body",
     [](Reader& r, const Json& v, const Place& p, Actions& a) { a.request_body = read_body_edits(r, v, p); }},
    {"delay", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.delay = read_delay(r, v, p); }},
    {"chunk_delay", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.chunk_delay = read_delay(r, v, p); }},
    {"throttle", read_throttle},
    {"keep_messages",
     [](Reader& r, const Json& v, const Place& p, Actions& a) { a.keep_messages = read_keep_messages(r, v, p); }},
    {"respond", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.respond = read_respond(r, v, p); }},
    {"abort", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.abort = read_abort(r, v, p); }},
    {"fault", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.fault = read_fault(r, v, p); }},
    {"handler", [](Reader& r, const Json& v, const Place& p,
                   Actions& a) { a.handler = std::make_shared<const Handler>(read_handler(r, v, p)); }},
    {"upstream", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.upstream = read_upstream(r, v, p); }},
    {"block", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.block = read_block(r, v, p); }},
    {"passthrough",
     [](Reader& r, const Json& v, const Place& p, Actions& a) {
       a.passthrough = v == true;
       if (!a.passthrough) r.wrong(p, "must be true; \"enabled\": false turns a rule off");
     }},
    {"tls", [](Reader& r, const Json& v, const Place& p, Actions& a) { a.tls = read_tls(r, v, p); }},
};

}  // namespace

Actions read_actions(Reader& reader, const Json& rule, const Place& place) {
  Actions actions;
  for (const Member& member : kMembers)
    if (const Json* value = Reader::member(rule, member.name))
      member.read(reader, *value, place / member.name, actions);
  return actions;
}

std::vector<std::string_view> action_names() {
  std::vector<std::string_view> names;
  for (const Member& member : kMembers) names.push_back(member.name);
  return names;
}

}  // namespace waylay::rules
