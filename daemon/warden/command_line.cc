#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "warden/configuration.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumFile = size_t{1024} * 1024;

constexpr const char* kExamples = R"(
Examples:
  waylayd                               the service, configured by /etc/waylay/waylay.json if it exists
  waylayd --check-config                say what is wrong with the configuration, and exit
  waylayd --listen 127.0.0.1:8443 --state-dir /tmp/w/state --runtime-dir /tmp/w/run
                                        a second daemon beside the service; something else redirects to it
  waylayd --upstream-roots lab-ca.pem   also trust the certificates of a lab's own authority

Attach to a container with `waylay attach NAME`; see waylay --help.)";

// What was given on the command line; absent means that the file or the default decides.
struct Options {
  std::string config_file;
  bool check = false, version = false;
  int proxy_channel = -1;
  std::optional<std::string> listen, ca_certificate, ca_key, upstream_roots, state_directory, runtime_directory;
  std::optional<std::string> rules_directory, user, group, log_level, ech, leaf_key, record_layer;
  std::optional<unsigned> workers;
  std::vector<std::string> docker_sockets;
  bool error_page = false, strict_x509 = false, no_handlers = false;
};

void describe(CLI::App& app, Options& options) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag("--version", options.version, "Print the version and exit");
  app.add_option("--config", options.config_file, "Configuration file [/etc/waylay/waylay.json]")->type_name("FILE");
  app.add_flag("--check-config", options.check, "Check the configuration and exit");
  app.add_option("--listen", options.listen, "Also take connections redirected by somebody else")
      ->type_name("ADDRESS:PORT");
  app.add_option("--ca-cert", options.ca_certificate, "CA certificate instead of our own")->type_name("FILE");
  app.add_option("--ca-key", options.ca_key, "Its private key")->type_name("FILE");
  app.add_option("--upstream-roots", options.upstream_roots, "Certificates trusted for servers, beside the system's")
      ->type_name("FILE");
  app.add_flag("--strict-x509", options.strict_x509, "Hold certificates of servers to every rule of RFC 5280");
  app.add_option("--ech", options.ech, "What offers an encrypted ClientHello: reject or passthrough [reject]")
      ->type_name("POLICY");
  app.add_option("--leaf-key", options.leaf_key, "Keys of our certificates: auto, p256 or rsa2048 [auto]")
      ->type_name("KIND");
  app.add_option("--workers", options.workers, "Worker threads, at most 30 [one for each processor]")->type_name("N");
  app.add_option("--state-dir", options.state_directory, "Where the CA lives [/var/lib/waylay]")->type_name("DIR");
  app.add_option("--runtime-dir", options.runtime_directory, "Where sockets are made [/run/waylay]")->type_name("DIR");
  app.add_option("--rules-dir", options.rules_directory, "Rules [/etc/waylay/rules.d]")->type_name("DIR");
  app.add_option("--docker-socket", options.docker_sockets, "Container engine, repeatable [/var/run/docker.sock]")
      ->type_name("PATH");
  app.add_option("--user", options.user, "Who the proxy runs as [waylay]")->type_name("NAME");
  app.add_option("--group", options.group, "Who may use the sockets [waylay]")->type_name("NAME");
  app.add_option("--log-level", options.log_level, "debug, info, warning or error [info]")->type_name("LEVEL");
  app.add_flag("--error-page", options.error_page,
               "Answer 502 with the reason where an upstream cannot be reached or trusted");
  app.add_option("--record-layer", options.record_layer,
                 "Who protects TLS 1.3 records after the handshake: auto (Waylay, where it can) or openssl [auto]")
      ->type_name("WHO");
  app.add_flag("--no-handlers", options.no_handlers, "Let no rule call a program over the daemon's own network");
  app.add_option("--proxy-channel", options.proxy_channel)->group("");  // how the warden starts the proxy
}

unsigned processors() {
  cpu_set_t allowed;
  unsigned count =
      ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? static_cast<unsigned>(CPU_COUNT(&allowed)) : 1;
  return std::clamp(count, 1u, kMaximumWorkers);
}

Result<void> read_file_into(const Options& options, Configuration& configuration) {
  std::string file = options.config_file.empty() ? std::string(kDefaultConfigurationFile) : options.config_file;
  Result<std::string> text = read_file(file, kMaximumFile);
  if (!text && text.error().kind == ErrorKind::NotFound && options.config_file.empty()) return {};
  if (!text) return fail(text, "configuration");
  return read_configuration(*text, file, configuration);
}

