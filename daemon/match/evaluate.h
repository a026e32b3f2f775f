// A program's answer about a subject.
#pragma once

#include "match/partial.h"
#include "match/program.h"

namespace waylay::match {

Truth evaluate(const Program& program, const Subject& subject, Moment now);
Truth evaluate(const Program& program, const PartialSubject& subject);  // when everything is over

}  // namespace waylay::match
