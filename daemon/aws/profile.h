// Names for what goes wrong with AWS, whatever the service: the profiles of tables.h.
#pragma once

#include "aws/tables.h"

namespace waylay::aws {

// In any case; nullptr: there is none of that name.
const Profile* find_profile(std::string_view name);

// The error code that `service` (its row; nullptr: it has none) answers with in this protocol. It is in the table of
// error codes.
std::string_view code_of(const Profile& profile, const Service* service, Protocol protocol);

}  // namespace waylay::aws
