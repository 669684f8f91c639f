#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/bytes.h"
#include "data/limits.h"
#include "data/stored_array.h"

namespace kappa {

/// Reads a NumPy array (.npy, format versions 1 to 3): f4 f8 i1 i2 i4 i8 u1 u2 u4 b1, either byte
/// order, C or Fortran order. u1 and b1 stay bytes, f4 and f8 keep their width, all other integers
/// become i64. With limits.max_rows, only the first rows are read. Throws Error(data), Error(type)
/// or Error(resource).
/// Source: NumPy enhancement proposal 1 and numpy.lib.format.
StoredArray read_npy(ByteSource& source, const ReadLimits& limits = {});
StoredArray read_npy(const std::string& path, const ReadLimits& limits = {});

/// An array to be written; `data` is row-major and native.
struct StoredArrayView {
  ElementType type = ElementType::f64;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;

  StoredArrayView(const StoredArray& array)  // NOLINT: an array is a view of itself
      : type(array.type()), shape(array.shape), data(array.data()) {}
  StoredArrayView(const double* values, std::vector<std::int64_t> extents)
      : type(ElementType::f64), shape(std::move(extents)), data(values) {}
  StoredArrayView(const float* values, std::vector<std::int64_t> extents)
      : type(ElementType::f32), shape(std::move(extents)), data(values) {}
  StoredArrayView(const std::int64_t* values, std::vector<std::int64_t> extents)
      : type(ElementType::i64), shape(std::move(extents)), data(values) {}

  [[nodiscard]] std::int64_t num_bytes() const;
};

/// Writes one array; the file appears only when it is complete.
void write_npy(const std::string& path, const StoredArrayView& array);

/// The bytes before the elements, for a NumPy type such as "<f8": magic, version 1.0, dictionary,
/// padded to 64 bytes.
std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape);
std::string npy_header(const StoredArrayView& array);

}  // namespace kappa
