#include "control/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_backend.h"

namespace waylay::control {
namespace {

using ::testing::HasSubstr;

struct Answer {
  int status = 0;
  std::string head, body;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class Api : public ::testing::Test {
 protected:
  Connection connect() { return Connection(context, "uid=0 pid=1", time); }

  // What is in the output, read by our own reader as answers to `methods`.
  std::vector<Answer> answers(Connection& connection, std::vector<std::string> methods) {
    std::string bytes(connection.output().text());
    connection.on_sent(bytes.size(), time);
    while (!connection.output().empty()) {  // a long body is made while it is sent
      bytes += connection.output().text();
      connection.on_sent(connection.output().size(), time);
    }
    http::H1Reader reader(http::Kind::Response, Side::Upstream);
    std::vector<Answer> found;
    reader.put(as_bytes(bytes));
    for (const std::string& method : methods) {
      reader.answer_to(method);
      for (;;) {
        auto event = reader.next();
        if (event == http::H1Reader::Event::Head) {
          if (reader.head().status() != 100) found.push_back({reader.head().status(), reader.head().raw(), ""});
        } else if (event == http::H1Reader::Event::Body) {
          found.back().body += as_text(reader.payload());
        } else if (event == http::H1Reader::Event::End && !found.empty()) {
          break;
        } else if (event != http::H1Reader::Event::End) {
          return found;
        }
      }
    }
    return found;
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "") {
    Connection connection = connect();
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: waylay\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    connection.on_bytes(as_bytes(request + "\r\n" + body), time);
    std::vector<Answer> found = answers(connection, {method});
    return found.empty() ? Answer() : found.front();
  }

  Time time{kSecond_ns, kSecond_ns};
  FakeBackend backend;
  Feed feed;
  Context context{backend, feed};
};

TEST_F(Api, ShowsTheStatusWithItsTargets) {
  Answer answer = ask("GET", "/v1/status");
  EXPECT_EQ(answer.status, 200);
  auto target = answer.json()["targets"][0];
  EXPECT_EQ(target["name"], "docker:web");
  EXPECT_EQ(target["kernel"]["bypassed"], 1);
  EXPECT_EQ(target["connections"]["passed_through"], 2);
}

TEST_F(Api, ListsExchangesThatMatchTheNewestLast) {
  backend.add_exchange(1, "a.example", 200);
  backend.add_exchange(2, "b.example", 503);
  backend.add_exchange(3, "a.example", 429);
  auto all = ask("GET", "/v1/exchanges").json()["exchanges"];
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["id"], 1);
  EXPECT_EQ(all[1]["status"], 503);
  EXPECT_EQ(all[2]["duration_ms"], 12.0);
  EXPECT_EQ(all[0]["container"]["name"], "web");
  auto matching = ask("GET", "/v1/exchanges?match=http.host%20%3D%3D%20%22a.example%22&limit=1").json()["exchanges"];
  ASSERT_EQ(matching.size(), 1u);
  EXPECT_EQ(matching[0]["id"], 3);
  EXPECT_EQ(ask("GET", "/v1/exchanges?match=http.host+%3D%3D+%22no%22").json()["exchanges"].size(), 0u);
}

TEST_F(Api, ListsConnectionsWithoutExchangesInTheOrderOfTime) {
  backend.add_exchange(1, "a.example", 200);
  backend.add_passthrough(7, "pinned.example", "the client refused our certificate", 2);
  backend.add_exchange(3, "a.example", 200);
  auto all = ask("GET", "/v1/exchanges?connections=true").json()["exchanges"];
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1]["type"], "flow");
  EXPECT_EQ(all[1]["reason"], "the client refused our certificate");
}

TEST_F(Api, SendsALongListWhole) {
  for (uint64_t id = 1; id <= 2000; ++id) backend.add_exchange(id, "a.example", 200);
  Answer answer = ask("GET", "/v1/exchanges?limit=2000");
  EXPECT_THAT(answer.head, HasSubstr("chunked"));
  EXPECT_EQ(answer.json()["exchanges"].size(), 2000u);
}

