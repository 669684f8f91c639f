#include "data/format.h"

#include <algorithm>

#include "data/csv.h"
#include "data/idx.h"
#include "data/npy.h"
#include "data/npz.h"
#include "kappa/error.h"

namespace kappa {
namespace {

template <StoredArray (*read)(ByteSource&, const ReadLimits&)>
FileContents one_array(const ByteStorePtr& store, const ReadLimits& limits) {
  FileContents contents;
  contents.arrays.push_back({"", read(*content_source(store), limits)});
  return contents;
}

FileContents archive(const ByteStorePtr& store, const ReadLimits& limits) {
  return {std::nullopt, read_npz(NpzReader(store), limits)};
}

FileContents table(const ByteStorePtr& store, const ReadLimits& limits) {
  return {read_csv(*content_source(store), limits), {}};
}

using Text = std::string_view;

constexpr Format kFormats[] = {
    {"npy", [](Text name) { return name.ends_with(".npy"); },
     [](Text head) { return head.starts_with("\x93NUMPY"); }, one_array<read_npy>},
    {"npz", [](Text name) { return name.ends_with(".npz"); },
     [](Text head) { return head.starts_with("PK\3\4") || head.starts_with("PK\5\6"); }, archive},
    {"idx",
     [](Text name) {
       return name.ends_with(".idx") || name.ends_with("-ubyte") || name.ends_with(".ubyte");
     },
     [](Text head) { return head.size() > 4 && head[0] == 0 && head[1] == 0; },
     one_array<read_idx>},
    {"csv", [](Text name) { return name.ends_with(".csv") || name.ends_with(".tsv"); },
     [](Text head) { return head.find('\0') == Text::npos; }, table},
};

}  // namespace

FileContents read_any(const std::string& path, const ReadLimits& limits) {
  const ByteStorePtr store = open_file(path, limits.max_bytes);
  std::string name = path;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const Format& format : kFormats) {
    if (format.matches_name(name)) return format.read(store, limits);
  }
  std::string head(8, '\1');
  head.resize(content_source(store)->read(head.data(), head.size()));
  for (const Format& format : kFormats) {
    if (format.matches_head(head)) return format.read(store, limits);
  }
  throw Error(ErrorKind::data,
              path +
                  ": is of no known format; expected .csv, .npy, .npz or idx, each but .npz "
                  "also as .gz");
}

}  // namespace kappa
