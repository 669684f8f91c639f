#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/random.h"
#include "curvature/checks.h"
#include "curvature/statistics.h"
#include "curvature/tall.h"
#include "curvature/tall_storage.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

using Eigen::VectorXd;

/// Lanczos from one probe with full orthogonalisation; several advance together, so that the
/// operator sees a block.
struct Probe {
  TallStorage storage;  // n x num_steps
  std::vector<double> alpha, beta;
  [[nodiscard]] double* basis() const { return storage.data(); }
  bool done = false;

  Probe(std::int64_t n, std::int64_t num_steps, std::uint64_t seed, std::int64_t stream)
      : storage(n * num_steps) {
    Random(seed, static_cast<std::uint64_t>(stream)).fill_normal(n, basis());
    tall_scale(n, 1 / tall_norm(n, basis()), basis());
  }

  /// Takes A q_j in `w`, which it overwrites. False if it is not finite.
  bool advance(std::int64_t n, std::int64_t num_steps, double* w) {
    const auto size = static_cast<std::int64_t>(alpha.size()) + 1;
    const double* q = basis() + (size - 1) * n;
    const double a = tall_dot(n, q, w);
    const double scale = tall_norm(n, w);
    if (!std::isfinite(scale)) return false;
    alpha.push_back(a);
    if (size == num_steps) {
      done = true;
      return true;
    }
    std::vector<double> c(static_cast<std::size_t>(size));
    double norm = scale;
    for (int pass = 0; pass < 3; ++pass) {
      tall_gram(n, size, basis(), 1, w, c.data(), size);
      tall_subtract(n, size, basis(), 1, c.data(), size, w);
      const double before = norm;
      norm = tall_norm(n, w);
      if (norm > 0.7 * before) break;
    }
    const double eps = std::numeric_limits<double>::epsilon();
    if (norm <= scale * eps * std::max(10.0, std::sqrt(static_cast<double>(n)))) {
      done = true;  // invariant: the quadrature is exact for this probe
      return true;
    }
    beta.push_back(norm);
    double* next = basis() + size * n;
    for (std::int64_t i = 0; i < n; ++i) next[i] = w[i] / norm;
    return true;
  }
};

/// Gauss quadrature of a probe: eigenvalues of its tridiagonal matrix and squared first components.
void append_quadrature(const Probe& probe, SpectralDensity& out) {
  const auto size = static_cast<Eigen::Index>(probe.alpha.size());
  if (size == 0) return;
  const VectorXd diagonal = Eigen::Map<const VectorXd>(probe.alpha.data(), size);
  const VectorXd off = Eigen::Map<const VectorXd>(probe.beta.data(), size - 1);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, off);
  for (Eigen::Index i = 0; i < size; ++i) {
    out.nodes.push_back(solver.eigenvalues()(i));
    const double first = solver.eigenvectors()(0, i);
    out.weights.push_back(first * first);
  }
  out.probe_sizes.push_back(size);
}

/// Broadens the quadratures onto a grid; mean and standard error over probes at each point.
void broaden(const DensityOptions& options, SpectralDensity& out) {
  const auto [least, most] = std::minmax_element(out.nodes.begin(), out.nodes.end());
  const double low = *least, high = *most;
  const double size = std::max(std::fabs(low), std::fabs(high));
  out.sigma = options.sigma > 0 ? options.sigma : (high - low) / 100;
  // A multiple of the identity has no width of its own.
  if (options.sigma == 0 && high - low <= 1e-10 * size) out.sigma = size > 0 ? size / 100 : 0.01;
  // Six sigma beyond the nodes hold all but 2e-9 of the mass.
  const double start = low - 6 * out.sigma, width = high - low + 12 * out.sigma;
  const std::int64_t num_points = options.num_points > 0
                                      ? options.num_points
                                      : static_cast<std::int64_t>(std::clamp(
                                            std::ceil(2 * width / out.sigma) + 1, 256.0, 100000.0));
  const double spacing = width / static_cast<double>(num_points - 1);
  const auto points = static_cast<std::size_t>(num_points);
  out.lambda.resize(points);
  for (std::size_t i = 0; i < points; ++i) out.lambda[i] = start + spacing * static_cast<double>(i);

  std::vector<RunningMean> at(points);
  std::vector<double> one(points);
  std::size_t node = 0;
  for (const std::int64_t count : out.probe_sizes) {
    std::fill(one.begin(), one.end(), 0.0);
    for (const std::size_t end = node + static_cast<std::size_t>(count); node < end; ++node) {
      // Beyond 9 sigma a Gaussian is below 3e-18.
      const double centre = (out.nodes[node] - start) / spacing, reach = 9 * out.sigma / spacing;
      const auto from = static_cast<std::size_t>(std::max(0.0, std::floor(centre - reach)));
      const auto to = std::min(points, static_cast<std::size_t>(std::ceil(centre + reach)) + 1);
      for (std::size_t i = from; i < to; ++i) {
        const double z = (out.lambda[i] - out.nodes[node]) / out.sigma;
        one[i] += out.weights[node] * std::exp(-z * z / 2);
      }
    }
    // Dividing by the integral on the grid, not by sigma sqrt(2 pi), so that the integral is 1 for
    // any grid a caller asks for.
    double integral = -(one.front() + one.back()) / 2;
    for (const double y : one) integral += y;
    integral *= spacing;
    for (std::size_t i = 0; i < points; ++i) at[i].add(integral > 0 ? one[i] / integral : 0);
  }
  for (const RunningMean& point : at) {
    out.density.push_back(point.mean());
    if (out.num_probes > 1) out.standard_error.push_back(point.standard_error());
  }
}

}  // namespace

