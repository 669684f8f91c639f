#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/bytes.h"

namespace kappa {

/// One file of a zip archive, as the central directory describes it.
struct ZipEntry {
  std::string name;
  int method = 0;  // 0 stored, 8 deflate
  std::uint32_t crc = 0;
  std::int64_t compressed_bytes = 0;
  std::int64_t bytes = 0;
  std::int64_t header_offset = 0;
  bool encrypted = false;
};

/// Lists the entries of a zip archive (ZIP64 too). Throws Error(data).
/// Source: PKWARE APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.
std::vector<ZipEntry> read_zip_directory(const ByteStore& store);

/// The content of one entry, stored or deflated. Its length and CRC-32 are compared when its end is
/// reached.
ByteSourcePtr open_zip_entry(const ByteStorePtr& store, const ZipEntry& entry, std::string name);

}  // namespace kappa
