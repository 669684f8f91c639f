#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "curvature/checks.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

using Vector = std::vector<double>;

/// What both methods share: the damped product, counting, progress, the end.
struct Solver {
  const SymmetricOperator& a;
  const SolveOptions& options;
  const std::int64_t n;
  SolveResult out;

  void apply(const Vector& x, Vector& y) {
    a.apply(1, x.data(), y.data());
    ++out.num_products;
    if (options.damping != 0) axpy(options.damping, x, y);
  }
  [[nodiscard]] double dot(const Vector& x, const Vector& y) const {
    return tall_dot(n, x.data(), y.data());
  }
  [[nodiscard]] double norm(const Vector& x) const { return tall_norm(n, x.data()); }
  static void axpy(double c, const Vector& x, Vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i) y[i] += c * x[i];
  }
  bool end(SolveStatus status) {
    out.status = status;
    return true;
  }
  /// Tests shared by both methods after an iteration.
  bool ended() {
    if (!std::isfinite(out.residual)) return end(SolveStatus::non_finite);
    if (out.residual <= options.tolerance) return end(SolveStatus::converged);
    if (out.num_products >= options.max_iterations) return end(SolveStatus::max_iterations);
    if (options.progress &&
        !options.progress({"linear system", out.num_products, options.max_iterations, ""})) {
      return end(SolveStatus::stopped);
    }
    return false;
  }
  void keep_direction(const Vector& d, double curvature) {
    out.direction = d;
    out.direction_curvature = curvature;
  }
};

void conjugate_gradients(Solver& s, const Vector& b, double b_norm) {
  const double eps = std::numeric_limits<double>::epsilon();
  Vector r = b, p = b, ap(b.size());
  double rr = b_norm * b_norm, best = 1;
  std::int64_t since_best = 0;
  for (;;) {
    s.apply(p, ap);
    const double curvature = s.dot(p, ap), pp = s.dot(p, p);
    if (!std::isfinite(curvature)) {
      s.end(SolveStatus::non_finite);
      return;
    }
    // Rounding of the product decides the sign below this: not a curvature one can divide by.
    if (curvature <= eps * pp * s.norm(ap) / std::sqrt(pp)) {
      s.keep_direction(p, curvature / pp);
      s.end(SolveStatus::negative_curvature);
      return;
    }
    const double alpha = rr / curvature;
    Solver::axpy(alpha, p, s.out.x);
    Solver::axpy(-alpha, ap, r);
    const double next = s.dot(r, r);
    s.out.residual = std::sqrt(next) / b_norm;
    if (s.ended()) return;
    // CG's residual may rise for long on ill-conditioned systems, but not for ever.
    if (s.out.residual < 0.99 * best) {
      best = s.out.residual;
      since_best = 0;
    } else if (++since_best > std::max<std::int64_t>(100, s.n)) {
      s.end(SolveStatus::stagnated);
      return;
    }
    const double beta = next / rr;
    rr = next;
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = r[i] + beta * p[i];
  }
}

void minres(Solver& s, const Vector& b, double b_norm) {
  const double eps = std::numeric_limits<double>::epsilon();
  const auto size = b.size();
  Vector v = b, v_old(size, 0.0), av(size), d(size, 0.0), d_old(size, 0.0), d_older(size);
  for (double& x : v) x /= b_norm;
  Vector r = b;  // the residual itself, for the direction of negative curvature
  double beta = 0, phi = b_norm, c = -1, sn = 0, delta_next = 0, epsilon = 0, norm_estimate = 0;
  for (std::int64_t k = 0;; ++k) {
    s.apply(v, av);
    const double alpha = s.dot(v, av);
    if (!std::isfinite(alpha)) {
      s.end(SolveStatus::non_finite);
      return;
    }
    for (std::size_t i = 0; i < size; ++i) av[i] -= alpha * v[i] + beta * v_old[i];
    const double beta_next = s.norm(av);
    norm_estimate = std::max({norm_estimate, std::fabs(alpha) + beta + beta_next});
    // Left rotation of the new column, QR of the tridiagonal matrix.
    const double delta = c * delta_next + sn * alpha;
    const double gamma_bar = sn * delta_next - c * alpha;
    const double epsilon_next = sn * beta_next;
    delta_next = -c * beta_next;
    // r'Ar = -c gamma_bar |r|^2 for the residual r before this step (Liu and Roosta, lemma 4).
    const double curvature = -c * gamma_bar;
    if (s.options.stop_at_negative_curvature && curvature <= eps * norm_estimate) {
      s.keep_direction(r, curvature);
      s.end(SolveStatus::negative_curvature);
      return;
    }
    // |A r| = |r| hypot(gamma_bar, delta_next) for that r (Paige and Saunders 1975): at rounding
    // level b's part in the range is solved, and a further step would divide rounding by rounding.
    const double rounding = 100 * eps * norm_estimate;
    const double gamma = std::hypot(gamma_bar, beta_next);
    if (!(std::hypot(gamma_bar, delta_next) > rounding && gamma > rounding)) {
      s.end(SolveStatus::stagnated);
      return;
    }
    c = gamma_bar / gamma;
    sn = beta_next / gamma;
    const double tau = c * phi;
    phi *= sn;
    d_older.swap(d_old);
    d_old.swap(d);
    for (std::size_t i = 0; i < size; ++i) {
      d[i] = (v[i] - delta * d_old[i] - epsilon * d_older[i]) / gamma;
      s.out.x[i] += tau * d[i];
    }
    epsilon = epsilon_next;
    v_old.swap(v);
    const double scale = beta_next > rounding ? 1 / beta_next : 0;
    for (std::size_t i = 0; i < size; ++i) v[i] = av[i] * scale;
    for (std::size_t i = 0; i < size; ++i) r[i] = sn * sn * r[i] - phi * c * v[i];
    beta = beta_next;
    s.out.residual = std::fabs(phi) / b_norm;
    if (s.ended()) return;
    if (scale == 0) {
      s.end(SolveStatus::stagnated);
      return;
    }
  }
}

}  // namespace

SolveResult inverse_product(const SymmetricOperator& a, std::span<const double> b,
                            const SolveOptions& options) {
  require_dimension("inverse_product", a);
  require_length("inverse_product", "b", b.size(), a.dimension());
  require("inverse_product", options.tolerance > 0, "tolerance must be > 0");
  require("inverse_product", options.max_iterations >= 1, "max_iterations must be >= 1");
  Solver solver{a, options, a.dimension(), {}};
  solver.out.x.assign(b.size(), 0.0);
  const Vector right(b.begin(), b.end());
  const double norm = solver.norm(right);
  if (!std::isfinite(norm)) {
    throw Error(ErrorKind::value, "inverse_product: b contains NaN or infinity");
  }
  if (norm == 0) return solver.out;
  solver.out.residual = 1;
  if (options.method == SolveMethod::cg) {
    conjugate_gradients(solver, right, norm);
  } else {
    minres(solver, right, norm);
  }
  return solver.out;
}

}  // namespace kappa
