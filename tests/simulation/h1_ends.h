// Both ends of an HTTP/1.1 connection: a client that asks what is planned, in order, sometimes before it has the
// answers, and an origin that answers each request once it is complete.
#pragma once

#include "simulation/message_reader.h"
#include "simulation/speaker.h"

namespace waylay::simulation {

class H1Client final : public ClientSpeaker {
 public:
  explicit H1Client(Story& story);

  std::string say() override;
  void hear(std::string_view text) override;
  void hear_end() override { answers_.end(); }
  bool wants_to_end() const override;
  std::string describe() const override;
  void check() const override;
  size_t asked() const override { return asked_; }
  std::vector<Seen> seen() const override;

 private:
  size_t final_answers() const;
  void check_answer(const Message& message, const PlannedExchange& planned) const;

  Story& story_;
  const size_t pipelined_;
  MessageReader answers_;
  size_t asked_ = 0;     // requests begun
  std::string request_;  // the rest of the one being written
};

class H1Origin final : public Speaker {
 public:
  explicit H1Origin(Story& story) : story_(story) {}

  std::string say() override;
  void hear(std::string_view text) override;
  void hear_end() override { heard_end_ = true; }
  bool wants_to_end() const override;
  bool would_cut() const override { return !answer_.empty() && ends_after_answer_; }
  std::string describe() const override;

 private:
  void check_requests();

  Story& story_;
  MessageReader requests_;
  size_t checked_ = 0;   // requests that were complete when they were looked at
  size_t answered_ = 0;  // of the requests
  std::string answer_;   // being written
  bool ends_after_answer_ = false, heard_end_ = false;
};

}  // namespace waylay::simulation
