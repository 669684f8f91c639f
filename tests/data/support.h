#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/file.h"
#include "data/bytes.h"
#include "kappa/error.h"

namespace kappa::testing {

/// A folder of its own for one test, removed with all in it.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kappa_data_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path(name);
  }
  [[nodiscard]] std::size_t num_files() const {
    const std::filesystem::directory_iterator files(path_);
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

 private:
  std::string path_;
};

inline std::string golden(const std::string& name) {
  return KAPPA_SOURCE_DIR "/tests/data/golden/" + name;
}

inline std::string bytes_of(const std::string& path) { return read_file(path, 1 << 30); }

/// The message of the kappa::Error that `call` throws; "" if it throws none. Fails the test if the
/// message is not one line, or the kind is not `kind`.
inline std::string error_of(const std::function<void()>& call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_STREQ(to_string(error.kind()), to_string(kind)) << message;
    return message;
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

/// Expects an error of that kind whose message holds every one of `parts`.
inline void expect_error(const std::function<void()>& call, ErrorKind kind,
                         std::initializer_list<const char*> parts) {
  const std::string message = error_of(call, kind);
  for (const char* part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
  }
}

inline std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

/// Big-endian, as idx wants it.
inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// An idx file of bytes, whose content is `elements`.
inline std::string idx_bytes(std::initializer_list<std::uint32_t> shape, std::string_view elements,
                             char type = 0x08) {
  std::string bytes = {0, 0, type, static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) bytes += big_endian(extent);
  return bytes + std::string(elements);
}

/// Calls `parse` on every proper beginning of `bytes`: each must be refused by a kappa::Error.
inline void expect_truncations_refused(const std::string& bytes,
                                       const std::function<void(std::string)>& parse) {
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    try {
      parse(bytes.substr(0, length));
      ADD_FAILURE() << "the first " << length << " of " << bytes.size() << " bytes were accepted";
    } catch (const Error& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

/// Calls `parse` with every bit flipped, one at a time: it must return or throw a kappa::Error.
inline void expect_flips_survived(const std::string& bytes,
                                  const std::function<void(std::string)>& parse) {
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      parse(std::move(flipped));
    } catch (const Error& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

/// The folder of shared data, or "" (the test is then to be skipped, visibly).
inline std::string shared_data() {
  const char* folder = std::getenv("KAPPA_TEST_DATA");
  return folder == nullptr ? "" : std::string(folder) + "/";
}

}  // namespace kappa::testing
