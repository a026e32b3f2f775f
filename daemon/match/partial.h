// An expression asked of a subject that does not know everything: a record without bodies, say. What depends on a field
// that is not known is Unknown (Kleene logic), so that Yes and No are right whatever that field was.
//
// For looking at records, not for traffic: an Expression asks its subject once less for each field.
#pragma once

#include <memory>
#include <string_view>

#include "match/expression.h"

namespace waylay::match {

class PartialSubject : public Subject {
 public:
  // Whether it can tell this field. `key` is empty unless the field takes the name of a header.
  virtual bool knows(Field field, std::string_view key) const = 0;
};

class PartialExpression {
 public:
  // Of the text of an Expression; errors are the same.
  static Result<PartialExpression> compile(std::string_view text);
  PartialExpression(PartialExpression&&) noexcept;
  PartialExpression& operator=(PartialExpression&&) noexcept;
  ~PartialExpression();

  Truth evaluate(const PartialSubject& subject) const;

 private:
  explicit PartialExpression(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace waylay::match
