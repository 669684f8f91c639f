#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/limits.h"
#include "data/stored_array.h"
#include "data/table.h"

namespace kappa {

/// The affine map of inputs, feature by feature: z_j = (x_j - shift_j) * scale_j - offset. Empty
/// vectors mean the identity.
struct InputMap {
  std::vector<double> shift;
  std::vector<double> scale;
  double offset = 0;
  [[nodiscard]] bool identity() const { return scale.empty(); }
};

/// Samples (x_i, y_i), i < N. Inputs stay as narrow as the file has them and are converted, and
/// mapped by `map`, when rows are copied out; `x` itself is not changed by standardisation.
struct Dataset {
  std::string source;                      ///< the spec it was loaded from
  StoredArray x;                           ///< [N x ...]
  StoredArray y;                           ///< [N] or [N x ...]; shape [0] if there are no targets
  InputMap map;                            ///< over the features of x, flattened
  std::int64_t num_classes = 0;            ///< largest label + 1 (or as given); 0: y are no labels
  std::vector<std::string> feature_names;  ///< of tables, else empty
  std::vector<std::string> target_names;
  std::vector<std::string> notes;  ///< what a user should know, one sentence each

  [[nodiscard]] std::int64_t num_samples() const { return x.num_rows(); }
  [[nodiscard]] std::int64_t num_features() const { return x.row_size(); }
  [[nodiscard]] bool has_targets() const { return y.num_rows() == x.num_rows(); }
  [[nodiscard]] std::int64_t num_targets() const { return has_targets() ? y.row_size() : 0; }
  /// Bytes of x and y.
  [[nodiscard]] std::int64_t num_bytes() const;
};

struct DatasetOptions {
  std::vector<std::string> targets;   ///< target columns of a table
  std::vector<std::string> features;  ///< input columns of a table; empty: all but the targets
  bool require_targets = true;        ///< false where the loss needs none
  std::int64_t num_samples = 0;       ///< the first N samples; 0 means all
  std::int64_t num_classes = 0;       ///< 0: inferred
  bool standardize = false;           ///< to mean 0 and variance 1, over the samples used
  double scale = 1;                   ///< then x * scale
  double shift = 0;                   ///< then x - shift
  std::int64_t max_bytes = default_max_data_bytes();
};

/// Loads what `--data SPEC` names: TABLE.csv[.gz] with targets by name; XY.npz with arrays x and y;
/// X,Y (any two files of one array or table each); IMAGES-idx3-ubyte[.gz],LABELS-idx1-ubyte[.gz];
/// fashion-mnist or fashion-mnist:test (Debian's dataset-fashion-mnist). Checks that x and y agree,
/// that every number is finite and that labels are in range. Throws Error.
Dataset load_dataset(const std::string& spec, const DatasetOptions& options = {});

/// Loads a table whose columns a formula names: csv, or an npz of one-dimensional arrays of equal
/// length. num_samples > 0 takes the first rows only and must not exceed what there is.
Table load_table(const std::string& path, std::int64_t num_samples = 0,
                 std::int64_t max_bytes = default_max_data_bytes());

/// Which samples: a range, or a list of indices. Refers to the caller's memory.
class Rows {
 public:
  static Rows range(std::int64_t first, std::int64_t count) { return {first, count, {}}; }
  Rows(std::span<const std::int64_t> indices)  // NOLINT: a list of indices is a choice of rows
      : count_(static_cast<std::int64_t>(indices.size())), indices_(indices) {}

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t operator[](std::int64_t i) const {
    return indices_.data() == nullptr ? first_ + i : indices_[static_cast<std::size_t>(i)];
  }

 private:
  Rows(std::int64_t first, std::int64_t count, std::span<const std::int64_t> indices)
      : first_(first), count_(count), indices_(indices) {}
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  std::span<const std::int64_t> indices_;
};

/// Writes the mapped inputs of some samples, row-major count x num_features. The map is evaluated
/// in double precision and rounded once. Rows must lie in the data set.
void copy_inputs(const Dataset& data, const Rows& rows, float* to);
void copy_inputs(const Dataset& data, const Rows& rows, double* to);

/// Writes the targets of some samples as numbers, row-major count x num_targets.
void copy_targets(const Dataset& data, const Rows& rows, float* to);
void copy_targets(const Dataset& data, const Rows& rows, double* to);

/// Writes the class labels of some samples; they are in [0, num_classes) if check_labels passed.
void copy_labels(const Dataset& data, const Rows& rows, std::int64_t* to);

/// Throws Error(value), naming the first sample, unless every target is one integer in
/// [0, num_classes): what a loss over classes needs, with num_classes the width of the model.
void check_labels(const Dataset& data, std::int64_t num_classes);

/// The map of DatasetOptions::standardize, scale and shift for inputs x, in that order:
/// z = (x - mean)/sd * scale - shift with mean and sd (divided by N) per feature. A constant
/// feature has no sd and becomes 0 before the shift; `notes` then counts them. Two passes, in
/// double.
InputMap make_input_map(const StoredArray& x, const DatasetOptions& options,
                        std::vector<std::string>& notes);

}  // namespace kappa
