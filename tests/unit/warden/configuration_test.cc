#include "warden/configuration.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace waylay::warden {
namespace {

std::string mistake_in(std::string_view text) {
  Configuration configuration;
  Result<void> read = read_configuration(text, "waylay.json", configuration);
  return read ? "" : read.error().message;
}

Result<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "waylayd");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string refusal_of(std::vector<const char*> arguments) {
  Result<CommandLine> line = parse(std::move(arguments));
  return line ? "" : line.error().message;
}

struct File {
  explicit File(std::string_view text) {
    int fd = ::mkstemp(path.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path) << text;
  }
  ~File() { ::unlink(path.c_str()); }
  std::string path = "/tmp/warden-configuration-XXXXXX";
};

TEST(Configuration, ReadsEveryMemberAndComments) {
  Configuration read;
  Result<void> done = read_configuration(R"({
    // where somebody else redirects to
    "listen": "[::1]:8443", "workers": 3,
    "ca": {"certificate": "/ca.crt", "key": "/ca.key", "permitted_names": ["amazonaws.com"]},
    "client": {"ech": "passthrough", "leaf_key": "rsa2048"},
    "upstream": {"roots": "/roots.pem", "strict_x509": true, "client_certificates": [
      {"hosts": ["*.a.example", "192.0.2.1"], "certificate": "/a.crt", "key": "/a.key"},
      {"hosts": "b.example", "certificate": "/b.crt", "key": "/b.key"}]},
    "docker": {"socket": ["/a.sock", "/b.sock"]}, /* two engines */
    "state_directory": "/s", "runtime_directory": "/r", "rules_directory": "/rules",
    "user": "u", "group": "g", "log_level": "debug", "error_page": true, "record_layer": "openssl"
  })",
                                         "waylay.json", read);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read.listen->to_string(), "[::1]:8443");
  EXPECT_EQ(read.workers, 3u);
  EXPECT_EQ(read.ca_certificate + read.ca_key, "/ca.crt/ca.key");
  EXPECT_EQ(read.ca_permitted_names, std::vector<std::string>{"amazonaws.com"});
  EXPECT_EQ(read.client.ech, tls::EchPolicy::Passthrough);
  EXPECT_EQ(read.client.leaf_key, tls::LeafKeyPolicy::Rsa2048);
  EXPECT_EQ(read.upstream_roots, "/roots.pem");
  EXPECT_TRUE(read.strict_x509);
  ASSERT_EQ(read.client_certificates.size(), 2u);
  EXPECT_EQ(read.client_certificates[0].hosts, (std::vector<std::string>{"*.a.example", "192.0.2.1"}));
  EXPECT_EQ(read.client_certificates[1].certificate + read.client_certificates[1].key, "/b.crt/b.key");
  EXPECT_EQ(read.docker_sockets, (std::vector<std::string>{"/a.sock", "/b.sock"}));
  EXPECT_EQ(read.state_directory + read.runtime_directory + read.rules_directory, "/s/r/rules");
  EXPECT_EQ(read.user + read.group, "ug");
  EXPECT_EQ(read.log_level, log::Level::Debug);
  EXPECT_TRUE(read.error_page);
  EXPECT_FALSE(read.own_records);
}

TEST(Configuration, AnEmptyObjectChangesNothing) {
  Configuration read;
  ASSERT_TRUE(read_configuration("{}", "waylay.json", read));
  EXPECT_EQ(read.runtime_directory, "/run/waylay");
  EXPECT_EQ(read.docker_sockets, std::vector<std::string>{"/var/run/docker.sock"});
}

TEST(Configuration, SaysLineAndColumnOfASyntaxError) {
  std::string mistake = mistake_in("{\n  \"workers\": 2,\n  \"user\" \"x\"\n}");
  EXPECT_TRUE(mistake.starts_with("waylay.json:3:")) << mistake;
  EXPECT_NE(mistake.find("syntax error"), std::string::npos) << mistake;
  EXPECT_EQ(mistake.find("json.exception"), std::string::npos) << mistake;
}

TEST(Configuration, SaysThePointerOfAWrongValue) {
  EXPECT_EQ(mistake_in(R"({"workers": 0})"), "waylay.json: /workers: must be a whole number from 1 to 30");
  EXPECT_EQ(mistake_in(R"({"workers": "4"})"), "waylay.json: /workers: must be a whole number from 1 to 30");
  EXPECT_EQ(mistake_in(R"({"upstream": {"roots": 1}})"), "waylay.json: /upstream/roots: must be a text");
  EXPECT_EQ(mistake_in(R"({"upstream": {"roots": "x.pem"}})"),
            "waylay.json: /upstream/roots: must be an absolute path");
  EXPECT_EQ(mistake_in(R"({"docker": {"socket": [1]}})"),
            "waylay.json: /docker/socket: must be a text or a list of texts");
  EXPECT_EQ(mistake_in(R"({"listen": "8443"})"),
            "waylay.json: /listen: must be ADDRESS:PORT, as in \"127.0.0.1:8443\" or \"[::1]:8443\"");
  EXPECT_EQ(mistake_in(R"({"record_layer": "own"})"), "waylay.json: /record_layer: must be auto or openssl");
  EXPECT_EQ(mistake_in(R"({"log_level": "loud"})"), "waylay.json: /log_level: must be debug, info, warning or error");
  EXPECT_EQ(mistake_in(R"({"client": {"ech": "accept"}})"), "waylay.json: /client/ech: must be reject or passthrough");
  EXPECT_EQ(mistake_in(R"({"client": {"leaf_key": "dsa"}})"),
            "waylay.json: /client/leaf_key: must be auto, p256 or rsa2048");
  EXPECT_EQ(mistake_in(R"({"ca": {"key": "/k"}})"), "waylay.json: /ca: certificate and key belong together");
  EXPECT_EQ(mistake_in(R"({"upstream": {"client_certificates": {}}})"),
            "waylay.json: /upstream/client_certificates: must be a list of objects");
  EXPECT_EQ(mistake_in(R"({"upstream": {"client_certificates": [{"hosts": "a", "key": "/k"}]}})"),
            "waylay.json: /upstream/client_certificates/0: hosts, certificate and key belong together");
  EXPECT_EQ(mistake_in(R"({"upstream": {"client_certificates": [{"hosts": "a*", "certificate": "/c", "key": "/k"}]}})"),
            "waylay.json: /upstream/client_certificates/0/hosts: \"a*\" is neither a host nor *.HOST");
  EXPECT_EQ(mistake_in("[]"), "waylay.json: the whole file: must be an object, {...}");
}