TEST_F(Api, HoldsLittleOfALongListWhileTheReaderIsSlow) {
  for (uint64_t id = 1; id <= 2000; ++id) backend.add_exchange(id, "a.example", 200);
  Connection connection = connect();
  connection.on_bytes(as_bytes("GET /v1/exchanges?limit=2000 HTTP/1.1\r\nHost: waylay\r\n\r\n"), time);
  EXPECT_LT(connection.output().size(), Connection::kMaximumWaiting + 64 * 1024);
}

TEST_F(Api, ShowsTextThatIsNotUtf8) {
  backend.add_exchange(1, "a.example", 200, "X-Odd: \xff\xfe\r\n");
  Answer answer = ask("GET", "/v1/exchanges/1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json()["request"]["headers"][1][0], "X-Odd");
}

TEST_F(Api, ShowsOneExchangeOrFlowOrSaysThatThereIsNone) {
  backend.add_exchange(1, "a.example", 200);
  EXPECT_EQ(ask("GET", "/v1/exchanges/1").json()["host"], "a.example");
  EXPECT_EQ(ask("GET", "/v1/flows/101").json()["outcome"], "intercepted");
  for (const char* target : {"/v1/exchanges/2", "/v1/exchanges/x", "/v1/exchanges/-1", "/v1/flows/1",
                             "/v1/flows/99999999999999999999", "/v1", "/", "/v1/nothing", "/v2/status"}) {
    Answer answer = ask("GET", target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.json()["error"]["kind"], "not_found") << target;
  }
}

TEST_F(Api, AddsReplacesAndRemovesRules) {
  Answer added = ask("POST", "/v1/rules?origin=rules.d%2Fa.json", "{\"name\": \"new\"}");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.json()["names"][0], "new");
  EXPECT_EQ(backend.last_origin, "rules.d/a.json");
  EXPECT_EQ(backend.last_json, "{\"name\": \"new\"}");
  EXPECT_EQ(ask("GET", "/v1/rules").json()["rules"].size(), 1u);
  EXPECT_EQ(ask("PUT", "/v1/rules", "[]").status, 200);
  EXPECT_EQ(ask("DELETE", "/v1/rules/new").status, 200);
  EXPECT_EQ(ask("DELETE", "/v1/rules/new").status, 404);
  backend.rule_names = {"a/b"};
  EXPECT_EQ(ask("DELETE", "/v1/rules/a%2Fb").status, 200);
  backend.rule_names = {"a", "b"};
  EXPECT_EQ(ask("DELETE", "/v1/rules").json()["removed"], 2);
}

TEST_F(Api, LintsTheRulesInForceAndThoseThatAreSent) {
  EXPECT_EQ(ask("GET", "/v1/lint").json()["warnings"][0]["kind"], "bare-429");
  EXPECT_EQ(ask("POST", "/v1/lint?origin=a.json", "{}").json()["warnings"].size(), 0u);
  Answer wrong = ask("POST", "/v1/lint?origin=a.json", "bad");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json()["error"]["message"], "a.json: bad");
  EXPECT_TRUE(backend.rule_names.empty());
}

TEST_F(Api, SwitchesFaultsOffAndOn) {
  EXPECT_EQ(ask("GET", "/v1/faults").json()["enabled"], true);
  EXPECT_EQ(ask("GET", "/v1/faults").json()["profiles"][0]["name"], "aws:throttle");
  EXPECT_EQ(ask("PUT", "/v1/faults", R"({"enabled": false})").json()["enabled"], false);
  EXPECT_FALSE(backend.faults_on);
  for (const char* bad : {"", "[]", "{}", R"({"enabled": 0})", R"({"enabled": true, "more": 1})"})
    EXPECT_EQ(ask("PUT", "/v1/faults", bad).status, 400) << bad;
  EXPECT_FALSE(backend.faults_on);
  EXPECT_EQ(ask("PUT", "/v1/faults", R"({"enabled": true})").status, 200);
  EXPECT_TRUE(backend.faults_on);
}

TEST_F(Api, TellsTheLineAndColumnOfAnError) {
  auto error = ask("POST", "/v1/rules", "bad").json()["error"];
  EXPECT_EQ(error["kind"], "invalid");
  EXPECT_EQ(error["line"], 2);
  EXPECT_EQ(error["column"], 11);
  Answer expression = ask("GET", "/v1/flows?match=http.hots%20%3D%3D%201");
  EXPECT_EQ(expression.status, 400);
  EXPECT_EQ(expression.json()["error"]["line"], 1);
  EXPECT_THAT(expression.body, HasSubstr("http.host"));
}

