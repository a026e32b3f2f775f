#include "rules/delay_reader.h"

namespace waylay::rules {
namespace {

// Beyond it the median is lost: one delay in six would be over 50 times the median.
constexpr double kMostSigma = 4;

int64_t read_time(Reader& reader, const Json& value, const Place& place) {
  return reader.duration(value, place, "a delay", kMostDelay_ns).value_or(0);
}

int64_t read_time(Reader& reader, const Json& object, std::string_view key, const Place& place) {
  const Json* value = Reader::member(object, key);
  if (value) return read_time(reader, *value, place / key);
  reader.wrong(place, "needs \"" + std::string(key) + "\"");
  return 0;
}

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void read_uniform(Reader& reader, const Json& value, const Place& place, Delay& delay) {
  delay.shape = Delay::Shape::Uniform;
  if (!value.is_array() || value.size() != 2)
    return reader.wrong(place, "must be the shortest and the longest delay: [\"10ms\", \"50ms\"]");
  delay.first_ns = read_time(reader, value[0], place / size_t{0});
  delay.second_ns = read_time(reader, value[1], place / size_t{1});
  if (delay.first_ns > delay.second_ns) reader.wrong(place, "the shortest delay comes first");
  delay.text = "uniform " + shown(value[0]) + " to " + shown(value[1]);
}

void read_normal(Reader& reader, const Json& value, const Place& place, Delay& delay) {
  delay.shape = Delay::Shape::Normal;
  if (!reader.is_object(value, place, {"mean", "deviation"})) return;
  delay.first_ns = read_time(reader, value, "mean", place);
  delay.second_ns = read_time(reader, value, "deviation", place);
  if (!reader.failed()) delay.text = "normal " + shown(value["mean"]) + " +- " + shown(value["deviation"]);
}

void read_lognormal(Reader& reader, const Json& value, const Place& place, Delay& delay) {
  delay.shape = Delay::Shape::Lognormal;
  if (!reader.is_object(value, place, {"median", "sigma"})) return;
  delay.first_ns = read_time(reader, value, "median", place);
  const Json* sigma = Reader::member(value, "sigma");
  if (!sigma) return reader.wrong(place, "needs \"sigma\"");
  delay.sigma = reader.number(*sigma, place / "sigma", 0, kMostSigma).value_or(0);
  if (!reader.failed()) delay.text = "lognormal " + shown(value["median"]) + ", sigma " + shown(*sigma);
}

}  // namespace

Delay read_delay(Reader& reader, const Json& value, const Place& place) {
  Delay delay;
  if (!value.is_object()) {
    delay.first_ns = read_time(reader, value, place);
    delay.text = shown(value);
    return delay;
  }
  if (!reader.is_object(value, place, {"uniform", "normal", "lognormal"})) return delay;
  if (value.size() != 1) {
    reader.wrong(place, "is one of \"uniform\", \"normal\" and \"lognormal\"");
    return delay;
  }
  if (const Json* range = Reader::member(value, "uniform")) read_uniform(reader, *range, place / "uniform", delay);
  if (const Json* normal = Reader::member(value, "normal")) read_normal(reader, *normal, place / "normal", delay);
  if (const Json* log = Reader::member(value, "lognormal")) read_lognormal(reader, *log, place / "lognormal", delay);
  return delay;
}

}  // namespace waylay::rules
