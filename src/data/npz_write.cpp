#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "data/npz.h"
#include "kappa/error.h"

namespace kappa {
namespace {

// Without ZIP64 every size and offset has 32 bits.
constexpr std::int64_t kMaxArchive = 0xfffffffe;

void put(std::string& bytes, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint32_t checksum(uLong crc, const void* bytes, std::size_t size) {
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), size));
}

/// The fields that local and central header share, from "version needed" to "extra length".
std::string shared_fields(std::uint32_t crc, std::uint64_t size, std::size_t name_bytes) {
  std::string fields;
  put(fields, 20, 2);            // version 2.0
  put(fields, 0, 2);             // flags
  put(fields, 0, 2);             // stored
  put(fields, 0, 2);             // time: none, so that equal content gives equal files
  put(fields, (1 << 5) | 1, 2);  // 1 January 1980
  put(fields, crc, 4);
  put(fields, size, 4);
  put(fields, size, 4);
  put(fields, name_bytes, 2);
  put(fields, 0, 2);
  return fields;
}

}  // namespace

void NpzWriter::add(std::string_view name, const StoredArrayView& array) {
  add(name, npy_header(array), array.data, array.num_bytes());
}

void NpzWriter::add(std::string_view name, const std::string& header, const void* elements,
                    std::int64_t num_bytes) {
  const std::int64_t offset = file_.position();
  const std::string file_name = std::string(name) + ".npy";
  const std::int64_t size = static_cast<std::int64_t>(header.size()) + num_bytes;
  if (offset + size > kMaxArchive || file_name.size() > 0xffff || num_entries_ == 0xfffe) {
    throw Error(ErrorKind::resource,
                fmt::format("{}: array {} of {} would make the archive longer than the 4.3 GB (or "
                            "65534 arrays) of a .npz; write .npy files instead",
                            file_.path(), quote(name), bytes_text(static_cast<double>(size))));
  }
  std::uint32_t crc = checksum(crc32(0, nullptr, 0), header.data(), header.size());
  // With a null pointer zlib returns the initial value, not the one so far.
  if (num_bytes > 0) crc = checksum(crc, elements, static_cast<std::size_t>(num_bytes));
  const std::string fields = shared_fields(crc, static_cast<std::uint64_t>(size), file_name.size());

  file_.write("PK\3\4");
  file_.write(fields);
  file_.write(file_name);
  file_.write(header);
  if (num_bytes > 0) file_.write(elements, static_cast<std::size_t>(num_bytes));

  directory_ += "PK\1\2";
  put(directory_, 20, 2);  // made by version 2.0
  directory_ += fields;
  put(directory_, 0, 2);  // comment
  put(directory_, 0, 2);  // disk
  put(directory_, 0, 2);  // internal attributes
  put(directory_, 0, 4);  // external attributes
  put(directory_, static_cast<std::uint64_t>(offset), 4);
  directory_ += file_name;
  ++num_entries_;
}

void NpzWriter::commit() {
  const auto offset = static_cast<std::uint64_t>(file_.position());
  std::string end = "PK\5\6";
  put(end, 0, 4);  // disks
  put(end, static_cast<std::uint64_t>(num_entries_), 2);
  put(end, static_cast<std::uint64_t>(num_entries_), 2);
  put(end, directory_.size(), 4);
  put(end, offset, 4);
  put(end, 0, 2);  // comment
  file_.write(directory_);
  file_.write(end);
  file_.commit();
}

void write_npz(const std::string& path, const std::vector<NamedArrayView>& arrays) {
  NpzWriter writer(path);
  for (const NamedArrayView& view : arrays) writer.add(view.name, view.array);
  writer.commit();
}

void write_csr_npz(const std::string& path, std::int64_t num_rows, std::int64_t num_columns,
                   std::span<const std::int64_t> row_offsets, std::span<const std::int64_t> columns,
                   const StoredArrayView& entries) {
  const std::int64_t extents[] = {num_rows, num_columns};
  const auto length = [](auto span) { return std::vector{static_cast<std::int64_t>(span.size())}; };
  NpzWriter writer(path);
  writer.add("indices", StoredArrayView(columns.data(), length(columns)));
  writer.add("indptr", StoredArrayView(row_offsets.data(), length(row_offsets)));
  writer.add("format", npy_header("|S3", {}), "csr", 3);
  writer.add("shape", StoredArrayView(extents, {2}));
  writer.add("data", entries);
  writer.commit();
}

}  // namespace kappa