TEST_F(Api, RefusesParametersThatItDoesNotKnowOrUnderstand) {
  for (const char* target : {"/v1/status?x=1", "/v1/flows?limit=x", "/v1/flows?limit=99999", "/v1/flows?limit=-1",
                             "/v1/exchanges?follow=perhaps", "/v1/flows?limit=1&limit=2", "/v1/flows?match=%zz",
                             "/v1/flows?match=%0", "/v1/%00"})
    EXPECT_EQ(ask("GET", target).status, 400) << target;
}

TEST_F(Api, SaysWhichMethodsAResourceTakes) {
  Answer answer = ask("PATCH", "/v1/rules");
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.head, HasSubstr("Allow: GET, POST, PUT, DELETE\r\n"));
}

TEST_F(Api, AnswersHeadWithoutBody) {
  Answer answer = ask("HEAD", "/v1/version");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST_F(Api, TakesRulesAsOneDocumentOrAsFiles) {
  EXPECT_EQ(ask("POST", "/v1/rules", R"({"files": [{"name": "a.json", "text": "{}"}]})").status, 201);
  EXPECT_EQ(backend.last_origin, "a.json");
  EXPECT_EQ(backend.last_json, "{}");
  EXPECT_EQ(backend.last_by, "uid=0 pid=1");
  Answer bad =
      ask("PUT", "/v1/rules", R"({"files": [{"name": "a", "text": "{}"}, {"name": "b.json", "text": "bad"}]})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("b.json: line 2"));
  for (const char* other : {R"({"files": 7})", R"({"files": [{"name": "a"}]})", R"({"files": [], "x": 1})"}) {
    ask("POST", "/v1/rules", other);
    EXPECT_EQ(backend.last_origin, "api") << other;  // a document, whose reader says what is wrong with it
  }
}

TEST_F(Api, TellsVersionsAndBringsThemBack) {
  EXPECT_EQ(ask("GET", "/v1/history").json()["versions"][0]["version"], 2);
  EXPECT_EQ(ask("GET", "/v1/diff").json()["of"], "rules.d");
  EXPECT_EQ(ask("GET", "/v1/diff?from=1&to=2").json(), (nlohmann::json{{"from", 1}, {"to", 2}}));
  EXPECT_EQ(ask("GET", "/v1/diff?from=1").json()["to"], 0);
  EXPECT_EQ(ask("GET", "/v1/diff?to=2").status, 400);
  EXPECT_EQ(ask("GET", "/v1/diff?from=0").status, 400);
  EXPECT_EQ(ask("GET", "/v1/diff?from=one").status, 400);
  EXPECT_EQ(ask("POST", "/v1/diff?origin=a.json", "{}").json()["of"], "a.json");
  EXPECT_EQ(ask("POST", "/v1/reload").json()["rules"], 3);
  EXPECT_EQ(ask("POST", "/v1/rollback", R"({"version": 2})").json()["what"], "removed slow");
  EXPECT_EQ(ask("POST", "/v1/rollback", R"({"version": 9})").status, 404);
  for (const char* odd : {"", "2", "{}", R"({"version": "2"})", R"({"version": -1})"})
    EXPECT_EQ(ask("POST", "/v1/rollback", odd).status, 400) << odd;
}

TEST_F(Api, HoldsRulesForAsLongAsTheConnectionLasts) {
  auto connection = std::make_unique<Connection>(context, "uid=0 pid=1", time);
  connection->on_bytes(as_bytes("POST /v1/hold HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\n{}"), time);
  EXPECT_THAT(std::string(connection->output().text()), HasSubstr(R"({"hold":"1","names":["new"]})"));
  connection->on_sent(connection->output().size(), time);
  EXPECT_EQ(backend.groups, std::vector<std::string>{"hold 1"});
  EXPECT_FALSE(connection->deadline_ns());  // it may last
  connection->on_events(time);
  EXPECT_TRUE(connection->output().empty());
  connection.reset();
  EXPECT_EQ(backend.groups, std::vector<std::string>{});
  EXPECT_EQ(ask("POST", "/v1/hold", "bad").status, 400);
  EXPECT_EQ(backend.groups, std::vector<std::string>{});
}

TEST_F(Api, StartsAndStopsScenariosByName) {
  EXPECT_EQ(ask("POST", "/v1/scenarios/talk?origin=talk.json", "{}").status, 201);
  EXPECT_EQ(backend.last_origin, "talk.json");
  EXPECT_EQ(ask("GET", "/v1/scenarios").json()["scenarios"][0], "scenario talk");
  EXPECT_EQ(ask("DELETE", "/v1/scenarios/talk").json()["removed"], 1);
  EXPECT_EQ(ask("DELETE", "/v1/scenarios/talk").status, 404);
}

TEST_F(Api, TriesRulesOnWhatIsOnRecordAndOnWhatComes) {
  backend.add_exchange(1, "a.example", 200);
  EXPECT_EQ(ask("POST", "/v1/dry-run", "{}").json()["seen"], 1);
  Connection live = connect();
  live.on_bytes(as_bytes("POST /v1/dry-run?live HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\n{}"), time);
  EXPECT_THAT(std::string(live.output().text()), HasSubstr(R"({"seen":0,"lost":0})"));
  live.on_sent(live.output().size(), time);
  feed.publish(backend.kept_exchanges[0]);
  feed.publish(backend.kept_exchanges[0]);
  feed.deliver();
  live.on_events(time);
  EXPECT_THAT(std::string(live.output().text()), HasSubstr(R"({"seen":2,"lost":0})"));
}

TEST_F(Api, AnswersRequestsByteByByteAndPipelined) {
  Connection connection = connect();
  std::string request =
      "GET /v1/version HTTP/1.1\r\nHost: w\r\n\r\nPOST /v1/rules HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "2\r\n{}\r\n0\r\n\r\nGET /v1/exchanges HTTP/1.1\r\nHost: w\r\n\r\n";
  for (char c : request) connection.on_bytes(as_bytes(&c, 1), time);
  std::vector<Answer> found = answers(connection, {"GET", "POST", "GET"});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].status, 201);
  EXPECT_EQ(backend.last_json, "{}");

  Connection pipelined = connect();
  pipelined.on_bytes(as_bytes(request), time);
  EXPECT_EQ(answers(pipelined, {"GET", "POST", "GET"}).size(), 3u);
}

