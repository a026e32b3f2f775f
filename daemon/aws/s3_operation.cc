#include "aws/operation.h"

namespace waylay::aws {
namespace {

enum class Level : uint8_t { Service, Bucket, Object };

// One way to call an operation. `query` is a parameter that must be there ("list-type=2": with that value), `also` a
// second one, `header` a field that must be there; empty asks for nothing. The first row that fits wins.
struct Row {
  Level level;
  std::string_view method, query, also, header, operation;
};

constexpr auto kService = Level::Service;
constexpr auto kBucket = Level::Bucket;
constexpr auto kObject = Level::Object;

constexpr Row kRows[] = {
    {kObject, "GET", "uploadId", "", "", "ListParts"},
    {kObject, "GET", "acl", "", "", "GetObjectAcl"},
    {kObject, "GET", "tagging", "", "", "GetObjectTagging"},
    {kObject, "GET", "attributes", "", "", "GetObjectAttributes"},
    {kObject, "GET", "retention", "", "", "GetObjectRetention"},
    {kObject, "GET", "legal-hold", "", "", "GetObjectLegalHold"},
    {kObject, "GET", "torrent", "", "", "GetObjectTorrent"},
    {kObject, "GET", "", "", "", "GetObject"},
    {kObject, "HEAD", "", "", "", "HeadObject"},
    {kObject, "PUT", "uploadId", "partNumber", "x-amz-copy-source", "UploadPartCopy"},
    {kObject, "PUT", "uploadId", "partNumber", "", "UploadPart"},
    {kObject, "PUT", "acl", "", "", "PutObjectAcl"},
    {kObject, "PUT", "tagging", "", "", "PutObjectTagging"},
    {kObject, "PUT", "retention", "", "", "PutObjectRetention"},
    {kObject, "PUT", "legal-hold", "", "", "PutObjectLegalHold"},
    {kObject, "PUT", "renameObject", "", "", "RenameObject"},
    {kObject, "PUT", "", "", "x-amz-copy-source", "CopyObject"},
    {kObject, "PUT", "", "", "", "PutObject"},
    {kObject, "POST", "uploads", "", "", "CreateMultipartUpload"},
    {kObject, "POST", "uploadId", "", "", "CompleteMultipartUpload"},
    {kObject, "POST", "restore", "", "", "RestoreObject"},
    {kObject, "POST", "select", "", "", "SelectObjectContent"},
    {kObject, "DELETE", "uploadId", "", "", "AbortMultipartUpload"},
    {kObject, "DELETE", "tagging", "", "", "DeleteObjectTagging"},
    {kObject, "DELETE", "", "", "", "DeleteObject"},

    {kBucket, "GET", "list-type=2", "", "", "ListObjectsV2"},
    {kBucket, "GET", "versions", "", "", "ListObjectVersions"},
    {kBucket, "GET", "uploads", "", "", "ListMultipartUploads"},
    {kBucket, "GET", "location", "", "", "GetBucketLocation"},
    {kBucket, "GET", "acl", "", "", "GetBucketAcl"},
    {kBucket, "GET", "policy", "", "", "GetBucketPolicy"},
    {kBucket, "GET", "policyStatus", "", "", "GetBucketPolicyStatus"},
    {kBucket, "GET", "tagging", "", "", "GetBucketTagging"},
    {kBucket, "GET", "versioning", "", "", "GetBucketVersioning"},
    {kBucket, "GET", "lifecycle", "", "", "GetBucketLifecycleConfiguration"},
    {kBucket, "GET", "cors", "", "", "GetBucketCors"},
    {kBucket, "GET", "website", "", "", "GetBucketWebsite"},
    {kBucket, "GET", "logging", "", "", "GetBucketLogging"},
    {kBucket, "GET", "notification", "", "", "GetBucketNotificationConfiguration"},
    {kBucket, "GET", "replication", "", "", "GetBucketReplication"},
    {kBucket, "GET", "encryption", "", "", "GetBucketEncryption"},
    {kBucket, "GET", "requestPayment", "", "", "GetBucketRequestPayment"},
    {kBucket, "GET", "accelerate", "", "", "GetBucketAccelerateConfiguration"},
    {kBucket, "GET", "publicAccessBlock", "", "", "GetPublicAccessBlock"},
    {kBucket, "GET", "ownershipControls", "", "", "GetBucketOwnershipControls"},
    {kBucket, "GET", "object-lock", "", "", "GetObjectLockConfiguration"},
    {kBucket, "GET", "analytics", "id", "", "GetBucketAnalyticsConfiguration"},
    {kBucket, "GET", "analytics", "", "", "ListBucketAnalyticsConfigurations"},
    {kBucket, "GET", "inventory", "id", "", "GetBucketInventoryConfiguration"},
    {kBucket, "GET", "inventory", "", "", "ListBucketInventoryConfigurations"},
    {kBucket, "GET", "metrics", "id", "", "GetBucketMetricsConfiguration"},
    {kBucket, "GET", "metrics", "", "", "ListBucketMetricsConfigurations"},
    {kBucket, "GET", "intelligent-tiering", "id", "", "GetBucketIntelligentTieringConfiguration"},
    {kBucket, "GET", "intelligent-tiering", "", "", "ListBucketIntelligentTieringConfigurations"},
    {kBucket, "GET", "session", "", "", "CreateSession"},
    {kBucket, "GET", "", "", "", "ListObjects"},
    {kBucket, "HEAD", "", "", "", "HeadBucket"},
    {kBucket, "PUT", "acl", "", "", "PutBucketAcl"},
    {kBucket, "PUT", "policy", "", "", "PutBucketPolicy"},
    {kBucket, "PUT", "tagging", "", "", "PutBucketTagging"},
    {kBucket, "PUT", "versioning", "", "", "PutBucketVersioning"},
    {kBucket, "PUT", "lifecycle", "", "", "PutBucketLifecycleConfiguration"},
    {kBucket, "PUT", "cors", "", "", "PutBucketCors"},
    {kBucket, "PUT", "website", "", "", "PutBucketWebsite"},
    {kBucket, "PUT", "logging", "", "", "PutBucketLogging"},
    {kBucket, "PUT", "notification", "", "", "PutBucketNotificationConfiguration"},
    {kBucket, "PUT", "replication", "", "", "PutBucketReplication"},
    {kBucket, "PUT", "encryption", "", "", "PutBucketEncryption"},
    {kBucket, "PUT", "requestPayment", "", "", "PutBucketRequestPayment"},
    {kBucket, "PUT", "accelerate", "", "", "PutBucketAccelerateConfiguration"},
    {kBucket, "PUT", "publicAccessBlock", "", "", "PutPublicAccessBlock"},
    {kBucket, "PUT", "ownershipControls", "", "", "PutBucketOwnershipControls"},
    {kBucket, "PUT", "object-lock", "", "", "PutObjectLockConfiguration"},
    {kBucket, "PUT", "analytics", "", "", "PutBucketAnalyticsConfiguration"},
    {kBucket, "PUT", "inventory", "", "", "PutBucketInventoryConfiguration"},
    {kBucket, "PUT", "metrics", "", "", "PutBucketMetricsConfiguration"},
    {kBucket, "PUT", "intelligent-tiering", "", "", "PutBucketIntelligentTieringConfiguration"},
    {kBucket, "PUT", "", "", "", "CreateBucket"},
    {kBucket, "POST", "delete", "", "", "DeleteObjects"},
    {kBucket, "POST", "", "", "", "PostObject"},
    {kBucket, "DELETE", "policy", "", "", "DeleteBucketPolicy"},
    {kBucket, "DELETE", "tagging", "", "", "DeleteBucketTagging"},
    {kBucket, "DELETE", "lifecycle", "", "", "DeleteBucketLifecycle"},
    {kBucket, "DELETE", "cors", "", "", "DeleteBucketCors"},
    {kBucket, "DELETE", "website", "", "", "DeleteBucketWebsite"},
    {kBucket, "DELETE", "replication", "", "", "DeleteBucketReplication"},
    {kBucket, "DELETE", "encryption", "", "", "DeleteBucketEncryption"},
    {kBucket, "DELETE", "publicAccessBlock", "", "", "DeletePublicAccessBlock"},
    {kBucket, "DELETE", "ownershipControls", "", "", "DeleteBucketOwnershipControls"},
    {kBucket, "DELETE", "analytics", "", "", "DeleteBucketAnalyticsConfiguration"},
    {kBucket, "DELETE", "inventory", "", "", "DeleteBucketInventoryConfiguration"},
    {kBucket, "DELETE", "metrics", "", "", "DeleteBucketMetricsConfiguration"},
    {kBucket, "DELETE", "intelligent-tiering", "", "", "DeleteBucketIntelligentTieringConfiguration"},
    {kBucket, "DELETE", "", "", "", "DeleteBucket"},

    {kService, "GET", "", "", "", "ListBuckets"},
};

bool has_parameter(std::string_view query, std::string_view wanted) {
  if (wanted.empty()) return true;
  size_t equals = wanted.find('=');
  std::optional<std::string_view> value = query_value(query, wanted.substr(0, equals));
  return value && (equals == std::string_view::npos || *value == wanted.substr(equals + 1));
}

std::string_view operation_of(Level level, const http::Head& request, std::string_view query) {
  for (const Row& row : kRows) {
    if (row.level != level || row.method != request.method()) continue;
    if (!has_parameter(query, row.query) || !has_parameter(query, row.also)) continue;
    if (row.header.empty() || request.has(row.header)) return row.operation;
  }
  return {};
}

}  // namespace

void read_s3_request(const http::Head& request, const TargetParts& target, Call& call) {
  std::string_view path = target.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (call.bucket.empty()) {  // path style
    size_t slash = path.find('/');
    call.bucket = percent_decode(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  call.key = percent_decode(path);
  Level level = call.bucket.empty() ? Level::Service : call.key.empty() ? Level::Bucket : Level::Object;
  call.operation = operation_of(level, request, target.query);
}

}  // namespace waylay::aws
