#include "warden/bundles.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace waylay::warden {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOurs = "-----BEGIN CERTIFICATE-----\nOURS\n-----END CERTIFICATE-----\n";
constexpr const char* kTheirs = "-----BEGIN CERTIFICATE-----\nTHEIRS\n-----END CERTIFICATE-----\n";

// A container's root as a directory, beside a secret that is not in it.
class Root : public ::testing::Test {
 protected:
  Root() {
    std::string name = "/tmp/warden-root-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    root = name + "/root";
    fs::create_directories(root + "/etc/ssl/certs");
    std::ofstream(base + "/secret") << "secret";
    write("/etc/ssl/certs/ca-certificates.crt", kTheirs);
    fd = Fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~Root() override { fs::remove_all(base); }

  void write(const std::string& path, std::string_view text) {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  void link(const std::string& path, const std::string& to) {
    fs::create_directories(fs::path(root + path).parent_path());
    ASSERT_EQ(::symlink(to.c_str(), (root + path).c_str()), 0);
  }
  std::string text_of(const std::string& path) {
    Result<RootedFile> file = open_in_root(fd.get(), path);
    if (!file) return "error: " + std::string(to_string(file.error().kind));
    Result<std::string> text = read_rooted(*file);
    return text ? *text : "unreadable";
  }

  std::string base, root;
  Fd fd;
};

TEST_F(Root, LinksInsideAreFollowedToTheRealFile) {
  link("/etc/ssl/cert.pem", "certs/ca-certificates.crt");
  link("/etc/absolute.pem", "/etc/ssl/cert.pem");
  EXPECT_EQ(text_of("/etc/absolute.pem"), kTheirs);
  Result<RootedFile> file = open_in_root(fd.get(), "/etc/absolute.pem");
  EXPECT_EQ(file->path, root + "/etc/ssl/certs/ca-certificates.crt");
}

TEST_F(Root, NoLinkLeadsOutside) {
  link("/up.pem", "../../../../../../../../secret");
  link("/absolute.pem", base + "/secret");
  link("/etc/dotdot", "../..");
  EXPECT_EQ(text_of("/up.pem"), "error: not_found");
  EXPECT_EQ(text_of("/absolute.pem"), "error: not_found");
  EXPECT_EQ(text_of("/../secret"), "error: not_found");
  EXPECT_EQ(text_of("/etc/dotdot/secret"), "error: not_found");
}

TEST_F(Root, MagicLinksAreRefused) {
  link("/magic.pem", "/proc/self/root/etc/passwd");
  fs::create_directories(root + "/proc");
  EXPECT_TRUE(text_of("/magic.pem").starts_with("error: "));
  // The real thing: a root that contains /proc.
  Fd slash(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Result<RootedFile> through = open_in_root(slash.get(), "/proc/self/root/etc/passwd");
  ASSERT_FALSE(through);
  EXPECT_EQ(through.error().code, ELOOP);
}

TEST_F(Root, LoopsFifosDirectoriesAndHugeFilesAreRefused) {
  link("/loop", "/loop");
  ASSERT_EQ(::mkfifo((root + "/fifo").c_str(), 0600), 0);
  write("/huge", "x");
  ASSERT_EQ(::truncate((root + "/huge").c_str(), kMaximumBundle + 1), 0);
  EXPECT_TRUE(text_of("/loop").starts_with("error: "));
  EXPECT_EQ(text_of("/fifo"), "error: invalid");
  EXPECT_EQ(text_of("/etc"), "error: invalid");
  EXPECT_EQ(text_of("/huge"), "error: limit");
}

TEST_F(Root, PatternsAreExpandedInsideOnly) {
  write("/opt/a/lib/python3.11/site-packages/certifi/cacert.pem", kTheirs);
  write("/opt/b/lib/python3.12/site-packages/x", "");
  link("/opt/outside", base);
  std::vector<std::string> found = expand_in_root(fd.get(), "/opt/*/lib/python3*/site-packages", 10);
  EXPECT_EQ(found,
            (std::vector<std::string>{"/opt/a/lib/python3.11/site-packages", "/opt/b/lib/python3.12/site-packages"}));
  EXPECT_EQ(expand_in_root(fd.get(), "/opt/*/lib/python3*/site-packages", 1).size(), 1u);
  EXPECT_EQ(expand_in_root(fd.get(), "/opt/a/lib", 10), std::vector<std::string>{"/opt/a/lib"});
}

TEST_F(Root, CandidatesIncludePackagesOfVirtualEnvironments) {
  write("/opt/job/lib/python3.11/site-packages/botocore/cacert.pem", kTheirs);
  std::vector<std::string> candidates = bundle_candidates(fd.get(), {});
  auto has = [&](const char* path) { return std::ranges::find(candidates, path) != candidates.end(); };
  EXPECT_TRUE(has("/etc/ssl/certs/ca-certificates.crt"));
  EXPECT_TRUE(has("/opt/job/lib/python3.11/site-packages/botocore/cacert.pem"));
  EXPECT_TRUE(has("/opt/job/lib/python3.11/site-packages/certifi/cacert.pem"));
}

TEST(MergedBundle, IsTheOriginalAndOurCertificate) {
  EXPECT_EQ(merge_bundle(kTheirs, kOurs), std::string(kTheirs) + kOurs);
  EXPECT_EQ(merge_bundle("no newline", kOurs), std::string("no newline\n") + kOurs);
  EXPECT_EQ(merge_bundle("", kOurs), kOurs);
  EXPECT_EQ(merge_bundle(std::string(kTheirs) + kOurs, kOurs), "") << "it is there already";
  EXPECT_TRUE(holds_certificates(kTheirs));
  EXPECT_FALSE(holds_certificates("root:x:0:0:"));
}

}  // namespace
}  // namespace waylay::warden
