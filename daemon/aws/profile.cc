#include "aws/profile.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace waylay::aws {

const Profile* find_profile(std::string_view name) {
  auto same = [name](const Profile& row) { return equals_ignoring_case(row.name, name); };
  auto found = std::ranges::find_if(profiles(), same);
  return found == profiles().end() ? nullptr : &*found;
}

std::string_view code_of(const Profile& profile, const Service* service, Protocol protocol) {
  if (profile.name == "throttle" && service) return service->throttle;
  auto fits = [&](const ProfileCode& row) {
    bool its = row.service.empty() || (service && row.service == service->name);
    return row.profile == profile.name && its && (row.protocol == Protocol::Unknown || row.protocol == protocol);
  };
  auto found = std::ranges::find_if(profile_codes(), fits);
  CHECK(found != profile_codes().end());  // each profile has a row for any service
  return found->code;
}

}  // namespace waylay::aws
