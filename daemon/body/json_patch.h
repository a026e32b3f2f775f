// JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) as edits: see edit.h.
#pragma once

#include "body/edit.h"

namespace waylay::body {

std::expected<std::shared_ptr<const Edit>, Mistake> make_json_patch(const nlohmann::ordered_json& operations);
std::expected<std::shared_ptr<const Edit>, Mistake> make_merge_patch(const nlohmann::ordered_json& patch);

}  // namespace waylay::body
