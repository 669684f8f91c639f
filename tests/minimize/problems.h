#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kappa/problem.h"
#include "minimize/dual.h"

namespace kappa::test {

using Vector = std::vector<double>;

/// A problem given by its value, gradient and Hessian product at a point.
class FunctionProblem : public Problem {
 public:
  virtual double evaluate(const double* w, double* gradient) const = 0;
  virtual void product(const double* w, const double* direction, double* result) const = 0;
  /// Where it returns true, `result` is a product with the Gauss-Newton matrix.
  virtual bool gauss_newton(const double* /*w*/, const double* /*direction*/,
                            double* /*result*/) const {
    return false;
  }

  double value(const double* w, Samples = {}) const override {
    Vector gradient(static_cast<std::size_t>(dimension()));
    return evaluate(w, gradient.data());
  }
  double gradient(const double* w, double* gradient, Samples = {}) const override {
    return evaluate(w, gradient);
  }
  std::unique_ptr<Linearization> linearize(const double* w, Samples = {}) const override {
    return std::make_unique<At>(*this, w);
  }

 private:
  class At final : public Linearization {
   public:
    At(const FunctionProblem& problem, const double* w)
        : problem_(problem), w_(w, w + problem.dimension()), gradient_(w_.size()) {
      value_ = problem.evaluate(w_.data(), gradient_.data());
    }
    std::int64_t dimension() const override { return problem_.dimension(); }
    double value() const override { return value_; }
    std::span<const double> gradient() const override { return gradient_; }
    void hessian_product(std::int64_t k, const double* directions,
                         double* products) const override {
      for (std::int64_t j = 0; j < k; ++j) {
        problem_.product(w_.data(), directions + j * dimension(), products + j * dimension());
      }
    }
    void gauss_newton_product(std::int64_t k, const double* d, double* p) const override {
      for (std::int64_t j = 0; j < k; ++j) {
        problem_.gauss_newton(w_.data(), d + j * dimension(), p + j * dimension());
      }
    }
    bool has_gauss_newton() const override {
      Vector unused(w_.size());
      return problem_.gauss_newton(w_.data(), w_.data(), unused.data());
    }

   private:
    const FunctionProblem& problem_;
    Vector w_, gradient_;
    double value_;
  };
};

/// f = sum_i lambda_i w_i^2 / 2: the eigenvectors are the axes.
class Quadratic final : public FunctionProblem {
 public:
  explicit Quadratic(Vector lambda) : lambda_(std::move(lambda)) {}
  std::int64_t dimension() const override { return static_cast<std::int64_t>(lambda_.size()); }
  double evaluate(const double* w, double* g) const override {
    double f = 0;
    for (std::size_t i = 0; i < lambda_.size(); ++i) {
      g[i] = lambda_[i] * w[i];
      f += 0.5 * g[i] * w[i];
    }
    return f;
  }
  void product(const double*, const double* d, double* p) const override {
    for (std::size_t i = 0; i < lambda_.size(); ++i) p[i] = lambda_[i] * d[i];
  }

 private:
  Vector lambda_;
};

/// f and its derivatives from a generic lambda `T f(const std::vector<T>&)`.
class GenericProblem final : public FunctionProblem {
 public:
  template <class F>
  GenericProblem(std::int64_t n, F f) : n_(n), first_(f), second_(f) {}
  std::int64_t dimension() const override { return n_; }
  double evaluate(const double* w, double* g) const override {
    std::vector<Dual<double>> x(w, w + n_);
    double f = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i].b = 1;
      const auto y = first_(x);
      f = y.a;
      g[i] = y.b;
      x[i].b = 0;
    }
    return f;
  }
  void product(const double* w, const double* d, double* p) const override {
    std::vector<Dual<Dual<double>>> x(static_cast<std::size_t>(n_));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = {{w[i], d[i]}, {0, 0}};
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i].b.a = 1;
      p[i] = second_(x).b.b;
      x[i].b.a = 0;
    }
  }

 private:
  std::int64_t n_;
  std::function<Dual<double>(const std::vector<Dual<double>>&)> first_;
  std::function<Dual<Dual<double>>(const std::vector<Dual<Dual<double>>>&)> second_;
};

