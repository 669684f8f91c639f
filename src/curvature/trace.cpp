#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "curvature/checks.h"
#include "curvature/statistics.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

/// Orthonormal basis of the columns of x (n x k), in place; returns its rank.
std::int64_t orthonormalize(std::int64_t n, std::int64_t k, double* x) {
  std::int64_t rank = 0;
  double largest = 0;
  std::vector<double> c(static_cast<std::size_t>(k));
  for (std::int64_t j = 0; j < k; ++j) {
    double* q = x + j * n;
    double norm = tall_norm(n, q);
    largest = std::max(largest, norm);
    for (int pass = 0; pass < 3 && rank > 0; ++pass) {
      tall_gram(n, rank, x, 1, q, c.data(), k);
      tall_subtract(n, rank, x, 1, c.data(), k, q);
      const double before = norm;
      norm = tall_norm(n, q);
      if (norm > 0.7 * before) break;
    }
    if (!(norm > 1e-12 * largest)) continue;
    tall_scale(n, 1 / norm, q);
    if (rank != j) std::copy_n(q, n, x + rank * n);
    ++rank;
  }
  return rank;
}

struct Sketch {
  std::vector<double> q;  // n x rank, orthonormal: the subspace whose trace is known exactly
  std::int64_t rank = 0;
  double trace = 0;
};

/// Range of A times random signs, and trace Q'AQ. False if a product was not finite.
bool make_sketch(const SymmetricOperator& a, std::int64_t size, std::uint64_t seed, Sketch& s,
                 std::int64_t& num_products) {
  const std::int64_t n = a.dimension();
  std::vector<double> signs(static_cast<std::size_t>(n * size));
  for (std::int64_t j = 0; j < size; ++j) {
    Random(seed ^ 0x5ce7c4u, static_cast<std::uint64_t>(j)).fill_signs(n, signs.data() + j * n);
  }
  s.q.resize(signs.size());
  a.apply(size, signs.data(), s.q.data());
  num_products += size;
  if (!all_finite(n * size, s.q.data())) return false;
  s.rank = orthonormalize(n, size, s.q.data());
  if (s.rank == 0) return true;
  a.apply(s.rank, s.q.data(), signs.data());
  num_products += s.rank;
  for (std::int64_t j = 0; j < s.rank; ++j) {
    s.trace += tall_dot(n, s.q.data() + j * n, signs.data() + j * n);
  }
  return std::isfinite(s.trace);
}

}  // namespace

TraceEstimate trace(const SymmetricOperator& a, const TraceOptions& options) {
  require_dimension("trace", a);
  require("trace", options.tolerance > 0, "tolerance must be > 0");
  require("trace", options.min_probes >= 2, "min_probes must be >= 2: one has no standard error");
  require("trace", options.max_probes >= options.min_probes, "max_probes must be >= min_probes");
  require("trace", options.block_size >= 1, "block_size must be >= 1");
  require("trace", options.sketch_size >= 0, "sketch_size must be >= 0");
  const std::int64_t n = a.dimension();
  TraceEstimate out;
  Sketch sketch;
  if (options.method == TraceMethod::hutch_plus_plus && options.sketch_size > 0) {
    const std::int64_t size = std::min(options.sketch_size, n);
    if (!make_sketch(a, size, options.seed, sketch, out.num_products)) {
      out.status = CurvatureStatus::non_finite;
      return out;
    }
    out.value = sketch.trace;
    if (sketch.rank < size || sketch.rank == n) return out;  // A has no more than this rank: exact
  }

  RunningMean mean;
  const auto block = static_cast<std::size_t>(std::min(options.block_size, options.max_probes));
  std::vector<double> z(block * static_cast<std::size_t>(n)), az(z.size());
  std::vector<double> c(static_cast<std::size_t>(std::max<std::int64_t>(sketch.rank, 1)));
  out.status = CurvatureStatus::max_products;
  while (out.num_probes < options.max_probes) {
    const std::int64_t k =
        std::min(static_cast<std::int64_t>(block), options.max_probes - out.num_probes);
    for (std::int64_t j = 0; j < k; ++j) {
      double* x = z.data() + j * n;
      Random(options.seed, static_cast<std::uint64_t>(out.num_probes + j)).fill_signs(n, x);
      if (sketch.rank > 0) {
        tall_gram(n, sketch.rank, sketch.q.data(), 1, x, c.data(), sketch.rank);
        tall_subtract(n, sketch.rank, sketch.q.data(), 1, c.data(), sketch.rank, x);
      }
    }
    a.apply(k, z.data(), az.data());
    out.num_products += k;
    out.num_probes += k;
    for (std::int64_t j = 0; j < k; ++j) {
      const double sample = tall_dot(n, z.data() + j * n, az.data() + j * n);
      if (!std::isfinite(sample)) {
        out.status = CurvatureStatus::non_finite;
        return out;
      }
      mean.add(sample);
    }
    out.value = sketch.trace + mean.mean();
    out.standard_error = mean.standard_error();
    if (out.num_probes >= options.min_probes &&
        out.standard_error <= options.tolerance * std::fabs(out.value)) {
      out.status = CurvatureStatus::converged;
      break;
    }
    if (options.progress) {
      // The error falls as the root of the count: what is still needed follows from it.
      const double ratio = out.standard_error / (options.tolerance * std::fabs(out.value) + 1e-300);
      const double needed = static_cast<double>(out.num_probes) * ratio * ratio;
      const auto total = static_cast<std::int64_t>(
          std::min(std::max(needed, static_cast<double>(options.min_probes)),
                   static_cast<double>(options.max_probes)));
      if (!options.progress({"trace", out.num_probes, std::max(total, out.num_probes), ""})) {
        out.status = CurvatureStatus::stopped;
        break;
      }
    }
  }
  return out;
}

}  // namespace kappa