TEST_F(Api, ClosesWhenAskedToAndWithHttp10) {
  Connection closing = connect();
  closing.on_bytes(as_bytes("GET /v1/version HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n"), time);
  EXPECT_FALSE(closing.finished());
  closing.on_sent(closing.output().size(), time);
  EXPECT_TRUE(closing.finished());
  Connection old = connect();
  old.on_bytes(as_bytes("GET /v1/exchanges HTTP/1.0\r\n\r\n"), time);
  EXPECT_EQ(std::string(old.output().text()).find("Transfer-Encoding"), std::string::npos);
  EXPECT_THAT(std::string(old.output().text()), HasSubstr("{\"exchanges\":[]}"));
  old.on_sent(old.output().size(), time);
  EXPECT_TRUE(old.finished());
}

TEST_F(Api, LimitsARequest) {
  Connection announced = connect();
  announced.on_bytes(as_bytes("POST /v1/rules HTTP/1.1\r\nHost: w\r\nContent-Length: 1048577\r\n\r\n"), time);
  EXPECT_EQ(answers(announced, {"POST"})[0].status, 413);
  EXPECT_TRUE(announced.finished());
  std::string piece(100'000, 'x');
  Connection chunked = connect();
  chunked.on_bytes(as_bytes("POST /v1/rules HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n"), time);
  for (int i = 0; i < 11; ++i) chunked.on_bytes(as_bytes("186a0\r\n" + piece + "\r\n"), time);
  EXPECT_EQ(answers(chunked, {"POST"})[0].status, 413);
  Connection endless = connect();
  endless.on_bytes(as_bytes("GET / HTTP/1.1\r\nX: "), time);
  for (int i = 0; i < 3; ++i) endless.on_bytes(as_bytes(piece), time);
  EXPECT_EQ(answers(endless, {"GET"})[0].status, 431);
}

TEST_F(Api, RefusesWhatIsNotHttp) {
  Connection connection = connect();
  connection.on_bytes(as_bytes("{\"verb\":\"attach\"}\n"), time);
  EXPECT_EQ(answers(connection, {"GET"})[0].status, 400);
  EXPECT_TRUE(connection.finished());
}

TEST_F(Api, GivesUpOnASlowRequestAndOnAnIdleConnection) {
  Connection slow = connect();
  slow.on_bytes(as_bytes("GET /v1/ver"), time);
  slow.on_time({time.steady_ns + Connection::kRequestLimit_ns - 1, 0});
  EXPECT_TRUE(slow.output().empty());
  slow.on_time({time.steady_ns + Connection::kRequestLimit_ns, 0});
  EXPECT_EQ(answers(slow, {"GET"})[0].status, 408);
  EXPECT_TRUE(slow.finished());
  Connection idle = connect();
  idle.on_time({time.steady_ns + Connection::kIdleLimit_ns, 0});
  EXPECT_TRUE(idle.finished());
}

TEST_F(Api, ExpectsContinue) {
  Connection connection = connect();
  connection.on_bytes(
      as_bytes("POST /v1/rules HTTP/1.1\r\nHost: w\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), time);
  EXPECT_EQ(connection.output().text(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.on_bytes(as_bytes("{}"), time);
  EXPECT_EQ(answers(connection, {"POST"})[0].status, 201);
}

class Following : public Api {
 protected:
  std::vector<nlohmann::json> lines(Connection& connection) {
    std::string body;
    std::string bytes;
    while (!connection.output().empty()) {
      bytes += connection.output().text();
      connection.on_sent(connection.output().size(), time);
    }
    reader.put(as_bytes(bytes));
    for (auto event = reader.next(); event != http::H1Reader::Event::NeedMore; event = reader.next()) {
      if (event == http::H1Reader::Event::Failed) {
        ADD_FAILURE() << reader.error().message;
        break;
      }
      body += as_text(reader.payload());
    }
    std::vector<nlohmann::json> found;
    for (size_t begin = 0, end; (end = body.find('\n', begin)) != std::string::npos; begin = end + 1)
      found.push_back(nlohmann::json::parse(body.substr(begin, end - begin)));
    return found;
  }

  Connection follow(const std::string& parameters) {
    reader.answer_to("GET");
    Connection connection = connect();
    connection.on_bytes(as_bytes("GET /v1/exchanges?follow=true" + parameters + " HTTP/1.1\r\nHost: w\r\n\r\n"), time);
    return connection;
  }

  void happen(uint64_t id, std::string_view host, int status) {
    backend.add_exchange(id, host, status);
    feed.publish(backend.kept_exchanges.back());
    feed.deliver();
  }

  http::H1Reader reader{http::Kind::Response, Side::Upstream};
};

TEST_F(Following, GetsWhatWasAndWhatComesOnce) {
  backend.add_exchange(1, "a.example", 200);
  backend.add_exchange(2, "b.example", 200);
  Connection connection = follow("&limit=10&match=http.host+%3D%3D+%22a.example%22");
  auto past = lines(connection);
  ASSERT_EQ(past.size(), 1u);
  EXPECT_EQ(past[0]["id"], 1);
  feed.publish(backend.kept_exchanges[0]);  // it was in flight when the past was asked for
  happen(3, "b.example", 200);
  happen(4, "a.example", 503);
  connection.on_events(time);
  auto live = lines(connection);
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0]["id"], 4);
}

TEST_F(Following, GetsConnectionsWhenAskedTo) {
  Connection with = follow("&connections=true");
  Connection without(context, "", time);
  without.on_bytes(as_bytes("GET /v1/exchanges?follow=true HTTP/1.1\r\nHost: w\r\n\r\n"), time);
  without.on_sent(without.output().size(), time);
  backend.add_passthrough(7, "pinned.example", "refused", 2);
  feed.publish(backend.kept_flows.back());
  feed.deliver();
  with.on_events(time);
  without.on_events(time);
  auto live = lines(with);
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0]["outcome"], "passthrough");
  EXPECT_TRUE(without.output().empty());
}

TEST_F(Following, GetsMessagesWhenAskedTo) {
  Connection with = follow("&messages=true&match=http.host+%3D%3D+%22chat.example%22");
  Connection without(context, "", time);
  without.on_bytes(as_bytes("GET /v1/exchanges?follow=true HTTP/1.1\r\nHost: w\r\n\r\n"), time);
  without.on_sent(without.output().size(), time);
  for (std::string_view host : {"chat.example", "other.example"}) {
    backend.add_exchange(1, host, 101);
    auto message = std::make_shared<flow::MessageFacts>();
    message->exchange = backend.kept_exchanges.back();
    message->from_client = true;
    message->size = 500;
    message->content = "half a charact\xc3";
    feed.publish(std::shared_ptr<const flow::MessageFacts>(message));
  }
  feed.deliver();
  with.on_events(time);
  without.on_events(time);
  auto live = lines(with);
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0]["type"], "message");
  EXPECT_EQ(live[0]["exchange"], 1);
  EXPECT_EQ(live[0]["from"], "client");
  EXPECT_EQ(live[0]["text"], "half a charact");
  EXPECT_EQ(live[0]["cut"], true);
  EXPECT_EQ(live[0]["process"]["pid"], 42);
  EXPECT_TRUE(without.output().empty());
}