/// f = scale * sum r_i^2 from a generic lambda `std::vector<T> r(const std::vector<T>&)`.
class ResidualProblem final : public FunctionProblem {
 public:
  template <class R>
  ResidualProblem(std::int64_t n, std::int64_t m, R r, double scale = 1)
      : n_(n), m_(m), scale_(scale), plain_(r), first_(r), second_(r) {}
  std::int64_t dimension() const override { return n_; }
  std::int64_t num_residuals() const override { return m_; }
  double residual_scale() const override { return scale_; }
  void residuals(const double* w, double* r) const override {
    const Vector values = plain_(Vector(w, w + n_));
    std::copy(values.begin(), values.end(), r);
  }
  void residual_jacobian(const double* w, double* r, double* jacobian) const override {
    std::vector<Dual<double>> x(w, w + n_);
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j].b = 1;
      const auto values = first_(x);
      for (std::size_t i = 0; i < values.size(); ++i) {
        r[i] = values[i].a;
        jacobian[i * x.size() + j] = values[i].b;
      }
      x[j].b = 0;
    }
  }
  double value(const double* w, Samples = {}) const override {
    double f = 0;
    for (const double r : plain_(Vector(w, w + n_))) f += r * r;
    return scale_ * f;
  }
  double evaluate(const double* w, double* g) const override {
    std::vector<Dual<double>> x(w, w + n_);
    double f = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j].b = 1;
      f = g[j] = 0;
      for (const auto& r : first_(x)) {
        f += r.a * r.a;
        g[j] += 2 * scale_ * r.a * r.b;
      }
      x[j].b = 0;
    }
    return scale_ * f;
  }
  void product(const double* w, const double* d, double* p) const override {
    std::vector<Dual<Dual<double>>> x(static_cast<std::size_t>(n_));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = {{w[i], d[i]}, {0, 0}};
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i].b.a = 1;
      p[i] = 0;
      for (const auto& r : second_(x)) p[i] += 2 * scale_ * (r.a.a * r.b.b + r.a.b * r.b.a);
      x[i].b.a = 0;
    }
  }
  bool gauss_newton(const double* w, const double* d, double* p) const override {
    const auto n = static_cast<std::size_t>(n_), m = static_cast<std::size_t>(m_);
    Vector r(m), jacobian(m * n);
    residual_jacobian(w, r.data(), jacobian.data());
    std::fill(p, p + n, 0.0);
    for (std::size_t i = 0; i < m; ++i) {
      double along = 0;
      for (std::size_t j = 0; j < n; ++j) along += jacobian[i * n + j] * d[j];
      for (std::size_t j = 0; j < n; ++j) p[j] += 2 * scale_ * along * jacobian[i * n + j];
    }
    return true;
  }

 private:
  std::int64_t n_, m_;
  double scale_;
  std::function<Vector(const Vector&)> plain_;
  std::function<std::vector<Dual<double>>(const std::vector<Dual<double>>&)> first_;
  std::function<std::vector<Dual<Dual<double>>>(const std::vector<Dual<Dual<double>>>&)> second_;
};

