// A hanging chain of springs: Newton's method with a sparse Hessian, projected while far away.
#include <Eigen/SparseCholesky>
#include <array>
#include <cstdio>
#include <vector>

#include "kappa/elements.h"

int main() {
  constexpr int kPoints = 200;  // (x, y) each; the two ends are held by stiff springs
  constexpr double kLength = 1.2 / (kPoints - 1);
  std::vector<std::array<int, 4>> links;
  std::vector<std::array<int, 1>> heights;
  for (int i = 0; i < kPoints; ++i) {
    if (i + 1 < kPoints) links.push_back({2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 3});
    heights.push_back({2 * i + 1});
  }
  const std::vector<std::array<int, 2>> ends = {{0, 1}, {2 * kPoints - 2, 2 * kPoints - 1}};
  const std::vector<std::array<double, 2>> places = {{0, 0}, {1, 0}};

  const kappa::ElementSum energy(
      2 * kPoints,
      kappa::elements(links,
                      [&](const auto& p) {
                        const auto stretch = hypot(p[0] - p[2], p[1] - p[3]) - kLength;
                        return 0.5 * 1e4 * stretch * stretch;
                      }),
      kappa::elements(heights, [](const auto& p) { return 9.81 / kPoints * p[0]; }),
      kappa::elements(ends, places, [](const auto& p, const auto& at) {
        return 0.5 * 1e6 * (pow(p[0] - at[0], 2) + pow(p[1] - at[1], 2));
      }));

  Eigen::VectorXd x(2 * kPoints);
  for (int i = 0; i < kPoints; ++i) {
    const double t = double(i) / (kPoints - 1);
    x[2 * i] = t;
    x[2 * i + 1] = -0.5 * t * (1 - t);
  }
  energy.check_finite({x.data(), 2 * kPoints});

  const kappa::SparseHessian lower(energy, {.triangle = kappa::Triangle::lower});
  Eigen::SparseMatrix<double> h = lower.matrix(energy, x);
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> solver;
  solver.analyzePattern(h);
  for (int iteration = 0; iteration < 200; ++iteration) {
    const Eigen::VectorXd g = kappa::gradient(energy, x);
    const double y = kappa::value(energy, x);
    if (iteration % 10 == 0 || g.norm() < 1e-8) {
      std::printf("%3d  energy %.9f  gradient %.2e\n", iteration, y, g.norm());
    }
    if (g.norm() < 1e-8) return 0;
    lower.update(h, energy, x, {.projection = kappa::Projection::clamp});
    h.diagonal().array() += 1e-6;
    solver.factorize(h);
    const Eigen::VectorXd step = solver.solve(-g);
    double t = 1;
    while (t > 1e-10 && kappa::value(energy, x + t * step) > y + 1e-4 * t * g.dot(step)) t /= 2;
    x += t * step;
  }
  return 1;
}
