#include "aws/operation.h"

namespace waylay::aws {
namespace {

// In a path, {} is one segment, which may be an ARN with its slashes encoded.
struct Row {
  std::string_view service, method, path, operation;
};

constexpr Row kRows[] = {
    {"lambda", "POST", "/2015-03-31/functions/{}/invocations", "Invoke"},
    {"lambda", "POST", "/2021-11-15/functions/{}/response-streaming-invocations", "InvokeWithResponseStream"},
    {"lambda", "POST", "/2014-11-13/functions/{}/invoke-async", "InvokeAsync"},
    {"lambda", "GET", "/2015-03-31/functions", "ListFunctions"},
    {"lambda", "POST", "/2015-03-31/functions", "CreateFunction"},
    {"lambda", "GET", "/2015-03-31/functions/{}", "GetFunction"},
    {"lambda", "DELETE", "/2015-03-31/functions/{}", "DeleteFunction"},
    {"lambda", "GET", "/2015-03-31/functions/{}/configuration", "GetFunctionConfiguration"},
    {"lambda", "PUT", "/2015-03-31/functions/{}/configuration", "UpdateFunctionConfiguration"},
    {"lambda", "PUT", "/2015-03-31/functions/{}/code", "UpdateFunctionCode"},
    {"lambda", "GET", "/2015-03-31/functions/{}/versions", "ListVersionsByFunction"},
    {"lambda", "POST", "/2015-03-31/functions/{}/versions", "PublishVersion"},
    {"lambda", "GET", "/2015-03-31/functions/{}/aliases", "ListAliases"},
    {"lambda", "POST", "/2015-03-31/functions/{}/aliases", "CreateAlias"},
    {"lambda", "GET", "/2015-03-31/functions/{}/aliases/{}", "GetAlias"},
    {"lambda", "PUT", "/2015-03-31/functions/{}/aliases/{}", "UpdateAlias"},
    {"lambda", "DELETE", "/2015-03-31/functions/{}/aliases/{}", "DeleteAlias"},
    {"lambda", "GET", "/2015-03-31/functions/{}/policy", "GetPolicy"},
    {"lambda", "POST", "/2015-03-31/functions/{}/policy", "AddPermission"},
    {"lambda", "DELETE", "/2015-03-31/functions/{}/policy/{}", "RemovePermission"},
    {"lambda", "PUT", "/2017-10-31/functions/{}/concurrency", "PutFunctionConcurrency"},
    {"lambda", "DELETE", "/2017-10-31/functions/{}/concurrency", "DeleteFunctionConcurrency"},
    {"lambda", "GET", "/2019-09-30/functions/{}/concurrency", "GetFunctionConcurrency"},
    {"lambda", "GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings"},
    {"lambda", "POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"},
    {"lambda", "GET", "/2015-03-31/event-source-mappings/{}", "GetEventSourceMapping"},
    {"lambda", "PUT", "/2015-03-31/event-source-mappings/{}", "UpdateEventSourceMapping"},
    {"lambda", "DELETE", "/2015-03-31/event-source-mappings/{}", "DeleteEventSourceMapping"},
    {"lambda", "GET", "/2018-10-31/layers", "ListLayers"},
    {"lambda", "GET", "/2018-10-31/layers/{}/versions", "ListLayerVersions"},
    {"lambda", "GET", "/2018-10-31/layers/{}/versions/{}", "GetLayerVersion"},
    {"lambda", "POST", "/2018-10-31/layers/{}/versions", "PublishLayerVersion"},
    {"lambda", "GET", "/2016-08-19/account-settings", "GetAccountSettings"},
    {"lambda", "GET", "/2017-03-31/tags/{}", "ListTags"},
    {"lambda", "POST", "/2017-03-31/tags/{}", "TagResource"},
    {"lambda", "DELETE", "/2017-03-31/tags/{}", "UntagResource"},

    {"bedrock-runtime", "POST", "/model/{}/invoke", "InvokeModel"},
    {"bedrock-runtime", "POST", "/model/{}/invoke-with-response-stream", "InvokeModelWithResponseStream"},
    {"bedrock-runtime", "POST", "/model/{}/invoke-with-bidirectional-stream", "InvokeModelWithBidirectionalStream"},
    {"bedrock-runtime", "POST", "/model/{}/converse", "Converse"},
    {"bedrock-runtime", "POST", "/model/{}/converse-stream", "ConverseStream"},
    {"bedrock-runtime", "POST", "/model/{}/count-tokens", "CountTokens"},
    {"bedrock-runtime", "POST", "/guardrail/{}/version/{}/apply", "ApplyGuardrail"},
    {"bedrock-runtime", "POST", "/async-invoke", "StartAsyncInvoke"},
    {"bedrock-runtime", "GET", "/async-invoke", "ListAsyncInvokes"},
    {"bedrock-runtime", "GET", "/async-invoke/{}", "GetAsyncInvoke"},
    {"bedrock", "GET", "/foundation-models", "ListFoundationModels"},
    {"bedrock", "GET", "/foundation-models/{}", "GetFoundationModel"},
    {"bedrock", "GET", "/inference-profiles", "ListInferenceProfiles"},

    {"eks", "GET", "/clusters", "ListClusters"},
    {"eks", "GET", "/clusters/{}", "DescribeCluster"},
    {"batch", "POST", "/v1/submitjob", "SubmitJob"},
    {"batch", "POST", "/v1/describejobs", "DescribeJobs"},
    {"batch", "POST", "/v1/listjobs", "ListJobs"},
    {"batch", "POST", "/v1/terminatejob", "TerminateJob"},
    {"xray", "POST", "/TraceSegments", "PutTraceSegments"},
    {"xray", "POST", "/SamplingRules", "GetSamplingRules"},
    {"route53", "GET", "/2013-04-01/hostedzone", "ListHostedZones"},
    {"route53", "GET", "/2013-04-01/hostedzone/{}", "GetHostedZone"},
    {"route53", "GET", "/2013-04-01/hostedzone/{}/rrset", "ListResourceRecordSets"},
    {"route53", "POST", "/2013-04-01/hostedzone/{}/rrset", "ChangeResourceRecordSets"},
    {"route53", "GET", "/2013-04-01/change/{}", "GetChange"},
};

std::string_view take_segment(std::string_view& path) {
  std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), segment.size() + 1));
  return segment;
}

bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    std::string_view wanted = take_segment(pattern);
    std::string_view segment = take_segment(path);
    if (wanted == "{}" ? segment.empty() : wanted != segment) return false;
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::string_view rest_operation(std::string_view service, std::string_view method, std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Row& row : kRows)
    if (row.service == service && row.method == method && fits(row.path, path)) return row.operation;
  return {};
}

}  // namespace waylay::aws
