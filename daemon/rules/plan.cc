#include "rules/plan.h"

#include <algorithm>

namespace waylay::rules {
namespace {

uint64_t slower(uint64_t a, uint64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

std::string_view name_of(Abort::How how) {
  switch (how) {
    case Abort::How::Reset:
      return "rst";
    case Abort::How::Close:
      return "fin";
    case Abort::How::Stall:
      return "stall";
    case Abort::How::BadChunk:
      return "bad-chunk";
    case Abort::How::WrongLength:
      return "wrong-length";
    case Abort::How::GoAway:
      return "goaway";
  }
  return "";
}

}  // namespace

std::string Abort::text() const {
  std::string text(name_of(how));
  if (after_bytes) text += " after " + std::to_string(*after_bytes) + " bytes";
  return text;
}

std::string Redirect::text() const {
  return port == 0 ? host : host + ":" + std::to_string(port);
}

Address Redirect::to(const Address& original) const {
  Address to = address.value_or(original);
  to.port = port == 0 ? original.port : port;
  return to;
}

void Pace::add(const Pace& other) {
  up = slower(up, other.up);
  down = slower(down, other.down);
  chunk_delays.insert(chunk_delays.end(), other.chunk_delays.begin(), other.chunk_delays.end());
}

int64_t Pace::next_chunk_delay_ns() {
  int64_t sum = 0;
  for (RepeatedDelay& delay : chunk_delays) sum += delay.next_ns();
  return sum;
}

}  // namespace waylay::rules
