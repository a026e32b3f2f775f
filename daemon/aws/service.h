// An AWS service's row of tables.h.
#pragma once

#include "aws/tables.h"

namespace waylay::aws {

// Nullptr: it has no row of its own.
const Service* find_service(std::string_view name);

}  // namespace waylay::aws
