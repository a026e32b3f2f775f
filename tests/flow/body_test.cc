// Bodies that rules edit, on their way through a flow: coded, framed, said of in headers, and left alone.
#include <gtest/gtest.h>

#include "body/coding.h"
#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n";
constexpr std::string_view kEdit = R"("body": {"json_patch": [{"op": "replace", "path": "/a", "value": 2}]})";

class Bodies : public testing::TestWithParam<size_t> {
 protected:
  Playbook::Setup rule(std::string_view members) {
    Playbook::Setup told;
    told.piece = GetParam();
    told.rules = R"({"name": "edit", "match": "", )" + std::string(members) + "}";
    return told;
  }
};
INSTANTIATE_TEST_SUITE_P(Delivered, Bodies, testing::Values(0, 1, 7));

std::string coded_response(std::string_view fields, body::Coding coding) {
  std::string coded = body::encode(R"({"a": 1})", {{coding}});
  return "HTTP/1.1 200 OK\r\nContent-Encoding: " + std::string(to_string(coding)) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(coded.size()) + "\r\n\r\n" + coded;
}

std::string body_of(const std::string& message) {
  return message.substr(message.find("\r\n\r\n") + 4);
}

TEST_P(Bodies, GoOutInTheCodingInWhichTheyCame) {
  for (body::Coding coding : {body::Coding::Gzip, body::Coding::Deflate, body::Coding::Brotli, body::Coding::Zstd}) {
    Playbook play(rule(kEdit));
    play.client_says(kGet);
    play.origin_says(coded_response("ETag: \"x\"\r\n", coding));
    std::string got = play.client_got(), sent = body_of(got);
    EXPECT_EQ(body::decode(sent, {{coding}}).value_or("?"), R"({"a":2})") << play.transcript();
    EXPECT_NE(got.find("Content-Length: " + std::to_string(sent.size()) + "\r\n"), std::string::npos) << got;
    EXPECT_EQ(got.find("ETag"), std::string::npos) << got;
  }
}

TEST_P(Bodies, WhatARuleSaysOfThemInHeadersHolds) {
  Playbook play(rule(R"("headers": {"set": {"ETag": "\"mine\""}}, )" + std::string(kEdit)));
  play.client_says(kGet);
  play.origin_says(coded_response("ETag: \"x\"\r\n", body::Coding::Gzip));
  EXPECT_NE(play.client_got().find("ETag: \"mine\"\r\n"), std::string::npos) << play.transcript();
}

TEST_P(Bodies, ThatArePartsStayAsTheyAre) {
  Playbook play(rule(kEdit));
  play.client_says(kGet);
  std::string part =
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-7/9\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
  play.origin_says(part);
  EXPECT_EQ(play.client_got(), part);
  ASSERT_EQ(play.exchanges().size(), 1u);
  ASSERT_EQ(play.exchanges()[0]->notes.size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->notes[0], "edit: the body was not edited: a part of a whole that nobody sees (206)");
}

TEST_P(Bodies, ThatAreNotJsonStayAsTheyAre) {
  Playbook play(rule(kEdit));
  play.client_says(kGet);
  std::string chunked =
      "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\n<a>\r\n0\r\nB: c\r\n\r\n";
  play.origin_says(chunked);
  EXPECT_EQ(play.client_got(), chunked);
  EXPECT_EQ(play.exchanges().at(0)->notes.at(0), "edit: the body was not edited: the body is not JSON");
}

TEST_P(Bodies, OfRequestsAreEditedOnTheirWayUp) {
  Playbook play(rule(R"("request_body": {"regex": "o", "with": "00"})"));
  play.client_says("POST /a HTTP/1.1\r\nHost: origin.test\r\nContent-MD5: x\r\nContent-Length: 3\r\n\r\none");
  std::string got = play.origin_got();
  EXPECT_EQ(body_of(got), "00ne") << play.transcript();
  EXPECT_NE(got.find("Content-Length: 4\r\n"), std::string::npos) << got;
  EXPECT_EQ(got.find("Content-MD5: x"), std::string::npos) << got;
}

}  // namespace
}  // namespace waylay::flow
