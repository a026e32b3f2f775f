#include "aws/tables.h"

#include <algorithm>
#include <array>

namespace waylay::aws {
namespace {

using enum Protocol;

// Sorted by name: looked up by halving.
constexpr auto kServices = std::to_array<Service>({
    {"acm", Json11, "ThrottlingException"},
    {"apigateway", RestJson, "TooManyRequestsException"},
    {"athena", Json11, "ThrottlingException"},
    {"autoscaling", Query, "Throttling", "", "http://autoscaling.amazonaws.com/doc/2011-01-01/"},
    {"batch", RestJson, "TooManyRequestsException"},
    {"bedrock", RestJson, "ThrottlingException"},
    {"bedrock-agent-runtime", RestJson, "ThrottlingException"},
    {"bedrock-runtime", RestJson, "ThrottlingException"},
    {"cloudformation", Query, "Throttling", "", "http://cloudformation.amazonaws.com/doc/2010-05-15/"},
    {"cloudfront", RestXml, "Throttling", "", "http://cloudfront.amazonaws.com/doc/2020-05-31/"},
    {"cloudtrail", Json11, "ThrottlingException"},
    {"codebuild", Json11, "ThrottlingException"},
    {"cognito-identity", Json11, "TooManyRequestsException"},
    {"cognito-idp", Json11, "TooManyRequestsException"},
    {"dynamodb", Json10, "ProvisionedThroughputExceededException", "com.amazonaws.dynamodb.v20120810"},
    {"ec2", Ec2, "RequestLimitExceeded"},
    {"ecr", Json11, "ThrottlingException"},
    {"ecs", Json11, "ThrottlingException"},
    {"eks", RestJson, "ThrottlingException"},
    {"elasticache", Query, "Throttling", "", "http://elasticache.amazonaws.com/doc/2015-02-02/"},
    {"elasticfilesystem", RestJson, "ThrottlingException"},
    {"elasticloadbalancing", Query, "Throttling", "", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"},
    {"elasticmapreduce", Json11, "ThrottlingException"},
    {"email", Query, "Throttling", "", "http://ses.amazonaws.com/doc/2010-12-01/"},
    {"es", RestJson, "ThrottlingException"},
    {"events", Json11, "ThrottlingException"},
    {"execute-api", RestJson, "TooManyRequestsException"},
    {"firehose", Json11, "ServiceUnavailableException", "com.amazonaws.firehose.v20150804"},
    {"glue", Json11, "ThrottlingException"},
    {"iam", Query, "Throttling", "", "https://iam.amazonaws.com/doc/2010-05-08/"},
    {"kinesis", Json11, "ProvisionedThroughputExceededException", "com.amazonaws.kinesis.v20131202"},
    {"kms", Json11, "ThrottlingException"},
    {"lambda", RestJson, "TooManyRequestsException"},
    {"logs", Json11, "ThrottlingException"},
    {"monitoring", Query, "ThrottlingException", "com.amazonaws.cloudwatch",
     "http://monitoring.amazonaws.com/doc/2010-08-01/"},
    {"organizations", Json11, "TooManyRequestsException"},
    {"rds", Query, "Throttling", "", "http://rds.amazonaws.com/doc/2014-10-31/"},
    {"redshift", Query, "Throttling", "", "http://redshift.amazonaws.com/doc/2012-12-01/"},
    {"route53", RestXml, "Throttling", "", "https://route53.amazonaws.com/doc/2013-04-01/"},
    {"s3", RestXml, "SlowDown"},
    {"s3-control", RestXml, "SlowDown"},
    {"sagemaker", Json11, "ThrottlingException"},
    {"secretsmanager", Json11, "ThrottlingException"},
    {"servicediscovery", Json11, "RequestLimitExceeded"},
    {"sns", Query, "Throttling", "", "http://sns.amazonaws.com/doc/2010-03-31/"},
    {"sqs", Json10, "RequestThrottled", "com.amazonaws.sqs", "http://queue.amazonaws.com/doc/2012-11-05/"},
    {"ssm", Json11, "ThrottlingException"},
    {"states", Json10, "ThrottlingException", "com.amazonaws.swf.service.v2.model"},
    {"streams.dynamodb", Json10, "ThrottlingException", "com.amazonaws.dynamodb.v20120810"},
    {"sts", Query, "Throttling", "", "https://sts.amazonaws.com/doc/2011-06-15/"},
    {"xray", RestJson, "ThrottledException"},
});
static_assert(std::ranges::is_sorted(kServices, {}, &Service::name));

constexpr auto kErrorCodes = std::to_array<ErrorCode>({
    {"SlowDown", 503, "Please reduce your request rate."},
    {"Throttling", 400, "Rate exceeded"},
    {"ThrottlingException", 429, "Too many requests, please wait before trying again.", "bedrock-runtime"},
    {"ThrottlingException", 429, "Rate exceeded", "", RestJson},
    {"ThrottlingException", 400, "Rate exceeded", "", Unknown, "Throttling"},
    {"ThrottledException", 429, "Rate exceeded", "sns", Unknown, "Throttled"},
    {"ThrottledException", 429, "Rate exceeded"},
    {"RequestThrottledException", 400, "Rate exceeded"},
    {"RequestThrottled", 403, "The request was denied due to request throttling."},
    {"TooManyRequestsException", 429, "Rate Exceeded.", "lambda"},
    {"TooManyRequestsException", 400, "Rate exceeded", "cognito-idp"},
    {"TooManyRequestsException", 400, "Rate exceeded", "cognito-identity"},
    {"TooManyRequestsException", 400, "Rate exceeded", "organizations"},
    {"TooManyRequestsException", 429, "Too Many Requests"},
    {"ProvisionedThroughputExceededException", 400,
     "Rate exceeded for shard shardId-000000000000 in the stream under this account.", "kinesis"},
    {"ProvisionedThroughputExceededException", 400,
     "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
     "level with the UpdateTable API."},
    {"RequestLimitExceeded", 400,
     "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at "
     "https://aws.amazon.com/support request a limit increase",
     "dynamodb"},
    {"RequestLimitExceeded", 400, "The operation can't be completed because the quota for requests is reached.",
     "servicediscovery"},
    {"RequestLimitExceeded", 503, "Request limit exceeded."},
    {"BandwidthLimitExceeded", 509, "Bandwidth limit exceeded."},
    {"LimitExceededException", 400, "Rate exceeded"},
    {"EC2ThrottledException", 502,
     "We were unable to set up the function's network interfaces: Amazon EC2 throttled the request.", "lambda"},
    {"EC2ThrottledException", 400, "Request limit exceeded."},
    {"PriorRequestNotComplete", 400, "The request was rejected because Route 53 was still processing a prior request."},
    {"TransactionInProgressException", 400, "The transaction with the given request token is already in progress."},
    {"TransactionConflictException", 400, "Transaction is ongoing for the item"},
    {"ConditionalCheckFailedException", 400, "The conditional request failed"},
    {"ServiceQuotaExceededException", 400, "Your request exceeds a service quota."},

    {"InternalErrorException", 500, "The request processing has failed because of an unknown error.", "", Unknown,
     "InternalError"},
    {"InternalError", 500, "We encountered an internal error. Please try again."},
    {"InternalFailure", 500, "The request processing has failed because of an unknown error, exception or failure."},
    {"InternalFailureException", 500, "The processing of the request failed because of an unknown error."},
    {"InternalServerError", 500, "The request processing has failed because of an unknown error."},
    {"InternalServerException", 500, "The request processing has failed because of an unknown error."},
    {"InternalServiceError", 500, "An error occurred on the server side."},
    {"InternalServiceFault", 500, "Request processing has failed due to some unknown error, exception, or failure.", "",
     Unknown, "InternalServiceError"},
    {"KMSInternalException", 500, "The request was rejected because an internal exception occurred."},
    {"ServerException", 500, "These errors are usually caused by a server-side issue."},
    {"Unavailable", 503, "The server is overloaded and can't handle the request."},
    {"ServiceException", 500, "The service encountered an internal error."},
    {"ServiceUnavailable", 503, "Service is unable to handle request."},
    {"ServiceUnavailableException", 503, "Slow down.", "firehose"},
    {"ServiceUnavailableException", 503, "The service is temporarily unavailable. Please try again.", "", Unknown,
     "ServiceUnavailable"},
    {"RequestTimeout", 400,
     "Your socket connection to the server was not read from or written to within the timeout period. Idle connections "
     "will be closed."},
    {"RequestTimeoutException", 408, "The request timed out."},
    {"ModelTimeoutException", 408, "The request took too long to process."},
    {"ModelNotReadyException", 429, "The model is not ready for inference."},
    {"ModelErrorException", 424, "The request failed due to an error while processing the model."},

    {"AccessDenied", 403, "Access Denied"},
    {"AccessDeniedException", 403, "User is not authorized to perform this action.", "lambda"},
    {"AccessDeniedException", 403, "You don't have access to the model with the specified model ID.",
     "bedrock-runtime"},
    {"AccessDeniedException", 403, "User is not authorized to perform this action.", "", RestJson},
    {"AccessDeniedException", 403, "Access to the resource is denied.", "sqs", Unknown, "AccessDenied"},
    {"AccessDeniedException", 400, "User is not authorized to perform this action.", "", Unknown, "AccessDenied"},
    {"UnauthorizedOperation", 403, "You are not authorized to perform this operation."},
    {"ExpiredToken", 400, "The provided token has expired.", "s3"},
    {"ExpiredToken", 403, "The security token included in the request is expired"},
    {"RequestExpired", 400, "Request has expired."},
    {"AuthorizationErrorException", 403, "User is not authorized to perform this action.", "", Unknown,
     "AuthorizationError"},
    {"ExpiredTokenException", 403, "The security token included in the request is expired", "", RestJson},
    {"ExpiredTokenException", 400, "The token included in the request is expired.", "sts"},
    {"ExpiredTokenException", 400, "The security token included in the request is expired", "", Unknown,
     "ExpiredToken"},
    {"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
    {"InvalidClientTokenId", 403, "The security token included in the request is invalid."},
    {"UnrecognizedClientException", 400, "The security token included in the request is invalid."},
    {"SignatureDoesNotMatch", 403,
     "The request signature we calculated does not match the signature you provided. Check your key and signing "
     "method."},
    {"RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."},
    {"NoSuchBucket", 404, "The specified bucket does not exist"},
    {"NoSuchKey", 404, "The specified key does not exist."},
    {"NoSuchUpload", 404,
     "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
     "completed."},
    {"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"},
    {"ResourceNotFoundException", 404, "The resource you requested does not exist.", "lambda"},
    {"ResourceNotFoundException", 404, "The resource you requested does not exist.", "bedrock-runtime"},
    {"ResourceNotFoundException", 404, "The named resource does not exist.", "monitoring"},
    {"ResourceNotFoundException", 400, "Requested resource not found"},
    {"NotFoundException", 404, "Topic does not exist", "", Unknown, "NotFound"},
    {"QueueDoesNotExist", 400, "The specified queue does not exist.", "", Unknown,
     "AWS.SimpleQueueService.NonExistentQueue"},
    {"RepositoryNotFoundException", 400, "The repository does not exist in the registry."},
    {"ClusterNotFoundException", 400, "Cluster not found."},
    {"ExecutionDoesNotExist", 400, "The execution does not exist."},
    {"StateMachineDoesNotExist", 400, "The state machine does not exist."},
    {"InvalidInstanceID.NotFound", 400, "The instance ID does not exist"},
    {"InsufficientInstanceCapacity", 500,
     "We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working "
     "on "
     "provisioning additional capacity."},
    {"ParameterNotFound", 400, "The parameter does not exist."},
    {"ValidationError", 400, "The input fails to satisfy the constraints of the service."},
    {"ValidationException", 400, "The input fails to satisfy the constraints of the service."},
});

constexpr auto kProfiles = std::to_array<Profile>({
    {"throttle", "Refused for load, with the service's own code: the one that its SDK clients retry"},
    {"slowdown", "S3's 503 SlowDown; with other services the same code in their protocol"},
    {"unavailable", "The service is unavailable for a moment (503)"},
    {"internal", "The service failed (500)"},
    {"timeout", "The service waited too long for the request, or for its own work"},
    {"expired-token", "The credentials' session token has expired: not retried by SDKs"},
    {"access-denied", "The caller may not do this: not retried by SDKs"},
});

// The first row that fits is taken.
constexpr ProfileCode kProfileCodes[] = {
    {"throttle", "", RestXml, "SlowDown"},
    {"throttle", "", Unknown, "ThrottlingException"},

    {"slowdown", "", Unknown, "SlowDown"},

    {"unavailable", "firehose", Unknown, "ServiceUnavailableException"},
    {"unavailable", "logs", Unknown, "ServiceUnavailableException"},
    {"unavailable", "", RestJson, "ServiceUnavailableException"},
    {"unavailable", "", Ec2, "Unavailable"},
    {"unavailable", "", Unknown, "ServiceUnavailable"},

    {"internal", "dynamodb", Unknown, "InternalServerError"},
    {"internal", "streams.dynamodb", Unknown, "InternalServerError"},
    {"internal", "ssm", Unknown, "InternalServerError"},
    {"internal", "secretsmanager", Unknown, "InternalServiceError"},
    {"internal", "monitoring", Unknown, "InternalServiceFault"},
    {"internal", "kinesis", Unknown, "InternalFailureException"},
    {"internal", "sns", Unknown, "InternalErrorException"},
    {"internal", "ecr", Unknown, "ServerException"},
    {"internal", "ecs", Unknown, "ServerException"},
    {"internal", "eks", Unknown, "ServerException"},
    {"internal", "batch", Unknown, "ServerException"},
    {"internal", "kms", Unknown, "KMSInternalException"},
    {"internal", "lambda", Unknown, "ServiceException"},
    {"internal", "", RestXml, "InternalError"},
    {"internal", "", Ec2, "InternalError"},
    {"internal", "", RestJson, "InternalServerException"},
    {"internal", "", Unknown, "InternalFailure"},

    {"timeout", "bedrock-runtime", Unknown, "ModelTimeoutException"},
    {"timeout", "", RestXml, "RequestTimeout"},
    {"timeout", "", Query, "RequestTimeout"},
    {"timeout", "", Ec2, "RequestTimeout"},
    {"timeout", "", Unknown, "RequestTimeoutException"},

    {"expired-token", "", RestXml, "ExpiredToken"},
    {"expired-token", "", Query, "ExpiredToken"},
    {"expired-token", "", Ec2, "RequestExpired"},
    {"expired-token", "", Unknown, "ExpiredTokenException"},

    {"access-denied", "sns", Unknown, "AuthorizationErrorException"},
    {"access-denied", "", RestXml, "AccessDenied"},
    {"access-denied", "", Query, "AccessDenied"},
    {"access-denied", "", Ec2, "UnauthorizedOperation"},
    {"access-denied", "", Unknown, "AccessDeniedException"},
};

}  // namespace

std::span<const Service> services() {
  return kServices;
}

std::span<const ErrorCode> error_codes() {
  return kErrorCodes;
}

std::span<const Profile> profiles() {
  return kProfiles;
}

std::span<const ProfileCode> profile_codes() {
  return kProfileCodes;
}

}  // namespace waylay::aws
