// One daemon for each directory: a lock that ends with the process, holding its number for the next one to name.
#pragma once

#include <string>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

// Conflict, with the other daemon's number, when somebody has it. `option` is what gives a second daemon its own.
Result<Fd> lock_directory(const std::string& directory, const std::string& option);

}  // namespace waylay::warden