SpectralDensity density(const SymmetricOperator& a, const DensityOptions& options) {
  require_dimension("density", a);
  require("density", options.num_probes >= 1, "num_probes must be >= 1");
  require("density", options.num_steps >= 1, "num_steps must be >= 1");
  require("density", options.sigma >= 0 && std::isfinite(options.sigma), "sigma must be >= 0");
  require("density", options.num_points == 0 || options.num_points >= 2,
          "num_points must be 0 or >= 2");
  const std::int64_t n = a.dimension(), num_steps = std::min(options.num_steps, n);
  const std::int64_t at_once = std::clamp<std::int64_t>(
      options.max_basis_bytes / (8 * n * num_steps), 1, options.num_probes);
  SpectralDensity out;
  RunningMean traces;
  auto stop = [&](CurvatureStatus status) { out.status = status; };

  for (std::int64_t first = 0;
       first < options.num_probes && out.status == CurvatureStatus::converged; first += at_once) {
    std::vector<Probe> probes;
    for (std::int64_t j = first; j < std::min(first + at_once, options.num_probes); ++j) {
      probes.emplace_back(n, num_steps, options.seed, j);
    }
    std::vector<double> directions, products;
    for (std::int64_t step = 0; step < num_steps; ++step) {
      std::vector<Probe*> active;
      directions.clear();
      for (Probe& probe : probes) {
        if (probe.done) continue;
        active.push_back(&probe);
        const double* q = probe.basis() + step * n;
        directions.insert(directions.end(), q, q + n);
      }
      if (active.empty()) break;
      products.resize(directions.size());
      a.apply(static_cast<std::int64_t>(active.size()), directions.data(), products.data());
      out.num_products += static_cast<std::int64_t>(active.size());
      bool finite = true;
      for (std::size_t j = 0; j < active.size(); ++j) {
        finite =
            active[j]->advance(n, num_steps, products.data() + static_cast<std::int64_t>(j) * n) &&
            finite;
      }
      if (!finite) {
        stop(CurvatureStatus::non_finite);
        break;
      }
      if (options.progress &&
          !options.progress({"density", out.num_products, options.num_probes * num_steps, ""})) {
        stop(CurvatureStatus::stopped);
        break;
      }
    }
    // A shorter recurrence is a coarser quadrature, but still one: keep what there is.
    for (const Probe& probe : probes) {
      if (probe.alpha.empty()) continue;
      out.num_steps = std::max(out.num_steps, static_cast<std::int64_t>(probe.alpha.size()));
      const std::size_t begin = out.nodes.size();
      append_quadrature(probe, out);
      double mean = 0;
      for (std::size_t i = begin; i < out.nodes.size(); ++i) mean += out.weights[i] * out.nodes[i];
      traces.add(mean * static_cast<double>(n));
    }
  }
  out.num_probes = static_cast<std::int64_t>(out.probe_sizes.size());
  if (out.num_probes == 0) return out;
  out.trace = traces.mean();
  out.trace_standard_error = traces.standard_error();
  broaden(options, out);
  return out;
}

}  // namespace kappa
