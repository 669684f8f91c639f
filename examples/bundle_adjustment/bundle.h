#pragma once

// Bundle adjustment with arrays: cameras and points whose projections fit what was seen. Reads the
// text format of "Bundle Adjustment in the Large" (Agarwal, Snavely, Seitz, Szeliski, ECCV 2010)
// and the binary one of libmv; solves by Gauss-Newton and by Newton.

#include <kappa/function.h>

#include <Eigen/Geometry>
#include <Eigen/SparseCholesky>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace bundle {

/// A camera turns X by its rotation vector r and moves it by t: P = R(r) X + t.
struct Problem {
  std::int64_t num_cameras = 0, num_points = 0;
  std::vector<double> camera, point;  ///< of each observation
  std::vector<double> u, v;           ///< where it was seen
  /// Per camera r (3), t (3) and, in the text format, f, k1, k2; then the points (3 each).
  Eigen::VectorXd start;
  std::int64_t camera_width = 9;
  /// libmv: f, cx, cy, k1, k2, k3, p1, p2 for all cameras, which look along +z, not -z.
  std::array<double, 8> intrinsics{};

  [[nodiscard]] std::int64_t num_observations() const {
    return static_cast<std::int64_t>(u.size());
  }
};

inline Problem read_text(const std::string& path) {
  std::ifstream file(path);
  Problem p;
  std::int64_t count = 0;
  file >> p.num_cameras >> p.num_points >> count;
  for (std::int64_t i = 0; i < count; ++i) {
    double camera = 0, point = 0, u = 0, v = 0;
    file >> camera >> point >> u >> v;
    p.camera.push_back(camera);
    p.point.push_back(point);
    p.u.push_back(u);
    p.v.push_back(v);
  }
  p.start.resize(9 * p.num_cameras + 3 * p.num_points);
  for (double& value : p.start) file >> value;
  if (!file) throw std::runtime_error(path + ": not a bundle adjustment problem");
  return p;
}

inline Problem read_libmv(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char endian = 0, space = 0;
  file.get(endian).get(space);
  if (endian != 'v' || space != 'P') throw std::runtime_error(path + ": little-endian pixels only");
  const auto number = [&](auto kind) {
    file.read(reinterpret_cast<char*>(&kind), sizeof kind);
    return kind;
  };
  Problem p;
  p.camera_width = 6;
  for (double& value : p.intrinsics) value = number(0.0F);
  p.num_cameras = number(0);
  std::map<int, double> camera_of, point_of;
  std::vector<double> x;
  for (std::int64_t c = 0; c < p.num_cameras; ++c) {
    camera_of.emplace(number(0), static_cast<double>(c));
    Eigen::Matrix3d rotation;
    for (double& value : rotation.reshaped()) value = number(0.0F);
    const Eigen::AngleAxisd turn(rotation);
    for (int i = 0; i < 3; ++i) x.push_back(turn.angle() * turn.axis()[i]);
    for (int i = 0; i < 3; ++i) x.push_back(number(0.0F));
  }
  p.num_points = number(0);
  for (std::int64_t k = 0; k < p.num_points; ++k) {
    point_of.emplace(number(0), static_cast<double>(k));
    for (int i = 0; i < 3; ++i) x.push_back(number(0.0F));
  }
  const int count = number(0);
  for (int i = 0; i < count; ++i) {
    p.camera.push_back(camera_of.at(number(0)));
    p.point.push_back(point_of.at(number(0)));
    p.u.push_back(number(0.0F));
    p.v.push_back(number(0.0F));
  }
  if (!file) throw std::runtime_error(path + ": ends early");
  p.start = Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
  return p;
}

