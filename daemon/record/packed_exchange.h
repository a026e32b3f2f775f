// An exchange's facts as the store keeps them: bytes in a block that many share, less than half of the memory of
// ExchangeFacts (two thirds where the heads are long) and nothing to allocate or free for one alone. Immutable; made
// into facts again for whoever asks.
#pragma once

#include <memory>

#include "flow/facts.h"

namespace waylay::record {

class PackedExchange {
 public:
  uint64_t id() const { return id_; }
  size_t size() const { return size_; }  // octets, without its conversation
  const flow::Conversation* conversation() const { return conversation_.get(); }
  flow::ExchangeFacts unpacked() const;

 private:
  friend class ExchangePacker;
  uint64_t id_ = 0;
  std::shared_ptr<const std::byte> bytes_;  // holds its block
  size_t size_ = 0;
  std::shared_ptr<const flow::FlowFacts> flow_;
  std::shared_ptr<const flow::Conversation> conversation_;
};

// Packs one after another into blocks. A block is freed with the last of its exchanges; what was packed may be read
// while others are being added.
class ExchangePacker {
 public:
  PackedExchange pack(const flow::ExchangeFacts& exchange);

 private:
  std::shared_ptr<std::byte> room_for(size_t size);

  std::shared_ptr<std::byte[]> block_;
  size_t used_ = 0, capacity_ = 0;
};

}  // namespace waylay::record
