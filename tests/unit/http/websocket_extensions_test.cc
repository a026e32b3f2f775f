#include "http/websocket_extensions.h"

#include <gtest/gtest.h>

namespace waylay::http {
namespace {

Head answer(std::vector<std::string> values) {
  Head head = Head::response(101, "Switching Protocols");
  for (const std::string& value : values) head.add("Sec-WebSocket-Extensions", value);
  return head;
}

std::string side(const std::optional<MessageDeflate>& deflate) {
  if (!deflate) return "none";
  return deflate->takes_over_context ? "yes" : "alone";
}

std::string agreed(std::vector<std::string> values) {
  Result<WebSocketExtensions> found = websocket_extensions(answer(std::move(values)));
  if (!found) return found.error().message;
  return side(found->from_client) + ", " + side(found->from_server);
}

TEST(WebSocketExtensions, ReadsWhatTheAnswerSays) {
  EXPECT_EQ(agreed({}), "none, none");
  EXPECT_EQ(agreed({""}), "none, none");
  EXPECT_EQ(agreed({"permessage-deflate"}), "yes, yes");
  EXPECT_EQ(agreed({"Permessage-Deflate; Server_No_Context_Takeover"}), "yes, alone");
  EXPECT_EQ(agreed({"permessage-deflate;client_no_context_takeover ; server_max_window_bits=10"}), "alone, yes");
  EXPECT_EQ(agreed({"permessage-deflate; client_max_window_bits=\"9\"; server_max_window_bits = 8"}), "yes, yes");
  EXPECT_EQ(agreed({"", " , permessage-deflate"}), "yes, yes");
}

TEST(WebSocketExtensions, KnowsTheTextForPeople) {
  EXPECT_EQ(websocket_extensions(answer({"permessage-deflate; client_max_window_bits=9"}))->text,
            "permessage-deflate; client_max_window_bits=9");
}

TEST(WebSocketExtensions, RefusesWhatGivesFramesAnotherMeaning) {
  EXPECT_EQ(agreed({"x-webkit-deflate-frame"}), "the extension \"x-webkit-deflate-frame\" is not known");
  EXPECT_EQ(agreed({"permessage-deflate", "permessage-deflate"}), "permessage-deflate is there twice");
  for (std::string parameter :
       {"client_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=010",
        "server_max_window_bits=9x", "client_max_window_bits=", "server_no_context_takeover=1", "mystery"})
    EXPECT_EQ(agreed({"permessage-deflate; " + parameter}),
              "permessage-deflate has the parameter \"" + parameter + "\"");
}

}  // namespace
}  // namespace waylay::http
