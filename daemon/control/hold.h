// A dead-man switch: rules that are in force as long as one connection to the API is. The answer to POST /v1/hold is a
// stream that says its one line when the rules act, and then nothing more; when the connection ends, however it ends,
// the stream is destroyed and the rules are gone.
#pragma once

#include <memory>
#include <span>

#include "control/api.h"

namespace waylay::control {

class HoldSource final : public Source {
 public:
  static Result<std::unique_ptr<HoldSource>> begin(Context& context, std::span<const rules::Document> documents,
                                                   const rules::By& by);
  ~HoldSource() override;
  HoldSource(const HoldSource&) = delete;
  HoldSource& operator=(const HoldSource&) = delete;

  Step next(std::string& out) override;

 private:
  HoldSource(Backend& backend, std::string name, std::string who, std::string line);

  Backend& backend_;
  const std::string name_, who_;
  std::string line_;  // empty: it was said
};

}  // namespace waylay::control
