// The merge-mount against the real kernel, in a mount namespace and root that the test makes itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "kernel/support_warden.h"
#include "warden/bundles.h"
#include "warden/files.h"
#include "warden/trust.h"

namespace waylay::warden {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOurs = "-----BEGIN CERTIFICATE-----\nOURS\n-----END CERTIFICATE-----\n";
constexpr const char* kTheirs = "-----BEGIN CERTIFICATE-----\nTHEIRS\n-----END CERTIFICATE-----\n";
constexpr const char* kSystem = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kCertifi = "/opt/venv/lib/python3.11/site-packages/certifi/cacert.pem";

using testing::FakeContainer;

class TrustMount : public ::testing::Test {
 protected:
  TrustMount() {
    std::string name = "/tmp/warden-trust-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    root = name + "/root";
    places = {name + "/state", name + "/run"};
    for (const std::string& directory : {places.state_directory, places.runtime_directory, root})
      fs::create_directories(directory);
    write(kSystem, kTheirs);
    write(kCertifi, kTheirs);
    fs::create_directories(root + "/etc/pki/tls");
    EXPECT_EQ(::symlink("../../ssl/certs/ca-certificates.crt", (root + "/etc/pki/tls/cert.pem").c_str()), 0);
  }
  ~TrustMount() override { fs::remove_all(base); }

  void write(const std::string& path, std::string_view text) {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  Trust open() {
    Result<Trust> trust = Trust::open(places, {.pem = kOurs, .der = "ours", .hash = "0a0b0c0d"});
    EXPECT_TRUE(trust) << trust.error().message;
    return std::move(*trust);
  }
  size_t copies() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(places.runtime_directory + "/trust/merged"), {}));
  }

  std::string base, root;
  Trust::Places places;
};

TEST_F(TrustMount, EveryBundleHoldsOursUntilItIsUndone) {
  FakeContainer container(root);
  Trust trust = open();
  Result<TrustReport> report = trust.mount(1, {container.pid()});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->bundles, (std::vector<std::string>{kSystem, kCertifi}));
  std::string merged = std::string(kTheirs) + kOurs;
  EXPECT_EQ(container.read(kSystem), merged);
  EXPECT_EQ(container.read("/etc/pki/tls/cert.pem"), merged) << "a link to a bundle";
  EXPECT_EQ(container.read(kCertifi), merged);
  EXPECT_EQ(container.mounts_of_ours(), 2u) << "each real file once";
  std::ifstream original(root + kSystem);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(original), {}), kTheirs) << "only the namespace sees it";

  trust.unmount(1);
  EXPECT_EQ(container.read(kSystem), kTheirs);
  EXPECT_EQ(container.read(kCertifi), kTheirs);
  EXPECT_EQ(container.mounts_of_ours(), 0u);
  EXPECT_EQ(copies(), 0u);
}

TEST_F(TrustMount, IsReadOnlyAndKeepsOwnerAndMode) {
  ASSERT_EQ(::chown((root + kSystem).c_str(), 1234, 2345), 0);
  ASSERT_EQ(::chmod((root + kSystem).c_str(), 0640), 0);
  FakeContainer container(root);
  Trust trust = open();
  ASSERT_TRUE(trust.mount(1, {container.pid()}));
  std::string path = "/proc/" + std::to_string(container.pid()) + "/root" + kSystem;
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234u);
  EXPECT_EQ(status.st_gid, 2345u);
  EXPECT_EQ(status.st_mode & 07777, 0440u);
  EXPECT_EQ(::open(path.c_str(), O_WRONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, EROFS);
  trust.unmount_all();
}

TEST_F(TrustMount, TwoTargetsOfOneNamespaceShareItAndTheLastOneUndoesIt) {
  FakeContainer container(root);
  Trust trust = open();
  ASSERT_TRUE(trust.mount(1, {container.pid()}));
  Result<TrustReport> second = trust.mount(2, {container.pid()});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->bundles.size(), 2u);
  EXPECT_EQ(container.mounts_of_ours(), 2u);
  trust.unmount(1);
  EXPECT_EQ(container.mounts_of_ours(), 2u);
  trust.unmount(2);
  EXPECT_EQ(container.mounts_of_ours(), 0u);
}

TEST_F(TrustMount, WhatACrashLeavesIsReadableAndTheNextStartRemovesIt) {
  FakeContainer container(root);
  {
    Trust crashed = open();
    ASSERT_TRUE(crashed.mount(1, {container.pid()}));
  }  // no unmount: as after SIGKILL
  fs::remove_all(places.runtime_directory);  // as systemd does with a stopped service's
  EXPECT_EQ(container.read(kSystem), std::string(kTheirs) + kOurs);
  fs::create_directories(places.runtime_directory);
  Trust next = open();
  EXPECT_EQ(container.read(kSystem), kTheirs);
  EXPECT_EQ(container.mounts_of_ours(), 0u);
  EXPECT_TRUE(next.mount(1, {container.pid()}));
  next.unmount_all();
}

