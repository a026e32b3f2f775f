#include "warden/bundles.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <ranges>
#include <set>

#include "kernel/process.h"
#include "warden/files.h"

namespace waylay::warden {

const std::vector<std::string_view> kBundleVariables = {
    "SSL_CERT_FILE",       "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",     "PIP_CERT",      "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CARGO_HTTP_CAINFO"};

namespace {

// Debian and Alpine, RHEL and Fedora, SUSE, and what OpenSSL itself looks for.
constexpr std::array kSystemBundles = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/usr/lib/ssl/cert.pem",
    "/usr/local/ssl/cert.pem",
};

// Where Python packages lie: distributions, python.org images, virtual environments, conda, AWS Lambda's images.
constexpr std::array kPackageDirectories = {
    "/usr/lib/python3/dist-packages",
    "/usr/lib/python3*/site-packages",
    "/usr/lib64/python3*/site-packages",
    "/usr/local/lib/python3*/site-packages",
    "/usr/local/lib/python3*/dist-packages",
    "/usr/local/lib64/python3*/site-packages",
    "/opt/*/lib/python3*/site-packages",
    "/venv/lib/python3*/site-packages",
    "/.venv/lib/python3*/site-packages",
    "/app/*venv/lib/python3*/site-packages",
    "/root/.local/lib/python3*/site-packages",
    "/home/*/.local/lib/python3*/site-packages",
    "/var/lang/lib/python3*/site-packages",
    "/var/runtime",
    "/var/task",
};

constexpr std::array kPackageBundles = {
    "certifi/cacert.pem",
    "botocore/cacert.pem",
    "pip/_vendor/certifi/cacert.pem",
    "botocore/vendored/requests/cacert.pem",
    "httplib2/cacerts.txt",
    "awscli/botocore/cacert.pem",
};

constexpr std::array kOtherBundles = {
    "/usr/local/aws-cli/v2/*/dist/awscli/botocore/cacert.pem",
    "/usr/local/aws-cli/v2/*/dist/certifi/cacert.pem",
    "/usr/local/aws-cli/v2/*/dist/botocore/cacert.pem",
};

// Debian, RHEL and Fedora, SUSE; then the JDKs of distributions and of the usual images.
constexpr std::array kJavaTruststores = {
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/var/lib/ca-certificates/java-cacerts",
    "/usr/lib/jvm/*/lib/security/cacerts",
    "/usr/lib/jvm/*/jre/lib/security/cacerts",
    "/usr/lib64/jvm/*/lib/security/cacerts",
    "/usr/lib64/jvm/*/jre/lib/security/cacerts",
    "/usr/java/*/lib/security/cacerts",
    "/usr/local/openjdk-*/lib/security/cacerts",
    "/usr/local/openjdk-*/jre/lib/security/cacerts",
    "/opt/java/*/lib/security/cacerts",
    "/opt/*/lib/security/cacerts",
    "/var/lang/lib/security/cacerts",
};

// Java takes the first of these in its own lib/security.
constexpr std::array kJavaNames = {"/lib/security/jssecacerts", "/lib/security/cacerts", "/jre/lib/security/cacerts"};
constexpr std::string_view kJavaProperty = "-Djavax.net.ssl.trustStore=";
constexpr std::array<std::string_view, 3> kJavaOptions = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"};

constexpr std::string_view kDirectoryVariable = "SSL_CERT_DIR";
constexpr std::array kSystemDirectories = {"/etc/ssl/certs", "/usr/lib/ssl/certs", "/etc/pki/tls/certs"};

// Bounds on work that a container's content decides.
constexpr size_t kMaximumDirectories = 256;
constexpr size_t kMaximumCandidates = 2048;
constexpr size_t kMaximumProcesses = 256;
constexpr size_t kMaximumEntries = 4096;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Fd open_rooted(int root_fd, const std::string& path, uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how)));
}

