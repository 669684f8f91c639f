#include "data/elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "kappa/error.h"

namespace kappa {
namespace {

ElementType kept_type(const StoredElements& stored) {
  switch (stored.kind) {
    case 'f': return stored.bytes == 4 ? ElementType::f32 : ElementType::f64;
    case 'b': return ElementType::u8;
    case 'u': return stored.bytes == 1 ? ElementType::u8 : ElementType::i64;
    default: return ElementType::i64;
  }
}

template <class Stored, class Kept>
void convert(const unsigned char* bytes, std::size_t count, bool swap, Kept* to) {
  for (std::size_t i = 0; i < count; ++i) {
    unsigned char item[sizeof(Stored)];
    std::memcpy(item, bytes + i * sizeof(Stored), sizeof(Stored));
    if (swap) std::reverse(item, item + sizeof(Stored));
    to[i] = static_cast<Kept>(std::bit_cast<Stored>(item));
  }
}

template <class Kept>
using Converter = void (*)(const unsigned char*, std::size_t, bool, Kept*);

template <class Kept>
Converter<Kept> converter(const StoredElements& stored) {
  switch (stored.kind) {
    case 'f': return stored.bytes == 4 ? convert<float, Kept> : convert<double, Kept>;
    case 'b':
      return [](const unsigned char* bytes, std::size_t count, bool, Kept* to) {
        for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<Kept>(bytes[i] != 0);
      };
    case 'u':
      if (stored.bytes == 1) return convert<std::uint8_t, Kept>;
      return stored.bytes == 2 ? convert<std::uint16_t, Kept> : convert<std::uint32_t, Kept>;
    default:
      if (stored.bytes == 1) return convert<std::int8_t, Kept>;
      if (stored.bytes == 2) return convert<std::int16_t, Kept>;
      return stored.bytes == 4 ? convert<std::int32_t, Kept> : convert<std::int64_t, Kept>;
  }
}

}  // namespace

StoredArray read_elements(ByteSource& source, const StoredElements& stored,
                          std::vector<std::int64_t> shape, const ReadLimits& limits) {
  const ElementType type = kept_type(stored);
  const auto payload = checked_size(shape, stored.bytes);
  const auto memory = checked_size(shape, element_bytes(type));
  if (!payload || !memory || *payload > source.max_remaining()) {
    throw Error(
        ErrorKind::data,
        fmt::format("{}: the header declares shape {} of {}-byte elements, but at most {} "
                    "bytes follow; the file is truncated or corrupt, fetch or write it "
                    "again",
                    source.name(), shape_text(shape), stored.bytes, source.max_remaining()));
  }
  check_budget(source.name(),
               fmt::format("an array of shape {}, {},", shape_text(shape), to_string(type)),
               static_cast<double>(*memory), limits);

  StoredArray tensor = StoredArray::zeros(type, std::move(shape));
  const bool swap = stored.big_endian == (std::endian::native == std::endian::little);
  const bool as_kept =
      stored.kind != 'b' && stored.bytes == element_bytes(type) && (!swap || stored.bytes == 1);
  std::visit(
      [&](auto& values) {
        using Kept = typename std::decay_t<decltype(values)>::value_type;
        if (as_kept) {
          source.read_exactly(values.data(), values.size() * sizeof(Kept), "the elements");
          return;
        }
        constexpr std::size_t kChunk = 1 << 13;
        const auto bytes = static_cast<std::size_t>(stored.bytes);
        std::vector<unsigned char> buffer(std::min(kChunk, values.size()) * bytes);
        for (std::size_t first = 0; first < values.size(); first += kChunk) {
          const std::size_t count = std::min(kChunk, values.size() - first);
          source.read_exactly(buffer.data(), count * bytes, "the elements");
          converter<Kept>(stored)(buffer.data(), count, swap, values.data() + first);
        }
      },
      tensor.values);
  return tensor;
}

}  // namespace kappa
