#include "simulation/script.h"

#include <algorithm>

#include "http/h2.h"

namespace waylay::simulation {
namespace {

std::string hexadecimal(size_t number) {
  char text[17];
  return std::string(text, static_cast<size_t>(snprintf(text, sizeof text, "%zx", number)));
}

// In chunks whose sizes depend on the content alone, so that a message is the same whenever it is asked for.
std::string chunked(std::string_view content) {
  std::string out;
  Chance sizes(content.size());
  while (!content.empty()) {
    size_t size = std::min<size_t>(content.size(), 1 + sizes.size(9'000));
    out += hexadecimal(size) + "\r\n";
    out.append(content.substr(0, size)).append("\r\n");
    content.remove_prefix(size);
  }
  return out + "0\r\n\r\n";
}

std::string framed(Body body, std::string_view content) {
  return body == Body::Chunked ? chunked(content) : std::string(content);
}

std::string framing_fields(Body body, size_t size) {
  if (body == Body::Chunked) return "Transfer-Encoding: chunked\r\n";
  if (body == Body::Length) return "Content-Length: " + std::to_string(size) + "\r\n";
  return "";
}

PlannedExchange plan_exchange(Chance& chance, bool is_last) {
  constexpr int kStatuses[] = {200, 200, 200, 200, 204, 304, 404, 429, 500};
  PlannedExchange exchange;
  exchange.status = kStatuses[chance.below(std::size(kStatuses))];
  exchange.informational = chance.one_in(10);
  exchange.method = chance.one_in(8) ? "HEAD" : "GET";
  if (chance.one_in(3)) {
    exchange.method = "PUT";
    exchange.request_body = chance.one_in(2) ? Body::Length : Body::Chunked;
    exchange.request_size = chance.size(200'000);
  }
  if (exchange.status == 204 || exchange.status == 304) return exchange;
  exchange.response_size = chance.one_in(30) ? 3'000'000 : chance.size(300'000);
  exchange.response_body = chance.one_in(2) ? Body::Length : Body::Chunked;
  if (is_last && chance.one_in(4) && exchange.method != "HEAD") exchange.response_body = Body::UntilClose;
  return exchange;
}

// Some of them long, some of them many.
Fields plan_fields(Chance& chance, std::string_view prefix, const std::string& name) {
  Fields fields;
  size_t count = chance.one_in(20) ? chance.below(60) : chance.below(4);
  for (size_t i = 0; i < count; ++i) {
    std::string field = std::string(prefix) + std::to_string(i);
    size_t size = chance.one_in(50) ? 6'000 : chance.below(60);
    fields.emplace_back(field, pattern(name + field, ':', size));
  }
  return fields;
}

void make_tunnel(PlannedExchange& exchange, Chance& chance) {
  using Tunnel = PlannedExchange::Tunnel;
  exchange.tunnel = chance.one_in(2) ? Tunnel::Connect : Tunnel::Extended;
  exchange.method = "CONNECT";
  exchange.status = 200;
  exchange.request_body = exchange.response_body = Body::Chunked;
  exchange.request_size = chance.size(100'000);
  exchange.response_size = chance.size(100'000);
}

void make_http2(PlannedExchange& exchange, Chance& chance) {
  using Cut = PlannedExchange::Cut;
  if (exchange.response_body == Body::UntilClose) exchange.response_body = Body::Chunked;
  if (exchange.response_size > 300'000 && chance.one_in(2)) exchange.response_size = 300'000;
  if (exchange.request_body != Body::None && chance.one_in(15)) exchange.request_size = 600'000;
  if (chance.one_in(12)) make_tunnel(exchange, chance);
  exchange.answers_early = chance.one_in(6);
  exchange.request_fields = plan_fields(chance, "x-a", exchange.name + "request");
  exchange.response_fields = plan_fields(chance, "x-a", exchange.name + "response");
  bool is_tunnel = exchange.tunnel != PlannedExchange::Tunnel::None;
  if (!is_tunnel && exchange.request_body != Body::None && chance.one_in(4))
    exchange.request_trailers = plan_fields(chance, "x-t", exchange.name + "request");
  if (!is_tunnel && exchange.response_body != Body::None && exchange.method != "HEAD" && chance.one_in(4))
    exchange.response_trailers = plan_fields(chance, "x-t", exchange.name + "response");
  if (!chance.one_in(10)) return;
  constexpr uint32_t kCodes[] = {0x2, 0x7, 0x8, 0xb};
  bool answer_has_body = exchange.response_body != Body::None && exchange.method != "HEAD";
  exchange.cut = !answer_has_body || chance.one_in(2) ? Cut::ByClient : Cut::ByOrigin;
  exchange.cut_code = kCodes[chance.below(std::size(kCodes))];
  size_t whole = exchange.cut == Cut::ByClient ? exchange.request_size : exchange.response_content().size();
  exchange.cut_after = chance.below(whole + 1);
}

// More than a connection's window, in a few bodies, of which the first is not read before the others are over.
constexpr size_t kHeavy = 5;
void make_heavy(std::vector<PlannedExchange>& plan, Chance& chance) {
  bool up = chance.one_in(2);
  for (size_t i = 0; i < plan.size() && i < kHeavy; ++i) {
    PlannedExchange& exchange = plan[i];
    if (exchange.tunnel != PlannedExchange::Tunnel::None) continue;
    exchange.method = up ? "PUT" : "GET";
    exchange.status = 200;
    exchange.cut = PlannedExchange::Cut::None;
    exchange.answers_early = false;
    (up ? exchange.request_body : exchange.response_body) = Body::Length;
    (up ? exchange.request_size : exchange.response_size) = 3'000'000;
    if (!up) exchange.request_body = Body::None, exchange.request_size = 0, exchange.request_trailers.clear();
  }
  (up ? plan[0].slow_request : plan[0].slow_response) = true;
}

// The same in many, which nobody reads before the last ones are over.
constexpr size_t kCrowd = 75;
void make_crowd(std::vector<PlannedExchange>& plan) {
  for (size_t i = 0; i + 5 < plan.size(); ++i) {
    PlannedExchange& exchange = plan[i];
    exchange = {.name = exchange.name, .method = "PUT"};
    exchange.request_body = Body::Chunked;
    exchange.request_size = http::kStreamWindow + 10'000;
    exchange.slow_request = true;
  }
}

// A few: what nobody reads of all streams together must not fill the connection's window.
void slow_down(std::vector<PlannedExchange>& plan, Chance& chance) {
  for (size_t i = chance.between(1, 3); i > 0; --i) {
    PlannedExchange& exchange = plan[chance.below(plan.size())];
    bool up = chance.one_in(2);
    (up ? exchange.slow_request : exchange.slow_response) = true;
    if ((up ? exchange.request_body : exchange.response_body) == Body::None || !chance.one_in(3)) continue;
    (up ? exchange.request_size : exchange.response_size) = 3'000'000;
  }
}

}  // namespace

std::string pattern(std::string_view name, char direction, size_t size) {
  uint64_t seed = 14695981039346656037U + static_cast<uint64_t>(direction);
  for (char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  Chance letters(seed);
  std::string out(size, '\0');
  for (size_t i = 0; i < size;) {
    uint64_t word = letters.next();
    for (int byte = 0; byte < 8 && i < size; ++byte, word >>= 8) out[i++] = static_cast<char>('!' + (word & 63));
  }
  return out;
}

std::string PlannedExchange::request_content() const {
  return pattern(name, '>', request_size);
}
std::string PlannedExchange::response_content() const {
  return method == "HEAD" ? "" : pattern(name, '<', response_size);
}

std::string PlannedExchange::request() const {
  return method + " " + name + " HTTP/1.1\r\nHost: origin.test\r\n" + framing_fields(request_body, request_size) +
         "\r\n" + framed(request_body, request_content());
}

std::string PlannedExchange::response() const {
  std::string out = informational ? "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" : "";
  out += "HTTP/1.1 " + std::to_string(status) + " As Planned\r\nX-Exchange: " + name + "\r\n" +
         framing_fields(response_body, response_size) + "\r\n";
  return method == "HEAD" ? out : out + framed(response_body, response_content());
}

std::vector<PlannedExchange> plan_exchanges(Chance& chance, uint64_t conversation, bool http2) {
  std::vector<PlannedExchange> plan;
  size_t count = chance.one_in(10) ? chance.between(10, 40) : chance.between(1, 5);
  if (http2 && chance.one_in(2)) count = chance.between(5, 60);
  bool heavy = http2 && chance.one_in(30), crowd = http2 && chance.one_in(60);
  if (heavy) count = std::max(count, kHeavy);
  if (crowd) count = kCrowd;
  for (size_t i = 0; i < count; ++i) {
    plan.push_back(plan_exchange(chance, i + 1 == count));
    plan.back().name = "/c" + std::to_string(conversation) + "/e" + std::to_string(i);
    if (http2) make_http2(plan.back(), chance);
  }
  if (crowd) {
    make_crowd(plan);
  } else if (heavy) {
    make_heavy(plan, chance);
  }
  if (http2 && !crowd && chance.one_in(3)) slow_down(plan, chance);
  return plan;
}

}  // namespace waylay::simulation
