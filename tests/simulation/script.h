// What two ends will say to each other: made from the seed before they speak, so that each of them knows what it must
// get, byte for byte. Every body is a pattern of its own, drawn from the conversation's and the exchange's numbers: a
// byte that is lost, doubled, or belongs elsewhere does not fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulation/chance.h"

namespace waylay::simulation {

using Fields = std::vector<std::pair<std::string, std::string>>;

enum class Body : uint8_t { None, Length, Chunked, UntilClose };

struct PlannedExchange {
  std::string name;  // "/c7/e2": its target, and what the origin's answer is marked with
  std::string method;
  Body request_body = Body::None, response_body = Body::None;
  size_t request_size = 0, response_size = 0;
  int status = 200;
  bool informational = false;  // 103 before the answer

  // Of HTTP/2 only.
  enum class Tunnel : uint8_t { None, Connect, Extended };
  enum class Cut : uint8_t { None, ByClient, ByOrigin };
  Tunnel tunnel = Tunnel::None;
  Cut cut = Cut::None;   // the stream is reset
  size_t cut_after = 0;  // octets of the body of whoever does
  uint32_t cut_code = 0;
  bool answers_early = false;  // before the request is complete; a tunnel's origin ends before its client
  bool slow_request = false, slow_response = false;  // read when all others are over
  Fields request_fields, response_fields;            // all named x-a...
  Fields request_trailers, response_trailers;

  bool is_slow() const { return slow_request || slow_response; }
  std::string request_content() const;
  std::string response_content() const;  // what the client gets of it: empty for HEAD
  std::string request() const;           // the whole message of HTTP/1.1
  std::string response() const;
};

std::vector<PlannedExchange> plan_exchanges(Chance& chance, uint64_t conversation, bool http2);

// What `name` says in one direction.
std::string pattern(std::string_view name, char direction, size_t size);

}  // namespace waylay::simulation
