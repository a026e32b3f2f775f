#include "aws/call.h"

#include "unit/aws/support.h"

namespace waylay::aws {
namespace {

TEST(S3Call, TellsTheOperationByMethodPathQueryAndHeaders) {
  struct Row {
    const char *method, *target, *operation;
  };
  for (const Row& row : {
           Row{"GET", "/", "ListBuckets"},
           {"GET", "/?x-id=ListBuckets", "ListBuckets"},
           {"GET", "/bucket", "ListObjects"},
           {"GET", "/bucket/", "ListObjects"},
           {"GET", "/bucket?list-type=2&prefix=a", "ListObjectsV2"},
           {"GET", "/bucket?list-type=1", "ListObjects"},
           {"GET", "/bucket?versions", "ListObjectVersions"},
           {"GET", "/bucket?uploads", "ListMultipartUploads"},
           {"GET", "/bucket?location", "GetBucketLocation"},
           {"GET", "/bucket?metrics&id=a", "GetBucketMetricsConfiguration"},
           {"GET", "/bucket?metrics", "ListBucketMetricsConfigurations"},
           {"PUT", "/bucket", "CreateBucket"},
           {"PUT", "/bucket?policy", "PutBucketPolicy"},
           {"HEAD", "/bucket", "HeadBucket"},
           {"DELETE", "/bucket", "DeleteBucket"},
           {"DELETE", "/bucket?lifecycle", "DeleteBucketLifecycle"},
           {"POST", "/bucket?delete", "DeleteObjects"},
           {"GET", "/bucket/key", "GetObject"},
           {"GET", "/bucket/a/b/c?versionId=1", "GetObject"},
           {"GET", "/bucket/key?tagging", "GetObjectTagging"},
           {"GET", "/bucket/key?acl=", "GetObjectAcl"},
           {"GET", "/bucket/key?uploadId=x", "ListParts"},
           {"HEAD", "/bucket/key", "HeadObject"},
           {"PUT", "/bucket/key", "PutObject"},
           {"PUT", "/bucket/key?partNumber=1&uploadId=x", "UploadPart"},
           {"PUT", "/bucket/key?acl", "PutObjectAcl"},
           {"POST", "/bucket/key?uploads", "CreateMultipartUpload"},
           {"POST", "/bucket/key?uploadId=x", "CompleteMultipartUpload"},
           {"DELETE", "/bucket/key?uploadId=x", "AbortMultipartUpload"},
           {"DELETE", "/bucket/key", "DeleteObject"},
           {"OPTIONS", "/bucket/key", ""},
           {"PATCH", "/bucket/key", ""},
       }) {
    Call call = classify(request(row.method, row.target), "s3.eu-west-1.amazonaws.com");
    EXPECT_EQ(call.operation, row.operation) << row.method << " " << row.target;
    EXPECT_EQ(call.protocol, Protocol::RestXml);
  }
}

TEST(S3Call, TellsCopiesByTheirSource) {
  http::Head copy = request("PUT", "/bucket/key", {{"x-amz-copy-source", "/other/key"}});
  EXPECT_EQ(classify(copy, "s3.amazonaws.com").operation, "CopyObject");
  http::Head part = request("PUT", "/bucket/key?partNumber=2&uploadId=x", {{"X-Amz-Copy-Source", "/other/key"}});
  EXPECT_EQ(classify(part, "s3.amazonaws.com").operation, "UploadPartCopy");
}

TEST(S3Call, FindsBucketAndKeyInHostOrPath) {
  Call hosted = classify(request("GET", "/a%20b/c?x=1"), "my.bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(hosted.bucket, "my.bucket");
  EXPECT_EQ(hosted.key, "a b/c");
  EXPECT_EQ(hosted.operation, "GetObject");
  Call path = classify(request("GET", "/bucket/a%2Fb"), "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(path.bucket, "bucket");
  EXPECT_EQ(path.key, "a/b");
  Call absolute =
      classify(request("GET", "https://s3.eu-west-1.amazonaws.com/bucket/key"), "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(absolute.key, "key");
  EXPECT_EQ(classify(request("GET", "/"), "bucket.s3.amazonaws.com").operation, "ListObjects");
}

TEST(S3Call, IsToldByItsSignatureAtOtherPeoplesEndpoints) {
  Call call = classify(request("PUT", "/bucket/key", {{"Authorization", kSignedForS3}}), "10.0.0.7");
  EXPECT_EQ(call.service, "s3");
  EXPECT_EQ(call.region, "us-east-1");
  EXPECT_EQ(call.bucket, "bucket");
  EXPECT_EQ(call.operation, "PutObject");
  Call local =
      classify(request("GET", "/key", {{"Authorization", kSignedForS3}}), "bucket.s3.localhost.localstack.cloud");
  EXPECT_EQ(local.bucket, "bucket");
  EXPECT_EQ(local.operation, "GetObject");
  Call presigned =
      classify(request("GET", "/bucket/key?X-Amz-Credential=AKID%2F20261122%2Feu-west-1%2Fs3%2Faws4_request"), "minio");
  EXPECT_EQ(presigned.service, "s3");
  EXPECT_EQ(presigned.region, "eu-west-1");
  EXPECT_FALSE(classify(request("GET", "/bucket/key"), "10.0.0.7").known());
}

TEST(Call, FillsTheRegionOfAGlobalEndpointFromTheSignature) {
  EXPECT_EQ(classify(request("GET", "/bucket/key", {{"Authorization", kSignedForS3}}), "s3.amazonaws.com").region,
            "us-east-1");
  EXPECT_EQ(
      classify(request("GET", "/bucket/key", {{"Authorization", kSignedForS3}}), "s3.eu-west-1.amazonaws.com").region,
      "eu-west-1");
}

TEST(Call, ReadsTheTargetOfJsonProtocols) {
  Call call =
      classify(request("POST", "/",
                       {{"X-Amz-Target", "DynamoDB_20120810.GetItem"}, {"Content-Type", "application/x-amz-json-1.0"}}),
               "dynamodb.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.service, "dynamodb");
  EXPECT_EQ(call.operation, "GetItem");
  EXPECT_EQ(call.protocol, Protocol::Json10);
  call = classify(
      request("POST", "/",
              {{"X-Amz-Target", "Kinesis_20131202.PutRecord"}, {"Content-Type", "application/x-amz-json-1.1"}}),
      "kinesis.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.operation, "PutRecord");
  EXPECT_EQ(call.protocol, Protocol::Json11);
  call = classify(request("POST", "/",
                          {{"X-Amz-Target", "DynamoDB_20120810.GetItem"},
                           {"Content-Type", "application/x-www-form-urlencoded"}}),  // as curl -d sends it
                  "dynamodb.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.protocol, Protocol::Json10);
  call = classify(request("POST", "/", {{"X-Amz-Target", "no identifier.\xff"}}), "kinesis.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.operation, "");
}

TEST(Call, ReadsTheActionOfQueryProtocols) {
  Call call = classify(request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15"), "sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.operation, "GetCallerIdentity");
  EXPECT_EQ(call.protocol, Protocol::Query);
  http::Head form = request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  call = classify(form, "ec2.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.operation, "");
  EXPECT_EQ(call.protocol, Protocol::Ec2);
}

TEST(Call, ReadsRestPathsByTable) {
  struct Row {
    const char *host, *method, *target, *operation;
  };
  for (const Row& row : {
           Row{"lambda.us-east-1.amazonaws.com", "POST", "/2015-03-31/functions/job/invocations", "Invoke"},
           {"lambda.us-east-1.amazonaws.com", "GET", "/2015-03-31/functions/?MaxItems=1", "ListFunctions"},
           {"lambda.us-east-1.amazonaws.com", "GET", "/2015-03-31/functions/job", "GetFunction"},
           {"lambda.us-east-1.amazonaws.com", "GET", "/2015-03-31/functions/job/what", ""},
           {"lambda.us-east-1.amazonaws.com", "POST", "/2015-03-31/functions//invocations", ""},
           {"bedrock-runtime.us-east-1.amazonaws.com", "POST", "/model/arn%3Aaws%3Abedrock/converse", "Converse"},
           {"bedrock-runtime.us-east-1.amazonaws.com", "POST", "/model/anthropic.x-v1%3A0/invoke", "InvokeModel"},
           {"bedrock-runtime.us-east-1.amazonaws.com", "POST", "/model/m/invoke-with-response-stream",
            "InvokeModelWithResponseStream"},
       }) {
    Call call = classify(request(row.method, row.target), row.host);
    EXPECT_EQ(call.operation, row.operation) << row.method << " " << row.target;
    EXPECT_EQ(call.protocol, Protocol::RestJson);
  }
}

TEST(Call, ReadsTheCborProtocolsPath) {
  Call call = classify(request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                               {{"smithy-protocol", "rpc-v2-cbor"}, {"content-type", "application/cbor"}}),
                       "monitoring.eu-west-1.amazonaws.com");
  EXPECT_EQ(call.operation, "PutMetricData");
  EXPECT_EQ(call.protocol, Protocol::RpcV2Cbor);
}

TEST(Call, ReadsWhatTheSdkSaysOfItsRetries) {
  Call call = classify(request("GET", "/",
                               {{"amz-sdk-invocation-id", "6f1c7f0e-1a2b-4c3d-8e9f-000000000001"},
                                {"amz-sdk-request", "ttl=20261122T023030Z; attempt=2; max=5"}}),
                       "example.org");
  EXPECT_FALSE(call.known());
  EXPECT_EQ(call.invocation_id, "6f1c7f0e-1a2b-4c3d-8e9f-000000000001");
  EXPECT_EQ(call.attempt, 2);
  EXPECT_EQ(call.max_attempts, 5);
  EXPECT_EQ(classify(request("GET", "/", {{"amz-sdk-request", "attempt=1"}}), "s3.amazonaws.com").attempt, 1);
  for (const char* odd : {"attempt=", "attempt=x", "attempt=1x", "attempt=-1", "attempt=99999999999999", "", ";;;"})
    EXPECT_EQ(classify(request("GET", "/", {{"amz-sdk-request", odd}}), "s3.amazonaws.com").attempt, 0) << odd;
}

TEST(Call, ReadsTheSdkFromItsUserAgent) {
  struct Row {
    const char *agent, *sdk, *version, *mode;
  };
  for (const Row& row : {
           Row{"Boto3/1.26.27 Python/3.11.2 Linux/6.1.0 Botocore/1.29.27", "Boto3", "1.26.27", ""},
           {"Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux m/D,e,Z,b,N cfg/retry-mode#standard Botocore/1.43.11",
            "Boto3", "1.43.11", "standard"},
           {"Boto3/1.43.11 ua/2.1 m/D,e,Z Botocore/1.43.11", "Boto3", "1.43.11", "legacy"},
           {"aws-sdk-js/3.1169.0 ua/2.1 os/linux lang/js md/nodejs#20.1 api/s3#3.1169.0 m/E", "aws-sdk-js", "3.1169.0",
            "standard"},
           {"aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21 api/s3#1.47 m/F", "aws-sdk-go-v2", "1.24.0", "adaptive"},
           {"aws-sdk-java/2.20.0 Linux/6.1 cfg/retry-mode/legacy", "aws-sdk-java", "2.20.0", "legacy"},
           {"aws-cli/2.15.0 md/awscrt#0.19 cfg/retry-mode#standard md/command#s3.ls", "aws-cli", "2.15.0", "standard"},
           {"curl/7.88.1", "", "", ""},
           {"m/D", "", "", ""},
           {"", "", "", ""},
           {"Boto3/1 cfg/retry-mode#", "Boto3", "1", ""},
       }) {
    Call call = classify(request("GET", "/", {{"User-Agent", row.agent}}), "s3.amazonaws.com");
    EXPECT_EQ(call.sdk, row.sdk) << row.agent;
    EXPECT_EQ(call.sdk_version, row.version) << row.agent;
    EXPECT_EQ(call.retry_mode, row.mode) << row.agent;
  }
  Call browser =
      classify(request("GET", "/", {{"User-Agent", "Mozilla/5.0"}, {"X-Amz-User-Agent", "aws-sdk-js/3.1 m/E"}}),
               "s3.amazonaws.com");
  EXPECT_EQ(browser.sdk, "aws-sdk-js");
}

}  // namespace
}  // namespace waylay::aws
