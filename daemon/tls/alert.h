// TLS alerts (RFC 8446 section 6): their names, and the one we send where no TLS endpoint exists yet.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_queue.h"

namespace waylay::tls {

enum class Alert : uint8_t {
  CloseNotify = 0,
  UnexpectedMessage = 10,
  BadRecordMac = 20,
  RecordOverflow = 22,
  HandshakeFailure = 40,
  BadCertificate = 42,
  UnsupportedCertificate = 43,
  CertificateRevoked = 44,
  CertificateExpired = 45,
  CertificateUnknown = 46,
  IllegalParameter = 47,
  UnknownCa = 48,
  AccessDenied = 49,
  DecodeError = 50,
  DecryptError = 51,
  ProtocolVersion = 70,
  InternalError = 80,
  UserCanceled = 90,
  UnrecognizedName = 112,
  NoApplicationProtocol = 120,
  EchRequired = 121,  // RFC 9849: our certificate was accepted, its hidden name was not read; it comes again
};

std::string_view alert_name(uint8_t description);  // "unknown_ca"; "unknown alert" for numbers nobody defined

// What a client sends when the certificate it got is the reason.
bool is_about_certificate(uint8_t description);

// A fatal alert in clear, as a server sends it before its ServerHello: the answer to a ClientHello for which there will
// be no handshake (the upstream's certificate was refused, the host is blocked).
void append_fatal_alert(ByteQueue& output, Alert alert);

}  // namespace waylay::tls
