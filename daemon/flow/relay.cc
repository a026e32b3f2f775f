#include "flow/relay.h"

namespace waylay::flow {

Relay::Relay(Context context)
    : link_(context.link),
      options_(context.options),
      flow_(std::move(context.flow)),
      rules_(context.rules),
      recorder_(context.recorder),
      identifiers_(context.identifiers) {}

Exchange::Context Relay::begin_exchange() {
  ++exchanges_;
  uint64_t version = rules_.version();
  if (!rule_set_ || version != rule_set_version_) {
    rule_set_ = rules_.current();
    rule_set_version_ = version;
  }
  return {rule_set_, recorder_, identifiers_.next_exchange(), options_.error_page};
}

}  // namespace waylay::flow
