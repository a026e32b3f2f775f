// What a rule does, as it says it. What comes of it for one exchange or one connection is a Plan (plan.h).
//
// Actions are of one of two levels. Those of the connection are carried out when the ClientHello is read: passthrough,
// tls, and block and upstream where the rule's match is known by then. All others are the exchange's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "match/fields.h"
#include "rules/delay.h"
#include "rules/plan.h"
#include "rules/template.h"

namespace waylay::rules {

struct HeaderTemplates {
  std::vector<std::pair<std::string, Template>> set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
};

struct Respond {
  int status = 200;
  std::string reason;
  std::vector<std::pair<std::string, Template>> fields;
  Template body;
};

struct BodyAction {  // one of both
  std::optional<Template> replacement;
  std::shared_ptr<const body::Edit> edit;
};

struct TlsAction {
  TlsFault::Certificate certificate = TlsFault::Certificate::Right;
  std::optional<uint8_t> alert;
  std::optional<Delay> delay;
};

struct Actions {
  // The exchange's.
  std::optional<Delay> delay, chunk_delay;
  std::optional<int> status;
  std::optional<std::string> reason;
  HeaderTemplates response_headers, request_headers;
  std::vector<BodyAction> response_body, request_body;
  uint64_t throttle_up = 0, throttle_down = 0;  // bytes a second; 0: no limit
  std::optional<Respond> respond;
  std::optional<Abort> abort;
  std::string fault;              // aws/fault.h; "": none
  bool service_throttle = false;  // answers as the service does whose rate is exceeded; 429 where that is not AWS's
  std::shared_ptr<const Handler> handler;
  uint64_t keep_messages = 0;       // of a WebSocket: so many octets of them; 0: counted only
  bool break_signature = false;     // edits parts that a SigV4 signature covers
  std::optional<match::Moment> at;  // Response: not before it, although the match is known
  // The connection's, or its.
  std::optional<Redirect> upstream;
  std::optional<Block> block;
  bool passthrough = false;
  std::optional<TlsAction> tls;

  bool empty() const;
  bool of_exchange() const;  // has one that a connection cannot be given
  // Ends the list of rules, and the exchange is answered (or not) as it says.
  bool answers() const { return respond || abort || !fault.empty() || service_throttle || handler || block; }
  // Answers in the upstream's place, or makes something go wrong: `waylay off` is for it.
  bool injects() const;
  // Makes something go wrong. A rule that only answers may be a mock that somebody works with all day.
  bool makes_fault() const;
  // Changes what the upstream answers, so that it acts at the response.
  bool rewrites_response() const;
  // Only a connection can be given these.
  bool is_for_connections() const { return passthrough || tls; }
  std::vector<match::Field> template_fields() const;
  std::string describe() const;  // for people: "delay 200ms, status 429"
};

}  // namespace waylay::rules
