#include "rules/template_reader.h"

namespace waylay::rules {

Template read_template(Reader& reader, const Json& value, const Place& place) {
  std::optional<std::string> text = reader.text(value, place);
  if (!text) return {};
  Result<Template> made = Template::compile(*text);
  if (made) return std::move(*made);
  reader.wrong(place, made.error().message);
  return {};
}

}  // namespace waylay::rules
