#include "control/daemon.h"

#include <sys/prctl.h>

#include "base/log.h"
#include "control/proxy_backend.h"
#include "control/server.h"
#include "proxy/proxy.h"

namespace waylay::control {
namespace {

// The store keeps a fact first and tells it on then, so that a follower can ask for what it was told of.
class Publisher final : public flow::Recorder {
 public:
  explicit Publisher(ApiServer& server) : server_(server) {}

  // Once for each connection that is not decrypted: a passthrough when it is decided, a failure when it is over.
  void flow_changed(const std::shared_ptr<const flow::FlowFacts>& facts) override {
    bool over = facts->closed.steady_ns != 0;
    if (is_undecrypted(*facts) && over == (facts->outcome == flow::Outcome::Failed)) server_.publish(facts);
  }
  void exchange_ended(const flow::ExchangeFacts& facts) override { server_.publish(facts); }
  void exchange_changed(const std::shared_ptr<const flow::ExchangeFacts>& facts) override {
    if (facts->is_told_again()) server_.publish(facts);
  }
  void message_seen(const std::shared_ptr<const flow::MessageFacts>& facts) override { server_.publish(facts); }

 private:
  ApiServer& server_;
};

int failed(std::string_view what, const Error& error) {
  log::error(std::string("event=start-failed ").append(what) + ": " + error.message);
  return 1;
}

}  // namespace

int run_proxy(Fd channel) {
  // It was started as /proc/self/exe: without this, ps and top would call it "exe".
  ::prctl(PR_SET_NAME, "waylayd-proxy");
  Result<std::unique_ptr<proxy::Proxy>> started = proxy::Proxy::start(std::move(channel));
  if (!started) return failed("starting the proxy", started.error());
  proxy::Proxy& proxy = **started;

  ProxyBackend backend(proxy);
  ApiServer server(backend);
  Publisher publisher(server);
  proxy.store().tell(&publisher);
  if (Result<void> serving = server.start(proxy.take_api_listener()); !serving)
    return failed("serving the API", serving.error());
  int status = proxy.run();
  server.stop();
  proxy.store().tell(nullptr);
  return status;
}

}  // namespace waylay::control
