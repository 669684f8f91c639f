#pragma once

#include <string>

#include "data/bytes.h"
#include "data/limits.h"
#include "data/stored_array.h"

namespace kappa {

/// Reads an array in the idx format of the MNIST files: bytes 00 00 TYPE RANK, RANK big-endian
/// 32-bit extents, then big-endian elements (u8, i8, i16, i32, f32 or f64). With limits.max_rows
/// only the first rows. Throws Error(data) or Error(resource). Source: LeCun, Cortes, Burges, "The
/// MNIST database of handwritten digits", file format.
StoredArray read_idx(ByteSource& source, const ReadLimits& limits = {});
StoredArray read_idx(const std::string& path, const ReadLimits& limits = {});

}  // namespace kappa