std::string path_of(int fd) {
  std::array<char, PATH_MAX> buffer;
  ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer.data(), buffer.size());
  return length <= 0 ? "" : std::string(buffer.data(), static_cast<size_t>(length));
}

bool matches(std::string_view name, std::string_view pattern) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return name.size() >= before.size() + after.size() && name.starts_with(before) && name.ends_with(after);
}

// At most one more than the maximum, so that a caller can tell that there are too many.
std::vector<std::string> entries_of(Fd fd) {
  std::vector<std::string> names;
  Directory directory(fd ? ::fdopendir(fd.get()) : nullptr);
  if (!directory) return names;
  fd.release();
  while (names.size() <= kMaximumEntries) {
    const dirent* entry = ::readdir(directory.get());
    if (!entry) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> names_in(int root_fd, const std::string& path, std::string_view pattern) {
  std::vector<std::string> names =
      entries_of(open_rooted(root_fd, path.empty() ? "/" : path, O_RDONLY | O_DIRECTORY | O_NONBLOCK));
  std::erase_if(names, [&](const std::string& name) { return !matches(name, pattern); });
  return names;
}

void expand(int root_fd, const std::string& done, std::string_view rest, size_t limit, std::vector<std::string>& into) {
  size_t star = rest.find('*');
  if (into.size() >= limit) return;
  if (star == std::string_view::npos) return into.push_back(done + std::string(rest));
  size_t start = rest.rfind('/', star), end = rest.find('/', star);
  std::string parent = done + std::string(rest.substr(0, start));
  std::string_view pattern = rest.substr(start + 1, end == std::string_view::npos ? end : end - start - 1);
  std::string_view tail = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  for (const std::string& name : names_in(root_fd, parent, pattern)) {
    expand(root_fd, std::string(parent).append("/").append(name), tail, limit, into);
  }
}

std::string link_text(const std::string& path) {
  std::array<char, PATH_MAX> buffer;
  ssize_t length = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return length <= 0 ? "" : std::string(buffer.data(), static_cast<size_t>(length));
}

// The words of a process's command line, each ended by a NUL, as far as they fit.
std::string command_line_of(pid_t pid) {
  Fd file(::open(("/proc/" + std::to_string(pid) + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, PATH_MAX> buffer;
  ssize_t length = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  return length <= 0 ? "" : std::string(buffer.data(), static_cast<size_t>(length));
}

// "/app/.venv/bin/python job.py": the environment is /app/.venv. "/opt/jdk/bin/java": the JDK is /opt/jdk.
std::string prefix_of_program(std::string_view program) {
  size_t bin = program.rfind("/bin/");
  return program.starts_with('/') && bin != std::string_view::npos ? std::string(program.substr(0, bin)) : "";
}

// Every word behind -Djavax.net.ssl.trustStore= in a command line or a variable.
std::vector<std::string> named_truststores(std::string_view text) {
  std::vector<std::string> paths;
  for (size_t found = text.find(kJavaProperty); found != std::string_view::npos;) {
    std::string_view rest = text.substr(found + kJavaProperty.size());
    size_t end = rest.find_first_of(std::string_view("\0 \t\n'\"", 6));
    paths.emplace_back(rest.substr(0, end));
    found = text.find(kJavaProperty, found + 1);
  }
  return paths;
}

// Extension modules that a process has mapped say where its packages are, however they were installed.
void add_mapped_packages(pid_t pid, std::set<std::string>& into) {
  Fd file(::open(("/proc/" + std::to_string(pid) + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return;
  Result<std::string> maps = read_all(file.get(), size_t{4} * 1024 * 1024, "maps");
  if (!maps) return;
  for (std::string_view part : {"/site-packages/", "/dist-packages/"}) {
    for (size_t found = maps->find(part); found != std::string::npos; found = maps->find(part, found + 1)) {
      size_t line = maps->rfind('\n', found) + 1, start = maps->find('/', line);
      if (start <= found) into.insert(maps->substr(start, found - start + part.size() - 1));
    }
  }
}

class Candidates {
 public:
  explicit Candidates(int root_fd) : root_fd_(root_fd) {}

  void add(const std::string& path) {
    if (!path.starts_with('/') || paths_.size() >= kMaximumCandidates || !known_.insert(path).second) return;
    paths_.push_back(path);
  }
  void add_pattern(const std::string& pattern) {
    for (const std::string& path : expand_in_root(root_fd_, pattern, kMaximumDirectories)) add(path);
  }
  void add_packages(const std::string& pattern) {
    for (const std::string& directory : expand_in_root(root_fd_, pattern, kMaximumDirectories)) {
      for (const char* bundle : kPackageBundles) add(directory + "/" + bundle);
    }
  }
  void add_environment(const std::string& prefix) {
    if (prefix.starts_with('/') && prefix.find('*') == std::string::npos)
      add_packages(prefix + "/lib/python3*/site-packages");
  }
  void add_jdk(const std::string& home) {
    if (!home.starts_with('/')) return;
    for (const char* name : kJavaNames) add(home + name);
  }
  void add_truststores(std::string_view options, const std::string& working_directory) {
    for (const std::string& path : named_truststores(options)) add_relative(path, working_directory);
  }
  void add_relative(const std::string& path, const std::string& working_directory) {
    if (!path.empty()) add(path.front() == '/' ? path : std::string(working_directory).append("/").append(path));
  }
  std::vector<std::string> take() { return std::move(paths_); }

 private:
  int root_fd_;
  std::set<std::string> known_;
  std::vector<std::string> paths_;
};

void add_variables(pid_t pid, const std::string& working_directory, Candidates& to) {
  auto environment = kernel::read_environment(pid);
  if (!environment) return;
  for (const auto& [name, value] : *environment) {
    if (name == "VIRTUAL_ENV" || name == "CONDA_PREFIX") to.add_environment(value);
    if (name == "JAVA_HOME") to.add_jdk(value);
    if (std::ranges::find(kJavaOptions, name) != kJavaOptions.end()) to.add_truststores(value, working_directory);
    if (std::ranges::find(kBundleVariables, name) != kBundleVariables.end()) to.add_relative(value, working_directory);
  }
}

void add_process(pid_t pid, Candidates& to) {
  std::string working_directory = link_text("/proc/" + std::to_string(pid) + "/cwd");
  std::string program = link_text("/proc/" + std::to_string(pid) + "/exe");
  std::string command_line = command_line_of(pid);
  add_variables(pid, working_directory, to);
  to.add_environment(prefix_of_program(command_line.substr(0, command_line.find('\0'))));
  if (program.ends_with("/java")) to.add_jdk(prefix_of_program(program));
  to.add_truststores(command_line, working_directory);
  to.add_environment(working_directory + "/.venv");
  to.add_environment(working_directory + "/venv");
  std::set<std::string> packages;
  add_mapped_packages(pid, packages);
  for (const std::string& directory : packages) {
    if (directory.find('*') == std::string::npos) to.add_packages(directory);
  }
}

// Our own magic link: it leads to exactly what was looked at.
std::string magic_link(const RootedFile& file) {
  return "/proc/self/fd/" + std::to_string(file.fd.get());
}

Result<RootedFile> described(Fd fd, const std::string& path) {
  if (!fd) return fail(posix_error(errno, path));
  RootedFile file{.fd = std::move(fd)};
  struct statx status{};
  if (::statx(file.fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &status) < 0) {
    return fail(posix_error(errno, path));
  }
  file.path = path_of(file.fd.get());
  file.device = device_of(status);
  file.inode = status.stx_ino;
  file.mount_id = status.stx_mnt_id;
  file.type = status.stx_mode & S_IFMT;
  file.mode = status.stx_mode & 07777;
  file.user = status.stx_uid;
  file.group = status.stx_gid;
  file.size = status.stx_size;
  if (!file.path.starts_with('/')) return fail(Error::local(ErrorKind::NotFound, path + ": not reachable"));
  return file;
}

}  // namespace

uint64_t device_of(const struct statx& status) {
  return (static_cast<uint64_t>(status.stx_dev_major) << 32) | status.stx_dev_minor;
}

Result<RootedFile> open_in_root(int root_fd, const std::string& path) {
  Result<RootedFile> file = described(open_rooted(root_fd, path, O_PATH), path);
  if (!file) return file;
  if (file->type != S_IFREG) return fail(Error::local(ErrorKind::Invalid, path + ": not a regular file"));
  if (file->size > kMaximumBundle) return fail(Error::local(ErrorKind::Limit, path + ": larger than 8 MiB"));
  return file;
}

Result<RootedFile> open_directory_in_root(int root_fd, const std::string& path) {
  return described(open_rooted(root_fd, path, O_PATH | O_DIRECTORY), path);
}

Result<RootedFile> open_entry(int directory_fd, const std::string& name) {
  return described(Fd(::openat(directory_fd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)), name);
}

Result<std::string> read_rooted(const RootedFile& file) {
  Fd readable(::open(magic_link(file).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!readable) return fail(posix_error(errno, "opening " + file.path));
  return read_all(readable.get(), kMaximumBundle, file.path);
}

Result<std::vector<std::string>> names_in_rooted(const RootedFile& directory) {
  Fd readable(::open(magic_link(directory).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  if (!readable) return fail(posix_error(errno, "opening " + directory.path));
  std::vector<std::string> names = entries_of(std::move(readable));
  if (names.size() > kMaximumEntries) return fail(Error::local(ErrorKind::Limit, directory.path + ": too many files"));
  return names;
}

bool holds_certificates(std::string_view text) {
  return text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos ||
         text.find("-----BEGIN TRUSTED CERTIFICATE-----") != std::string_view::npos;
}

std::string merge_bundle(std::string_view original, std::string_view ca_pem) {
  if (original.find(ca_pem) != std::string_view::npos) return "";
  std::string merged(original);
  if (!merged.empty() && merged.back() != '\n') merged += '\n';
  return merged.append(ca_pem);
}

std::vector<std::string> expand_in_root(int root_fd, const std::string& pattern, size_t limit) {
  std::vector<std::string> found;
  if (pattern.starts_with('/')) expand(root_fd, "", pattern, limit, found);
  return found;
}

std::vector<std::string> bundle_candidates(int root_fd, const std::vector<pid_t>& processes) {
  Candidates candidates(root_fd);
  for (const char* path : kSystemBundles) candidates.add(path);
  size_t looked_at = 0;
  for (pid_t pid : processes) {
    if (++looked_at > kMaximumProcesses) break;
    add_process(pid, candidates);
  }
  for (const char* pattern : kPackageDirectories) candidates.add_packages(pattern);
  for (const char* pattern : kOtherBundles) candidates.add_pattern(pattern);
  for (const char* pattern : kJavaTruststores) candidates.add_pattern(pattern);
  return candidates.take();
}

std::vector<std::string> directory_candidates(const std::vector<pid_t>& processes) {
  std::vector<std::string> paths(kSystemDirectories.begin(), kSystemDirectories.end());
  for (size_t i = 0; i < processes.size() && i < kMaximumProcesses; ++i) {
    auto environment = kernel::read_environment(processes[i]);
    if (!environment) continue;
    for (const auto& [name, value] : *environment) {
      if (name != kDirectoryVariable) continue;
      for (auto each : std::views::split(value, ':')) {
        std::string path(each.begin(), each.end());
        if (path.starts_with('/') && std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
      }
    }
  }
  return paths;
}

std::string system_bundle_path() {
  for (const char* path : kSystemBundles) {
    struct stat status{};
    if (::stat(path, &status) == 0 && S_ISREG(status.st_mode)) return path;
  }
  return "";
}

}  // namespace waylay::warden
