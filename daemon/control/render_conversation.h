// Conversations and their messages as JSON, as render.h does it for facts.
#pragma once

#include "control/render.h"

namespace waylay::control {

// Of an exchange that has one, as its member "conversation"; else null.
Json conversation_to_json(const flow::ExchangeFacts& facts);

}  // namespace waylay::control
