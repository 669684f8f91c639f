#include "data/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "kappa/error.h"

namespace kappa {
namespace {

constexpr std::int64_t kEndRecord = 22, kEndLocator = 20, kEndRecord64 = 56;
constexpr std::int64_t kCentralHeader = 46, kLocalHeader = 30;

[[noreturn]] void fail(const ByteStore& store, const std::string& problem) {
  throw Error(ErrorKind::data,
              fmt::format("{}: zip archive: {}; the file is truncated or corrupt, write it again",
                          store.name(), problem));
}

/// A little-endian field of 2, 4 or 8 bytes.
std::uint64_t field(const std::string& bytes, std::size_t at, int width) {
  std::uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  }
  return value;
}

std::string block(const ByteStore& store, std::int64_t offset, std::int64_t count,
                  const char* what) {
  // `offset` comes from the file: compare without adding to it.
  if (offset < 0 || count < 0 || count > store.size() || offset > store.size() - count) {
    fail(store, fmt::format("the {} at byte {} lies outside the file of {} bytes", what, offset,
                            store.size()));
  }
  std::string bytes(static_cast<std::size_t>(count), '\0');
  if (store.read_at(offset, bytes.data(), bytes.size()) != bytes.size()) {
    fail(store, fmt::format("the {} at byte {} cannot be read", what, offset));
  }
  return bytes;
}

std::int64_t as_offset(const ByteStore& store, std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    fail(store, "a size of more than 2^63 bytes is declared");
  }
  return static_cast<std::int64_t>(value);
}

/// Takes the 64-bit values that stand in for 32-bit fields of 0xffffffff.
void apply_zip64(const ByteStore& store, const std::string& extra, std::uint64_t* bytes,
                 std::uint64_t* compressed, std::uint64_t* offset) {
  constexpr std::uint64_t kElsewhere = 0xffffffff;
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t id = field(extra, at, 2);
    const std::size_t end = at + 4 + field(extra, at + 2, 2);
    if (end > extra.size()) fail(store, "an extra field is longer than its entry");
    if (id == 1) {
      std::size_t next = at + 4;
      for (std::uint64_t* value : {bytes, compressed, offset}) {
        if (*value != kElsewhere) continue;
        if (next + 8 > end) fail(store, "a ZIP64 field is too short");
        *value = field(extra, next, 8);
        next += 8;
      }
    }
    at = end;
  }
}

class ZipEntrySource final : public ByteSource {
 public:
  ZipEntrySource(ByteSourcePtr content, const ZipEntry& entry, std::string name)
      : ByteSource(std::move(name)),
        content_(std::move(content)),
        remaining_(entry.bytes),
        expected_crc_(entry.crc) {}

  [[nodiscard]] std::int64_t max_remaining() const override {
    return std::min(remaining_, content_->max_remaining());
  }

 protected:
  std::size_t read_some(void* to, std::size_t count) override {
    if (remaining_ == 0) {
      if (!checked_) check();
      return 0;
    }
    count = std::min({count, static_cast<std::size_t>(remaining_), std::size_t{1} << 30});
    const std::size_t got = content_->read(to, count);
    if (got < count) {
      throw Error(ErrorKind::data,
                  fmt::format("{}: ends {} bytes early; the archive is corrupt, write it again",
                              name(), remaining_ - static_cast<std::int64_t>(got)));
    }
    crc_ = crc32(crc_, static_cast<const Bytef*>(to), static_cast<uInt>(got));
    remaining_ -= static_cast<std::int64_t>(got);
    return got;
  }

 private:
  void check() {
    checked_ = true;
    if (crc_ != expected_crc_) {
      throw Error(ErrorKind::data,
                  fmt::format("{}: CRC-32 is {:08x}, the archive says {:08x}; the file is corrupt, "
                              "write it again",
                              name(), crc_, expected_crc_));
    }
  }

  ByteSourcePtr content_;
  std::int64_t remaining_;
  uLong crc_ = crc32(0, nullptr, 0);
  uLong expected_crc_;
  bool checked_ = false;
};

}  // namespace

