#include "aws/service.h"

#include <algorithm>
#include <array>

namespace waylay::aws {
namespace {

using enum Protocol;

// Sorted by name: looked up by halving.
constexpr auto kServices = std::to_array<Service>({
    {"acm", Json11, "ThrottlingException", ""},
    {"apigateway", RestJson, "TooManyRequestsException", ""},
    {"athena", Json11, "ThrottlingException", ""},
    {"autoscaling", Query, "Throttling", "http://autoscaling.amazonaws.com/doc/2011-01-01/"},
    {"batch", RestJson, "TooManyRequestsException", ""},
    {"bedrock", RestJson, "ThrottlingException", ""},
    {"bedrock-agent-runtime", RestJson, "ThrottlingException", ""},
    {"bedrock-runtime", RestJson, "ThrottlingException", ""},
    {"cloudformation", Query, "Throttling", "http://cloudformation.amazonaws.com/doc/2010-05-15/"},
    {"cloudfront", RestXml, "Throttling", "http://cloudfront.amazonaws.com/doc/2020-05-31/"},
    {"cloudtrail", Json11, "ThrottlingException", ""},
    {"codebuild", Json11, "ThrottlingException", ""},
    {"cognito-identity", Json11, "TooManyRequestsException", ""},
    {"cognito-idp", Json11, "TooManyRequestsException", ""},
    {"dynamodb", Json10, "ProvisionedThroughputExceededException", "com.amazonaws.dynamodb.v20120810"},
    {"ec2", Ec2, "RequestLimitExceeded", ""},
    {"ecr", Json11, "ThrottlingException", ""},
    {"ecs", Json11, "ThrottlingException", ""},
    {"eks", RestJson, "ThrottlingException", ""},
    {"elasticache", Query, "Throttling", "http://elasticache.amazonaws.com/doc/2015-02-02/"},
    {"elasticfilesystem", RestJson, "ThrottlingException", ""},
    {"elasticloadbalancing", Query, "Throttling", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"},
    {"elasticmapreduce", Json11, "ThrottlingException", ""},
    {"email", Query, "Throttling", "http://ses.amazonaws.com/doc/2010-12-01/"},
    {"es", RestJson, "ThrottlingException", ""},
    {"events", Json11, "ThrottlingException", ""},
    {"execute-api", RestJson, "TooManyRequestsException", ""},
    {"firehose", Json11, "ServiceUnavailableException", "com.amazonaws.firehose.v20150804"},
    {"glue", Json11, "ThrottlingException", ""},
    {"iam", Query, "Throttling", "https://iam.amazonaws.com/doc/2010-05-08/"},
    {"kinesis", Json11, "ProvisionedThroughputExceededException", "com.amazonaws.kinesis.v20131202"},
    {"kms", Json11, "ThrottlingException", ""},
    {"lambda", RestJson, "TooManyRequestsException", ""},
    {"logs", Json11, "ThrottlingException", ""},
    {"monitoring", Query, "Throttling", "http://monitoring.amazonaws.com/doc/2010-08-01/"},
    {"organizations", Json11, "TooManyRequestsException", ""},
    {"rds", Query, "Throttling", "http://rds.amazonaws.com/doc/2014-10-31/"},
    {"redshift", Query, "Throttling", "http://redshift.amazonaws.com/doc/2012-12-01/"},
    {"route53", RestXml, "Throttling", "https://route53.amazonaws.com/doc/2013-04-01/"},
    {"s3", RestXml, "SlowDown", ""},
    {"s3-control", RestXml, "SlowDown", ""},
    {"sagemaker", Json11, "ThrottlingException", ""},
    {"secretsmanager", Json11, "ThrottlingException", ""},
    {"servicediscovery", Json11, "RequestLimitExceeded", ""},
    {"sns", Query, "Throttling", "http://sns.amazonaws.com/doc/2010-03-31/"},
    {"sqs", Json10, "RequestThrottled", "com.amazonaws.sqs"},
    {"ssm", Json11, "ThrottlingException", ""},
    {"states", Json10, "ThrottlingException", "com.amazonaws.swf.service.v2.model"},
    {"streams.dynamodb", Json10, "ThrottlingException", "com.amazonaws.dynamodb.v20120810"},
    {"sts", Query, "Throttling", "https://sts.amazonaws.com/doc/2011-06-15/"},
    {"xray", RestJson, "ThrottledException", ""},
});
static_assert(std::ranges::is_sorted(kServices, {}, &Service::name));

}  // namespace

const Service* find_service(std::string_view name) {
  auto row = std::ranges::lower_bound(kServices, name, {}, &Service::name);
  return row != kServices.end() && row->name == name ? &*row : nullptr;
}

}  // namespace waylay::aws
