#include "minimize/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "kappa/error.h"

namespace kappa {
namespace {

constexpr char kMagic[8] = {'K', 'A', 'P', 'P', 'A', 'C', 'P', '2'};
constexpr std::size_t kHeaderBytes = 24;

// FNV-1a over 8-byte words, the length mixed in; guards against damage, not against forgery.
std::uint64_t checksum(const std::vector<char>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ bytes.size();
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(8, bytes.size() - i));
    hash = (hash ^ word) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return hash;
}

std::string path_in(const std::string& directory) { return directory + "/checkpoint.kappa"; }

[[noreturn]] void fail(const char* verb, const std::string& path) {
  throw Error(ErrorKind::data, fmt::format("checkpoint: cannot {} {}: {}", verb, path,
                                           std::generic_category().message(errno)));
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] bool open() const { return descriptor_ >= 0; }
  bool write(const char* data, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      data += written;
      size -= static_cast<std::size_t>(written);
    }
    return true;
  }
  bool sync() { return ::fsync(descriptor_) == 0; }

 private:
  int descriptor_;
};

}  // namespace

void write_checkpoint(const std::string& directory, const std::vector<char>& payload) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const std::string path = path_in(directory), beside = path + ".new";
  char header[kHeaderBytes];
  const std::uint64_t size = payload.size(), sum = checksum(payload);
  std::memcpy(header, kMagic, 8);
  std::memcpy(header + 8, &size, 8);
  std::memcpy(header + 16, &sum, 8);
  {
    File file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.open() || !file.write(header, kHeaderBytes) ||
        !file.write(payload.data(), payload.size()) || !file.sync()) {
      fail("write", beside);
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) fail("replace", path);
  File folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.open()) folder.sync();  // makes the rename last; not every file system can
}

std::optional<std::vector<char>> read_checkpoint(const std::string& directory) {
  const std::string path = path_in(directory);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  std::ifstream file(path, std::ios::binary);
  char header[kHeaderBytes];
  const auto bytes = std::filesystem::file_size(path, error);
  if (!file.read(header, kHeaderBytes) || std::memcmp(header, kMagic, 8) != 0) {
    throw Error(ErrorKind::data, fmt::format("checkpoint: {} is not a Kappa checkpoint", path));
  }
  std::uint64_t size = 0, sum = 0;
  std::memcpy(&size, header + 8, 8);
  std::memcpy(&sum, header + 16, 8);
  if (error || size != bytes - kHeaderBytes) {
    throw Error(ErrorKind::data, fmt::format("checkpoint: {} is truncated: {} bytes of payload "
                                             "where its header says {}",
                                             path, bytes - kHeaderBytes, size));
  }
  std::vector<char> payload(size);
  if (size > 0 && !file.read(payload.data(), static_cast<std::streamsize>(size))) {
    fail("read", path);
  }
  if (checksum(payload) != sum) {
    throw Error(ErrorKind::data, fmt::format("checkpoint: {} is damaged (its checksum does not "
                                             "fit); remove it to begin from the start",
                                             path));
  }
  return payload;
}

}  // namespace kappa
