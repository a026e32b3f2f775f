#include "simulation/text_end.h"

#include <algorithm>

namespace waylay::simulation {

TextEnd::TextEnd(Story& story, bool is_client, std::string says, std::string hears)
    : story_(story), is_client_(is_client), says_(std::move(says)), hears_(std::move(hears)) {}

std::string TextEnd::say() {
  std::string piece = says_.substr(said_, story_.piece(20'000));
  said_ += piece.size();
  return piece;
}

void TextEnd::hear(std::string_view text) {
  if (hears_.compare(heard_, text.size(), text) != 0) story_.wrong("one end got other bytes");
  heard_ += text.size();
}

bool TextEnd::wants_to_end() const {
  if (said_ < says_.size()) return false;
  return is_client_ ? story_.finishing && heard_ == hears_.size() : heard_end_;
}

std::string TextEnd::describe() const {
  return "said " + std::to_string(said_) + "/" + std::to_string(says_.size()) + ", heard " + std::to_string(heard_) +
         "/" + std::to_string(hears_.size());
}

void TextEnd::check() const {
  if (!story_.troubled && heard_ != hears_.size()) story_.wrong("bytes for the client were lost");
}

}  // namespace waylay::simulation
