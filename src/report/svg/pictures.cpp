#include "report/svg/pictures.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "kappa/error.h"

namespace kappa {

std::vector<Picture> pictures(const Json& result) {
  if (result.is_object() && result.contains("results") && result["results"].is_array()) {
    std::vector<Picture> all;
    for (std::size_t i = 0; i < result["results"].size(); ++i) {
      for (Picture& picture : pictures(result["results"][i])) {
        all.push_back({fmt::format("{}-{}", i + 1, picture.name), std::move(picture.svg)});
      }
    }
    return all;
  }
  // Names from the command line need not be UTF-8, which XML must be.
  const Json clean =
      Json::parse(result.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace));
  std::vector<Picture> list;
  try {
    for (const auto& add : {add_slices, add_plane, add_spectrum, add_singular_values, add_density,
                            add_contraction, add_layers, add_runs, add_paths, add_landscape}) {
      add(clean, list);
    }
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::data,
                "--svg: the JSON is no result of kappa analyze, minimize, compare or landscape");
  }
  return list;
}

void check_picture_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder, error) || access(folder.c_str(), W_OK) != 0) {
    throw Error(
        ErrorKind::data,
        fmt::format("--svg: cannot write into {}: it is no folder, or may not be written", folder));
  }
}

void write_pictures(const std::string& folder, const Json& result) {
  check_picture_folder(folder);
  for (const Picture& picture : pictures(result)) {
    write_file(folder + "/" + picture.name + ".svg", picture.svg);
  }
}

}  // namespace kappa
