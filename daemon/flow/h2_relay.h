// An HTTP/2 connection, mirrored: one upstream connection for the client's, one stream for each of its streams, and an
// exchange for each (h2_exchange.h). Streams come and go at once; a slow one slows its mirror only.
//
// What the upstream's connection does, the client's does: GOAWAY is passed on, its end resets the streams that were
// open and lets those that were answered end. An error of HTTP/2 ends the connection that made it, the streams of the
// other are told by resets. The upstream's own SETTINGS (extended CONNECT, fewer streams) are passed on as they come:
// its first ones with our first, which wait for them as the client would. Its windows are as large as the client's own.
#pragma once

#include <memory>
#include <vector>

#include "base/byte_queue.h"
#include "flow/h2_exchange.h"
#include "flow/relay.h"

namespace waylay::flow {

class H2Relay final : public Relay {
 public:
  explicit H2Relay(Context context);
  ~H2Relay() override;

  void on_client_bytes(Bytes plaintext, Time now) override;
  void on_client_end(bool reset, Time now) override;
  void on_upstream_ready(Time now) override;
  void on_upstream_bytes(Bytes plaintext, Time now) override;
  void on_upstream_end(bool clean, std::optional<Error> error, Time now) override;
  void on_time(Time now) override;
  void on_writable(Time now) override;
  void on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) override;
  void on_no_more_upstreams(Time now) override;

  bool wants_client_bytes() const override;
  bool wants_upstream_bytes() const override;
  std::optional<int64_t> deadline_ns() const override;
  bool idle() const override { return exchanges_open_.empty(); }

 private:
  class ClientEnd;
  class UpstreamEnd;

  // Calls `event` for every exchange, any of which may end by it.
  template <class Event>
  void for_each(const Event& event);
  void begin(http::H2Stream& stream, http::H2Head head, bool ends);
  void go_on(H2Exchange& exchange);
  void settle(H2Exchange& exchange);
  void refused(std::string why);
  void start_client(const std::optional<http::H2Settings>& mirrored);
  void start_upstream();
  void leave(bool at_once, http::H2Code code = http::H2Code::NoError, std::string_view debug = {});
  // Behind every event.
  void run();
  void flush();
  bool waits_for_settings() const;
  bool flush_client();
  bool flush_upstream();
  void end_upstream();
  void end_client();
  void carry_out_ending();
  // Ends.
  void abandon_all(const std::string& why);
  void close(bool with_close_notify);
  void reset();

  std::unique_ptr<ClientEnd> client_end_;
  std::unique_ptr<UpstreamEnd> upstream_end_;
  H2Sides sides_;
  std::vector<std::unique_ptr<H2Exchange>> exchanges_open_;
  ByteQueue early_;   // what the upstream said before the client's SETTINGS, with which it is answered
  ByteQueue output_;  // on its way from a session to the link
  Time now_;          // of the event being handled
  bool client_settings_came_ = false, closed_ = false;
  std::optional<int64_t> silent_until_ns_;  // towards the client, while the upstream's SETTINGS are on their way
  std::optional<Ending> ending_;            // of the connection, wished by a rule
};

}  // namespace waylay::flow
