#include "data/idx.h"

#include <fmt/format.h>

#include <vector>

#include "data/elements.h"
#include "kappa/error.h"

namespace kappa {

StoredArray read_idx(ByteSource& source, const ReadLimits& limits) {
  unsigned char magic[4];
  source.read_exactly(magic, sizeof magic, "the idx header");
  StoredElements stored{.big_endian = true};
  switch (magic[2]) {
    case 0x08: stored.kind = 'u', stored.bytes = 1; break;
    case 0x09: stored.kind = 'i', stored.bytes = 1; break;
    case 0x0b: stored.kind = 'i', stored.bytes = 2; break;
    case 0x0c: stored.kind = 'i', stored.bytes = 4; break;
    case 0x0d: stored.kind = 'f', stored.bytes = 4; break;
    case 0x0e: stored.kind = 'f', stored.bytes = 8; break;
    default: stored.bytes = 0;
  }
  if (magic[0] != 0 || magic[1] != 0 || stored.bytes == 0 || magic[3] == 0) {
    throw Error(ErrorKind::data,
                fmt::format("{}: is not an idx file: it begins with {:02x} {:02x} {:02x} {:02x}, "
                            "expected 00 00, a type (08 09 0b 0c 0d 0e) and the number of axes",
                            source.name(), magic[0], magic[1], magic[2], magic[3]));
  }
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < magic[3]; ++axis) {
    unsigned char extent[4];
    source.read_exactly(extent, sizeof extent, "the idx header");
    shape.push_back(static_cast<std::int64_t>(extent[0]) << 24 | extent[1] << 16 | extent[2] << 8 |
                    extent[3]);
  }
  const bool cut = limits.max_rows > 0 && shape[0] > limits.max_rows;
  if (cut) shape[0] = limits.max_rows;
  StoredArray tensor = read_elements(source, stored, std::move(shape), limits);
  if (!cut) source.expect_end();
  return tensor;
}

StoredArray read_idx(const std::string& path, const ReadLimits& limits) {
  const ByteSourcePtr source = content_source(open_file(path, limits.max_bytes));
  return read_idx(*source, limits);
}

}  // namespace kappa
