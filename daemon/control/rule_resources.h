// The resources that deal with rules: the rules themselves, their versions, lint, faults, holds and scenarios.
#pragma once

#include "control/api.h"

namespace waylay::control {

Response get_rules(Context& context, const Request& request);
Response post_rules(Context& context, const Request& request);
Response put_rules(Context& context, const Request& request);
Response delete_rules(Context& context, const Request& request);
Response delete_rule(Context& context, const Request& request);

Response post_reload(Context& context, const Request& request);
Response get_history(Context& context, const Request& request);
Response get_diff(Context& context, const Request& request);
Response post_diff(Context& context, const Request& request);
Response post_rollback(Context& context, const Request& request);

Response post_dry_run(Context& context, const Request& request);
Response get_lint(Context& context, const Request& request);
Response post_lint(Context& context, const Request& request);
Response get_faults(Context& context, const Request& request);
Response put_faults(Context& context, const Request& request);

Response post_hold(Context& context, const Request& request);
Response get_scenarios(Context& context, const Request& request);
Response post_scenario(Context& context, const Request& request);
Response delete_scenario(Context& context, const Request& request);

}  // namespace waylay::control
