#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "data/npz.h"
#include "kappa/error.h"

namespace kappa {

NpzReader::NpzReader(ByteStorePtr store) : store_(std::move(store)) {
  for (ZipEntry& entry : read_zip_directory(*store_)) {
    if (!entry.name.ends_with(".npy")) continue;
    names_.push_back(entry.name.substr(0, entry.name.size() - 4));
    entries_.push_back(std::move(entry));
  }
}

NpzReader::NpzReader(const std::string& path)
    : NpzReader(open_file(path, default_max_data_bytes())) {}

bool NpzReader::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

StoredArray NpzReader::read(std::string_view name, const ReadLimits& limits) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    std::vector<std::string> shown;
    for (const std::string& each : names_) {
      if (shown.size() == 20) break;
      shown.push_back(quote(each));
    }
    throw Error(ErrorKind::name,
                fmt::format("{}: has no array {}; it has {}{}", store_->name(), quote(name),
                            shown.empty() ? "none" : fmt::format("{}", fmt::join(shown, ", ")),
                            shown.size() < names_.size() ? ", ..." : ""));
  }
  const ZipEntry& entry = entries_[static_cast<std::size_t>(found - names_.begin())];
  const ByteSourcePtr source =
      open_zip_entry(store_, entry, fmt::format("{}, array {}", store_->name(), quote(*found)));
  return read_npy(*source, limits);
}

std::vector<NamedArray> read_npz(const NpzReader& reader, const ReadLimits& limits) {
  std::vector<NamedArray> arrays;
  ReadLimits left = limits;
  for (const std::string& name : limits.arrays.empty() ? reader.names() : limits.arrays) {
    arrays.push_back({name, reader.read(name, left)});
    const StoredArray& tensor = arrays.back().array;
    left.max_bytes -= tensor.size() * element_bytes(tensor.type());
  }
  return arrays;
}

std::vector<NamedArray> read_npz(const std::string& path, const ReadLimits& limits) {
  return read_npz(NpzReader(path), limits);
}

}  // namespace kappa