TEST_F(Following, IsToldHowMuchItMissedWhenItReadsTooSlowly) {
  Connection connection = follow("");
  constexpr uint64_t kMany = 20'000;
  for (uint64_t id = 1; id <= kMany; ++id) {
    happen(id, "a.example", 200);
    connection.on_events(time);
  }
  EXPECT_LT(connection.output().size(), Connection::kMaximumWaiting + 64 * 1024);
  uint64_t lost = 0, last = 0, seen = 0;
  for (const auto& line : lines(connection)) {
    if (line["type"] == "gap") {
      lost += line["lost"].get<uint64_t>();
    } else {
      ++seen;
      EXPECT_GT(line["id"], last);
      last = line["id"];
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(seen + lost, kMany);
  EXPECT_EQ(last, kMany);
}

TEST_F(Following, NeverEndsForWantOfEvents) {
  Connection connection = follow("");
  lines(connection);
  EXPECT_FALSE(connection.deadline_ns());
  connection.on_time({time.steady_ns + 3600 * kSecond_ns, 0});
  EXPECT_FALSE(connection.finished());
}

TEST(Feed, HoldsNoMoreContentOfMessagesThanItMay) {
  Feed feed;
  Subscription subscription(feed, {}, {.messages = true});
  auto exchange = std::make_shared<flow::ExchangeFacts>();
  exchange->flow = std::make_shared<const flow::FlowFacts>();
  auto message = std::make_shared<flow::MessageFacts>();
  message->exchange = exchange;
  message->content = std::string(16 * 1024, 'x');
  size_t told = Feed::kMaximumContent / message->content.size() + 5;
  for (size_t i = 0; i < told; ++i) feed.publish(std::shared_ptr<const flow::MessageFacts>(message));
  feed.deliver();
  size_t seen = 0;
  while (subscription.next()) ++seen;
  EXPECT_LE(seen, Subscription::kMaximumContent / message->content.size());
  EXPECT_GT(seen, 0u);
  EXPECT_EQ(seen + subscription.take_gap(), told);
  feed.publish(std::shared_ptr<const flow::MessageFacts>(message));
  feed.deliver();
  EXPECT_TRUE(subscription.next()) << "there is room again";
}

TEST(Feed, CountsWhatNobodyTookOver) {
  Feed feed;
  Subscription subscription(feed, {}, {.connections = true});
  auto flow = std::make_shared<const flow::FlowFacts>();
  for (size_t i = 0; i < Feed::kMaximumPublished + 5; ++i) feed.publish(flow);
  feed.deliver();
  uint64_t seen = 0;
  while (subscription.next()) ++seen;
  EXPECT_EQ(seen + subscription.take_gap(), Feed::kMaximumPublished + 5);
}

}  // namespace
}  // namespace waylay::control
