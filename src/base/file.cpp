#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kappa/error.h"

namespace kappa {

std::string read_file(const std::string& path, std::int64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(ErrorKind::data, fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  try {
    std::string bytes = read_descriptor(descriptor, path, max_bytes);
    ::close(descriptor);
    return bytes;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

std::string read_descriptor(int descriptor, const std::string& path, std::int64_t max_bytes) {
  std::string bytes;
  std::size_t filled = 0;
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    // One byte more than the size, so that the loop meets the end without growing the buffer.
    bytes.resize(static_cast<std::size_t>(std::min<std::int64_t>(status.st_size, max_bytes)) + 1);
  }
  for (;;) {
    if (filled == bytes.size()) bytes.resize(std::max<std::size_t>(1 << 16, 2 * filled));
    const ssize_t got = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::data,
                  fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > static_cast<std::size_t>(max_bytes)) {
      throw Error(ErrorKind::resource,
                  fmt::format("{}: longer than the limit of {} bytes", path, max_bytes));
    }
  }
  bytes.resize(filled);
  return bytes;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), final_(path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    if (fs::is_directory(path, ignored)) {
      throw Error(ErrorKind::data, path + ": cannot be written: it is a directory");
    }
    const fs::path resolved = fs::canonical(path, ignored);  // a link keeps pointing to its file
    if (!resolved.empty()) final_ = resolved.string();
  }
  if (fs::exists(final_, ignored) && !fs::is_regular_file(final_, ignored)) {
    descriptor_ = ::open(final_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // O_EXCL with the ordinary creation mode: unlike mkstemp, the file gets the user's umask.
    static std::atomic<unsigned> counter{0};
    temporary_ = fmt::format("{}.tmp.{}.{}", final_, ::getpid(), counter++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) temporary_.clear();
  }
  if (descriptor_ < 0) fail("written");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t size) {
  const char* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, next, std::min<std::size_t>(size, 1 << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("written");
    next += written;
    size -= static_cast<std::size_t>(written);
    position_ += written;
  }
}

void AtomicFile::commit() {
  // Without the fsync a crash of the machine could leave the new name on an empty file.
  if (!temporary_.empty() && ::fsync(descriptor_) != 0) fail("written");
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail("written");
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), final_.c_str()) != 0) fail("renamed into place");
  temporary_.clear();
}

void AtomicFile::fail(const char* verb) const {
  throw Error(ErrorKind::data,
              fmt::format("{}: cannot be {}: {}", path_, verb, std::strerror(errno)));
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace kappa
