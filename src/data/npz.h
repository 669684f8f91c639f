#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "data/npy.h"
#include "data/zip.h"

namespace kappa {

/// Reads arrays of a .npz archive by name, each when it is asked for.
class NpzReader {
 public:
  explicit NpzReader(ByteStorePtr store);
  explicit NpzReader(const std::string& path);

  /// Names of the arrays, without ".npy", in the order of the file.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool contains(std::string_view name) const;
  /// Throws Error(name) if there is no such array; it lists those there are.
  [[nodiscard]] StoredArray read(std::string_view name, const ReadLimits& limits = {}) const;

 private:
  ByteStorePtr store_;
  std::vector<ZipEntry> entries_;
  std::vector<std::string> names_;
};

/// Every array of an archive (or those in limits.arrays); max_bytes holds for their sum.
std::vector<NamedArray> read_npz(const std::string& path, const ReadLimits& limits = {});
std::vector<NamedArray> read_npz(const NpzReader& reader, const ReadLimits& limits);

/// Writes a .npz archive as numpy.savez does, uncompressed; the file appears at commit().
class NpzWriter {
 public:
  explicit NpzWriter(const std::string& path) : file_(path) {}
  void add(std::string_view name, const StoredArrayView& array);
  /// An array of any NumPy type, e.g. "|S3".
  void add(std::string_view name, const std::string& header, const void* elements,
           std::int64_t num_bytes);
  void commit();

 private:
  AtomicFile file_;
  std::string directory_;
  int num_entries_ = 0;
};

/// A named array to be written.
struct NamedArrayView {
  std::string name;
  StoredArrayView array;
};
void write_npz(const std::string& path, const std::vector<NamedArrayView>& arrays);

/// Writes a sparse matrix that scipy.sparse.load_npz reads: compressed rows, entries of row i at
/// [row_offsets[i], row_offsets[i + 1]). `entries` is f32 or f64, one-dimensional.
void write_csr_npz(const std::string& path, std::int64_t num_rows, std::int64_t num_columns,
                   std::span<const std::int64_t> row_offsets, std::span<const std::int64_t> columns,
                   const StoredArrayView& entries);

}  // namespace kappa
