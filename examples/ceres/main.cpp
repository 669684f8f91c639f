// A robust fit solved three ways: by Ceres with its Cauchy loss; by kappa::minimize on a sum of
// elements made of the same functor; by kappa::minimize on arrays. One minimum, three roads; the
// last two with the exact Hessian of the loss, not Gauss-Newton's.
//
//     minimise over (m, c):  Σ_i ρ((y_i - exp(m x_i + c))²) / 2,   ρ(s) = a² log(1 + s / a²)
#include <ceres/ceres.h>
#include <kappa/elements.h>
#include <kappa/kappa.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr double kScale = 0.5;  // a

/// As Ceres takes it.
struct Residual {
  double x, y;
  template <class T>
  bool operator()(const T* m, const T* c, T* residual) const {
    using std::exp;
    residual[0] = y - exp(m[0] * x + c[0]);
    return true;
  }
};

/// y = exp(0.3 x + 0.1), every tenth observation far off.
std::vector<Residual> observations() {
  std::vector<Residual> list;
  for (int i = 0; i < 60; ++i) {
    const double x = i / 12.0;
    const double noise = 0.2 * std::sin(7.0 * i) + (i % 10 == 3 ? 4.0 : 0.0);
    list.push_back({x, std::exp(0.3 * x + 0.1) + noise});
  }
  return list;
}

Eigen::Vector2d by_ceres(const std::vector<Residual>& data) {
  double m = 0, c = 0;
  ceres::Problem problem;
  for (const Residual& r : data) {
    problem.AddResidualBlock(new ceres::AutoDiffCostFunction<Residual, 1, 1, 1>(new Residual(r)),
                             new ceres::CauchyLoss(kScale), &m, &c);
  }
  ceres::Solver::Options options;
  options.function_tolerance = options.gradient_tolerance = options.parameter_tolerance = 1e-14;
  options.max_num_iterations = 200;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  std::printf("Ceres     m = %.10f, c = %.10f, cost %.10f, %d steps\n", m, c, summary.final_cost,
              summary.num_successful_steps);
  return {m, c};
}

Eigen::Vector2d report(const char* name, const kappa::Solution& s) {
  std::printf("%s m = %.10f, c = %.10f, cost %.10f, %lld steps\n", name, s.x[0], s.x[1], s.value,
              static_cast<long long>(s.num_iterations));
  return s.x;
}

const kappa::MinimizeOptions kOptions{.method = "newton", .gradient_tolerance = 1e-10};

Eigen::Vector2d by_elements(const std::vector<Residual>& data) {
  const std::vector<std::array<int, 2>> both(data.size(), {0, 1});
  const kappa::ElementSum f(2, kappa::elements(both, data, [](const auto& p, const Residual& r) {
                              using T = std::remove_cvref_t<decltype(p[0])>;
                              T residual = 0;
                              r(&p[0], &p[1], &residual);
                              const double a2 = kScale * kScale;
                              return 0.5 * a2 * log1p(residual * residual / a2);
                            }));
  return report("elements ", kappa::minimize(f, Eigen::Vector2d::Zero(), kOptions));
}

Eigen::Vector2d by_arrays(const std::vector<Residual>& data) {
  std::vector<double> x, y;
  for (const Residual& r : data) {
    x.push_back(r.x);
    y.push_back(r.y);
  }
  const auto count = static_cast<std::int64_t>(data.size());
  const kappa::Function f = kappa::trace(
      [&](kappa::Array p) {
        const kappa::Array residual =
            constant(p, y, {count}) - exp(p[0] * constant(p, x, {count}) + p[1]);
        const double a2 = kScale * kScale;
        return sum(0.5 * a2 * log1p(residual * residual / a2));
      },
      2);
  return report("arrays   ", kappa::minimize(f, Eigen::Vector2d::Zero(), kOptions));
}

}  // namespace

int main() {
  const std::vector<Residual> data = observations();
  const Eigen::Vector2d a = by_ceres(data), b = by_elements(data), c = by_arrays(data);
  return (a - b).norm() < 1e-6 && (a - c).norm() < 1e-6 ? 0 : 1;
}
