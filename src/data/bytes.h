#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kappa {

/// Bytes at rest that can be read anywhere: a file, or memory.
class ByteStore {
 public:
  explicit ByteStore(std::string name) : name_(std::move(name)) {}
  virtual ~ByteStore() = default;

  /// What messages call it: the path.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Copies up to `count` bytes from `offset` on; returns less only at the end.
  virtual std::size_t read_at(std::int64_t offset, void* to, std::size_t count) const = 0;

 private:
  std::string name_;
};

using ByteStorePtr = std::shared_ptr<const ByteStore>;

/// Opens a file. A pipe is read into memory, up to max_bytes. Throws Error(data) or
/// Error(resource).
ByteStorePtr open_file(const std::string& path, std::int64_t max_bytes);
/// A store over its own copy of some bytes.
ByteStorePtr memory_store(std::string bytes, std::string name);

/// A forward stream of bytes that every reader parses. Errors name the stream and the byte.
class ByteSource {
 public:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  virtual ~ByteSource() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Bytes delivered so far.
  [[nodiscard]] std::int64_t position() const { return position_; }
  /// An upper bound on the bytes still to come: what a header declares beyond it is a lie, known
  /// before anything is allocated. Exact for uncompressed sources.
  [[nodiscard]] virtual std::int64_t max_remaining() const = 0;

  /// Fills `to`; returns less than `count` only at the end.
  std::size_t read(void* to, std::size_t count);
  /// Fills `to` or throws Error(data); `what` says what was expected, e.g. "the header".
  void read_exactly(void* to, std::size_t count, const char* what);
  /// Throws Error(data) if bytes follow; also makes checksums of the source be compared.
  void expect_end();

 protected:
  /// Delivers at least one byte, or 0 at the end.
  virtual std::size_t read_some(void* to, std::size_t count) = 0;

 private:
  std::string name_;
  std::int64_t position_ = 0;
};

using ByteSourcePtr = std::unique_ptr<ByteSource>;

/// The bytes [offset, offset + length) of a store as they are.
ByteSourcePtr raw_source(ByteStorePtr store, std::int64_t offset, std::int64_t length,
                         std::string name);

enum class Compression { gzip, deflate };

/// The inflated bytes of another source. Checksums and lengths of gzip are verified by zlib.
ByteSourcePtr inflate_source(ByteSourcePtr compressed, Compression compression);

/// The content of a store from its beginning, inflated if it is gzip data (told by its first
/// bytes).
ByteSourcePtr content_source(const ByteStorePtr& store);

/// Text from a file made fit for a one-line message: quoted, shortened, control bytes escaped.
std::string quote(std::string_view text);

}  // namespace kappa
