#include "aws/body.h"

#include "unit/aws/support.h"

namespace waylay::aws {
namespace {

const http::Head kForm = request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});

http::Head dynamodb_request(std::string_view operation) {
  return request("POST", "/",
                 {{"X-Amz-Target", "DynamoDB_20120810." + std::string(operation)},
                  {"Content-Type", "application/x-amz-json-1.0"}});
}

std::string table_of(std::string_view operation, std::string_view body) {
  Call call = classify(dynamodb_request(operation), "dynamodb.eu-west-1.amazonaws.com");
  read_body(body, call);
  EXPECT_EQ(call.operation, operation);
  return call.table;
}

std::string operation_of(std::string_view body) {
  Call call = classify(kForm, "sqs.eu-west-1.amazonaws.com");
  read_body(body, call);
  return call.operation;
}

TEST(CallBody, IsLookedIntoOnlyWhereItTellsSomething) {
  for (const char* host : {"ec2.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"})
    EXPECT_TRUE(is_told_by_body(kForm, classify(kForm, host))) << host;
  for (const char* host : {"s3.eu-west-1.amazonaws.com", "example.org"})
    EXPECT_FALSE(is_told_by_body(kForm, classify(kForm, host))) << host;
  http::Head item = dynamodb_request("GetItem");
  EXPECT_TRUE(is_told_by_body(item, classify(item, "dynamodb.eu-west-1.amazonaws.com")));
  EXPECT_FALSE(is_told_by_body(item, classify(item, "kinesis.eu-west-1.amazonaws.com")));
  http::Head named = request("POST", "/?Action=Publish", {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_FALSE(is_told_by_body(named, classify(named, "sns.eu-west-1.amazonaws.com")));
}

TEST(CallBody, NamesTheActionOfAForm) {
  EXPECT_EQ(operation_of("Action=SendMessage&Version=2012-11-05&MessageBody=x"), "SendMessage");
  EXPECT_EQ(operation_of("Version=2012-11-05&Action=SendMessage"), "SendMessage");
  EXPECT_EQ(operation_of("NoAction=SendMessage"), "");
  EXPECT_EQ(operation_of("Action=%00"), "");
  EXPECT_EQ(operation_of(""), "");
}

TEST(CallBody, NamesTheTableOfADynamoDbOperation) {
  EXPECT_EQ(table_of("GetItem", R"({"TableName": "orders", "Key": {"id": {"S": "1"}}})"), "orders");
  EXPECT_EQ(table_of("PutItem", R"({"Item": {"TableName": {"S": "decoy"}}, "TableName": "or.d_er-s"})"), "or.d_er-s");
  EXPECT_EQ(table_of("Query", R"({"TableName": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/day"})"),
            "orders");
  EXPECT_EQ(table_of("BatchGetItem", R"({"RequestItems": {"orders": {"Keys": []}, "customers": {}}})"), "orders");
  EXPECT_EQ(table_of("TransactWriteItems", R"({"TransactItems": [{"Put": {"Item": {}, "TableName": "orders"}}]})"),
            "orders");
  EXPECT_EQ(table_of("TagResource", R"({"Tags": [], "ResourceArn": "arn:aws:dynamodb:eu-west-1:1:table/orders"})"),
            "orders");
}

TEST(CallBody, IsNoTableWhereTheBodyNamesNone) {
  for (const char* body : {"", "{", "[]", "null", "{}", R"({"TableName": 1})", R"({"TableName": ""})", "not json",
                           R"({"TableName": "with space"})", R"({"TableName": {"S": "orders"}})",
                           R"({"ResourceArn": "arn:aws:dynamodb::1:global-table/orders"})",
                           R"({"Item": {"TableName": "orders"}})", R"(["TableName", "orders"])"})
    EXPECT_EQ(table_of("GetItem", body), "") << body;
}

}  // namespace
}  // namespace waylay::aws
