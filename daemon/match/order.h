// How values are compared: numbers, text with or without case, addresses without their port.
#pragma once

#include <compare>
#include <string_view>

#include "base/address.h"

namespace waylay::match {

// Addresses of two families have no order. Both are unmapped.
std::partial_ordering order(const Address& a, const Address& b);

// Exact, whatever the size of the numbers.
std::partial_ordering order(int64_t a, double b);

// By bytes; with ignore_case, `b` is in lower case already.
std::strong_ordering order(std::string_view a, std::string_view b, bool ignore_case);

// With ignore_case, `part` is in lower case already.
bool contains(std::string_view text, std::string_view part, bool ignore_case);

bool is_in_network(const Address& address, const Address& base, unsigned prefix);

}  // namespace waylay::match
