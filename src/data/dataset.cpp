#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "data/format.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist/";

/// The files a spec names: itself, its two parts, or those of a data set known by name.
std::vector<std::string> files_of(const std::string& spec) {
  if (spec == "fashion-mnist" || spec == "fashion-mnist:test") {
    const std::string part = spec == "fashion-mnist" ? "train" : "t10k";
    std::vector<std::string> files = {kFashionMnist + part + "-images-idx3-ubyte.gz",
                                      kFashionMnist + part + "-labels-idx1-ubyte.gz"};
    for (const std::string& file : files) {
      if (!std::filesystem::exists(file)) {
        throw Error(ErrorKind::data,
                    fmt::format("{}: {} is not there; install it: sudo apt install "
                                "dataset-fashion-mnist",
                                spec, file));
      }
    }
    return files;
  }
  const std::size_t comma = spec.find(',');
  std::error_code ignored;
  if (comma == std::string::npos || std::filesystem::exists(spec, ignored)) return {spec};
  if (comma == 0 || comma + 1 == spec.size() || spec.find(',', comma + 1) != std::string::npos) {
    throw Error(ErrorKind::usage,
                fmt::format("--data {}: expected FILE, or FILE_X,FILE_Y, or fashion-mnist[:test]",
                            quote(spec)));
  }
  return {spec.substr(0, comma), spec.substr(comma + 1)};
}

/// The columns of those names, side by side, as [rows x names].
StoredArray matrix_of(const Table& table, const std::vector<std::string>& names) {
  const auto width = static_cast<std::int64_t>(names.size());
  StoredArray matrix = StoredArray::zeros(ElementType::f64, {table.num_rows, width});
  auto& values = std::get<std::vector<double>>(matrix.values);
  for (std::size_t j = 0; j < names.size(); ++j) {
    const Column& column = table.column(names[j]);
    for (std::size_t i = 0; i < column.values.size(); ++i) {
      values[i * names.size() + j] = column.values[i];
    }
  }
  return matrix;
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

void take_table(const Table& table, const DatasetOptions& options, Dataset& data) {
  if (options.targets.empty() && options.require_targets) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: which column is the target? give --target NAME, e.g. --target {}",
                            table.source, table.columns.back().name));
  }
  data.target_names = options.targets;
  data.feature_names = options.features;
  if (data.feature_names.empty()) {
    for (const Column& column : table.columns) {
      const auto& targets = options.targets;
      if (std::find(targets.begin(), targets.end(), column.name) == targets.end()) {
        data.feature_names.push_back(column.name);
      }
    }
  }
  if (!options.targets.empty()) data.y = matrix_of(table, options.targets);
  data.x = matrix_of(table, data.feature_names);
}

/// The one array of a file; a table counts as the matrix of its columns.
StoredArray take_array(const std::string& path, FileContents contents,
                       std::vector<std::string>& column_names) {
  if (contents.table) {
    column_names = names_of(*contents.table);
    return matrix_of(*contents.table, column_names);
  }
  if (contents.arrays.size() != 1) {
    throw Error(ErrorKind::data,
                fmt::format("{}: holds {} arrays, expected one", path, contents.arrays.size()));
  }
  return std::move(contents.arrays[0].array);
}

void check_finite(const StoredArray& tensor, const std::string& path, const char* what) {
  std::visit(
      [&](const auto& values) {
        if constexpr (std::is_floating_point_v<
                          typename std::decay_t<decltype(values)>::value_type>) {
          const auto bad = std::find_if(values.begin(), values.end(),
                                        [](auto value) { return !std::isfinite(value); });
          if (bad == values.end()) return;
          const std::int64_t at = bad - values.begin();
          throw Error(
              ErrorKind::value,
              fmt::format("{}: row {}, column {} of {} (both from 0) is {}; expected finite "
                          "numbers: correct or remove the row",
                          path, at / tensor.row_size(), at % tensor.row_size(), what, *bad));
        }
      },
      tensor.values);
}

/// The largest target + 1 if all are integers from 0 on, one a sample; else 0.
std::int64_t infer_classes(const Dataset& data) {
  if (!data.has_targets() || data.y.row_size() != 1) return 0;
  return std::visit(
      [](const auto& values) -> std::int64_t {
        std::int64_t classes = 0;
        for (const auto value : values) {
          constexpr double kLargest = 1e9;  // beyond, it is no label
          const auto number = static_cast<double>(value);
          if (number < 0 || number > kLargest || number != std::floor(number)) return 0;
          classes = std::max(classes, static_cast<std::int64_t>(number) + 1);
        }
        return classes;
      },
      data.y.values);
}

void check_shapes(const std::string& spec, const DatasetOptions& options, const Dataset& data) {
  const auto fail = [&](const std::string& problem) {
    throw Error(ErrorKind::shape, fmt::format("{}: {}", spec, problem));
  };
  if (data.x.shape.empty()) fail("x is one number; expected one row a sample");
  if (data.num_samples() == 0) fail("has no samples; expected at least one");
  if (data.num_features() == 0) {
    fail(fmt::format("x of shape {} has no features; expected at least one",
                     shape_text(data.x.shape)));
  }
  const bool targets = !data.y.shape.empty() && data.y.shape[0] > 0;
  if (targets && data.y.num_rows() != data.num_samples()) {
    fail(fmt::format("x has {} rows (shape {}), y has {} (shape {}); expected as many",
                     data.num_samples(), shape_text(data.x.shape), data.y.num_rows(),
                     shape_text(data.y.shape)));
  }
  if (!targets && options.require_targets) fail("has no targets y; expected one row a sample");
  if (targets && data.y.row_size() == 0) fail("y has no columns; expected at least one");
  if (options.num_samples > data.num_samples()) {
    fail(fmt::format("has {} samples, {} were asked for (--samples)", data.num_samples(),
                     options.num_samples));
  }
}

