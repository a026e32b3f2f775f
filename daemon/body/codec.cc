#include "body/codec.h"

#include <algorithm>

namespace waylay::body {

Error larger_than(size_t most) {
  return Error::local(ErrorKind::Limit, "the body is larger than " + std::to_string(most) + " bytes when decoded");
}

Error not_coded(std::string_view coding, std::string_view why) {
  return Error::local(ErrorKind::Protocol, "the body is not " + std::string(coding) + ": " + std::string(why));
}

char* Output::room() {
  constexpr size_t kFirst = 16 * 1024;
  if (used_ == text_.size()) text_.resize(std::min(most_ + 1, std::max(kFirst, 2 * text_.size())));
  return text_.data() + used_;
}

std::string Output::take() && {
  text_.resize(used_);
  return std::move(text_);
}

}  // namespace waylay::body
