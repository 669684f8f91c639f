#include "data/bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "base/file.h"
#include "kappa/error.h"

namespace kappa {
namespace {

class FileStore final : public ByteStore {
 public:
  FileStore(std::string path, int descriptor, std::int64_t size)
      : ByteStore(std::move(path)), descriptor_(descriptor), size_(size) {}
  ~FileStore() override { ::close(descriptor_); }
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  [[nodiscard]] std::int64_t size() const override { return size_; }
  std::size_t read_at(std::int64_t offset, void* to, std::size_t count) const override {
    std::size_t filled = 0;
    while (filled < count) {
      const ssize_t got = ::pread(descriptor_, static_cast<char*>(to) + filled, count - filled,
                                  offset + static_cast<std::int64_t>(filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        throw Error(ErrorKind::data,
                    fmt::format("{}: cannot be read: {}", name(), std::strerror(errno)));
      }
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

 private:
  int descriptor_;
  std::int64_t size_;
};

class MemoryStore final : public ByteStore {
 public:
  MemoryStore(std::string bytes, std::string name)
      : ByteStore(std::move(name)), bytes_(std::move(bytes)) {}

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(bytes_.size());
  }
  std::size_t read_at(std::int64_t offset, void* to, std::size_t count) const override {
    if (offset < 0 || offset >= size()) return 0;
    count = std::min(count, bytes_.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, bytes_.data() + offset, count);
    return count;
  }

 private:
  std::string bytes_;
};

class RawSource final : public ByteSource {
 public:
  RawSource(ByteStorePtr store, std::int64_t offset, std::int64_t length, std::string name)
      : ByteSource(std::move(name)),
        store_(std::move(store)),
        offset_(offset),
        remaining_(std::min(length, std::max<std::int64_t>(0, store_->size() - offset))) {}

  [[nodiscard]] std::int64_t max_remaining() const override { return remaining_; }

 protected:
  std::size_t read_some(void* to, std::size_t count) override {
    count = std::min(count, static_cast<std::size_t>(remaining_));
    const std::size_t got = store_->read_at(offset_, to, count);
    offset_ += static_cast<std::int64_t>(got);
    remaining_ -= static_cast<std::int64_t>(got);
    return got;
  }

 private:
  ByteStorePtr store_;
  std::int64_t offset_;
  std::int64_t remaining_;
};

class InflateSource final : public ByteSource {
 public:
  InflateSource(ByteSourcePtr compressed, Compression compression)
      : ByteSource(compressed->name()),
        compressed_(std::move(compressed)),
        compression_(compression),
        buffer_(1 << 16) {
    const int window_bits = compression == Compression::gzip ? 16 + MAX_WBITS : -MAX_WBITS;
    if (inflateInit2(&stream_, window_bits) != Z_OK) {
      throw Error(ErrorKind::resource, fmt::format("{}: zlib cannot start", name()));
    }
  }
  ~InflateSource() override { inflateEnd(&stream_); }
  InflateSource(const InflateSource&) = delete;
  InflateSource& operator=(const InflateSource&) = delete;

  [[nodiscard]] std::int64_t max_remaining() const override {
    // A deflate stream expands at most 1032 times (zlib's technical notes); the window may still
    // hold up to 32 kB.
    const std::int64_t compressed = compressed_->max_remaining() + stream_.avail_in;
    std::int64_t bound = 0;
    if (__builtin_mul_overflow(compressed, std::int64_t{1032}, &bound) ||
        __builtin_add_overflow(bound, std::int64_t{1} << 16, &bound)) {
      return std::numeric_limits<std::int64_t>::max();
    }
    return bound;
  }

 protected:
  std::size_t read_some(void* to, std::size_t count) override {
    if (ended_ || count == 0) return 0;
    count = std::min<std::size_t>(count, 1 << 30);
    stream_.next_out = static_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(count);
    while (stream_.avail_out == count) {
      if (stream_.avail_in == 0) refill();
      if (stream_.avail_in == 0) {
        if (between_members_) {
          ended_ = true;
          return 0;
        }
        throw Error(ErrorKind::data,
                    fmt::format("{}: the compressed data ends early, at byte {}; the file is "
                                "truncated, fetch it again",
                                name(), compressed_->position()));
      }
      between_members_ = false;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        if (compression_ == Compression::deflate) {
          ended_ = true;
          break;
        }
        // A gzip file may hold several members one after the other.
        inflateReset(&stream_);
        between_members_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw Error(
            ErrorKind::data,
            fmt::format("{}: corrupt compressed data near byte {}{}{}; fetch the file again",
                        name(), compressed_->position() - stream_.avail_in, stream_.msg ? ": " : "",
                        stream_.msg ? stream_.msg : ""));
      }
    }
    return count - stream_.avail_out;
  }

 private:
  void refill() {
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(compressed_->read(buffer_.data(), buffer_.size()));
  }

  ByteSourcePtr compressed_;
  Compression compression_;
  std::vector<Bytef> buffer_;
  z_stream stream_{};
  bool between_members_ = false;
  bool ended_ = false;
};

}  // namespace

ByteStorePtr open_file(const std::string& path, std::int64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(ErrorKind::data, fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  // The store owns the descriptor from here on, also while an error passes.
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  auto file = std::make_shared<FileStore>(path, descriptor, known ? status.st_size : 0);
  if (known && S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::data, path + ": is a directory, expected a data file");
  }
  if (known && S_ISREG(status.st_mode)) return file;
  return memory_store(read_descriptor(descriptor, path, max_bytes), path);
}

ByteStorePtr memory_store(std::string bytes, std::string name) {
  return std::make_shared<MemoryStore>(std::move(bytes), std::move(name));
}

std::size_t ByteSource::read(void* to, std::size_t count) {
  std::size_t filled = 0;
  while (filled < count) {
    const std::size_t got = read_some(static_cast<char*>(to) + filled, count - filled);
    if (got == 0) break;
    filled += got;
    position_ += static_cast<std::int64_t>(got);
  }
  return filled;
}

void ByteSource::read_exactly(void* to, std::size_t count, const char* what) {
  const std::size_t got = read(to, count);
  if (got == count) return;
  throw Error(ErrorKind::data,
              fmt::format("{}: ends at byte {}, within {} ({} bytes missing); the file is "
                          "truncated, fetch or write it again",
                          name(), position_, what, count - got));
}

void ByteSource::expect_end() {
  const std::int64_t end = position_;
  char byte = 0;
  if (read(&byte, 1) == 0) return;
  throw Error(ErrorKind::data,
              fmt::format("{}: more bytes follow after byte {}, where the header says the data "
                          "ends; the file is corrupt or holds several arrays",
                          name(), end));
}

ByteSourcePtr raw_source(ByteStorePtr store, std::int64_t offset, std::int64_t length,
                         std::string name) {
  return std::make_unique<RawSource>(std::move(store), offset, length, std::move(name));
}

ByteSourcePtr inflate_source(ByteSourcePtr compressed, Compression compression) {
  return std::make_unique<InflateSource>(std::move(compressed), compression);
}

ByteSourcePtr content_source(const ByteStorePtr& store) {
  unsigned char head[2] = {};
  store->read_at(0, head, 2);
  ByteSourcePtr raw = raw_source(store, 0, store->size(), store->name());
  if (head[0] == 0x1f && head[1] == 0x8b) {
    return inflate_source(std::move(raw), Compression::gzip);
  }
  if (store->name().ends_with(".gz")) {
    throw Error(ErrorKind::data,
                fmt::format("{}: is not gzip data (no 1f 8b at byte 0), though its name ends in "
                            ".gz; rename it or fetch it again",
                            store->name()));
  }
  return raw;
}

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace kappa
