// What the administrator decided: the configuration file /etc/waylay/waylay.json (JSON with comments, every member
// optional, the file itself too) under the command line, which wins. Plain values, checked; nothing is opened here but
// the file itself.
//
//   {
//     "listen": "127.0.0.1:8443",          // take connections that somebody else redirected
//     "workers": 4,
//     "ca": {"certificate": "FILE", "key": "FILE", "permitted_names": ["amazonaws.com", "10.0.0.0/8"]},
//     "client": {
//       "ech": "reject",                   // or "passthrough": relay what offers an encrypted ClientHello undecrypted
//       "leaf_key": "auto"},               // of our certificates: "p256", "rsa2048", or what the client can verify
//     "upstream": {
//       "roots": "FILE",                   // trusted in addition to the system's roots
//       "strict_x509": false,              // every rule of RFC 5280
//       "client_certificates": [           // shown to upstreams that ask; the first whose hosts match
//         {"hosts": ["api.example", "*.internal.example"], "certificate": "FILE", "key": "FILE"}]},
//     "docker": {"socket": "/var/run/docker.sock"},      // or a list of them
//     "state_directory": "/var/lib/waylay", "runtime_directory": "/run/waylay", "rules_directory":
//     "/etc/waylay/rules.d", "user": "waylay", "group": "waylay", "log_level": "info", "error_page": false,
//     "handlers": true,                    // rules may call programs over the daemon's own network
//     "record_layer": "auto"               // TLS 1.3 records by ourselves where we can; or "openssl": never
//   }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/log.h"
#include "base/result.h"
#include "tls/client_policy.h"

namespace waylay::warden {

constexpr std::string_view kDefaultConfigurationFile = "/etc/waylay/waylay.json";

// One Start message carries three descriptors, and for each worker a channel and a --listen socket: 3 + 2 * 30 < 64.
constexpr unsigned kMaximumWorkers = 30;

struct ClientCertificateFiles {
  std::vector<std::string> hosts;
  std::string certificate, key;  // PEM
};

struct Configuration {
  std::optional<Address> listen;
  unsigned workers = 1;
  std::string ca_certificate, ca_key;  // both or neither; neither: made in the state directory at first start
  std::vector<std::string> ca_permitted_names;
  tls::ClientPolicy client;
  std::string upstream_roots;
  bool strict_x509 = false;
  std::vector<ClientCertificateFiles> client_certificates;
  std::vector<std::string> docker_sockets = {"/var/run/docker.sock"};
  std::string state_directory = "/var/lib/waylay";
  std::string runtime_directory = "/run/waylay";
  std::string rules_directory = "/etc/waylay/rules.d";
  std::string user = "waylay";
  std::string group = "waylay";
  log::Level log_level = log::Level::Info;
  bool error_page = false;
  bool handlers = true;
  bool own_records = true;  // record_layer: TLS 1.3 records by our own layer, where it can
};

std::string_view to_string(log::Level level);
std::optional<log::Level> level_from(std::string_view name);
std::optional<bool> own_records_from(std::string_view record_layer);

// What the file says replaces what `into` says; `file` is for messages: "waylay.json:3:7: ..." for a syntax error,
// "waylay.json: /workers: ..." (a JSON pointer, RFC 6901) for a wrong value.
Result<void> read_configuration(std::string_view text, std::string_view file, Configuration& into);

struct CommandLine {
  enum class Purpose { Run, CheckConfiguration, Proxy, Print };
  Purpose purpose = Purpose::Run;
  Configuration configuration;
  int proxy_channel = -1;  // Proxy: the descriptor to go on with
  std::string text;        // Print: help or version
};
Result<CommandLine> parse_command_line(int argc, const char* const* argv);

}  // namespace waylay::warden
