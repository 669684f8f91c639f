#include "data/stored_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kappa {

const char* to_string(ElementType type) {
  switch (type) {
    case ElementType::u8: return "u8";
    case ElementType::i64: return "i64";
    case ElementType::f32: return "f32";
    case ElementType::f64: return "f64";
  }
  return "unknown";
}

std::int64_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::u8: return 1;
    case ElementType::f32: return 4;
    case ElementType::i64:
    case ElementType::f64: return 8;
  }
  return 8;
}

StoredArray StoredArray::zeros(ElementType type, std::vector<std::int64_t> shape) {
  StoredArray tensor{std::move(shape), {}};
  const auto size = static_cast<std::size_t>(tensor.size());
  switch (type) {
    case ElementType::u8: tensor.values = std::vector<std::uint8_t>(size); break;
    case ElementType::i64: tensor.values = std::vector<std::int64_t>(size); break;
    case ElementType::f32: tensor.values = std::vector<float>(size); break;
    case ElementType::f64: tensor.values = std::vector<double>(size); break;
  }
  return tensor;
}

std::int64_t StoredArray::size() const { return checked_size(shape).value_or(0); }

std::int64_t StoredArray::row_size() const {
  if (shape.empty()) return 1;
  return checked_size(std::span(shape).subspan(1)).value_or(0);
}

void* StoredArray::data() {
  return std::visit([](auto& v) { return static_cast<void*>(v.data()); }, values);
}

const void* StoredArray::data() const {
  return std::visit([](const auto& v) { return static_cast<const void*>(v.data()); }, values);
}

double StoredArray::operator[](std::int64_t index) const {
  return std::visit(
      [index](const auto& v) { return static_cast<double>(v[static_cast<std::size_t>(index)]); },
      values);
}

std::vector<double> StoredArray::to_doubles() const {
  return std::visit([](const auto& v) { return std::vector<double>(v.begin(), v.end()); }, values);
}

std::optional<std::int64_t> checked_size(std::span<const std::int64_t> shape,
                                         std::int64_t element_size) {
  std::int64_t product = element_size;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(product, extent, &product)) return std::nullopt;
  }
  return product;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("({}{})", fmt::join(shape.begin(), shape.end(), ", "),
                     shape.size() == 1 ? "," : "");
}

std::string bytes_text(double bytes) {
  static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  int unit = -1;
  while (bytes >= 999.5 && unit < 5) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, bytes < 9.95 ? 1 : 0, kUnits[unit]);
}

}  // namespace kappa
