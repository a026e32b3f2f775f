// The fields of a head in the form that nghttp2 takes; it copies them and makes the names lower case. Used by h2.cc
// alone.
#pragma once

#include <nghttp2/nghttp2.h>

#include <vector>

#include "http/h2_head.h"

namespace waylay::http {

class H2Fields {
 public:
  H2Fields& of_request(const Head& head, const H2Extras& extras);
  H2Fields& of_response(const Head& head, std::string_view never_indexed);
  H2Fields& of_trailers(const Trailers& trailers);

  const nghttp2_nv* data() const { return list_.data(); }
  size_t size() const { return list_.size(); }

 private:
  void add(std::string_view name, std::string_view value, bool never_index = false);
  void add_fields(const Head& head, std::string_view never_indexed, bool host_is_authority);

  std::vector<nghttp2_nv> list_;  // kept from head to head for its memory
  char status_[3] = {};
};

}  // namespace waylay::http
