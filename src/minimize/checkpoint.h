#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kappa {

/// Writes DIRECTORY/checkpoint.kappa so that a reader, or a crash at any moment, meets either the
/// file before or this one whole: written beside it, synchronised, renamed. Creates the directory.
/// Throws Error(data) where that fails.
///
/// Layout: 8 bytes "KAPPACP1", payload size (u64, little endian), 64-bit checksum, payload.
void write_checkpoint(const std::string& directory, const std::vector<char>& payload);

/// The payload of the checkpoint there, or nothing where there is none. Throws Error(data) for a
/// file that is no checkpoint or whose checksum does not fit.
std::optional<std::vector<char>> read_checkpoint(const std::string& directory);

}  // namespace kappa
