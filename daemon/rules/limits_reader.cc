#include "rules/limits_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "rules/duration.h"

namespace waylay::rules {
namespace {

constexpr int kMostAttempts = 1000;                                // SDKs make 3 or 5
constexpr int64_t kLongestLife_ns = 365 * 24 * 3600 * kSecond_ns;  // longer is "forever"

bool take_number(std::string_view& text, int& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() && number >= 1 && number <= kMostAttempts;
}

bool parse_attempts(std::string_view text, Limits& limits) {
  if (!take_number(text, limits.first_attempt)) return false;
  limits.last_attempt = limits.first_attempt;
  if (text.empty()) return true;
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return take_number(text, limits.last_attempt) && text.empty() && limits.last_attempt >= limits.first_attempt;
}

void read_attempts(Reader& reader, const Json& rule, const Place& place, Limits& limits) {
  auto value = rule.find("attempts");
  if (value == rule.end()) return;
  std::string text = value->is_string() ? value->get<std::string>() : value->dump();
  if (!parse_attempts(text, limits))
    reader.wrong(place / "attempts",
                 "is which attempts of an SDK's call: \"1-2\", or 3 for the third alone; the first is 1");
}

void read_life(Reader& reader, const Json& rule, const Place& place, Limits& limits) {
  std::optional<std::string> text = reader.text(rule, "for", place);
  if (!text) return;
  limits.life_ns = std::nullopt;
  if (*text == "forever") return;
  std::optional<int64_t> life = parse_duration(*text);
  if (!life || *life <= 0 || *life > kLongestLife_ns)
    reader.wrong(place / "for", "\"" + *text +
                                    "\" is not how long a rule lives: write \"10m\" or \"1.5h\" (units ns us ms s m "
                                    "h), at most 8760h, or \"forever\"");
  limits.life_ns = life;
}

// A whole number from 1 to `most`.
std::optional<uint64_t> read_count(Reader& reader, const Json& rule, std::string_view key, const Place& place,
                                   int64_t most, std::string_view otherwise) {
  std::optional<int64_t> count = reader.integer(rule, key, place);
  if (!count) return std::nullopt;
  if (*count < 1) reader.wrong(place / key, "must be at least 1" + std::string(otherwise));
  if (*count > most) reader.wrong(place / key, "must be at most " + std::to_string(most));
  return static_cast<uint64_t>(*count);
}

void read_ramp(Reader& reader, const Json& value, const Place& place, Limits& limits) {
  if (!reader.is_object(value, place, {"from", "to", "over"})) return;
  Ramp ramp;
  if (const Json* from = Reader::member(value, "from"))
    ramp.from = reader.number(*from, place / "from", 0, 1).value_or(0);
  if (const Json* to = Reader::member(value, "to")) ramp.to = reader.number(*to, place / "to", 0, 1).value_or(0);
  if (!value.contains("over")) reader.wrong(place, "needs \"over\", how long it takes");
  ramp.over_ns = reader.duration(value, "over", place, "how long a ramp is", kLongestLife_ns).value_or(1);
  if (limits.probability) reader.wrong(place, "is a probability that changes: leave \"probability\" out");
  limits.ramp = ramp;
}

void read_chance(Reader& reader, const Json& rule, const Place& place, Limits& limits) {
  if (const Json* probability = Reader::member(rule, "probability")) {
    bool fits = probability->is_number() && probability->get<double>() >= 0 && probability->get<double>() <= 1;
    if (!fits) reader.wrong(place / "probability", "must be a number from 0 to 1, such as 0.25");
    limits.probability = fits ? probability->get<double>() : 0;
  }
  if (const Json* ramp = Reader::member(rule, "ramp")) read_ramp(reader, *ramp, place / "ramp", limits);
  std::optional<int64_t> seed = reader.integer(rule, "seed", place);
  if (!seed) return;
  if (*seed < 0) reader.wrong(place / "seed", "must be at least 0");
  if (!limits.draws())
    reader.wrong(place / "seed", "goes with \"probability\", \"ramp\" or a delay that is drawn by chance");
  limits.seed = static_cast<uint64_t>(*seed);
}

// "100/s", "2.5/s", "30/m", "1000/h"
std::optional<double> parse_rate(std::string_view text) {
  double count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || !std::isfinite(count) || count <= 0) return std::nullopt;
  if (unit == "/s") return count;
  if (unit == "/m") return count / 60;
  if (unit == "/h") return count / 3600;
  return std::nullopt;
}

RateLimit::Per read_per(Reader& reader, const Json& rate_limit, const Place& place) {
  constexpr std::pair<std::string_view, RateLimit::Per> kNames[] = {
      {"all", RateLimit::Per::All},       {"container", RateLimit::Per::Container},
      {"host", RateLimit::Per::Host},     {"bucket", RateLimit::Per::Bucket},
      {"target", RateLimit::Per::Target}, {"operation", RateLimit::Per::Operation},
  };
  std::optional<std::string> name = reader.text(rate_limit, "per", place);
  if (!name) return RateLimit::Per::All;
  for (const auto& [known, per] : kNames)
    if (known == *name) return per;
  reader.wrong(place / "per", "\"" + *name + "\" is unknown: all, container, host, bucket, operation or target");
  return RateLimit::Per::All;
}

RateLimit read_rate_limit(Reader& reader, const Json& value, const Place& place) {
  RateLimit limit;
  if (!reader.is_object(value, place, {"rate", "burst", "per"})) return limit;
  limit.text = reader.text(value, "rate", place).value_or("");
  std::optional<double> rate = parse_rate(limit.text);
  if (!rate || *rate > static_cast<double>(RateLimit::kMostBurst))
    reader.wrong(place / "rate", "\"" + limit.text + "\" is not a rate: write \"100/s\", \"30/m\" or \"10/h\"");
  limit.per_second = rate.value_or(1);
  int64_t usual = std::max<int64_t>(std::llround(limit.per_second), 1);  // what comes in one second
  int64_t burst = reader.integer(value, "burst", place).value_or(usual);
  if (burst < 1 || static_cast<uint64_t>(burst) > RateLimit::kMostBurst)
    reader.wrong(place / "burst", "must be from 1 to " + std::to_string(RateLimit::kMostBurst));
  limit.burst = static_cast<uint64_t>(burst);
  limit.per = read_per(reader, value, place);
  return limit;
}

bool is_drawn(const std::optional<Delay>& delay) {
  return delay && delay->shape != Delay::Shape::Fixed;
}

bool draws(const Actions& actions) {
  return is_drawn(actions.delay) || is_drawn(actions.chunk_delay) || (actions.tls && is_drawn(actions.tls->delay));
}

}  // namespace

Limits read_limits(Reader& reader, const Json& rule, const Place& place, const Actions& actions) {
  Limits limits;
  limits.uses_draw = draws(actions);
  if (const Json* rate = Reader::member(rule, "rate_limit"))
    limits.rate = read_rate_limit(reader, *rate, place / "rate_limit");
  if (actions.makes_fault() || limits.rate) limits.life_ns = Limits::kUsualLife_ns;
  read_attempts(reader, rule, place, limits);
  read_life(reader, rule, place, limits);
  limits.times = read_count(reader, rule, "times", place, INT64_MAX, "; \"enabled\": false turns a rule off");
  limits.every = read_count(reader, rule, "every", place, INT64_MAX, ": every Nth match").value_or(1);
  read_chance(reader, rule, place, limits);
  limits.per_minute = static_cast<uint32_t>(
      read_count(reader, rule, "per_minute", place, Limits::kMostPerMinute, "; \"enabled\": false turns a rule off")
          .value_or(0));
  return limits;
}

std::vector<std::string_view> limit_names() {
  return {"attempts", "for", "times", "every", "probability", "seed", "ramp", "per_minute", "rate_limit"};
}

}  // namespace waylay::rules
