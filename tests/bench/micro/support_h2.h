// The two ends of an HTTP/2 connection that goes through something, without I/O: a client that asks for what a load
// generator asks for, and an origin that answers as nginx does.
#pragma once

#include <memory>

#include "http/h2.h"

namespace waylay::bench {

class H2Ends {
 public:
  H2Ends();
  ~H2Ends();

  void ask(size_t streams);  // at once
  bool all_answered() const;
  void client_receives(Bytes bytes);
  void origin_receives(Bytes bytes);
  // What they have to say.
  void pull_client(ByteQueue& out);
  void pull_origin(ByteQueue& out);

 private:
  class AtClient;
  class AtOrigin;
  std::unique_ptr<AtClient> at_client_;
  std::unique_ptr<AtOrigin> at_origin_;
  std::unique_ptr<http::H2Client> client_;
  std::unique_ptr<http::H2Server> origin_;
  http::Head request_;
  http::H2Extras extras_;
};

}  // namespace waylay::bench
