#include "flow/held_body.h"

namespace waylay::flow {

void HeldBody::append(const BodyPart& part) {
  if (!framed_ && part.content.size() != part.wire.size()) {
    framed_ = true;
    content_.append(wire_.bytes());
  }
  wire_.append(part.wire);
  if (framed_) content_.append(part.content);
}

void HeldBody::end(const BodyEnd& end) {
  end_wire_.append(end.wire);
  if (end.trailers) trailers_ = *end.trailers;
}

void HeldBody::clear_content() {
  if (wire_.empty()) return;
  wire_.clear();
  content_.clear();
}

void HeldBody::clear() {
  clear_content();
  if (!end_wire_.empty()) end_wire_.clear();
  if (!trailers_.empty()) trailers_.clear();
}

}  // namespace waylay::flow
