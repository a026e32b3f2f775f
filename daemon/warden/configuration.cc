#include "warden/configuration.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/handle.h"
#include "base/nearest.h"
#include "tls/client_identity.h"

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};

// "3:7": where in the text a byte is, both counted from 1.
std::string position_of(std::string_view text, size_t byte) {
  std::string_view before = text.substr(0, std::min(byte, text.size()));
  auto line = std::ranges::count(before, '\n') + 1;
  size_t start = before.rfind('\n');
  size_t column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return std::to_string(line) + ":" + std::to_string(column);
}

// nlohmann's text without its prefix: "[json.exception.parse_error.101] parse error at line 1, column 2: syntax
// error...".
std::string plain_reason(std::string_view what) {
  size_t start = what.find("syntax error");
  return std::string(start == std::string_view::npos ? what : what.substr(start));
}

Result<Json> parse_json(std::string_view text, std::string_view file) {
  try {
    return Json::parse(text, nullptr, true, true);
  } catch (const Json::parse_error& error) {
    // nlohmann counts the byte it stopped at from 1.
    std::string where = std::string(file) + ":" + position_of(text, error.byte == 0 ? 0 : error.byte - 1);
    return fail(Error::local(ErrorKind::Invalid, where + ": " + plain_reason(error.what())));
  }
}

std::string instead_of(std::string_view wrong, const std::vector<std::string_view>& known) {
  std::string text = did_you_mean(wrong, known);
  if (!text.empty()) return text;
  text = "; known here:";
  for (std::string_view name : known) text.append(" ").append(name);
  return text;
}

// Reads the members of one object. The first mistake is kept, the rest is read for nothing: one exit, at the end.
class Reader {
 public:
  Reader(const Json& object, std::string_view file, std::string pointer)
      : object_(object), file_(file), pointer_(std::move(pointer)) {
    if (!object_.is_object()) wrong("", "must be an object, {...}");
  }

  void text(std::string_view key, std::string& into) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_string() || value->get_ref<const std::string&>().empty()) return wrong(key, "must be a text");
    into = value->get<std::string>();
  }

  void path(std::string_view key, std::string& into) {
    std::string value;
    text(key, value);
    if (value.empty()) return;
    if (value.front() != '/') return wrong(key, "must be an absolute path");
    into = std::move(value);
  }

  void boolean(std::string_view key, bool& into) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_boolean()) return wrong(key, "must be true or false");
    into = value->get<bool>();
  }

  void number(std::string_view key, unsigned least, unsigned most, unsigned& into) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_number_unsigned() || value->get<uint64_t>() < least || value->get<uint64_t>() > most) {
      return wrong(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    into = value->get<unsigned>();
  }

  void texts(std::string_view key, std::vector<std::string>& into) {
    const Json* value = member(key);
    if (!value) return;
    if (value->is_string()) {
      into = {value->get<std::string>()};
      return;
    }
    bool all_texts =
        value->is_array() && std::ranges::all_of(*value, [](const Json& each) { return each.is_string(); });
    if (!all_texts) return wrong(key, "must be a text or a list of texts");
    into = value->get<std::vector<std::string>>();
  }

  template <class Read>
  void object(std::string_view key, Read read) {
    if (const Json* value = member(key)) read_inner(*value, std::string(key), read);
  }

  template <class Read>
  void objects(std::string_view key, Read read) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_array()) return wrong(key, "must be a list of objects");
    for (size_t i = 0; i < value->size(); ++i)
      read_inner((*value)[i], std::string(key) + "/" + std::to_string(i), read);
  }

  void wrong(std::string_view key, std::string_view what) {
    if (!mistake_.empty()) return;
    std::string pointer = key.empty() ? pointer_ : pointer_ + "/" + escaped(key);
    mistake_ = std::string(file_) + ": " + (pointer.empty() ? "the whole file" : pointer) + ": " + std::string(what);
  }

  // After every member was asked for: what is left is unknown.
  Result<void> finish() {
    if (object_.is_object()) {
      for (const auto& [key, value] : object_.items()) {
        if (std::ranges::find(known_, key) == known_.end()) wrong(key, "unknown member" + instead_of(key, known_));
      }
    }
    if (mistake_.empty()) return {};
    return fail(Error::local(ErrorKind::Invalid, mistake_));
  }

 private:
  template <class Read>
  void read_inner(const Json& value, const std::string& pointer, Read read) {
    Reader inner(value, file_, pointer_ + "/" + pointer);
    read(inner);
    Result<void> finished = inner.finish();
    if (!finished && mistake_.empty()) mistake_ = std::move(finished).error().message;
  }

  const Json* member(std::string_view key) {
    known_.push_back(key);
    if (!object_.is_object()) return nullptr;
    auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  // RFC 6901 section 3: '~' and '/' inside a name.
  static std::string escaped(std::string_view key) {
    std::string out;
    for (char c : key) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
    return out;
  }

  const Json& object_;
  std::string_view file_;
  std::string pointer_;
  std::vector<std::string_view> known_;
  std::string mistake_;
};

