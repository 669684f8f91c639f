#pragma once

#include <string>
#include <vector>

#include "report/json.h"

namespace kappa {

/// One chart as a file.
struct Picture {
  std::string name;  ///< of the file, without .svg
  std::string svg;
};

/// Every chart of a result (of analyze, minimize, compare or landscape), drawn without a browser,
/// in the colours of the page. Throws Error(data) where `result` is no such result.
std::vector<Picture> pictures(const Json& result);

/// Writes them to FOLDER/NAME.svg; makes the folder.
void write_pictures(const std::string& folder, const Json& result);
/// Throws Error(data) if no file could be written there.
void check_picture_folder(const std::string& folder);

// One file each; nothing where the result has no such part.
void add_slices(const Json& result, std::vector<Picture>& list);
void add_plane(const Json& result, std::vector<Picture>& list);
void add_spectrum(const Json& result, std::vector<Picture>& list);
void add_singular_values(const Json& result, std::vector<Picture>& list);
void add_density(const Json& result, std::vector<Picture>& list);
void add_contraction(const Json& result, std::vector<Picture>& list);
void add_layers(const Json& result, std::vector<Picture>& list);
void add_runs(const Json& result, std::vector<Picture>& list);
void add_paths(const Json& result, std::vector<Picture>& list);
void add_landscape(const Json& result, std::vector<Picture>& list);

}  // namespace kappa
