// The table of fields in docs/rules.md is the code's.
#include <gtest/gtest.h>

#include "match/fields.h"
#include "support/page.h"

namespace waylay::match {
namespace {

std::string code(std::string_view name) {
  return "`" + std::string(name) + "`";
}

std::string names(const FieldInfo& field) {
  std::string text = code(field.name);
  for (std::string_view alias : field.aliases)
    if (!alias.empty()) text += ", " + code(alias);
  return text;
}

// A bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out.append(c == '|' ? "\\|" : std::string(1, c));
  return out;
}

std::string field_table() {
  std::string text = "| field | type | known from | meaning |\n|---|---|---|---|\n";
  for (const FieldInfo& field : all_fields())
    text += "| " + names(field) + " | " + std::string(to_string(field.type)) + " | " +
            std::string(to_string(field.moment)) + " | " + cell(field.documentation) + " |\n";
  return text;
}

TEST(Documentation, ItsTableOfFieldsIsTheCodes) {
  Page("rules.md").expect_section("fields", field_table());
}

}  // namespace
}  // namespace waylay::match