/// Logistic regression on synthetic data: f = mean log(1 + exp(-y x'w)) + l2/2 |w|^2, with samples.
class LogisticRegression final : public Problem {
 public:
  LogisticRegression(std::int64_t num_samples, std::int64_t n, double l2, unsigned seed = 1)
      : n_(n), num_samples_(num_samples), l2_(l2) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    Vector truth(static_cast<std::size_t>(n));
    for (double& t : truth) t = normal(engine);
    for (std::int64_t i = 0; i < num_samples; ++i) {
      double z = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        x_.push_back(normal(engine));
        z += x_.back() * truth[static_cast<std::size_t>(j)];
      }
      y_.push_back(z + normal(engine) > 0 ? 1 : -1);
    }
  }
  std::int64_t dimension() const override { return n_; }
  std::int64_t num_samples() const override { return num_samples_; }
  double value(const double* w, Samples samples = {}) const override {
    Vector g(static_cast<std::size_t>(n_));
    return gradient(w, g.data(), samples);
  }
  double gradient(const double* w, double* g, Samples samples = {}) const override {
    std::fill(g, g + n_, 0.0);
    double f = 0;
    const std::int64_t count = for_each(samples, [&](std::int64_t i) {
      const double* x = row(i);
      const double y = y_[static_cast<std::size_t>(i)], z = y * margin(x, w);
      f += z > 0 ? std::log1p(std::exp(-z)) : -z + std::log1p(std::exp(z));
      const double s = -y / (1 + std::exp(z));
      for (std::int64_t j = 0; j < n_; ++j) g[j] += s * x[j];
    });
    double penalty = 0;
    for (std::int64_t j = 0; j < n_; ++j) {
      g[j] = g[j] / static_cast<double>(count) + l2_ * w[j];
      penalty += 0.5 * l2_ * w[j] * w[j];
    }
    return f / static_cast<double>(count) + penalty;
  }
  std::unique_ptr<Linearization> linearize(const double* w, Samples samples = {}) const override {
    return std::make_unique<At>(*this, w, samples);
  }

 private:
  const double* row(std::int64_t i) const { return &x_[static_cast<std::size_t>(i * n_)]; }
  double margin(const double* x, const double* w) const {
    double z = 0;
    for (std::int64_t j = 0; j < n_; ++j) z += x[j] * w[j];
    return z;
  }
  template <class Visit>
  std::int64_t for_each(Samples samples, Visit&& visit) const {
    if (samples.empty()) {
      for (std::int64_t i = 0; i < num_samples_; ++i) visit(i);
      return num_samples_;
    }
    for (const std::int64_t i : samples) visit(i);
    return static_cast<std::int64_t>(samples.size());
  }
  class At final : public Linearization {
   public:
    At(const LogisticRegression& p, const double* w, Samples samples)
        : p_(p), samples_(samples.begin(), samples.end()), w_(w, w + p.n_), gradient_(w_.size()) {
      value_ = p.gradient(w, gradient_.data(), samples);
    }
    std::int64_t dimension() const override { return p_.n_; }
    double value() const override { return value_; }
    std::span<const double> gradient() const override { return gradient_; }
    void hessian_product(std::int64_t k, const double* d, double* out) const override {
      for (std::int64_t c = 0; c < k; ++c, d += p_.n_, out += p_.n_) {
        std::fill(out, out + p_.n_, 0.0);
        const std::int64_t count = p_.for_each(samples_, [&](std::int64_t i) {
          const double s = 1 / (1 + std::exp(-p_.margin(p_.row(i), w_.data())));
          const double a = s * (1 - s) * p_.margin(p_.row(i), d);
          for (std::int64_t j = 0; j < p_.n_; ++j) out[j] += a * p_.row(i)[j];
        });
        for (std::int64_t j = 0; j < p_.n_; ++j) {
          out[j] = out[j] / static_cast<double>(count) + p_.l2_ * d[j];
        }
      }
    }
    void gauss_newton_product(std::int64_t k, const double* d, double* out) const override {
      hessian_product(k, d, out);  // the model is linear in w
    }
    bool has_gauss_newton() const override { return true; }

   private:
    const LogisticRegression& p_;
    std::vector<std::int64_t> samples_;
    Vector w_, gradient_;
    double value_;
  };

  std::int64_t n_, num_samples_;
  double l2_;
  Vector x_, y_;
};

inline ResidualProblem rosenbrock() {
  return {2, 2, []<class T>(const std::vector<T>& x) {
            return std::vector<T>{10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]};
          }};
}

}  // namespace kappa::test
