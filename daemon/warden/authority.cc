#include "warden/authority.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumPem = size_t{256} * 1024;

struct Paths {
  std::string certificate, key;
};

Paths own_paths(const Configuration& configuration) {
  return {configuration.state_directory + "/ca.crt", configuration.state_directory + "/ca.key"};
}

Result<tls::CertificateAuthority> load(const Paths& paths) {
  Result<std::string> certificate = read_file(paths.certificate, kMaximumPem);
  if (!certificate) return fail(certificate, "loading the CA");
  Result<std::string> key = read_file(paths.key, kMaximumPem);
  if (!key) return fail(key, "loading the CA");
  Result<tls::CertificateAuthority> ca = tls::CertificateAuthority::load(*certificate, *key);
  if (!ca) return fail(ca, "loading the CA from " + paths.certificate + " and " + paths.key);
  return ca;
}

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) < 0) return "localhost";
  return name;
}

// The key first: a certificate without its key would be found by the next start and refused.
Result<tls::CertificateAuthority> make(const Configuration& configuration, const Paths& paths, Time now) {
  tls::CaOptions options{.host = host_name(), .permitted_names = configuration.ca_permitted_names};
  Result<tls::CertificateAuthority> ca = tls::CertificateAuthority::make(options, now);
  if (!ca) return fail(ca, "making the CA");
  Result<std::string> key = ca->private_key_pem();
  if (!key) return fail(key, "making the CA");
  Result<std::string> certificate = ca->certificate_pem();
  if (!certificate) return fail(certificate, "making the CA");
  if (Result<void> written = replace_file(paths.key, *key, 0600); !written) return fail(written, "making the CA");
  if (Result<void> written = replace_file(paths.certificate, *certificate, 0644); !written) {
    ::unlink(paths.key.c_str());
    return fail(written, "making the CA");
  }
  log::info("made a CA certificate=" + log::quoted(paths.certificate));
  return ca;
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<tls::CertificateAuthority> load_or_make(const Configuration& configuration, const Paths& paths, Time now) {
  bool has_certificate = exists(paths.certificate), has_key = exists(paths.key);
  if (has_certificate && has_key) return load(paths);
  if (!has_certificate && !has_key) return make(configuration, paths, now);
  const std::string& present = has_key ? paths.key : paths.certificate;
  const std::string& missing = has_key ? paths.certificate : paths.key;
  return fail(Error::local(ErrorKind::Invalid, "loading the CA: there is " + present + " but no " + missing +
                                                   "; restore it, or remove both to have a new CA made"));
}

}  // namespace

bool TokenBucket::take(Time now) {
  double passed_s = static_cast<double>(now.steady_ns - last_ns_) / static_cast<double>(kSecond_ns);
  last_ns_ = now.steady_ns;
  tokens_ = std::min(limit_.burst, tokens_ + std::max(0.0, passed_s) * limit_.per_second);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

Result<Authority> Authority::open(const Configuration& configuration, Time now) {
  bool own = configuration.ca_certificate.empty();
  Paths paths = own ? own_paths(configuration) : Paths{configuration.ca_certificate, configuration.ca_key};
  Result<tls::CertificateAuthority> ca = own ? load_or_make(configuration, paths, now) : load(paths);
  if (!ca) return fail(ca);
  Result<std::string> pem = ca->certificate_pem();
  if (!pem) return fail(pem, "loading the CA");
  return Authority(std::move(*ca), std::move(*pem), paths.certificate, SignatureLimit{});
}

Result<std::vector<std::byte>> Authority::sign(Bytes to_be_signed, Time now) {
  if (bucket_.take(now)) return ca_.sign(to_be_signed);
  ++refused_;
  log_refusals(now);
  return fail(Error::local(ErrorKind::Limit, "too many signatures asked for"));
}

void Authority::log_refusals(Time now) {
  if (last_logged_ns_ != 0 && now.steady_ns - last_logged_ns_ < 60 * kSecond_ns) return;
  last_logged_ns_ = now.steady_ns;
  log::warning("signatures refused: the proxy asks for more than 2000 a second count=" + std::to_string(refused_));
}

}  // namespace waylay::warden