std::vector<ZipEntry> read_zip_directory(const ByteStore& store) {
  // The end record is last, followed by a comment of at most 65535 bytes.
  const std::int64_t tail_bytes = std::min<std::int64_t>(store.size(), kEndRecord + 65535);
  const std::int64_t tail_offset = store.size() - tail_bytes;
  const std::string tail = block(store, tail_offset, tail_bytes, "end");
  const std::size_t end = tail.rfind(std::string("PK\5\6"));
  if (end == std::string::npos || end + kEndRecord > tail.size()) {
    fail(store, "the list of files at its end is missing");
  }
  std::uint64_t count = field(tail, end + 10, 2);
  std::uint64_t size = field(tail, end + 12, 4);
  std::uint64_t offset = field(tail, end + 16, 4);
  const std::int64_t end_offset = tail_offset + static_cast<std::int64_t>(end);
  if ((count == 0xffff || size == 0xffffffff || offset == 0xffffffff) &&
      end_offset >= kEndLocator) {
    const std::string locator =
        block(store, end_offset - kEndLocator, kEndLocator, "ZIP64 locator");
    if (locator.starts_with(std::string("PK\6\7"))) {
      const std::string record =
          block(store, as_offset(store, field(locator, 8, 8)), kEndRecord64, "ZIP64 end record");
      if (!record.starts_with(std::string("PK\6\6")))
        fail(store, "the ZIP64 end record is missing");
      count = field(record, 32, 8);
      size = field(record, 40, 8);
      offset = field(record, 48, 8);
    }
  }

  constexpr std::int64_t kMaxDirectory = std::int64_t{64} << 20;
  if (size > kMaxDirectory) fail(store, fmt::format("its list of files declares {} bytes", size));
  const std::string directory =
      block(store, as_offset(store, offset), static_cast<std::int64_t>(size), "list of files");
  std::vector<ZipEntry> entries;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (at + kCentralHeader > directory.size() ||
        directory.compare(at, 4, std::string("PK\1\2")) != 0) {
      fail(store, fmt::format("entry {} of {} is missing in the list of files", i + 1, count));
    }
    const std::size_t name_bytes = field(directory, at + 28, 2);
    const std::size_t extra_bytes = field(directory, at + 30, 2);
    const std::size_t comment_bytes = field(directory, at + 32, 2);
    const std::size_t next = at + kCentralHeader + name_bytes + extra_bytes + comment_bytes;
    if (next > directory.size()) fail(store, fmt::format("entry {} is cut off", i + 1));
    std::uint64_t compressed = field(directory, at + 20, 4);
    std::uint64_t bytes = field(directory, at + 24, 4);
    std::uint64_t header = field(directory, at + 42, 4);
    apply_zip64(store, directory.substr(at + kCentralHeader + name_bytes, extra_bytes), &bytes,
                &compressed, &header);
    ZipEntry entry;
    entry.name = directory.substr(at + kCentralHeader, name_bytes);
    entry.encrypted = (field(directory, at + 8, 2) & 1) != 0;
    entry.method = static_cast<int>(field(directory, at + 10, 2));
    entry.crc = static_cast<std::uint32_t>(field(directory, at + 16, 4));
    entry.compressed_bytes = as_offset(store, compressed);
    entry.bytes = as_offset(store, bytes);
    entry.header_offset = as_offset(store, header);
    entries.push_back(std::move(entry));
    at = next;
  }
  return entries;
}

ByteSourcePtr open_zip_entry(const ByteStorePtr& store, const ZipEntry& entry, std::string name) {
  if (entry.encrypted || (entry.method != 0 && entry.method != 8)) {
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: is {}; expected a stored or deflated entry, as numpy.savez and "
                            "numpy.savez_compressed write",
                            name,
                            entry.encrypted ? "encrypted"
                                            : fmt::format("compressed by "
                                                          "method {}",
                                                          entry.method)));
  }
  // The local header repeats the name and may have other extra fields than the central one.
  const std::string local = block(*store, entry.header_offset, kLocalHeader, "entry header");
  if (!local.starts_with(std::string("PK\3\4"))) {
    fail(*store, fmt::format("no entry begins at byte {}", entry.header_offset));
  }
  if (block(*store, entry.header_offset + kLocalHeader,
            static_cast<std::int64_t>(field(local, 26, 2)), "entry name") != entry.name) {
    fail(*store, fmt::format("the entry at byte {} is not named {}, as the list of files says",
                             entry.header_offset, quote(entry.name)));
  }
  const auto skipped =
      kLocalHeader + static_cast<std::int64_t>(field(local, 26, 2) + field(local, 28, 2));
  if (entry.method == 0 && entry.bytes != entry.compressed_bytes) {
    fail(*store, fmt::format("the stored entry {} declares two sizes", quote(entry.name)));
  }
  ByteSourcePtr content =
      raw_source(store, entry.header_offset + skipped, entry.compressed_bytes, name);
  if (entry.method == 8) content = inflate_source(std::move(content), Compression::deflate);
  return std::make_unique<ZipEntrySource>(std::move(content), entry, std::move(name));
}

}  // namespace kappa
