#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace kappa {

/// How the elements of a stored array are kept. Narrow files stay narrow (a pixel is one byte);
/// integers other than bytes are widened to i64.
enum class ElementType { u8, i64, f32, f64 };

[[nodiscard]] const char* to_string(ElementType type);
[[nodiscard]] std::int64_t element_bytes(ElementType type);

/// A dense row-major array as it was read from a file: data at rest, no arithmetic.
struct StoredArray {
  using Values = std::variant<std::vector<std::uint8_t>, std::vector<std::int64_t>,
                              std::vector<float>, std::vector<double>>;

  std::vector<std::int64_t> shape;  ///< empty for a scalar
  Values values;                    ///< in the order of ElementType

  /// An array of zeros.
  static StoredArray zeros(ElementType type, std::vector<std::int64_t> shape);

  [[nodiscard]] ElementType type() const { return static_cast<ElementType>(values.index()); }
  [[nodiscard]] std::int64_t size() const;
  /// The first extent; 1 for a scalar.
  [[nodiscard]] std::int64_t num_rows() const { return shape.empty() ? 1 : shape[0]; }
  /// Elements of one row (all axes but the first).
  [[nodiscard]] std::int64_t row_size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] void* data();
  [[nodiscard]] const void* data() const;
  /// Element i in row-major order, converted to double.
  [[nodiscard]] double operator[](std::int64_t index) const;
  /// All elements, converted to double.
  [[nodiscard]] std::vector<double> to_doubles() const;
};

/// An array of an archive; the name is empty where the format has none.
struct NamedArray {
  std::string name;
  StoredArray array;
};

/// The product of extents, or nothing if one is negative or the product (times element_size)
/// overflows: sizes read from a file are not to be trusted.
[[nodiscard]] std::optional<std::int64_t> checked_size(std::span<const std::int64_t> shape,
                                                       std::int64_t element_size = 1);

/// "(60000, 28, 28)"; one-dimensional shapes as in Python, "(3,)".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

/// "1.9 GB", "47 MB", "312 bytes": decimal units, two significant digits.
[[nodiscard]] std::string bytes_text(double bytes);

}  // namespace kappa
