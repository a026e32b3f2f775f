// The usual answers of a resource.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "control/api.h"
#include "control/render.h"

namespace waylay::control {

Response json_response(const Json& json, int status = 200);
Response raw_json(std::string_view name, std::string_view value);  // {"name": value}, of JSON that is made already
Response raw_json(std::string json);
Response not_found(std::string message);

}  // namespace waylay::control
