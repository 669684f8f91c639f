#pragma once

#include <cstdint>
#include <vector>

#include "data/bytes.h"
#include "data/limits.h"
#include "data/stored_array.h"

namespace kappa {

/// How a file stores the elements of an array.
struct StoredElements {
  char kind = 'f';  ///< as in NumPy: f floating, i signed, u unsigned, b bool
  int bytes = 8;    ///< of one element: f 4 8; i 1 2 4 8; u 1 2 4; b 1
  bool big_endian = false;
};

/// Reads the elements of a row-major array of this shape, no more. The shape comes from a header:
/// Throws Error(data) if it promises more than can follow and Error(resource) if it exceeds the
/// budget, both before memory is taken.
StoredArray read_elements(ByteSource& source, const StoredElements& stored,
                          std::vector<std::int64_t> shape, const ReadLimits& limits);

}  // namespace kappa
