#include "report/analyze_vector.h"

#include <Eigen/SVD>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "report/peak_memory.h"

namespace kappa {

Analysis analyze_vector(const VectorFunction& function, std::span<const double> w) {
  const auto start = std::chrono::steady_clock::now();
  Analysis result;
  const std::int64_t n = function.dimension(), m = function.num_outputs();
  result.objective.kind = "formula";
  result.objective.text = function.text();
  result.objective.num_parameters = n;
  result.objective.dtype = to_string(function.program().output_type(0).dtype);
  for (std::int64_t i = 0; i < std::min<std::int64_t>(n, 64); ++i) {
    result.parameter_names.push_back(function.parameters().entry_name(i));
  }
  if (n <= 64) result.point.assign(w.begin(), w.end());
  result.components = function.components();
  result.outputs = function.value(w.data());
  result.jacobian = function.jacobian(w.data());
  result.cost.num_values = 1;
  result.cost.num_gradients = std::min(m, n);

  const bool finite = std::all_of(result.jacobian.begin(), result.jacobian.end(),
                                  [](double x) { return std::isfinite(x); });
  if (!finite) {
    result.warnings.push_back("the Jacobian is not finite: some component has no derivative here");
    result.complete = false;
  } else {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const RowMajor> j(result.jacobian.data(), m, n);
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(j);
    const auto& values = svd.singularValues();
    result.singular_values.assign(values.data(), values.data() + values.size());
    const double threshold = static_cast<double>(std::max(m, n)) *
                             std::numeric_limits<double>::epsilon() *
                             (values.size() > 0 ? values[0] : 0.0);
    result.rank = std::count_if(result.singular_values.begin(), result.singular_values.end(),
                                [&](double s) { return s > threshold; });
  }
  result.cost.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.cost.peak_bytes = peak_resident_bytes();
  return result;
}

}  // namespace kappa
