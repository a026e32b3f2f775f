// Requests as their clients write them, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "aws/call.h"

namespace waylay::aws {

inline http::Head request(std::string_view method, std::string_view target,
                          std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {}) {
  http::Head head = http::Head::request(method, target);
  for (auto [name, value] : fields) head.add(name, value);
  return head;
}

constexpr std::string_view kSignedForS3 =
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, "
    "Signature=00";

}  // namespace waylay::aws
