// What rules do to a connection when its ClientHello has been read.
#include <gtest/gtest.h>

#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n";

Playbook::Setup story(std::string_view actions, std::string_view name = "origin.test") {
  Playbook::Setup told;
  told.rules = R"({"name": "r", "match": "tls.sni == \")" + std::string(name) + "\\\"\", " + std::string(actions) + "}";
  return told;
}

TEST(ConnectionRules, PassAConnectionThroughAndSayWhich) {
  Playbook play(story(R"("passthrough": true)"));
  play.run();
  EXPECT_EQ(play.facts().outcome, Outcome::PassedThrough) << play.transcript();
  EXPECT_EQ(play.facts().reason, "rule r passes it through");
  ASSERT_EQ(play.facts().applied.size(), 1u);
  EXPECT_EQ(play.facts().applied[0].what, "passthrough");
  EXPECT_FALSE(play.facts().applied[0].injected);
}

TEST(ConnectionRules, BlockWithAnAlertOrAReset) {
  Playbook refused(story(R"("block": true)"));
  refused.run();
  EXPECT_NE(refused.client_error().find("access_denied"), std::string::npos) << refused.client_error();
  EXPECT_EQ(refused.facts().reason, "blocked by rule r");
  EXPECT_EQ(refused.connections(), 0);
  EXPECT_TRUE(refused.flow().finished());
  Playbook reset(story(R"("block": "rst")"));
  reset.run();
  EXPECT_TRUE(reset.client_saw("ResetClient"));
  EXPECT_EQ(reset.connections(), 0);
}

TEST(ConnectionRules, LeaveOtherNamesAlone) {
  Playbook play(story(R"("block": true)", "other.test"));
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  EXPECT_TRUE(play.facts().applied.empty());
}

TEST(ConnectionRules, AnswerWithAnAlert) {
  Playbook play(story(R"("tls": {"alert": "handshake_failure"})"));
  play.run();
  EXPECT_NE(play.client_error().find("handshake_failure"), std::string::npos) << play.client_error();
  EXPECT_EQ(play.facts().outcome, Outcome::Failed);
  EXPECT_EQ(play.facts().reason, "refused with an alert by rule r");
  EXPECT_TRUE(play.facts().applied.at(0).injected);
}

TEST(ConnectionRules, HoldTheHandshakeBackForAsLongAsTheySay) {
  Playbook play(story(R"("tls": {"delay": "90s"})"));
  play.run();
  EXPECT_EQ(play.connections(), 0);
  play.wait(89'000);
  EXPECT_EQ(play.connections(), 0);
  play.wait(1'000);
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
}

TEST(ConnectionRules, AClientThatLeavesMeanwhileEndsTheFlow) {
  Playbook play(story(R"("tls": {"delay": "90s"})"));
  play.run();
  play.client_resets();
  EXPECT_TRUE(play.flow().finished());
}

TEST(ConnectionRules, SendTheConnectionElsewhere) {
  Playbook play(story(R"("upstream": {"host": "10.9.8.7", "port": 8443})"));
  play.client_says(kGet);
  EXPECT_TRUE(play.client_saw("ConnectUpstream 10.9.8.7:8443")) << play.transcript();
  EXPECT_EQ(play.origin_got(), kGet);
}

TEST(ConnectionRules, AskForTheCertificateThatIsWrong) {
  Playbook::Setup told = story(R"("tls": "expired")");
  told.client_trusts_us = false;
  Rejections rejections;
  told.rejections = &rejections;
  Playbook first(told);
  first.run();
  EXPECT_TRUE(first.client_saw("RequestLeaf origin.test mirrored faulty")) << first.transcript();
  // The client refuses it, as it should: that is no reason to pass it through from now on.
  Playbook second(told);
  second.run();
  EXPECT_NE(second.facts().outcome, Outcome::PassedThrough);
}

}  // namespace
}  // namespace waylay::flow
