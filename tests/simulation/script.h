// What two ends will say to each other: made from the seed before anything runs, so that each of them knows what it
// must get, byte for byte. Every body is a pattern of its own, drawn from the conversation's and the exchange's
// numbers: a byte that is lost, doubled, or belongs elsewhere does not fit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulation/chance.h"

namespace waylay::simulation {

enum class Body : uint8_t { None, Length, Chunked, UntilClose };

struct PlannedExchange {
  std::string name;  // "/c7/e2": its target, and what the origin's answer is marked with
  std::string method;
  Body request_body = Body::None, response_body = Body::None;
  size_t request_size = 0, response_size = 0;
  int status = 200;
  bool informational = false;  // 103 before the answer

  std::string request_content() const;
  std::string response_content() const;  // what the client gets of it: empty for HEAD
  std::string request() const;           // the whole message
  std::string response() const;
};

std::vector<PlannedExchange> plan_exchanges(Chance& chance, uint64_t conversation);

// What `name` says in one direction.
std::string pattern(std::string_view name, char direction, size_t size);

}  // namespace waylay::simulation
