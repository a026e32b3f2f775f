#include "record/packed_exchange.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace waylay::record {
namespace {

// Some hundred exchanges of the usual size, and little to hold when only the last of them is still wanted.
constexpr size_t kBlock = 64 * 1024;

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
constexpr bool kIsVector = false;
template <class T>
constexpr bool kIsVector<std::vector<T>> = true;

// The members of each struct. Its structured binding does not compile when one is added there and not here. The flow
// and the conversation are kept beside the bytes.
template <class Each>
void members(auto& facts, Each&& each)
  requires std::is_same_v<std::remove_cvref_t<decltype(facts)>, flow::ExchangeFacts>
{
  auto& [id, flow, started, request_sent, response_started, ended, host, target, request, response, request_body,
         response_body, upstream_status, status, call, applied, notes, rules_version, end, error, conversation] = facts;
  each(id, started, request_sent, response_started, ended, host, target, request, response, request_body, response_body,
       upstream_status, status, call, applied, notes, rules_version, end, error);
}
template <class Each>
void members(auto& call, Each&& each)
  requires std::is_same_v<std::remove_cvref_t<decltype(call)>, aws::Call>
{
  auto& [service, operation, region, bucket, table, key, invocation_id, attempt, max_attempts, sdk, sdk_version,
         retry_mode, protocol] = call;
  each(service, operation, region, bucket, table, key, invocation_id, attempt, max_attempts, sdk, sdk_version,
       retry_mode, protocol);
}
template <class Each>
void members(auto& rule, Each&& each)
  requires std::is_same_v<std::remove_cvref_t<decltype(rule)>, flow::AppliedRule>
{
  auto& [name, what, injected] = rule;
  each(name, what, injected);
}
template <class Each>
void members(auto& head, Each&& each)
  requires std::is_same_v<std::remove_cvref_t<decltype(head)>, http::Head>
{
  http::Head::parts(head, each);
}

// What is done with the bytes of a value. Read changes the values that it is given, the others do not.
struct Measure {
  static constexpr bool kReads = false;
  size_t size = 0;
  void bytes(const void*, size_t count) { size += count; }
};
struct Write {
  static constexpr bool kReads = false;
  std::byte* to;
  void bytes(const void* from, size_t count) {
    std::memcpy(to, from, count);
    to += count;
  }
};
struct Read {
  static constexpr bool kReads = true;
  const std::byte* from;
  void bytes(void* to, size_t count) {
    std::memcpy(to, from, count);
    from += count;
  }
};

// Takes values apart, until they are bytes. All three do the same with a value, so what was written is what is read.
template <class Bytes>
class Archive {
 public:
  explicit Archive(Bytes bytes) : bytes_(bytes) {}
  const Bytes& bytes() const { return bytes_; }

  template <class... T>
  void operator()(T&... values) {
    (one(values), ...);
  }

 private:
  template <class T>
  void one(T& value) {
    using Type = std::remove_const_t<T>;
    if constexpr (std::is_trivially_copyable_v<Type>) {
      static_assert(!std::is_pointer_v<Type>);
      bytes_.bytes(&value, sizeof value);
    } else if constexpr (std::is_same_v<Type, std::string>) {
      sized(value);
    } else if constexpr (kIsVector<Type>) {
      if constexpr (std::is_trivially_copyable_v<typename Type::value_type>) return sized(value);
      resize(value);
      for (auto& each : value) one(each);
    } else if constexpr (kIsOptional<Type>) {
      bool there = value.has_value();
      one(there);
      if constexpr (Bytes::kReads) {
        if (there) value.emplace();
      }
      if (there) one(*value);
    } else {
      members(value, *this);
    }
  }

  // Characters, or other values that are bytes.
  template <class T>
  void sized(T& values) {
    resize(values);
    if (!values.empty()) bytes_.bytes(values.data(), values.size() * sizeof(typename T::value_type));
  }

  template <class T>
  void resize(T& values) {
    auto size = static_cast<uint32_t>(values.size());
    one(size);
    if constexpr (Bytes::kReads) values.resize(size);
  }

  Bytes bytes_;
};

}  // namespace

PackedExchange ExchangePacker::pack(const flow::ExchangeFacts& exchange) {
  Archive measured{Measure()};
  members(exchange, measured);
  PackedExchange packed;
  packed.id_ = exchange.id;
  packed.size_ = measured.bytes().size;
  packed.flow_ = exchange.flow;
  packed.conversation_ = exchange.conversation;
  std::shared_ptr<std::byte> room = room_for(packed.size_);
  Archive writing(Write{room.get()});
  members(exchange, writing);
  packed.bytes_ = std::move(room);
  return packed;
}

std::shared_ptr<std::byte> ExchangePacker::room_for(size_t size) {
  if (capacity_ - used_ < size) {
    capacity_ = std::max(size, kBlock);
    block_ = std::make_shared_for_overwrite<std::byte[]>(capacity_);
    used_ = 0;
  }
  std::shared_ptr<std::byte> room(block_, block_.get() + used_);
  used_ += size;
  return room;
}

flow::ExchangeFacts PackedExchange::unpacked() const {
  flow::ExchangeFacts exchange;
  Archive reading(Read{bytes_.get()});
  members(exchange, reading);
  exchange.flow = flow_;
  exchange.conversation = conversation_;
  return exchange;
}

}  // namespace waylay::record
