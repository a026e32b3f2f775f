#include "aws/user_agent.h"

#include <algorithm>

#include "base/bytes.h"

namespace waylay::aws {
namespace {

// Products that are an SDK or stand on one. Names that begin with "aws-sdk-" are taken without being listed.
constexpr std::string_view kProducts[] = {"Boto3", "Botocore", "aws-cli", "AWSPowerShell"};

bool is_sdk(std::string_view product) {
  auto same = [product](std::string_view name) { return equals_ignoring_case(name, product); };
  return std::ranges::any_of(kProducts, same) || to_lower(product).starts_with("aws-sdk-");
}

bool is_retry_mode(std::string_view mode) {
  return mode == "legacy" || mode == "standard" || mode == "adaptive";
}

// "m/D,e,Z": letters D, E, F in the list of features are the retry modes.
std::string_view mode_of_features(std::string_view features) {
  while (!features.empty()) {
    std::string_view feature = features.substr(0, features.find(','));
    features.remove_prefix(std::min(features.size(), feature.size() + 1));
    if (feature == "D") return "legacy";
    if (feature == "E") return "standard";
    if (feature == "F") return "adaptive";
  }
  return {};
}

// "cfg/retry-mode#legacy"; Java writes "cfg/retry-mode/legacy".
std::string_view mode_of_setting(std::string_view setting) {
  constexpr std::string_view kName = "retry-mode";
  if (!setting.starts_with(kName) || setting.size() <= kName.size() + 1) return {};
  std::string_view mode = setting.substr(kName.size() + 1);
  return is_retry_mode(mode) ? mode : std::string_view();
}

}  // namespace

UserAgent read_user_agent(std::string_view value) {
  UserAgent agent;
  std::string_view features;
  while (!value.empty()) {
    std::string_view token = value.substr(0, value.find(' '));
    value.remove_prefix(std::min(value.size(), token.size() + 1));
    size_t slash = token.find('/');
    if (slash == std::string_view::npos) continue;
    std::string_view name = token.substr(0, slash), rest = token.substr(slash + 1);
    if (agent.sdk.empty() && is_sdk(name)) {
      agent.sdk = name;
      agent.version = rest;
    } else if (name == "cfg" && agent.retry_mode.empty()) {
      agent.retry_mode = mode_of_setting(rest);
    } else if (name == "m") {
      features = rest;
    }
  }
  if (!agent.sdk.empty() && agent.retry_mode.empty()) agent.retry_mode = mode_of_features(features);
  return agent;
}

}  // namespace waylay::aws
