#include "warden/merged_copies.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace waylay::warden {
namespace {

namespace fs = std::filesystem;

// A container's /etc/ssl/certs as a directory, and a merged directory beside it.
class HashedDirectory : public ::testing::Test {
 protected:
  HashedDirectory() {
    std::string name = "/tmp/warden-copies-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    fs::create_directories(base + "/certs/java");
    fs::create_directories(base + "/merged");
    write("bundle.crt", "bundle");
    write("java/cacerts", "truststore");
    write("own.pem", "own");
    fs::create_symlink("own.pem", base + "/certs/0a0b0c0d.0");
    fs::create_symlink("/usr/share/somewhere.crt", base + "/certs/dangling.pem");
    root = Fd(::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    merged = Fd(::open((base + "/merged").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~HashedDirectory() override { fs::remove_all(base); }

  void write(const std::string& name, std::string_view text) { std::ofstream(base + "/certs/" + name) << text; }
  std::string text(const fs::path& path) const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  RootedFile directory() { return std::move(*open_directory_in_root(root.get(), "/certs")); }
  MergedCopies copies() { return {merged.get(), "waylay-test-"}; }
  fs::path copy_of(const MergedBundle& bundle) const { return base + "/merged/" + bundle.file; }

  std::string base;
  Fd root, merged;
};

TEST_F(HashedDirectory, IsCopiedWithOurCertificateUnderTheNextNumberOfItsHash) {
  RootedFile bundle = std::move(*open_in_root(root.get(), "/certs/bundle.crt"));
  MergedCopies made = copies();
  Result<void> added = made.add_directory(directory(), {{{bundle.device, bundle.inode}, "merged"}}, "0a0b0c0d", "ours");
  ASSERT_TRUE(added) << added.error().message;
  std::vector<MergedBundle> all = made.take();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].path, base + "/certs");
  fs::path copy = copy_of(all[0]);
  EXPECT_EQ(text(copy / "bundle.crt"), "merged");
  EXPECT_EQ(text(copy / "java/cacerts"), "truststore");
  EXPECT_EQ(fs::read_symlink(copy / "0a0b0c0d.0"), "own.pem");
  EXPECT_EQ(fs::read_symlink(copy / "dangling.pem"), "/usr/share/somewhere.crt");
  EXPECT_EQ(text(copy / "0a0b0c0d.1"), "ours");
  EXPECT_EQ(text(base + "/certs/bundle.crt"), "bundle") << "the original is as it was";
}

TEST_F(HashedDirectory, PipesAreLeftOutAndNeverOpened) {
  ASSERT_EQ(::mkfifo((base + "/certs/pipe").c_str(), 0600), 0);
  MergedCopies made = copies();
  ASSERT_TRUE(made.add_directory(directory(), {}, "11111111", "ours"));
  EXPECT_FALSE(fs::exists(copy_of(made.take()[0]) / "pipe"));
}

TEST_F(HashedDirectory, TooMuchInItLeavesNothingBehind) {
  for (int i = 0; i <= 4096; ++i) fs::create_symlink("own.pem", base + "/certs/link-" + std::to_string(i));
  MergedCopies made = copies();
  Result<void> added = made.add_directory(directory(), {}, "11111111", "ours");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::Limit);
  EXPECT_EQ(made.size(), 0u);
  EXPECT_TRUE(fs::is_empty(base + "/merged"));
}

TEST_F(HashedDirectory, DirectoriesWithinDirectoriesAreFollowedSoFarOnly) {
  fs::create_directories(base + "/certs/a/b/c/d/e/f");
  MergedCopies made = copies();
  EXPECT_FALSE(made.add_directory(directory(), {}, "11111111", "ours"));
  EXPECT_TRUE(fs::is_empty(base + "/merged"));
}

TEST_F(HashedDirectory, CopiesAreRemovedFilesAndDirectoriesAlike) {
  MergedCopies made = copies();
  ASSERT_TRUE(made.add_directory(directory(), {}, "11111111", "ours"));
  ASSERT_TRUE(made.add_file(*open_in_root(root.get(), "/certs/bundle.crt"), "merged"));
  EXPECT_EQ(made.size(), 2u);
  made.remove_all();
  EXPECT_TRUE(fs::is_empty(base + "/merged"));
  EXPECT_EQ(text(base + "/certs/own.pem"), "own") << "links are removed, not followed";
}

}  // namespace
}  // namespace waylay::warden