/// What the cameras see less what was seen: two vectors, one entry an observation.
inline std::array<kappa::Array, 2> residuals(const Problem& p, const kappa::Array& cameras,
                                             const kappa::Array& points) {
  using kappa::Array;
  const std::int64_t m = p.num_observations();
  const Array camera = gather(cameras, constant(cameras, p.camera, {m}, kappa::DType::i64));
  const Array point = gather(points, constant(cameras, p.point, {m}, kappa::DType::i64));
  const auto column = [m](const Array& rows, std::int64_t k) {
    return reshape(slice(rows, {0, k}, {m, k + 1}), {m});
  };
  std::array<Array, 3> r, t, x, moved;
  for (int i = 0; i < 3; ++i) {
    r[i] = column(camera, i);
    t[i] = column(camera, 3 + i);
    x[i] = column(point, i);
  }
  // Rodrigues: X cos θ + (r × X) sin θ / θ + r (r·X) (1 - cos θ) / θ². Near 0 its series, so that
  // derivatives exist there too.
  const Array squared = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  const Array near = squared < 1e-8;
  const Array safe = where(near, Array(1.0), squared);
  const Array theta = sqrt(safe);
  const Array cosine = where(near, 1 - squared / 2, cos(theta));
  const Array sinc = where(near, 1 - squared / 6, sin(theta) / theta);
  const Array rest = where(near, 0.5 - squared / 24, (1 - cos(theta)) / safe);
  const Array along = r[0] * x[0] + r[1] * x[1] + r[2] * x[2];
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    moved[i] = x[i] * cosine + (r[j] * x[k] - r[k] * x[j]) * sinc + r[i] * along * rest + t[i];
  }
  const Array u = constant(cameras, p.u, {m}), v = constant(cameras, p.v, {m});
  if (p.camera_width == 9) {
    const Array a = -moved[0] / moved[2], b = -moved[1] / moved[2];
    const Array d = a * a + b * b;
    const Array scale = column(camera, 6) * (1 + d * (column(camera, 7) + d * column(camera, 8)));
    return {scale * a - u, scale * b - v};
  }
  const auto& [f, cx, cy, k1, k2, k3, p1, p2] = p.intrinsics;
  const Array a = moved[0] / moved[2], b = moved[1] / moved[2];
  const Array d = a * a + b * b;
  const Array radial = 1 + d * (k1 + d * (k2 + d * k3));
  return {f * (a * radial + 2 * p1 * a * b + p2 * (d + 2 * a * a)) + cx - u,
          f * (b * radial + 2 * p2 * a * b + p1 * (d + 2 * b * b)) + cy - v};
}

/// The residuals (2 m) and half the sum of their squares.
struct Functions {
  kappa::Function residuals, cost;
};

inline Functions functions(const Problem& p) {
  const kappa::Shape cameras{p.num_cameras, p.camera_width}, points{p.num_points, 3};
  return {kappa::trace(
              [&](kappa::Array c, kappa::Array x) { return concat(bundle::residuals(p, c, x), 0); },
              cameras, points),
          kappa::trace(
              [&](kappa::Array c, kappa::Array x) {
                const auto [a, b] = bundle::residuals(p, c, x);
                return 0.5 * (sum(a * a) + sum(b * b));
              },
              cameras, points)};
}

struct Result {
  Eigen::VectorXd x;
  double cost = 0, gradient_norm = 0;
  int steps = 0;
};

enum class Method { gauss_newton, newton };

/// Levenberg-Marquardt steps (A + λ diag(JᵀJ)) s = -g, A = JᵀJ or the Hessian, until the largest
/// entry of g falls below `tolerance` times its first value.
inline Result solve(const Functions& f, const Eigen::VectorXd& start, Method method,
                    int max_steps = 100, double tolerance = 1e-9, bool print = false) {
  Result now{start, kappa::value(f.cost, start)};
  Eigen::SparseMatrix<double> hessian;
  double damping = 1e-4, first = 0;
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> factor;
  for (; now.steps < max_steps; ++now.steps) {
    const Eigen::SparseMatrix<double> jacobian = kappa::sparse_jacobian(f.residuals, now.x);
    const Eigen::VectorXd gradient = jacobian.transpose() * kappa::values(f.residuals, now.x);
    now.gradient_norm = gradient.lpNorm<Eigen::Infinity>();
    if (now.steps == 0) first = now.gradient_norm;
    if (print) std::printf("%4d  %.10e  %.2e\n", now.steps, now.cost, now.gradient_norm);
    if (now.gradient_norm <= tolerance * first) break;
    const Eigen::SparseMatrix<double> squares = jacobian.transpose() * jacobian;
    const Eigen::VectorXd scale = squares.diagonal().cwiseMax(1e-12);
    if (method == Method::newton) kappa::sparse_hessian(f.cost, now.x, hessian);
    const Eigen::SparseMatrix<double>& model = method == Method::newton ? hessian : squares;
    bool stuck = true;
    for (int trial = 0; trial < 30; ++trial, damping *= 8) {
      Eigen::SparseMatrix<double> damped = model;
      damped.diagonal() += damping * scale;
      factor.compute(damped);
      if (factor.info() != Eigen::Success || (factor.vectorD().array() <= 0).any()) continue;
      const Eigen::VectorXd step = -factor.solve(gradient);
      const double cost = kappa::value(f.cost, now.x + step);
      if (!(cost < now.cost)) continue;
      now.x += step;
      now.cost = cost;
      damping = std::max(damping / 16, 1e-14);
      stuck = false;
      break;
    }
    if (stuck) break;  // no step lowers the cost: its last digits
  }
  return now;
}

}  // namespace bundle
