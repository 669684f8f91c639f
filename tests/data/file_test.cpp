#include "base/file.h"

#include <sys/stat.h>

#include "data/support.h"

namespace kappa::testing {
namespace {

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TempFolder folder;
  const std::string path = folder.file("result.txt", "old");
  {
    AtomicFile file(path);
    file.write("half a res");
    EXPECT_EQ(bytes_of(path), "old");
    EXPECT_EQ(folder.num_files(), 2u);
  }
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(folder.num_files(), 1u) << "the temporary file was left behind";

  AtomicFile file(path);
  file.write("new");
  EXPECT_EQ(file.position(), 3);
  file.commit();
  EXPECT_EQ(bytes_of(path), "new");
  EXPECT_EQ(folder.num_files(), 1u);
}

TEST(AtomicFile, FollowsLinksAndKeepsTheUsersUmask) {
  const TempFolder folder;
  const std::string target = folder.file("target", "old");
  std::filesystem::create_symlink(target, folder.path("link"));
  write_file(folder.path("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
  EXPECT_EQ(bytes_of(target), "new");

  const mode_t mask = ::umask(022);
  write_file(folder.path("fresh"), "x");
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat(folder.path("fresh").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST(AtomicFile, WritesDevicesDirectly) { EXPECT_NO_THROW(write_file("/dev/null", "x")); }

TEST(AtomicFile, FailsInOneLine) {
  const TempFolder folder;
  expect_error([&] { write_file(folder.path("no/such/folder"), "x"); }, ErrorKind::data,
               {"no/such/folder", "cannot be written", "No such file"});
  expect_error([&] { write_file(folder.path(""), "x"); }, ErrorKind::data, {"directory"});
  EXPECT_EQ(folder.num_files(), 0u);
}

TEST(ReadFile, ReturnsAllBytesUpToTheLimit) {
  const TempFolder folder;
  const std::string bytes("a\0b", 3);
  EXPECT_EQ(read_file(folder.file("f", bytes), 3), bytes);
  EXPECT_EQ(read_file(folder.file("empty", ""), 0), "");
  expect_error([&] { read_file(folder.path("f"), 2); }, ErrorKind::resource, {"/f", "2 bytes"});
  expect_error([&] { read_file(folder.path("g"), 2); }, ErrorKind::data, {"/g", "No such file"});
  expect_error([&] { read_file("/dev/zero", 1000); }, ErrorKind::resource, {"1000 bytes"});
}

}  // namespace
}  // namespace kappa::testing
