#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "curvature/checks.h"
#include "curvature/sign.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"

namespace kappa {
namespace {

using Vector = std::vector<double>;

/// s = -sum v_i (v_i'g) / |lambda_i| over the eigenvalues that are not zero.
void spectral_step(const KnownSpectrum& spectrum, const Vector& g, LocalModel& model) {
  const auto n = static_cast<std::int64_t>(g.size());
  Vector c(g.size());
  tall_gram(n, n, spectrum.vectors.data(), 1, g.data(), c.data(), n);
  const double size = tall_norm(n, g.data());
  std::int64_t num_reversed = 0, num_skipped = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double lambda = spectrum.values[i];
    const bool matters = std::fabs(c[i]) > 1e-12 * size;
    if (std::fabs(lambda) <= std::max(spectrum.error_bounds[i], 1e-12 * spectrum.norm)) {
      num_skipped += matters ? 1 : 0;
      c[i] = 0;
    } else {
      num_reversed += lambda < 0 && matters ? 1 : 0;
      c[i] = -c[i] / std::fabs(lambda);
    }
  }
  model.step.assign(g.size(), 0.0);
  tall_product(n, n, spectrum.vectors.data(), 1, c.data(), n, model.step.data());
  model.modified = num_reversed > 0 || num_skipped > 0;
  model.method = "Newton step from the eigenvalues";
  if (num_reversed > 0) {
    model.method += fmt::format("; {} negative taken by magnitude", num_reversed);
  }
  if (num_skipped > 0) {
    model.method += fmt::format(
        "; {} zero left out although the gradient has a part there: the model has no minimum",
        num_skipped);
  }
}

void iterative_step(const SymmetricOperator& a, const Vector& g, const LocalModelOptions& options,
                    LocalModel& model) {
  Vector right(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) right[i] = -g[i];
  SolveOptions solve = options.solve;
  solve.method = SolveMethod::cg;
  if (options.progress) solve.progress = options.progress;
  SolveResult result = inverse_product(a, right, solve);
  model.num_products += result.num_products;
  model.step = std::move(result.x);
  model.method = fmt::format("conjugate gradients, {} products, relative residual {:.1e} ({})",
                             result.num_products, result.residual, to_string(result.status));
  model.modified = result.status == SolveStatus::negative_curvature;
  model.finite = result.status != SolveStatus::non_finite;
  if (!model.modified) return;
  if (result.num_products == 1) {
    // The gradient itself: its curvature's magnitude sets the length, as in the spectral step.
    const double curvature = std::fabs(result.direction_curvature);
    const double length = curvature > 0 ? 1 / curvature : 1;
    for (std::size_t i = 0; i < g.size(); ++i) model.step[i] = -length * g[i];
    model.method = "steepest descent: the curvature along the gradient is not positive";
  } else {
    model.method += "; the step before negative curvature was met";
  }
}

/// The function along the step against the model of it.
class Ray {
 public:
  Ray(const LocalModel& model, double value, double slope, double curvature,
      const std::function<double(std::span<const double>)>& value_at, double ratio)
      : step_(model.step),
        value_(value),
        slope_(slope),
        curvature_(curvature),
        value_at_(value_at),
        ratio_(ratio),
        scaled_(model.step.size()) {}

  double at(double t) {
    for (std::size_t i = 0; i < step_.size(); ++i) scaled_[i] = t * step_[i];
    ++num_values;
    return value_at_(scaled_);
  }
  bool holds(double t, double f) const {
    const double change = t * slope_ + t * t * curvature_ / 2;
    const double scale = std::max(std::fabs(change), t * t * std::fabs(curvature_) / 2);
    const double rounding =
        8 * std::numeric_limits<double>::epsilon() * (std::fabs(value_) + std::fabs(f) + scale);
    return std::fabs(f - (value_ + change)) <= ratio_ * scale + rounding;  // false for NaN
  }
  bool holds(double t) { return holds(t, at(t)); }

  std::int64_t num_values = 0;

 private:
  const Vector& step_;
  double value_, slope_, curvature_;
  const std::function<double(std::span<const double>)>& value_at_;
  double ratio_;
  Vector scaled_;
};

/// Largest t found at which the model holds.
double trusted_multiple(Ray& ray, bool holds_at_one, std::int64_t max_values) {
  double good = 0, bad = std::numeric_limits<double>::infinity();
  if (holds_at_one) {
    for (good = 1; std::isinf(bad);) {
      if (good >= 0x1p20) return bad;
      if (ray.num_values >= max_values) return good;
      if (ray.holds(2 * good)) {
        good *= 2;
      } else {
        bad = 2 * good;
      }
    }
  } else {
    for (bad = 1; good == 0;) {
      if (ray.num_values >= max_values || bad < 0x1p-40) return 0;
      if (ray.holds(bad / 2)) {
        good = bad / 2;
      } else {
        bad /= 2;
      }
    }
  }
  while (bad > 1.1 * good && ray.num_values < max_values) {
    const double middle = std::sqrt(good * bad);
    (ray.holds(middle) ? good : bad) = middle;
  }
  return good;
}

}  // namespace

LocalModel local_model(const SymmetricOperator& a, double value, std::span<const double> gradient,
                       const std::function<double(std::span<const double>)>& value_at,
                       const KnownSpectrum& spectrum, const LocalModelOptions& options) {
  require_dimension("local_model", a);
  const std::int64_t n = a.dimension();
  require_length("local_model", "the gradient", gradient.size(), n);
  require("local_model", options.trusted_ratio > 0, "trusted_ratio must be > 0");
  require("local_model", static_cast<bool>(value_at), "value_at is empty");
  LocalModel model;
  const Vector g(gradient.begin(), gradient.end());
  if (!std::isfinite(value) || !all_finite(n, g.data())) {
    model.finite = false;
    model.method = "none: the value or the gradient is not finite";
    return model;
  }
  if (tall_norm(n, g.data()) == 0) {
    model.step.assign(g.size(), 0.0);
    model.method = "none: the gradient is zero";
    return model;
  }
  if (spectrum.complete && spectrum.vectors.size() == g.size() * g.size()) {
    spectral_step(spectrum, g, model);
  } else {
    iterative_step(a, g, options, model);
  }
  Vector product(g.size());
  a.apply(1, model.step.data(), product.data());
  ++model.num_products;
  const double slope = tall_dot(n, g.data(), model.step.data());
  const double curvature = tall_dot(n, model.step.data(), product.data());
  model.newton_step_norm = tall_norm(n, model.step.data());
  model.newton_decrement = std::sqrt(std::max(-slope, 0.0));
  model.predicted_decrease = -(slope + curvature / 2);
  model.finite = model.finite && std::isfinite(curvature) && std::isfinite(model.newton_step_norm);
  if (!model.finite || model.newton_step_norm == 0) return model;

  Ray ray(model, value, slope, curvature, value_at, options.trusted_ratio);
  const double after = ray.at(1);
  model.actual_decrease = value - after;
  const double t = trusted_multiple(ray, ray.holds(1, after), options.max_values);
  model.trusted_radius = t * model.newton_step_norm;
  model.num_values = ray.num_values;
  return model;
}

}  // namespace kappa
