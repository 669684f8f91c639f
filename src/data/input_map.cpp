#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/dataset.h"

namespace kappa {
namespace {

/// Calls row(x_i) for every sample with a pointer of the stored type.
template <class F>
void for_each_row(const StoredArray& x, F&& row) {
  const auto features = static_cast<std::size_t>(x.row_size());
  std::visit(
      [&](const auto& values) {
        for (std::size_t at = 0; at + features <= values.size() && features > 0; at += features) {
          row(values.data() + at);
        }
      },
      x.values);
}

/// Writes mean and reciprocal standard deviation per feature; returns how many are constant.
std::int64_t standardize(const StoredArray& x, InputMap& map) {
  const auto features = static_cast<std::size_t>(x.row_size());
  const auto n = static_cast<double>(x.num_rows());
  std::vector<double> mean(features), low(features, HUGE_VAL), high(features, -HUGE_VAL);
  for_each_row(x, [&](const auto* row) {
    for (std::size_t j = 0; j < features; ++j) {
      const auto value = static_cast<double>(row[j]);
      mean[j] += value;
      low[j] = std::min(low[j], value);
      high[j] = std::max(high[j], value);
    }
  });
  for (double& value : mean) value /= n;

  // The sum of deviations would be 0 in exact arithmetic; subtracting its square corrects the
  // rounding of the mean (Chan, Golub, LeVeque 1983, "corrected two-pass algorithm").
  std::vector<double> squares(features), sums(features);
  for_each_row(x, [&](const auto* row) {
    for (std::size_t j = 0; j < features; ++j) {
      const double deviation = static_cast<double>(row[j]) - mean[j];
      sums[j] += deviation;
      squares[j] += deviation * deviation;
    }
  });
  std::int64_t constant = 0;
  for (std::size_t j = 0; j < features; ++j) {
    const double deviation = std::sqrt((squares[j] - sums[j] * sums[j] / n) / n);
    if (low[j] == high[j] || !(deviation > 0) || !std::isfinite(1 / deviation)) {
      map.shift[j] = low[j];  // exactly the value, which the mean is only up to rounding
      ++constant;
    } else {
      map.shift[j] = mean[j];
      map.scale[j] = 1 / deviation;
    }
  }
  return constant;
}

template <class From, class To>
void copy_rows(const std::vector<From>& from, std::size_t features, const InputMap& map,
               const Rows& rows, To* to) {
  const double* shift = map.shift.data();
  const double* scale = map.scale.data();
  for (std::int64_t i = 0; i < rows.count(); ++i, to += features) {
    const From* row = from.data() + static_cast<std::size_t>(rows[i]) * features;
    if (map.identity()) {
      for (std::size_t j = 0; j < features; ++j) to[j] = static_cast<To>(row[j]);
    } else {
      for (std::size_t j = 0; j < features; ++j) {
        to[j] = static_cast<To>((static_cast<double>(row[j]) - shift[j]) * scale[j] - map.offset);
      }
    }
  }
}

template <class To>
void copy(const StoredArray& from, const InputMap& map, const Rows& rows, To* to) {
  std::visit(
      [&](const auto& values) {
        copy_rows(values, static_cast<std::size_t>(from.row_size()), map, rows, to);
      },
      from.values);
}

}  // namespace

InputMap make_input_map(const StoredArray& x, const DatasetOptions& options,
                        std::vector<std::string>& notes) {
  InputMap map;
  if (!options.standardize && options.scale == 1 && options.shift == 0) return map;
  const auto features = static_cast<std::size_t>(x.row_size());
  map.shift.assign(features, 0);
  map.scale.assign(features, 1);
  map.offset = options.shift;
  if (options.standardize) {
    const std::int64_t constant = standardize(x, map);
    if (constant > 0) {
      notes.push_back(fmt::format(
          "{} of {} features {} constant over the samples: standardised, {} 0", constant, features,
          constant == 1 ? "is" : "are", constant == 1 ? "it is" : "they are"));
    }
  }
  for (double& value : map.scale) value *= options.scale;
  return map;
}

void copy_inputs(const Dataset& data, const Rows& rows, float* to) {
  copy(data.x, data.map, rows, to);
}
void copy_inputs(const Dataset& data, const Rows& rows, double* to) {
  copy(data.x, data.map, rows, to);
}
void copy_targets(const Dataset& data, const Rows& rows, float* to) {
  copy(data.y, InputMap{}, rows, to);
}
void copy_targets(const Dataset& data, const Rows& rows, double* to) {
  copy(data.y, InputMap{}, rows, to);
}
void copy_labels(const Dataset& data, const Rows& rows, std::int64_t* to) {
  copy(data.y, InputMap{}, rows, to);
}

}  // namespace kappa