void check_options(const DatasetOptions& options) {
  if (options.num_samples < 0 || options.num_classes < 0) {
    throw Error(ErrorKind::usage,
                fmt::format("--samples {} --classes {}: expected positive numbers",
                            options.num_samples, options.num_classes));
  }
  if (!std::isfinite(options.scale) || !std::isfinite(options.shift)) {
    throw Error(ErrorKind::usage, fmt::format("--scale {} --shift {}: expected finite numbers",
                                              options.scale, options.shift));
  }
}

}  // namespace

std::int64_t Dataset::num_bytes() const {
  return x.size() * element_bytes(x.type()) + y.size() * element_bytes(y.type());
}

Dataset load_dataset(const std::string& spec, const DatasetOptions& options) {
  check_options(options);
  const std::vector<std::string> files = files_of(spec);
  ReadLimits limits{options.num_samples, options.max_bytes, {}};
  Dataset data;
  data.source = spec;
  data.y.shape = {0};
  if (files.size() == 2) {
    data.x = take_array(files[0], read_any(files[0], limits), data.feature_names);
    limits.max_bytes -= data.num_bytes();
    data.y = take_array(files[1], read_any(files[1], limits), data.target_names);
  } else {
    limits.arrays = {"x"};
    if (options.require_targets) limits.arrays.emplace_back("y");
    FileContents contents = read_any(spec, limits);
    if (contents.table) {
      take_table(*contents.table, options, data);
    } else {
      if (contents.arrays.size() == 1 && options.require_targets) {
        throw Error(ErrorKind::usage,
                    fmt::format("{}: is one array, targets are missing; expected --data X,Y with a "
                                "second file, or an .npz with arrays x and y",
                                spec));
      }
      data.x = std::move(contents.arrays[0].array);
      if (contents.arrays.size() > 1) data.y = std::move(contents.arrays[1].array);
    }
  }
  check_shapes(spec, options, data);
  check_finite(data.x, files[0], "x");
  check_finite(data.y, files.back(), "y");
  data.num_classes = infer_classes(data);
  if (options.num_classes > 0) {
    check_labels(data, options.num_classes);
    data.num_classes = options.num_classes;
  }
  data.map = make_input_map(data.x, options, data.notes);
  return data;
}

Table load_table(const std::string& path, std::int64_t num_samples, std::int64_t max_bytes) {
  FileContents contents = read_any(path, {num_samples, max_bytes, {}});
  Table table;
  if (contents.table) {
    table = std::move(*contents.table);
  } else {
    table.source = path;
    for (NamedArray& array : contents.arrays) {
      if (array.name.empty() || array.array.shape.size() != 1) {
        throw Error(
            ErrorKind::shape,
            fmt::format("{}: array {} of shape {} is no column; expected a csv table, or an "
                        ".npz of one-dimensional arrays",
                        path, quote(array.name), shape_text(array.array.shape)));
      }
      if (!table.columns.empty() && array.array.num_rows() != table.num_rows) {
        throw Error(ErrorKind::shape,
                    fmt::format("{}: column {} has {} rows, {} has {}; expected as many", path,
                                quote(array.name), array.array.num_rows(),
                                quote(table.columns[0].name), table.num_rows));
      }
      check_finite(array.array, path, array.name.c_str());
      table.num_rows = array.array.num_rows();
      Column column;
      column.name = array.name;
      column.values = array.array.to_doubles();
      table.columns.push_back(std::move(column));
    }
  }
  if (table.num_rows == 0) {
    throw Error(ErrorKind::shape, fmt::format("{}: has no rows; expected at least one", path));
  }
  if (num_samples > table.num_rows) {
    throw Error(ErrorKind::shape, fmt::format("{}: has {} rows, {} were asked for (--samples)",
                                              path, table.num_rows, num_samples));
  }
  return table;
}

void check_labels(const Dataset& data, std::int64_t num_classes) {
  if (!data.has_targets() || data.y.row_size() != 1) {
    throw Error(ErrorKind::shape,
                fmt::format("{}: targets of shape {} are no class labels; expected one integer a "
                            "sample",
                            data.source, shape_text(data.y.shape)));
  }
  std::visit(
      [&](const auto& values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto label = static_cast<double>(values[i]);
          if (label >= 0 && label < static_cast<double>(num_classes) &&
              label == std::floor(label)) {
            continue;
          }
          throw Error(ErrorKind::value,
                      fmt::format("{}: the label of sample {} (from 0) is {}; expected an integer "
                                  "from 0 to {} for {} classes",
                                  data.source, i, values[i], num_classes - 1, num_classes));
        }
      },
      data.y.values);
}

}  // namespace kappa
