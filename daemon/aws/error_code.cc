#include "aws/error_code.h"

#include <array>
#include <vector>

#include "aws/profile.h"
#include "base/bytes.h"
#include "base/nearest.h"

namespace waylay::aws {
namespace {

constexpr auto kCodes = std::to_array<ErrorCode>({
    {"SlowDown", 503, "Please reduce your request rate."},
    {"Throttling", 400, "Rate exceeded"},
    {"ThrottlingException", 429, "Too many requests, please wait before trying again.", "bedrock-runtime"},
    {"ThrottlingException", 429, "Rate exceeded", "eks"},
    {"ThrottlingException", 400, "Rate exceeded"},
    {"ThrottledException", 429, "Rate exceeded"},
    {"RequestThrottledException", 400, "Rate exceeded"},
    {"RequestThrottled", 400, "The request was denied due to request throttling."},
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

    {"InternalError", 500, "We encountered an internal error. Please try again."},
    {"InternalFailure", 500, "The request processing has failed because of an unknown error, exception or failure."},
    {"InternalServerError", 500, "The request processing has failed because of an unknown error."},
    {"InternalServerException", 500, "The request processing has failed because of an unknown error."},
    {"InternalServiceError", 500, "An error occurred on the server side."},
    {"KMSInternalException", 500, "The request was rejected because an internal exception occurred."},
    {"ServerException", 500, "These errors are usually caused by a server-side issue."},
    {"Unavailable", 503, "The server is overloaded and can't handle the request."},
    {"ServiceException", 500, "The service encountered an internal error."},
    {"ServiceUnavailable", 503, "Service is unable to handle request."},
    {"ServiceUnavailableException", 503, "Slow down.", "firehose"},
    {"ServiceUnavailableException", 503, "The service is temporarily unavailable. Please try again."},
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
    {"AccessDeniedException", 403, "User is not authorized to perform this action.", "", Protocol::RestJson},
    {"AccessDeniedException", 400, "User is not authorized to perform this action."},
    {"UnauthorizedOperation", 403, "You are not authorized to perform this operation."},
    {"ExpiredToken", 400, "The provided token has expired.", "s3"},
    {"ExpiredToken", 403, "The security token included in the request is expired"},
    {"RequestExpired", 400, "Request has expired."},
    {"AuthorizationError", 403, "User is not authorized to perform this action."},
    {"ExpiredTokenException", 403, "The security token included in the request is expired", "", Protocol::RestJson},
    {"ExpiredTokenException", 400, "The security token included in the request is expired"},
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
    {"ResourceNotFoundException", 400, "Requested resource not found"},
    {"ParameterNotFound", 400, "The parameter does not exist."},
    {"ValidationError", 400, "The input fails to satisfy the constraints of the service."},
    {"ValidationException", 400, "The input fails to satisfy the constraints of the service."},
});

}  // namespace

const ErrorCode* find_error_code(std::string_view code, std::string_view service, Protocol protocol) {
  for (const ErrorCode& row : kCodes)
    if (equals_ignoring_case(row.code, code) && (row.service.empty() || row.service == service) &&
        (row.protocol == Protocol::Unknown || row.protocol == protocol))
      return &row;
  return nullptr;
}

std::string nearest_error_codes(std::string_view code) {
  std::vector<std::string_view> names;
  for (const Profile& profile : profiles())
    if (!find_error_code(profile.name, "")) names.push_back(profile.name);  // slowdown is SlowDown
  for (const ErrorCode& row : kCodes) names.push_back(row.code);
  return did_you_mean(code, names);
}

}  // namespace waylay::aws
