// What an AWS SDK says of itself in User-Agent (or X-Amz-User-Agent, where a browser keeps the first for itself).
// "Boto3/1.26.27 Python/3.11.2 Linux/6.1 Botocore/1.29.27"; newer ones add "m/D,e,Z" (features, one letter each; D, E
// and F are the retry modes) and "cfg/retry-mode#legacy".
#pragma once

#include <string>
#include <string_view>

namespace waylay::aws {

struct UserAgent {
  std::string sdk, version;
  std::string retry_mode;  // "legacy", "standard", "adaptive"; "" when not said
};

UserAgent read_user_agent(std::string_view value);

}  // namespace waylay::aws
