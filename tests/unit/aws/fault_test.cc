#include "aws/fault.h"

#include <zlib.h>

#include <nlohmann/json.hpp>

#include "aws/profile.h"
#include "base/bytes.h"
#include "unit/aws/support.h"

namespace waylay::aws {
namespace {

constexpr Time kNoon{5, 1'795'348'800 * kSecond_ns};  // Sun, 22 Nov 2026 12:00:00

Answer fault(std::string_view name, std::string_view host, const http::Head& head = request("GET", "/bucket/key")) {
  Result<Answer> answer = make_fault(name, classify(head, host), head, kNoon, 1);
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? *answer : Answer{};
}

std::string field(const Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.fields)
    if (equals_ignoring_case(key, name)) return value;
  return "(none)";
}

TEST(Fault, SlowDownIsWhatS3Sends) {
  Answer answer = fault("aws:slowdown", "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.reason, "Slow Down");
  EXPECT_EQ(field(answer, "content-type"), "application/xml");
  EXPECT_EQ(field(answer, "server"), "AmazonS3");
  EXPECT_EQ(field(answer, "date"), "Sun, 22 Nov 2026 12:00:00 GMT");
  EXPECT_EQ(field(answer, "x-amz-request-id").size(), 16u);
  EXPECT_EQ(field(answer, "x-amz-id-2").size(), 76u);
  EXPECT_EQ(field(answer, "content-length"), "(none)");
  EXPECT_EQ(
      answer.body,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request "
      "rate.</Message><RequestId>" +
          field(answer, "x-amz-request-id") + "</RequestId><HostId>" + field(answer, "x-amz-id-2") +
          "</HostId></Error>");
}

TEST(Fault, HeadIsAnsweredWithoutABody) {
  Answer answer = fault("aws:slowdown", "s3.eu-west-1.amazonaws.com", request("HEAD", "/bucket/key"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "");
}

TEST(Fault, ThrottleOfDynamoDbCarriesTheRightChecksum) {
  http::Head head = request(
      "POST", "/", {{"X-Amz-Target", "DynamoDB_20120810.GetItem"}, {"Content-Type", "application/x-amz-json-1.0"}});
  Answer answer = fault("aws:throttle", "dynamodb.us-east-1.amazonaws.com", head);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.reason, "Bad Request");
  EXPECT_EQ(field(answer, "content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(field(answer, "x-amzn-requestid").size(), 52u);
  nlohmann::json body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body["__type"], "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException");
  EXPECT_EQ(field(answer, "x-amz-crc32"),
            std::to_string(crc32(0, as_u8(as_bytes(answer.body)), static_cast<uInt>(answer.body.size()))));
}

TEST(Fault, ThrottleIsEachServicesOwn) {
  struct Row {
    const char* host;
    int status;
    const char* in_body;
  };
  for (const Row& row : {
           Row{"s3.us-east-1.amazonaws.com", 503, "<Code>SlowDown</Code>"},
           {"ec2.us-east-1.amazonaws.com", 503, "<Response><Errors><Error><Code>RequestLimitExceeded</Code>"},
           {"sts.us-east-1.amazonaws.com", 400, "<Code>Throttling</Code>"},
           {"lambda.us-east-1.amazonaws.com", 429, "ReservedFunctionConcurrentInvocationLimitExceeded"},
           {"kinesis.us-east-1.amazonaws.com", 400, "kinesis.v20131202#ProvisionedThroughputExceededException"},
           {"secretsmanager.us-east-1.amazonaws.com", 400, "\"ThrottlingException\""},
           {"sqs.us-east-1.amazonaws.com", 403, "com.amazonaws.sqs#RequestThrottled"},
           {"bedrock-runtime.us-east-1.amazonaws.com", 429, "Too many requests"},
           {"some-new-service.us-east-1.amazonaws.com", 429, "Rate exceeded"},
           {"not.aws.example", 503, "<Code>SlowDown</Code>"},
       }) {
    Answer answer = fault("aws:throttle", row.host, request("POST", "/"));
    EXPECT_EQ(answer.status, row.status) << row.host;
    EXPECT_NE(answer.body.find(row.in_body), std::string::npos) << row.host << ": " << answer.body;
  }
}

TEST(Fault, ProfilesAreWhatTheServiceSendsInItsProtocol) {
  struct Row {
    const char* name;
    const char* service;
    int status;
    const char* code;
  };
  for (const Row& row : {
           Row{"unavailable", "s3", 503, "<Code>ServiceUnavailable</Code>"},
           {"unavailable", "ec2", 503, "<Code>Unavailable</Code>"},
           {"unavailable", "dynamodb", 503, "#ServiceUnavailable\""},
           {"unavailable", "lambda", 503, "ServiceUnavailableException"},
           {"internal", "s3", 500, "<Code>InternalError</Code>"},
           {"internal", "sts", 500, "<Code>InternalFailure</Code>"},
           {"internal", "dynamodb", 500, "#InternalServerError\""},
           {"internal", "secretsmanager", 500, "\"InternalServiceError\""},
           {"internal", "lambda", 500, "ServiceException"},
           {"internal", "bedrock-runtime", 500, "InternalServerException"},
           {"internal", "ecr", 500, "\"ServerException\""},
           {"internal", "kinesis", 500, "#InternalFailureException\""},
           {"internal", "sns", 500, "<Code>InternalError</Code>"},
           {"internal", "monitoring", 500, "<Code>InternalServiceError</Code>"},
           {"timeout", "s3", 400, "<Code>RequestTimeout</Code>"},
           {"timeout", "ssm", 408, "\"RequestTimeoutException\""},
           {"timeout", "bedrock-runtime", 408, "ModelTimeoutException"},
           {"expired-token", "s3", 400, "<Code>ExpiredToken</Code>"},
           {"expired-token", "sts", 403, "<Code>ExpiredToken</Code>"},
           {"expired-token", "ec2", 400, "<Code>RequestExpired</Code>"},
           {"expired-token", "kinesis", 400, "#ExpiredTokenException\""},
           {"expired-token", "lambda", 403, "ExpiredTokenException"},
           {"access-denied", "s3", 403, "<Code>AccessDenied</Code>"},
           {"access-denied", "sns", 403, "<Code>AuthorizationError</Code>"},
           {"access-denied", "ec2", 403, "<Code>UnauthorizedOperation</Code>"},
           {"access-denied", "states", 400, "#AccessDeniedException\""},
           {"access-denied", "eks", 403, "AccessDeniedException"},
       }) {
    Answer answer = fault(std::string("aws:") + row.name, std::string(row.service) + ".us-east-1.amazonaws.com",
                          request("POST", "/"));
    EXPECT_EQ(answer.status, row.status) << row.name << " " << row.service;
    std::string said = field(answer, "x-amzn-errortype") + "\n" + answer.body;
    EXPECT_NE(said.find(row.code), std::string::npos) << row.name << " " << row.service << ": " << said;
  }
}

TEST(Fault, EveryProfileHasACodeForEveryServiceAndProtocol) {
  for (const Profile& profile : profiles())
    for (const char* service : {"", "s3", "dynamodb", "sqs", "sns", "kinesis", "lambda", "ec2", "sts", "secretsmanager",
                                "ssm", "monitoring", "ecr", "ecs", "states", "bedrock-runtime", "not-in-the-table"})
      for (int protocol = 0; protocol <= static_cast<int>(Protocol::RpcV2Cbor); ++protocol) {
        Call call;
        call.service = service;
        call.protocol = static_cast<Protocol>(protocol);
        Result<Answer> answer = make_fault("aws:" + std::string(profile.name), call, request("POST", "/"), kNoon, 1);
        ASSERT_TRUE(answer) << profile.name << " " << service;
        EXPECT_GE(answer->status, 400);
        EXPECT_NE(answer->body, "");
      }
}

TEST(Fault, TakesTheProtocolThatTheRequestSpeaks) {
  http::Head form = request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}});
  Answer query = fault("aws:throttle", "sqs.us-east-1.amazonaws.com", form);
  EXPECT_NE(query.body.find("<Code>RequestThrottled</Code>"), std::string::npos) << query.body;
  EXPECT_EQ(field(query, "content-type"), "text/xml");
  Answer json = fault("aws:throttle", "sqs.us-east-1.amazonaws.com",
                      request("POST", "/", {{"Content-Type", "application/x-amz-json-1.0"}}));
  EXPECT_EQ(field(json, "x-amzn-query-error"), "RequestThrottled;Sender");
}

TEST(Fault, TellsTheQueryProtocolsCodeToClientsThatAskForIt) {
  std::string host = "monitoring.us-east-1.amazonaws.com";
  Answer cbor = fault("aws:internal", host,
                      request("POST", "/", {{"smithy-protocol", "rpc-v2-cbor"}, {"x-amzn-query-mode", "true"}}));
  EXPECT_EQ(nlohmann::json::from_cbor(cbor.body)["__type"], "com.amazonaws.cloudwatch#InternalServiceFault");
  EXPECT_EQ(field(cbor, "x-amzn-query-error"), "InternalServiceError;Receiver");
  http::Head plain = request("POST", "/", {{"Content-Type", "application/x-amz-json-1.0"}});
  EXPECT_EQ(field(fault("aws:internal", host, plain), "x-amzn-query-error"), "(none)");
  Answer json = fault("aws:QueueDoesNotExist", "sqs.us-east-1.amazonaws.com", plain);
  EXPECT_NE(json.body.find("com.amazonaws.sqs#QueueDoesNotExist"), std::string::npos) << json.body;
  EXPECT_EQ(field(json, "x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
}

TEST(Fault, ACodeOfTheQueryProtocolsOwnIsKnownByBothItsNames) {
  http::Head form = request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}});
  for (const char* name : {"aws:QueueDoesNotExist", "aws:AWS.SimpleQueueService.NonExistentQueue"}) {
    Answer answer = fault(name, "sqs.us-east-1.amazonaws.com", form);
    EXPECT_NE(answer.body.find("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), std::string::npos)
        << answer.body;
  }
}

TEST(Fault, AnswersAnyCodeOfTheTableInAnyCase) {
  EXPECT_EQ(fault("aws:INTERNALERROR", "s3.us-east-1.amazonaws.com").status, 500);
  EXPECT_EQ(fault("AWS:SlowDown", "s3.us-east-1.amazonaws.com").status, 503);
  Answer missing = fault("aws:NoSuchKey", "s3.us-east-1.amazonaws.com", request("GET", "/bucket/%3Ca%26b%3E"));
  EXPECT_NE(missing.body.find("<Key>&lt;a&amp;b&gt;</Key>"), std::string::npos) << missing.body;
  EXPECT_EQ(fault("aws:ExpiredToken", "s3.us-east-1.amazonaws.com").status, 400);
  EXPECT_EQ(fault("aws:ExpiredToken", "sts.us-east-1.amazonaws.com").status, 403);
}

TEST(Fault, IdsDifferFromAnswerToAnswer) {
  http::Head head = request("GET", "/bucket/key");
  Call call = classify(head, "s3.us-east-1.amazonaws.com");
  EXPECT_NE(field(*make_fault("aws:slowdown", call, head, kNoon, 1), "x-amz-request-id"),
            field(*make_fault("aws:slowdown", call, head, kNoon, 2), "x-amz-request-id"));
}

TEST(Fault, NamesThatAreUnknownAreRefusedWithTheNearest) {
  EXPECT_EQ(check_fault("aws:slowdwon").error().message, "unknown AWS error code \"slowdwon\"; did you mean SlowDown?");
  EXPECT_EQ(check_fault("slowdown").error().message,
            "unknown fault \"slowdown\"; faults are aws:throttle, aws:slowdown, aws:unavailable, aws:internal, "
            "aws:timeout, aws:expired-token, aws:access-denied and aws:CODE, such as aws:NoSuchKey");
  EXPECT_FALSE(check_fault(""));
  EXPECT_FALSE(check_fault("aws:"));
  EXPECT_FALSE(make_fault("aws:nope", Call(), request("GET", "/"), kNoon, 1));
  for (const char* name :
       {"aws:throttle", "aws:slowdown", "aws:ProvisionedThroughputExceededException", "AWS:Throttling"})
    EXPECT_TRUE(check_fault(name)) << name;
}

}  // namespace
}  // namespace waylay::aws
