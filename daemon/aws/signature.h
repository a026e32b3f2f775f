// What the signature of a request covers: an edit of that is refused by the service. Signature version 4, in the
// Authorization header or in the query (AWS IAM User Guide, "Create a signed AWS API request").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace waylay::aws {

class Signature {
 public:
  // Nothing: the request is not signed.
  static std::optional<Signature> of(const http::Head& request);

  // Headers that begin with x-amz- are refused when they are not signed, so that none can be added either.
  bool covers_header(std::string_view name) const;
  bool covers_body() const { return covers_body_; }

 private:
  std::string headers_;  // as the signature lists them: "host;x-amz-date"
  bool covers_body_ = true;
};

}  // namespace waylay::aws
