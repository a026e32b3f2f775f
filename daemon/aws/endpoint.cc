#include "aws/endpoint.h"

#include <algorithm>
#include <array>
#include <vector>

#include "aws/uri.h"

namespace waylay::aws {
namespace {

using Labels = std::vector<std::string_view>;

// Longest first where one is the end of another.
constexpr std::string_view kSuffixes[] = {
    ".amazonaws.com", ".amazonaws.com.cn",         ".amazonaws.eu",
    ".api.aws",       ".api.amazonwebservices.eu", ".api.amazonwebservices.com.cn"};

// NAME.<one of these> is a customer's own server. Some of them alone are APIs: rds.eu-west-1.amazonaws.com.
constexpr std::string_view kCustomersOwn[] = {"compute", "compute-1", "elb", "rds", "cache", "redshift"};

struct Rename {
  std::string_view from, to;
};
// Host labels, signing names and sub-names that stand for a service better known by another endpoint prefix.
constexpr Rename kRenames[] = {
    {"api.ecr", "ecr"},
    {"dkr.ecr", "ecr"},
    {"api.sagemaker", "sagemaker"},
    {"api.ecr-public", "ecr-public"},
    {"queue", "sqs"},
    {"ddb", "dynamodb"},
    {"data-kinesis", "kinesis"},
    {"control-kinesis", "kinesis"},
    {"ses", "email"},
    {"s3express", "s3"},
    {"s3-accesspoint", "s3"},
    {"cloudwatch", "monitoring"},
    {"s3-accelerate", "s3"},
    {"s3-external-1", "s3"},
    {"s3express-control", "s3"},
};

std::string_view renamed(std::string_view name) {
  for (const Rename& row : kRenames)
    if (row.from == name) return row.to;
  return name;
}

Labels split(std::string_view name) {
  Labels labels;
  for (size_t begin = 0; begin <= name.size();) {
    size_t end = std::min(name.find('.', begin), name.size());
    labels.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

std::string join(const Labels& labels) {
  std::string out;
  for (std::string_view label : labels) out.append(out.empty() ? "" : ".").append(label);
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

// "eu-west-1", "us-gov-east-1", "us-iso-east-1", "eusc-de-east-1": words, two hyphens at least, a number.
bool is_region(std::string_view label) {
  size_t last = label.rfind('-');
  if (last == std::string_view::npos || last + 1 == label.size() || label.size() - last > 3) return false;
  if (!std::ranges::all_of(label.substr(last + 1), is_digit)) return false;
  std::string_view words = label.substr(0, last);
  size_t first = words.find('-');
  if (first == std::string_view::npos || first < 2 || first > 4) return false;
  return std::ranges::all_of(words, [](char c) { return is_lower(c) || c == '-'; });
}

std::string_view without_suffix(std::string_view label, std::string_view suffix) {
  return label.ends_with(suffix) ? label.substr(0, label.size() - suffix.size()) : label;
}

// Takes the region out of a label that carries it: "s3-eu-west-1" (older S3), "s3express-use1-az4" (the zone, not a
// region).
std::string_view s3_label(std::string_view label, std::string& region) {
  if (label.starts_with("s3express-") && label != "s3express-control") return "s3express";
  if (label.starts_with("s3-website")) return "s3-website";
  if (label == "s3-external-1") region = "us-east-1";
  if (label.starts_with("s3-") && is_region(label.substr(3))) {
    region = label.substr(3);
    return "s3";
  }
  return label;
}

// Whether a name in front of this service's label is a bucket's.
bool has_bucket_in_front(std::string_view label) {
  return label == "s3" || label == "s3express" || label == "s3-accelerate" || label == "s3-accesspoint" ||
         label == "s3-external-1";
}

// VPC endpoints: [bucket.]vpce-ID.s3.REGION.vpce, where S3 puts the word "bucket" or "accesspoint" before the id.
void drop_vpce_words(Labels& labels) {
  if (!labels.empty() && labels.back().starts_with("vpce-")) labels.pop_back();
  if (!labels.empty() && (labels.back() == "bucket" || labels.back() == "accesspoint")) labels.pop_back();
}

// "api.ecr", "streams.dynamodb": two labels that name one service.
bool is_two_label_service(std::string_view sub, std::string_view label) {
  constexpr Rename kPairs[] = {{"streams", "dynamodb"}, {"api", "ecr"},       {"dkr", "ecr"},
                               {"api", "ecr-public"},   {"api", "sagemaker"}, {"runtime", "sagemaker"},
                               {"runtime", "lex"},      {"data", "iot"},      {"metering", "marketplace"}};
  return std::ranges::any_of(kPairs, [&](const Rename& pair) { return pair.from == sub && pair.to == label; });
}

Endpoint read_labels(Labels labels) {
  Endpoint endpoint;
  bool vpce = labels.back() == "vpce";
  if (vpce) labels.pop_back();
  if (!labels.empty() && is_region(labels.back())) {
    endpoint.region = labels.back();
    labels.pop_back();
  }
  if (!labels.empty() && labels.back() == "dualstack") labels.pop_back();
  if (labels.empty()) return {};

  std::string_view label = without_suffix(labels.back(), "-fips");
  if (label.starts_with("fips-")) label.remove_prefix(5);
  labels.pop_back();
  label = s3_label(label, endpoint.region);
  if (vpce) drop_vpce_words(labels);
  if (label == "s3-website") return {};
  if (!labels.empty() && std::ranges::find(kCustomersOwn, label) != std::end(kCustomersOwn)) return {};
  // Older names put the region in front: REGION.queue.amazonaws.com, DOMAIN.REGION.es.amazonaws.com.
  if (endpoint.region.empty() && !labels.empty() && is_region(labels.back())) {
    endpoint.region = labels.back();
    labels.pop_back();
  }
  if (has_bucket_in_front(label)) endpoint.bucket = join(labels);
  std::string name(label);
  if (!labels.empty() && is_two_label_service(without_suffix(labels.back(), "-fips"), label))
    name = std::string(without_suffix(labels.back(), "-fips")).append(".").append(label);
  endpoint.service = renamed(name);
  return endpoint;
}

}  // namespace

Endpoint endpoint_of_host(std::string_view host) {
  for (std::string_view suffix : kSuffixes)
    if (host.size() > suffix.size() && host.ends_with(suffix))
      return read_labels(split(host.substr(0, host.size() - suffix.size())));
  return {};
}

// AKID/date/region/service/aws4_request; SigV4A leaves the region out.
std::optional<Endpoint> endpoint_of_credential(std::string_view credential) {
  std::string decoded = percent_decode(credential);
  std::vector<std::string_view> parts;
  for (std::string_view rest = decoded;;) {
    size_t slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() < 4 || parts.size() > 5 || parts.back() != "aws4_request") return std::nullopt;
  std::string_view service = parts[parts.size() - 2];
  if (service.empty()) return std::nullopt;
  Endpoint endpoint;
  endpoint.service = renamed(service);
  if (parts.size() == 5) endpoint.region = parts[2];
  return endpoint;
}

std::optional<Endpoint> endpoint_of_authorization(std::string_view authorization) {
  // Signature version 2 ("AWS AKID:signature") lives on with S3 and its look-alikes only.
  if (authorization.starts_with("AWS ") && authorization.find(':') != std::string_view::npos)
    return Endpoint{.service = "s3"};
  if (!authorization.starts_with("AWS4-")) return std::nullopt;
  constexpr std::string_view kKey = "Credential=";
  size_t begin = authorization.find(kKey);
  if (begin == std::string_view::npos) return std::nullopt;
  std::string_view credential = authorization.substr(begin + kKey.size());
  return endpoint_of_credential(credential.substr(0, credential.find_first_of(", ")));
}

}  // namespace waylay::aws
