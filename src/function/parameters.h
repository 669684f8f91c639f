#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "program/tensor.h"

namespace kappa {

/// One named array of the parameter vector w, which is the concatenation of all that vary, each
/// flattened row-major.
struct Parameter {
  std::string name;
  Shape shape;
  bool varies = true;
  std::int64_t offset = 0;  ///< in w; -1 where it does not vary
  Tensor value;             ///< the start; also the value of one that does not vary
};

/// The parameters of an objective, in the order of its program's first inputs.
class Parameters {
 public:
  Parameters() = default;
  /// Sets the offsets. Throws Error(usage) where none varies.
  explicit Parameters(std::vector<Parameter> list);

  [[nodiscard]] const std::vector<Parameter>& list() const { return list_; }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] const Parameter& operator[](std::size_t i) const { return list_[i]; }
  /// n, the length of w.
  [[nodiscard]] std::int64_t dimension() const { return dimension_; }
  /// Which parameters vary, in order.
  [[nodiscard]] std::vector<bool> varying() const;
  /// w at the start.
  [[nodiscard]] std::vector<double> start() const;
  /// "b1", "x[3]" or "layers.0.weight[3,17]": the name of entry `index` of w.
  [[nodiscard]] std::string entry_name(std::int64_t index) const;

 private:
  std::vector<Parameter> list_;
  std::int64_t dimension_ = 0;
};

/// Lets only the parameters vary whose names match one of the globs (* and ?). Throws Error(name)
/// for a glob that matches none, listing the names.
void select_parameters(std::vector<Parameter>& parameters, const std::vector<std::string>& globs);

/// Whether `name` matches `glob`, in which * stands for any run and ? for any one character.
bool matches_glob(const std::string& glob, const std::string& name);

}  // namespace kappa
