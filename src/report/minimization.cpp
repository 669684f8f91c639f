#include "report/minimization.h"

#include <algorithm>

namespace kappa {

std::vector<NamedArrayValue> named_values(const Parameters& parameters, std::span<const double> w) {
  std::vector<NamedArrayValue> list;
  for (const Parameter& p : parameters.list()) {
    NamedArrayValue value{p.name, p.shape, {}, p.varies};
    for (std::int64_t i = 0; i < num_elements(p.shape); ++i) {
      value.values.push_back(p.varies ? w[static_cast<std::size_t>(p.offset + i)] : p.value.at(i));
    }
    list.push_back(std::move(value));
  }
  return list;
}

double accuracy(const Objective& objective, const Dataset& data, std::span<const double> w) {
  std::int64_t width = 0;
  const std::vector<double> outputs = objective.outputs(w.data(), width);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(data.num_samples()));
  copy_labels(data, Rows::range(0, data.num_samples()), labels.data());
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double* z = outputs.data() + i * static_cast<std::size_t>(width);
    const std::int64_t guess = width == 1 ? (z[0] > 0 ? 1 : 0) : std::max_element(z, z + width) - z;
    if (guess == labels[i]) ++right;
  }
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace kappa