std::unexpected<Error> wrong(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

Result<void> override_paths(const Options& options, Configuration& configuration) {
  struct Pair {
    const std::optional<std::string>& from;
    std::string& to;
  };
  const Pair pairs[] = {{options.ca_certificate, configuration.ca_certificate},
                        {options.ca_key, configuration.ca_key},
                        {options.upstream_roots, configuration.upstream_roots},
                        {options.state_directory, configuration.state_directory},
                        {options.runtime_directory, configuration.runtime_directory},
                        {options.rules_directory, configuration.rules_directory}};
  for (const auto& [from, to] : pairs) {
    if (!from) continue;
    if (from->empty()) return wrong("a file or directory may not be empty");
    // Relative paths mean the directory the daemon was started in, which the proxy does not share.
    std::error_code ignored;
    to = std::filesystem::absolute(*from, ignored).lexically_normal().string();
  }
  if (options.ca_certificate.has_value() != options.ca_key.has_value())
    return wrong("--ca-cert and --ca-key belong together");
  return {};
}

template <class T, class Parse>
Result<void> override_word(const std::optional<std::string>& text, std::string_view option, Parse parse,
                           std::string_view words, T& into) {
  if (!text) return {};
  auto value = parse(*text);
  if (!value) return wrong(std::string(option) + " " + *text + ": must be " + std::string(words));
  into = *value;
  return {};
}

Result<void> override_words(const Options& options, Configuration& configuration) {
  Result<void> set = override_word(options.log_level, "--log-level", level_from, "debug, info, warning or error",
                                   configuration.log_level);
  if (set)
    set = override_word(options.ech, "--ech", tls::ech_policy_from, "reject or passthrough", configuration.client.ech);
  if (set)
    set = override_word(options.leaf_key, "--leaf-key", tls::leaf_key_policy_from, "auto, p256 or rsa2048",
                        configuration.client.leaf_key);
  if (set)
    set = override_word(options.record_layer, "--record-layer", own_records_from, "auto or openssl",
                        configuration.own_records);
  return set;
}

Result<void> override_values(const Options& options, Configuration& configuration) {
  if (options.listen) {
    Result<Address> address = Address::parse(*options.listen);
    if (!address)
      return wrong("--listen " + *options.listen + ": must be ADDRESS:PORT, as in 127.0.0.1:8443 or [::1]:8443");
    configuration.listen = *address;
  }
  if (options.workers) {
    if (*options.workers < 1 || *options.workers > kMaximumWorkers) return wrong("--workers: must be from 1 to 30");
    configuration.workers = *options.workers;
  }
  if (Result<void> words = override_words(options, configuration); !words) return words;
  if (!options.docker_sockets.empty()) configuration.docker_sockets = options.docker_sockets;
  if (options.user) configuration.user = *options.user;
  if (options.group) configuration.group = *options.group;
  if (options.error_page) configuration.error_page = true;
  if (options.strict_x509) configuration.strict_x509 = true;
  if (options.no_handlers) configuration.handlers = false;
  return {};
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("waylayd watches and rewrites the HTTPS traffic of running containers and processes.", "waylayd");
  app.footer(kExamples);
  Options options;
  describe(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return CommandLine{.purpose = CommandLine::Purpose::Print, .text = app.help()};
  } catch (const CLI::ParseError& error) {
    return wrong(std::string(error.what()) + " (waylayd --help lists the options)");
  }
  if (options.version)
    return CommandLine{.purpose = CommandLine::Purpose::Print, .text = "waylayd " WAYLAY_VERSION "\n"};
  if (options.proxy_channel >= 0) {
    return CommandLine{.purpose = CommandLine::Purpose::Proxy, .proxy_channel = options.proxy_channel};
  }
  CommandLine result;
  result.configuration.workers = processors();
  if (options.check) result.purpose = CommandLine::Purpose::CheckConfiguration;
  if (Result<void> read = read_file_into(options, result.configuration); !read) return fail(read);
  if (Result<void> paths = override_paths(options, result.configuration); !paths) return fail(paths);
  if (Result<void> values = override_values(options, result.configuration); !values) return fail(values);
  return result;
}

}  // namespace waylay::warden
