#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/bytes.h"
#include "data/limits.h"
#include "data/stored_array.h"
#include "data/table.h"

namespace kappa {

/// What a file holds: a table, or arrays (one without a name, or several with).
struct FileContents {
  std::optional<Table> table;
  std::vector<NamedArray> arrays;
};

/// A file format: how it is told from others and how it is read. A new one is a reader in a file of
/// its own and a line in format.cpp.
struct Format {
  const char* name;  ///< as messages say it
  /// Whether a file of this name (lower case, without .gz) is meant to be of this format.
  bool (*matches_name)(std::string_view file_name);
  /// Whether a file that begins so is of this format, whatever its name.
  bool (*matches_head)(std::string_view head);
  FileContents (*read)(const ByteStorePtr& store, const ReadLimits& limits);
};

/// Reads a file of any known format, gzip-compressed or not. The name decides first, then the first
/// bytes. Throws Error.
FileContents read_any(const std::string& path, const ReadLimits& limits);

}  // namespace kappa
