// One end of a connection that is no TLS: it says its text, and hears the other one's.
#pragma once

#include "simulation/speaker.h"

namespace waylay::simulation {

class TextEnd final : public ClientSpeaker {
 public:
  // The client ends when it has heard all, the origin when its client has ended.
  TextEnd(Story& story, bool is_client, std::string says, std::string hears);

  std::string say() override;
  void hear(std::string_view text) override;
  void hear_end() override { heard_end_ = true; }
  bool wants_to_end() const override;
  std::string describe() const override;
  void check() const override;
  size_t asked() const override { return 0; }
  std::vector<Seen> seen() const override { return {}; }

 private:
  Story& story_;
  const bool is_client_;
  const std::string says_, hears_;
  size_t said_ = 0, heard_ = 0;
  bool heard_end_ = false;
};

}  // namespace waylay::simulation
