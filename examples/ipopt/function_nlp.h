#pragma once

#include <kappa/function.h>

#include <Eigen/SparseCore>
#include <IpTNLP.hpp>
#include <algorithm>
#include <limits>
#include <span>
#include <vector>

/// A traced function, with bounds on its variables and, where wanted, constraints c(x) = 0 that are
/// another traced function, as IPOPT takes it: exact sparse first and second derivatives.
///
/// The Hessian of the Lagrangian s f(x) + λ'c(x) is that of one traced function of (x, s, λ), whose
/// pattern is found once.
class FunctionNlp : public Ipopt::TNLP {
 public:
  using Index = Ipopt::Index;
  using Number = Ipopt::Number;

  /// objective: x -> f(x); constraints: x -> c(x). Both are callables over kappa::Array.
  template <class Objective, class Constraints>
  FunctionNlp(Objective objective, Constraints constraints, const Eigen::VectorXd& start,
              Index num_constraints)
      : f_(kappa::trace(objective, start.size())),
        c_(kappa::trace(constraints, start.size())),
        lagrangian_(kappa::trace(
            [&](kappa::Array at, kappa::Array s, kappa::Array multipliers) {
              return s[0] * objective(at) + sum(multipliers * constraints(at));
            },
            start.size(), 1, num_constraints)),
        x(start),
        lower(Eigen::VectorXd::Constant(start.size(), -1e20)),
        upper(Eigen::VectorXd::Constant(start.size(), 1e20)) {
    const Eigen::VectorXd point = Eigen::VectorXd::Zero(lagrangian_.dimension());
    kappa::sparse_jacobian(c_, start).swap(jacobian_);
    kappa::sparse_hessian(lagrangian_, point, hessian_);
    for (Eigen::Index j = 0; j < start.size(); ++j) {
      for (Eigen::SparseMatrix<double>::InnerIterator it(hessian_, j); it; ++it) {
        if (it.row() >= j && it.row() < start.size()) {
          entries_.push_back(&it.value() - hessian_.valuePtr());
        }
      }
    }
  }

 private:
  kappa::Function f_, c_, lagrangian_;
  Eigen::SparseMatrix<double> jacobian_, hessian_;
  std::vector<std::ptrdiff_t> entries_;  // of the lower triangle in x among the values of hessian_

 public:
  Eigen::VectorXd x;  ///< the start; after the run, the solution
  Eigen::VectorXd lower, upper;
  double value = 0;
  Index iterations = 0;

  bool get_nlp_info(Index& n, Index& m, Index& num_jacobian, Index& num_hessian,
                    IndexStyleEnum& style) override {
    n = static_cast<Index>(f_.dimension());
    m = static_cast<Index>(c_.num_outputs());
    num_jacobian = static_cast<Index>(jacobian_.nonZeros());
    num_hessian = static_cast<Index>(entries_.size());
    style = C_STYLE;
    return true;
  }
  bool get_bounds_info(Index n, Number* x_lower, Number* x_upper, Index m, Number* c_lower,
                       Number* c_upper) override {
    std::copy_n(lower.data(), n, x_lower);
    std::copy_n(upper.data(), n, x_upper);
    std::fill_n(c_lower, m, 0.0);
    std::fill_n(c_upper, m, 0.0);
    return true;
  }
  bool get_starting_point(Index n, bool, Number* start, bool, Number*, Number*, Index, bool,
                          Number*) override {
    std::copy_n(x.data(), n, start);
    return true;
  }
  bool eval_f(Index n, const Number* at, bool, Number& result) override {
    result = kappa::value(f_, {at, static_cast<std::size_t>(n)});
    return true;
  }
  bool eval_grad_f(Index n, const Number* at, bool, Number* gradient) override {
    const auto size = static_cast<std::size_t>(n);
    kappa::gradient(f_, {at, size}, {gradient, size});
    return true;
  }
  bool eval_g(Index n, const Number* at, bool, Index m, Number* result) override {
    kappa::values(c_, {at, static_cast<std::size_t>(n)}, {result, static_cast<std::size_t>(m)});
    return true;
  }
  bool eval_jac_g(Index n, const Number* at, bool, Index, Index, Index* rows, Index* columns,
                  Number* values) override {
    if (values == nullptr) {
      for (Eigen::Index j = 0; j < jacobian_.cols(); ++j) {
        for (Eigen::SparseMatrix<double>::InnerIterator it(jacobian_, j); it; ++it) {
          *rows++ = static_cast<Index>(it.row());
          *columns++ = static_cast<Index>(j);
        }
      }
      return true;
    }
    jacobian_ = kappa::sparse_jacobian(c_, std::span(at, static_cast<std::size_t>(n)));
    std::copy_n(jacobian_.valuePtr(), jacobian_.nonZeros(), values);
    return true;
  }
  bool eval_h(Index n, const Number* at, bool, Number factor, Index m, const Number* multipliers,
              bool, Index, Index* rows, Index* columns, Number* values) override {
    if (values == nullptr) {
      for (const std::ptrdiff_t k : entries_) {
        const int* starts = hessian_.outerIndexPtr();
        *rows++ = hessian_.innerIndexPtr()[k];
        *columns++ = static_cast<Index>(
            std::upper_bound(starts, starts + hessian_.cols() + 1, static_cast<int>(k)) - starts -
            1);
      }
      return true;
    }
    Eigen::VectorXd point(lagrangian_.dimension());
    std::copy_n(at, n, point.data());
    point[n] = factor;
    std::copy_n(multipliers, m, point.data() + n + 1);
    kappa::sparse_hessian(lagrangian_, point, hessian_);
    for (const std::ptrdiff_t k : entries_) *values++ = hessian_.valuePtr()[k];
    return true;
  }
  void finalize_solution(Ipopt::SolverReturn, Index n, const Number* at, const Number*,
                         const Number*, Index, const Number*, const Number*, Number result,
                         const Ipopt::IpoptData*, Ipopt::IpoptCalculatedQuantities*) override {
    x = Eigen::Map<const Eigen::VectorXd>(at, n);
    value = result;
  }
};
