#include "aws/endpoint.h"

#include <gtest/gtest.h>

namespace waylay::aws {
namespace {

struct Row {
  const char *host, *service, *region, *bucket;
};

TEST(Endpoint, ReadsEveryFormOfS3sHostNames) {
  for (const Row& row : {
           Row{"s3.amazonaws.com", "s3", "", ""},
           {"s3.eu-west-1.amazonaws.com", "s3", "eu-west-1", ""},
           {"s3-eu-west-1.amazonaws.com", "s3", "eu-west-1", ""},
           {"s3-external-1.amazonaws.com", "s3", "us-east-1", ""},
           {"bucket.s3.amazonaws.com", "s3", "", "bucket"},
           {"bucket.s3.us-west-2.amazonaws.com", "s3", "us-west-2", "bucket"},
           {"my.dotted.bucket.s3.us-west-2.amazonaws.com", "s3", "us-west-2", "my.dotted.bucket"},
           {"bucket.s3-ap-southeast-1.amazonaws.com", "s3", "ap-southeast-1", "bucket"},
           {"bucket.s3.dualstack.eu-north-1.amazonaws.com", "s3", "eu-north-1", "bucket"},
           {"s3.dualstack.eu-north-1.amazonaws.com", "s3", "eu-north-1", ""},
           {"bucket.s3-fips.us-gov-west-1.amazonaws.com", "s3", "us-gov-west-1", "bucket"},
           {"bucket.s3-fips.dualstack.us-east-2.amazonaws.com", "s3", "us-east-2", "bucket"},
           {"bucket.s3-accelerate.amazonaws.com", "s3", "", "bucket"},
           {"bucket.s3-accelerate.dualstack.amazonaws.com", "s3", "", "bucket"},
           {"bucket.s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1", "bucket"},
           {"access-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "s3", "us-west-2", "access-123456789012"},
           {"base--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "s3", "us-east-1",
            "base--use1-az4--x-s3"},
           {"s3express-control.us-east-1.amazonaws.com", "s3", "us-east-1", ""},
           {"bucket.bucket.vpce-0a1b2c-xyz.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1", "bucket"},
           {"123456789012.s3-control.us-east-1.amazonaws.com", "s3-control", "us-east-1", ""},
       }) {
    Endpoint endpoint = endpoint_of_host(row.host);
    EXPECT_EQ(endpoint.service, row.service) << row.host;
    EXPECT_EQ(endpoint.region, row.region) << row.host;
    EXPECT_EQ(endpoint.bucket, row.bucket) << row.host;
  }
}

TEST(Endpoint, ReadsOtherServicesHostNames) {
  for (const Row& row : {
           Row{"dynamodb.us-east-1.amazonaws.com", "dynamodb", "us-east-1", ""},
           {"123456789012.ddb.us-east-1.amazonaws.com", "dynamodb", "us-east-1", ""},
           {"123456789012.data-kinesis.eu-west-1.amazonaws.com", "kinesis", "eu-west-1", ""},
           {"123456789012.control-kinesis.eu-west-1.amazonaws.com", "kinesis", "eu-west-1", ""},
           {"streams.dynamodb.us-east-1.amazonaws.com", "streams.dynamodb", "us-east-1", ""},
           {"sqs.eu-central-1.amazonaws.com", "sqs", "eu-central-1", ""},
           {"eu-central-1.queue.amazonaws.com", "sqs", "eu-central-1", ""},
           {"queue.amazonaws.com", "sqs", "", ""},
           {"sts.amazonaws.com", "sts", "", ""},
           {"sts.us-gov-east-1.amazonaws.com", "sts", "us-gov-east-1", ""},
           {"sts-fips.us-east-1.amazonaws.com", "sts", "us-east-1", ""},
           {"iam.amazonaws.com", "iam", "", ""},
           {"kinesis.cn-northwest-1.amazonaws.com.cn", "kinesis", "cn-northwest-1", ""},
           {"lambda.eu-west-1.api.aws", "lambda", "eu-west-1", ""},
           {"ec2.us-iso-east-1.amazonaws.com", "ec2", "us-iso-east-1", ""},
           {"api.ecr.us-east-1.amazonaws.com", "ecr", "us-east-1", ""},
           {"123456789012.dkr.ecr.us-east-1.amazonaws.com", "ecr", "us-east-1", ""},
           {"bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime", "us-east-1", ""},
           {"runtime.sagemaker.us-east-1.amazonaws.com", "runtime.sagemaker", "us-east-1", ""},
           {"abc123.execute-api.us-east-1.amazonaws.com", "execute-api", "us-east-1", ""},
           {"search-domain.us-east-1.es.amazonaws.com", "es", "us-east-1", ""},
           {"vpce-0a1b2c-xyz.sqs.us-east-1.vpce.amazonaws.com", "sqs", "us-east-1", ""},
           {"rds.eu-west-1.amazonaws.com", "rds", "eu-west-1", ""},
           {"some-new-service.eu-west-1.amazonaws.com", "some-new-service", "eu-west-1", ""},
       }) {
    Endpoint endpoint = endpoint_of_host(row.host);
    EXPECT_EQ(endpoint.service, row.service) << row.host;
    EXPECT_EQ(endpoint.region, row.region) << row.host;
    EXPECT_EQ(endpoint.bucket, row.bucket) << row.host;
  }
}

TEST(Endpoint, LeavesWebsitesAndCustomersOwnServersAlone) {
  for (const char* host : {"example.org", "amazonaws.com", ".amazonaws.com", "notamazonaws.com",
                           "bucket.s3-website-eu-west-1.amazonaws.com", "bucket.s3-website.eu-central-1.amazonaws.com",
                           "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com", "ec2-1-2-3-4.compute-1.amazonaws.com",
                           "balancer-1.us-east-1.elb.amazonaws.com", "balancer-1.elb.us-east-1.amazonaws.com",
                           "db.abc.us-east-1.rds.amazonaws.com", "vpce.amazonaws.com", "us-east-1.amazonaws.com",
                           "dualstack.us-east-1.amazonaws.com", "", "s3.amazonaws.com.evil.example"})
    EXPECT_EQ(endpoint_of_host(host).service, "") << host;
}

TEST(Endpoint, ReadsTheCredentialScope) {
  auto endpoint = endpoint_of_authorization(
      "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->service, "dynamodb");
  EXPECT_EQ(endpoint->region, "eu-west-1");
  endpoint = endpoint_of_authorization(
      "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261122/s3/aws4_request,SignedHeaders=host,Signature=0");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->service, "s3");
  EXPECT_EQ(endpoint->region, "");
  EXPECT_EQ(endpoint_of_credential("AKID%2F20261122%2Fus-east-1%2Fs3express%2Faws4_request")->service, "s3");
  EXPECT_EQ(endpoint_of_authorization("AWS AKID:c2lnbmF0dXJl")->service, "s3");
}

TEST(Endpoint, TakesNothingElseForAScope) {
  for (const char* value : {"", "Bearer abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=AKID", "AWS AKID",
                            "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/s3/other, SignedHeaders=host",
                            "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1//aws4_request"})
    EXPECT_FALSE(endpoint_of_authorization(value)) << value;
}

}  // namespace
}  // namespace waylay::aws
