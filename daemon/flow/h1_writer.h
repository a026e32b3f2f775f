// Writes one side's HTTP/1.1 messages as an exchange wants them framed: as they came, or with framing of our own.
#pragma once

#include "flow/relay.h"

namespace waylay::flow {

class H1Writer {
 public:
  using Sink = void (Relay::Link::*)(Bytes plaintext);
  H1Writer(Relay::Link& link, Sink sink) : link_(link), sink_(sink) {}

  void head(http::Head& head, Framing framing);
  void body(const BodyPart& part);
  void end(const BodyEnd& end);
  void break_framing();  // a chunk size that is none, where chunks are

 private:
  void write(Bytes bytes) { (link_.*sink_)(bytes); }
  Relay::Link& link_;
  Sink sink_;
  Framing::Type framing_ = Framing::Type::AsItCame;
};

}  // namespace waylay::flow