TEST(Configuration, NamesTheNearestMemberForAnUnknownOne) {
  EXPECT_EQ(mistake_in(R"({"worker": 2})"), "waylay.json: /worker: unknown member; did you mean workers or docker?");
  EXPECT_EQ(mistake_in(R"({"docker": {"sockets": "/x"}})"),
            "waylay.json: /docker/sockets: unknown member; did you mean socket?");
  EXPECT_EQ(
      mistake_in(R"({"upstream": {"completely_else": 1}})"),
      "waylay.json: /upstream/completely_else: unknown member; known here: roots strict_x509 client_certificates");
  EXPECT_TRUE(mistake_in(R"({"a/b~c": 1})").starts_with("waylay.json: /a~1b~0c: ")) << mistake_in(R"({"a/b~c": 1})");
}

TEST(Configuration, AMistakeChangesNothing) {
  Configuration read;
  EXPECT_FALSE(read_configuration(R"({"workers": 7, "user": 1})", "waylay.json", read));
  EXPECT_EQ(read.workers, 1u);
}

TEST(CommandLine, WinsOverTheFile) {
  File file(R"({"workers": 2, "user": "file", "log_level": "error"})");
  Result<CommandLine> line = parse({"--config",        file.path.c_str(),
                                    "--workers",       "5",
                                    "--log-level",     "debug",
                                    "--listen",        "127.0.0.1:0",
                                    "--docker-socket", "/a",
                                    "--docker-socket", "/b",
                                    "--error-page",    "--strict-x509",
                                    "--ech",           "passthrough",
                                    "--leaf-key",      "p256",
                                    "--record-layer",  "openssl"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->purpose, CommandLine::Purpose::Run);
  EXPECT_EQ(line->configuration.workers, 5u);
  EXPECT_EQ(line->configuration.user, "file");
  EXPECT_EQ(line->configuration.log_level, log::Level::Debug);
  EXPECT_EQ(line->configuration.listen->to_string(), "127.0.0.1:0");
  EXPECT_EQ(line->configuration.docker_sockets, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_TRUE(line->configuration.error_page);
  EXPECT_EQ(line->configuration.client.ech, tls::EchPolicy::Passthrough);
  EXPECT_EQ(line->configuration.client.leaf_key, tls::LeafKeyPolicy::P256);
  EXPECT_TRUE(line->configuration.strict_x509);
  EXPECT_FALSE(line->configuration.own_records);
}

TEST(CommandLine, MakesRelativePathsAbsolute) {
  Result<CommandLine> line = parse({"--state-dir", "state/../s", "--runtime-dir", "/r"});
  ASSERT_TRUE(line) << line.error().message;
  char here[4096];
  ASSERT_NE(::getcwd(here, sizeof here), nullptr);
  EXPECT_EQ(line->configuration.state_directory, std::string(here) + "/s");
  EXPECT_EQ(line->configuration.runtime_directory, "/r");
}

TEST(CommandLine, RefusesWhatCannotBe) {
  EXPECT_EQ(refusal_of({"--workers", "31"}), "--workers: must be from 1 to 30");
  EXPECT_EQ(refusal_of({"--listen", "443"}), "--listen 443: must be ADDRESS:PORT, as in 127.0.0.1:8443 or [::1]:8443");
  EXPECT_EQ(refusal_of({"--ca-cert", "/c"}), "--ca-cert and --ca-key belong together");
  EXPECT_EQ(refusal_of({"--log-level", "loud"}), "--log-level loud: must be debug, info, warning or error");
  EXPECT_NE(refusal_of({"--bogus"}).find("--bogus"), std::string::npos) << refusal_of({"--bogus"});
  EXPECT_EQ(refusal_of({"--config", "/nonexistent/waylay.json"}),
            "configuration: opening /nonexistent/waylay.json: No such file or directory");
}

TEST(CommandLine, KnowsWhatItIsFor) {
  EXPECT_EQ(parse({"--check-config"})->purpose, CommandLine::Purpose::CheckConfiguration);
  Result<CommandLine> proxy = parse({"--proxy-channel", "7"});
  EXPECT_EQ(proxy->purpose, CommandLine::Purpose::Proxy);
  EXPECT_EQ(proxy->proxy_channel, 7);
  EXPECT_TRUE(parse({"--version"})->text.starts_with("waylayd 0."));
  std::string help = parse({"--help"})->text;
  EXPECT_NE(help.find("--runtime-dir"), std::string::npos);
  EXPECT_NE(help.find("Examples:"), std::string::npos);
  EXPECT_EQ(help.find("--proxy-channel"), std::string::npos);
}

}  // namespace
}  // namespace waylay::warden
