// A dry run over live traffic: a line with what was counted so far, now and whenever something came.
#pragma once

#include <memory>

#include "control/api.h"
#include "control/feed.h"

namespace waylay::control {

class DryRunSource final : public Source {
 public:
  DryRunSource(std::unique_ptr<Subscription> subscription, std::unique_ptr<Trial> trial)
      : subscription_(std::move(subscription)), trial_(std::move(trial)) {}
  Step next(std::string& out) override;

 private:
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<Trial> trial_;
  bool said_ = false;
};

}  // namespace waylay::control
