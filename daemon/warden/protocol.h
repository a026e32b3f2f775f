// What warden and proxy say to each other, over SOCK_SEQPACKET socket pairs made before the proxy is started: one
// control channel, and one channel for each worker. A message is a fixed header, a payload of at most 60 KiB, and up to
// kMaximumDescriptors descriptors (SCM_RIGHTS). Both ends run the same binary, so the layout needs no versions.
//
// clang-format off
// Control channel
// warden -> proxy  Start          payload: StartInfo (JSON; too long for a message, it travels in a sealed memfd, which
//                                 send() and receive() see to); descriptors: API listener (nonblocking), flow map
//                                 (read-only), counters (read-only; both are /dev/null where BPF is missing), then one
//                                 channel per worker, then, if any, the --listen sockets, one per worker. First message,
//                                 exactly once.
// proxy -> warden  Ready          all workers run and the API answers
// warden -> proxy  TargetAdded    target; payload: TargetInfo (JSON); descriptors: listeners, for each worker one IPv4 and,
//                                 where there is IPv6, one IPv6 (IPv4 of all workers first, then IPv6)
// proxy -> warden  TargetReady    target: all workers accept; only then does the warden redirect. status != 0: it cannot,
//                                 payload says why
// warden -> proxy  TargetRemoved  target; count = 1: close open connections too (--now); payload: why, in words
// proxy -> warden  TargetDrained  target: no handshake is in flight (5 s at most), listeners are closed; mounts may go
// warden -> proxy  ReloadRules    read rules.d again
// warden -> proxy  Stop           finish what is open within the limit and exit
// Worker channel
// proxy -> warden  Sign           id; payload: the to-be-signed part of a leaf (DER)
// warden -> proxy  Signature      id; payload: signature bytes; status != 0: refused, payload says why
// proxy -> warden  WantSockets    id, target, family, count (at most 32)
// warden -> proxy  Sockets        id, target, family, count, descriptors: TCP sockets made in the target's namespace,
//                                 nonblocking, close-on-exec; status != 0: errno, payload says why
// proxy -> warden  WhoIs          id; target; payload: pid as decimal text, blank, cgroup id as decimal text
// warden -> proxy  Process        id; target; payload: ProcessInfo (JSON), empty when it is gone or not of the target
// clang-format on
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

enum class MessageType : uint32_t {
  Start = 1,
  Ready,
  TargetAdded,
  TargetReady,
  TargetRemoved,
  TargetDrained,
  ReloadRules,
  Stop,
  Sign,
  Signature,
  WantSockets,
  Sockets,
  WhoIs,
  Process,
};

// As the target of WantSockets: the daemon's own network, for calls of rules' handlers.
constexpr uint32_t kOwnNetwork = ~uint32_t{0};

constexpr size_t kMaximumPayload = size_t{60} * 1024;  // 64 KiB is what a message passes with default buffers
constexpr size_t kMaximumStart =
    size_t{4} * 1024 * 1024;                // Start carries certificates: a system's whole bundle is about 220 KiB
constexpr size_t kMaximumDescriptors = 64;  // SCM_RIGHTS allows 253; sockets are handed out by 32

struct Header {
  MessageType type{};
  uint32_t target = 0;
  uint64_t id = 0;
  int32_t status = 0;
  uint16_t count = 0;
  uint8_t family = 0;            // 4 or 6
  uint8_t payload_in_memfd = 0;  // Start only, set by send(): the payload is in the last descriptor
};
static_assert(sizeof(Header) == 24);

struct Message {
  Header header;
  std::string payload;
  std::vector<Fd> descriptors;
};

std::string encode(const Header& header, std::string_view payload);
Result<Message> decode(Bytes bytes, std::vector<Fd> descriptors);

// Blocking forms, for the warden and for start-up; a worker sends and receives through its ring. Receive answers
// ErrorKind::Unavailable at the end of the stream.
Result<void> send(int socket, const Header& header, std::string_view payload, const std::vector<int>& descriptors = {});
Result<Message> receive(int socket);

struct StartInfo {
  unsigned workers = 1;
  bool has_listen = false;     // the --listen sockets follow
  std::string listen_address;  // as bound, so that a connection to the listener itself can be refused
  std::string ca_certificate;  // PEM
  std::string
      upstream_roots;  // PEM text of --upstream-roots ("" = none): read by the warden, the proxy may not open files
  bool strict_x509 = false;
  // The proxy uses these keys itself; the CA's is the one that never leaves the warden.
  struct ClientCertificate {
    std::vector<std::string> hosts;
    std::string certificate, key;  // PEM
  };
  std::vector<ClientCertificate> client_certificates;
  std::string rules_directory;
  std::string log_level;
  std::string ech, leaf_key;  // tls/client_policy.h
  bool own_records = true;    // the setting record_layer
  bool error_page = false;    // 502 page with the reason instead of a reset or an alert
};
std::string to_json(const StartInfo& info);
Result<StartInfo> start_info_from_json(std::string_view json);

struct TargetInfo {
  std::string name;  // as attached: "docker:web", "pid:42", "cgroup:/x", "run:1"
  std::string container_id, container_name, container_image;
  std::vector<uint16_t> ports;
  uint64_t netns_cookie = 0;
  bool insist = false;      // never learn passthrough from a client's refusal
  int64_t attached_ns = 0;  // wall clock
  std::string trust;        // what was done, in words
};
std::string to_json(const TargetInfo& info);
Result<TargetInfo> target_info_from_json(std::string_view json);

struct ProcessInfo {
  std::string exe, comm, cgroup;
  std::string container_id, container_name, container_image;
};
std::string to_json(const ProcessInfo& info);
Result<ProcessInfo> process_info_from_json(std::string_view json);

}  // namespace waylay::warden
