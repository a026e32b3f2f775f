// A program's answer about a subject.
#pragma once

#include "match/program.h"

namespace waylay::match {

Truth evaluate(const Program& program, const Subject& subject, Moment now);

}  // namespace waylay::match