TEST_F(TrustMount, AJournalOfAContainerThatIsGoneIsForgotten) {
  {
    FakeContainer container(root);
    Trust crashed = open();
    ASSERT_TRUE(crashed.mount(1, {container.pid()}));
  }
  EXPECT_EQ(copies(), 2u);
  Trust next = open();
  EXPECT_EQ(copies(), 0u);
  Result<std::string> journal = read_file(places.state_directory + "/trust.json", 1 << 20);
  ASSERT_TRUE(journal);
  EXPECT_NE(journal->find("\"namespaces\": []"), std::string::npos) << *journal;
}

TEST_F(TrustMount, LeavesAloneWhatIsMountedOverOurs) {
  FakeContainer container(root);
  Trust trust = open();
  ASSERT_TRUE(trust.mount(1, {container.pid()}));
  write("/other.pem", "theirs again");
  // Somebody in the container mounts over our mount; a helper process does it from here.
  pid_t child = ::fork();
  if (child == 0) {
    int space = ::open(("/proc/" + std::to_string(container.pid()) + "/ns/mnt").c_str(), O_RDONLY);
    bool ok = ::setns(space, CLONE_NEWNS) == 0 && ::mount("/other.pem", kSystem, nullptr, MS_BIND, nullptr) == 0;
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  trust.unmount(1);
  EXPECT_EQ(container.read(kSystem), "theirs again") << "not ours to unmount";
  EXPECT_EQ(container.read(kCertifi), kTheirs);
}

TEST_F(TrustMount, NothingIsMountedUnderSharedPropagation) {
  FakeContainer container(root, MS_SHARED);
  Trust trust = open();
  Result<TrustReport> report = trust.mount(1, {container.pid()});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->bundles.empty());
  EXPECT_EQ(container.read(kSystem), kTheirs);
  ASSERT_FALSE(report->notes.empty());
  EXPECT_EQ(report->notes.front(), std::string(kSystem) + ": left alone, its mount is shared with other namespaces");
}

TEST_F(TrustMount, NothingIsMountedInTheHostsNamespace) {
  Trust trust = open();
  Result<TrustReport> report = trust.mount(1, {::getpid(), 1});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->bundles.empty());
  EXPECT_TRUE(report->summary.starts_with("nothing was mounted")) << report->summary;
  EXPECT_NE(report->summary.find(trust.bundle_path()), std::string::npos) << report->summary;
  EXPECT_EQ(copies(), 0u);
}

TEST_F(TrustMount, HostilePathsAreLeftAlone) {
  fs::remove(root + kCertifi);
  ASSERT_EQ(::mkfifo((root + kCertifi).c_str(), 0600), 0);
  fs::remove(root + kSystem);
  write("/etc/shadow", "root:x:1:");
  ASSERT_EQ(::symlink("../../shadow", (root + kSystem).c_str()), 0);
  FakeContainer container(root);
  Trust trust = open();
  Result<TrustReport> report = trust.mount(1, {container.pid()});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->bundles.empty());
  EXPECT_EQ(container.mounts_of_ours(), 0u);
  ASSERT_GE(report->notes.size(), 2u);
  EXPECT_EQ(report->notes[0], "/etc/shadow: left alone, it holds no certificates");
  EXPECT_EQ(report->notes[1], std::string(kCertifi) + ": not a regular file");
}

TEST_F(TrustMount, AContainerThatEndsMeanwhileIsAnErrorThatLeavesNothing) {
  FakeContainer container(root);
  Trust trust = open();
  pid_t pid = container.pid();
  container.kill();
  Result<TrustReport> report = trust.mount(1, {pid});
  ASSERT_TRUE(report) << report.error().message;  // no process, no namespace, nothing to do
  EXPECT_TRUE(report->bundles.empty());
  EXPECT_EQ(copies(), 0u);
}

TEST_F(TrustMount, TheBundleForRunHoldsTheSystemsAndOurs) {
  Trust trust = open();
  Result<std::string> bundle = read_file(trust.bundle_path(), kMaximumBundle);
  ASSERT_TRUE(bundle);
  EXPECT_TRUE(bundle->ends_with(kOurs));
  std::string system = system_bundle_path();
  if (!system.empty()) {
    EXPECT_EQ(bundle->substr(0, 1000), read_file(system, kMaximumBundle)->substr(0, 1000));
  }
  struct stat status{};
  ASSERT_EQ(::stat(trust.bundle_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(trust.environment().at("AWS_CA_BUNDLE"), trust.bundle_path());
  EXPECT_EQ(trust.environment().at("NODE_EXTRA_CA_CERTS"), trust.ca_path());
}

}  // namespace
}  // namespace waylay::warden
