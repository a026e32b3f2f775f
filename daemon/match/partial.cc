#include "match/partial.h"

#include "match/evaluate.h"
#include "match/parser.h"

namespace waylay::match {

Result<PartialExpression> PartialExpression::compile(std::string_view text) {
  Source source(text);
  if (Result<void> checked = source.check(); !checked) return fail(checked);
  auto program = std::make_unique<Program>();
  if (Result<void> parsed = parse(source, *program); !parsed) return fail(parsed);
  return PartialExpression(std::move(program));
}

PartialExpression::PartialExpression(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
PartialExpression::PartialExpression(PartialExpression&&) noexcept = default;
PartialExpression& PartialExpression::operator=(PartialExpression&&) noexcept = default;
PartialExpression::~PartialExpression() = default;

Truth PartialExpression::evaluate(const PartialSubject& subject) const {
  return match::evaluate(*program_, subject);
}

}  // namespace waylay::match
