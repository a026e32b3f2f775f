#include "record/metrics.h"

namespace waylay::record {
namespace {

std::string_view status_class(int status) {
  constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? kClasses[status / 100] : kClasses[0];
}

std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      out += '?';
    else
      out += c;
  }
  return out;
}

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ")
        .append(name)
        .append(" ")
        .append(help)
        .append("\n# TYPE ")
        .append(name)
        .append(" ")
        .append(type)
        .append("\n");
  }
  void sample(std::initializer_list<std::pair<std::string_view, std::string_view>> labels, uint64_t value) {
    text_ += name_;
    std::string_view before = "{";
    for (auto [label, content] : labels) {
      text_.append(before).append(label).append("=\"").append(escaped(content)).append("\"");
      before = ",";
    }
    text_.append(labels.size() ? "} " : " ").append(std::to_string(value)).append("\n");
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_, text_;
};

}  // namespace

void Metrics::flow_closed(const flow::FlowFacts& flow) {
  ++flows_[to_string(flow.outcome)];
}

std::string Metrics::service_label(const flow::ExchangeFacts& exchange) {
  const std::string& service = exchange.call.service;
  if (services_.contains(service) || services_.size() < kMostServices) return service;
  return "other";
}

void Metrics::exchange_ended(const flow::ExchangeFacts& exchange, Ledger::Role role) {
  std::string service = service_label(exchange);
  ++exchanges_[{service, status_class(exchange.status), exchange.injected()}];
  OfService& counts = services_[service];
  if (role == Ledger::Role::First) ++counts.invocations;
  if (role == Ledger::Role::Retry) ++counts.retries;
}

std::string Metrics::text(const Named& dropped, const Named& held) const {
  Page page;
  page.family("waylay_exchanges_total", "counter",
              "HTTP exchanges that ended, by AWS service (empty: not AWS) and status class.");
  for (const auto& [labels, count] : exchanges_) {
    const auto& [service, status, injected] = labels;
    page.sample({{"service", service}, {"status", status}, {"injected", injected ? "true" : "false"}}, count);
  }
  page.family("waylay_invocations_total", "counter", "Logical calls, each of one or more exchanges.");
  for (const auto& [service, counts] : services_) page.sample({{"service", service}}, counts.invocations);
  page.family("waylay_retries_total", "counter", "Exchanges that repeated an earlier one of their call.");
  for (const auto& [service, counts] : services_) page.sample({{"service", service}}, counts.retries);
  page.family("waylay_flows_total", "counter", "Connections that were closed, by what became of them.");
  for (const auto& [outcome, count] : flows_) page.sample({{"outcome", outcome}}, count);
  page.family("waylay_records_dropped_total", "counter", "Records dropped for want of room.");
  for (const auto& [kind, count] : dropped) page.sample({{"kind", kind}}, count);
  page.family("waylay_records_held", "gauge", "What is held now.");
  for (const auto& [kind, count] : held) page.sample({{"kind", kind}}, count);
  return page.take();
}

}  // namespace waylay::record
