// An origin's end of an HTTP/2 connection: answers what is planned, in any order, some before the request is complete;
// resets some streams, and sometimes leaves with GOAWAY.
#pragma once

#include "simulation/h2_end.h"

namespace waylay::simulation {

class H2Origin final : public H2End {
 public:
  explicit H2Origin(Story& story);

  bool wants_to_end() const override;
  std::string describe() const override;

 private:
  bool act() override;
  void on_head(Stream& stream) override;
  void on_informational(Stream&, const Fields&) override {}  // a client makes none
  void on_end(Stream& stream) override;
  void on_reset(Stream& stream) override;
  void on_go_away(uint32_t last, Farewell farewell) override;
  Stream* begun_by_peer(uint32_t id) override;
  bool is_slow(const PlannedExchange& exchange) const override { return exchange.slow_request; }
  Progress& said(size_t exchange) override { return story_.responses[exchange]; }
  Progress& heard(size_t exchange) override { return story_.requests[exchange]; }
  void add_settings(std::string& settings) override;
  std::string own_malformed() override;

  bool leave();
  void answer(Stream& stream);
  bool may_answer(const Stream& stream) const;
  bool stop_a_request();

  const uint32_t most_streams_;
  const bool offers_connect_;
  size_t leaves_after_;   // requests; 0: never
  uint32_t highest_ = 0;  // stream
  size_t requests_ = 0;
  bool warned_ = false, left_ = false;  // by a GOAWAY that names no stream; by the last one
  bool settings_said_ = false;
};

}  // namespace waylay::simulation