void read_listen(Reader& reader, std::optional<Address>& into) {
  std::string text;
  reader.text("listen", text);
  if (text.empty()) return;
  Result<Address> address = Address::parse(text);
  if (!address) return reader.wrong("listen", "must be ADDRESS:PORT, as in \"127.0.0.1:8443\" or \"[::1]:8443\"");
  into = *address;
}

void read_client_certificate(Reader& reader, Configuration& into) {
  ClientCertificateFiles files;
  reader.texts("hosts", files.hosts);
  reader.path("certificate", files.certificate);
  reader.path("key", files.key);
  if (files.hosts.empty() || files.certificate.empty() || files.key.empty())
    return reader.wrong("", "hosts, certificate and key belong together");
  for (const std::string& pattern : files.hosts)
    if (!tls::is_host_pattern(pattern))
      return reader.wrong("hosts", "\"" + pattern + "\" is neither a host nor *.HOST");
  into.client_certificates.push_back(std::move(files));
}

// A text that must be one of a few words.
template <class T, class Parse>
void read_word(Reader& reader, std::string_view key, Parse parse, std::string_view words, T& into) {
  std::string text;
  reader.text(key, text);
  if (text.empty()) return;
  auto value = parse(text);
  if (!value) return reader.wrong(key, "must be " + std::string(words));
  into = *value;
}

}  // namespace

std::string_view to_string(log::Level level) {
  return kLevels[static_cast<size_t>(level)];
}

std::optional<log::Level> level_from(std::string_view name) {
  auto found = std::ranges::find(kLevels, name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<log::Level>(found - kLevels.begin());
}

std::optional<bool> own_records_from(std::string_view record_layer) {
  if (record_layer != "auto" && record_layer != "openssl") return std::nullopt;
  return record_layer == "auto";
}

Result<void> read_configuration(std::string_view text, std::string_view file, Configuration& into) {
  Result<Json> json = parse_json(text, file);
  if (!json) return fail(json);
  Configuration read = into;
  Reader reader(*json, file, "");
  read_listen(reader, read.listen);
  reader.number("workers", 1, kMaximumWorkers, read.workers);
  reader.object("ca", [&](Reader& ca) {
    ca.path("certificate", read.ca_certificate);
    ca.path("key", read.ca_key);
    ca.texts("permitted_names", read.ca_permitted_names);
    if (read.ca_certificate.empty() != read.ca_key.empty()) ca.wrong("", "certificate and key belong together");
  });
  reader.object("client", [&](Reader& client) {
    read_word(client, "ech", tls::ech_policy_from, "reject or passthrough", read.client.ech);
    read_word(client, "leaf_key", tls::leaf_key_policy_from, "auto, p256 or rsa2048", read.client.leaf_key);
  });
  reader.object("upstream", [&](Reader& upstream) {
    upstream.path("roots", read.upstream_roots);
    upstream.boolean("strict_x509", read.strict_x509);
    read.client_certificates.clear();
    upstream.objects("client_certificates", [&](Reader& one) { read_client_certificate(one, read); });
  });
  reader.object("docker", [&](Reader& docker) { docker.texts("socket", read.docker_sockets); });
  reader.path("state_directory", read.state_directory);
  reader.path("runtime_directory", read.runtime_directory);
  reader.path("rules_directory", read.rules_directory);
  reader.text("user", read.user);
  reader.text("group", read.group);
  read_word(reader, "log_level", level_from, "debug, info, warning or error", read.log_level);
  reader.boolean("error_page", read.error_page);
  reader.boolean("handlers", read.handlers);
  read_word(reader, "record_layer", own_records_from, "auto or openssl", read.own_records);
  Result<void> finished = reader.finish();
  if (!finished) return finished;
  into = std::move(read);
  return {};
}

}  // namespace waylay::warden
