// The client's end of an HTTP/2 connection: asks what is planned on many streams at once, resets some, reads a few only
// when all others are over, and asks again what was refused.
#pragma once

#include "simulation/h2_end.h"

namespace waylay::simulation {

class H2Client final : public H2End, public ClientSpeaker {
 public:
  explicit H2Client(Story& story);

  bool wants_to_end() const override;
  std::string describe() const override;
  void check_rest() const override;
  void check() const override;
  size_t asked() const override { return asked_; }
  std::vector<Seen> seen() const override;

 private:
  bool act() override;
  void on_head(Stream& stream) override;
  void on_informational(Stream& stream, const Fields& fields) override;
  void on_end(Stream& stream) override;
  void on_reset(Stream& stream) override;
  void on_go_away(uint32_t last, Farewell farewell) override;
  Stream* begun_by_peer(uint32_t) override { wrong("the flow begins a stream"); }
  bool is_slow(const PlannedExchange& exchange) const override { return exchange.slow_response; }
  Progress& said(size_t exchange) override { return story_.requests[exchange]; }
  Progress& heard(size_t exchange) override { return story_.responses[exchange]; }
  void add_settings(std::string& settings) override;
  std::string own_malformed() override;

  bool may_ask() const;
  void ask(size_t exchange);
  void refused(Stream& stream);
  void close(size_t exchange);
  bool nothing_left() const;

  const size_t parallel_;
  std::deque<size_t> waiting_;  // exchanges that are not asked, or were refused
  std::vector<Seen> seen_;      // by exchange
  std::vector<bool> begun_;
  uint32_t next_id_ = 1;
  size_t asked_ = 0, refusals_ = 0;  // of streams
  size_t refused_in_row_ = 0;        // each asked when the one before was refused, and none answered meanwhile
  uint32_t asked_before_refusal_ = 0;
  std::optional<Farewell> farewell_;  // the flow's
  bool left_ = false;                 // we said GOAWAY
};

}  // namespace waylay::simulation
