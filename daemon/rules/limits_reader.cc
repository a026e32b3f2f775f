#include "rules/limits_reader.h"

#include <charconv>

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

void read_probability(Reader& reader, const Json& rule, const Place& place, Limits& limits) {
  if (auto value = rule.find("probability"); value != rule.end()) {
    double probability = value->is_number() ? value->get<double>() : -1;
    if (!(probability >= 0 && probability <= 1))
      reader.wrong(place / "probability", "must be a number from 0 to 1, such as 0.25");
    limits.probability = probability;
  }
  std::optional<int64_t> seed = reader.integer(rule, "seed", place);
  if (!seed) return;
  if (*seed < 0) reader.wrong(place / "seed", "must be at least 0");
  if (!limits.probability) reader.wrong(place / "seed", "goes with \"probability\"");
  limits.seed = static_cast<uint64_t>(*seed);
}

}  // namespace

Limits read_limits(Reader& reader, const Json& rule, const Place& place, bool injects_fault) {
  Limits limits;
  if (injects_fault) limits.life_ns = Limits::kUsualLife_ns;
  read_attempts(reader, rule, place, limits);
  read_life(reader, rule, place, limits);
  limits.times = read_count(reader, rule, "times", place, INT64_MAX, "; \"enabled\": false turns a rule off");
  limits.every = read_count(reader, rule, "every", place, INT64_MAX, ": every Nth match").value_or(1);
  read_probability(reader, rule, place, limits);
  limits.per_minute = static_cast<uint32_t>(
      read_count(reader, rule, "per_minute", place, Limits::kMostPerMinute, "; \"enabled\": false turns a rule off")
          .value_or(0));
  return limits;
}

}  // namespace waylay::rules
