#include <fmt/format.h>

#include <bit>

#include "base/file.h"
#include "data/npy.h"

namespace kappa {

std::int64_t StoredArrayView::num_bytes() const {
  return checked_size(shape, element_bytes(type)).value_or(0);
}

std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr,
                                 shape_text(shape));
  constexpr std::size_t kPreamble = 10, kAlignment = 64;
  const std::size_t used = kPreamble + text.size() + 1;
  text.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

std::string npy_header(const StoredArrayView& array) {
  static_assert(std::endian::native == std::endian::little);
  static constexpr const char* kDescr[] = {"|u1", "<i8", "<f4", "<f8"};
  return npy_header(kDescr[static_cast<int>(array.type)], array.shape);
}

void write_npy(const std::string& path, const StoredArrayView& array) {
  AtomicFile file(path);
  file.write(npy_header(array));
  file.write(array.data, static_cast<std::size_t>(array.num_bytes()));
  file.commit();
}

}  // namespace kappa
