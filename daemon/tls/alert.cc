#include "tls/alert.h"

#include <array>

namespace waylay::tls {
namespace {

struct Named {
  uint8_t description;
  std::string_view name;
};

// RFC 8446 appendix B.2, with those of earlier versions that are still seen.
constexpr auto kNames = std::to_array<Named>({
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
});

constexpr std::byte kAlertRecord{21};
constexpr std::byte kFatal{2};

}  // namespace

std::string_view alert_name(uint8_t description) {
  for (const Named& named : kNames) {
    if (named.description == description) return named.name;
  }
  return "unknown alert";
}

bool is_about_certificate(uint8_t description) {
  switch (static_cast<Alert>(description)) {
    case Alert::BadCertificate:
    case Alert::UnsupportedCertificate:
    case Alert::CertificateRevoked:
    case Alert::CertificateExpired:
    case Alert::CertificateUnknown:
    case Alert::UnknownCa:
      return true;
    default:
      return description == 113 || description == 114;  // bad OCSP response, bad certificate hash
  }
}

void append_fatal_alert(ByteQueue& output, Alert alert) {
  // Version 3.3 in the record: what a TLS 1.2 and a TLS 1.3 client both take in answer to any ClientHello.
  const std::array<std::byte, 7> record = {kAlertRecord, std::byte{3}, std::byte{3},    std::byte{0},
                                           std::byte{2}, kFatal,       std::byte(alert)};
  output.append(record);
}

}  // namespace waylay::tls
