#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kappa {

/// Returns the bytes of a file. Throws Error(data) if it cannot be read and Error(resource) if it
/// is longer than max_bytes. Works on pipes too.
std::string read_file(const std::string& path, std::int64_t max_bytes);
/// The same for a file that is open already: a pipe can be opened only once. `path` is for
/// messages; the descriptor stays open.
std::string read_descriptor(int descriptor, const std::string& path, std::int64_t max_bytes);

/// A file that appears under its name only when it is complete: bytes go to a temporary file in the
/// same folder, and commit() renames it. Without commit() nothing is left behind, and an earlier
/// file of that name is untouched. A device or pipe (/dev/null) is written directly. Every failure
/// throws Error(data).
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes to the disk and renames; the file is closed afterwards.
  void commit();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Bytes written so far.
  [[nodiscard]] std::int64_t position() const { return position_; }

 private:
  [[noreturn]] void fail(const char* verb) const;

  std::string path_;       // as the caller named it
  std::string final_;      // symbolic links resolved
  std::string temporary_;  // empty for devices
  int descriptor_ = -1;
  std::int64_t position_ = 0;
};

/// Writes a whole file through AtomicFile.
void write_file(const std::string& path, std::string_view text);

}  // namespace kappa
