// The installation's CA as the warden keeps it: made at first start, its private key never leaving this process, and a
// limit on how fast the proxy may have leaves signed. A proxy that was taken over is a signing oracle; the limit and
// the log make that slow and visible. sign() is for one thread; the rest may be asked from any.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "tls/ca.h"
#include "warden/configuration.h"

namespace waylay::warden {

// A busy start of a hundred containers asks for a few thousand names at once; steadily, leaves are cached by the proxy.
struct SignatureLimit {
  double burst = 5000;
  double per_second = 2000;
};

class TokenBucket {
 public:
  explicit TokenBucket(SignatureLimit limit) : limit_(limit), tokens_(limit.burst) {}
  bool take(Time now);

 private:
  SignatureLimit limit_;
  double tokens_;
  int64_t last_ns_ = 0;
};

class Authority {
 public:
  // The configured certificate and key, else STATE/ca.crt and STATE/ca.key (0600), which are made if there are none.
  // One of the two alone is an error: a new key would make containers refuse what they trusted before.
  static Result<Authority> open(const Configuration& configuration, Time now);

  const std::string& certificate_pem() const { return certificate_pem_; }
  const std::string& certificate_path() const { return certificate_path_; }

  // Limit: too fast; said in the log once a minute.
  Result<std::vector<std::byte>> sign(Bytes to_be_signed, Time now);

 private:
  Authority(tls::CertificateAuthority ca, std::string pem, std::string path, SignatureLimit limit)
      : ca_(std::move(ca)), certificate_pem_(std::move(pem)), certificate_path_(std::move(path)), bucket_(limit) {}
  void log_refusals(Time now);

  tls::CertificateAuthority ca_;
  std::string certificate_pem_, certificate_path_;
  TokenBucket bucket_;
  uint64_t refused_ = 0;
  int64_t last_logged_ns_ = 0;
};

}  // namespace waylay::warden
