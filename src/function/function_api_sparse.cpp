#include <Eigen/SparseCore>
#include <algorithm>

#include "function/function_impl.h"

namespace kappa {
namespace {

/// The pattern's rows as columns of a matrix of `rows` rows, values unset.
void set_pattern(const SparsityPattern& columns, Eigen::SparseMatrix<double>& matrix) {
  matrix.resize(columns.columns, columns.rows);
  matrix.resizeNonZeros(columns.num_entries());
  std::copy(columns.starts.begin(), columns.starts.end(), matrix.outerIndexPtr());
  std::copy(columns.indices.begin(), columns.indices.end(), matrix.innerIndexPtr());
}

bool has_pattern(const SparsityPattern& columns, const Eigen::SparseMatrix<double>& matrix) {
  return matrix.isCompressed() && matrix.rows() == columns.columns &&
         matrix.cols() == columns.rows && matrix.nonZeros() == columns.num_entries() &&
         std::equal(columns.starts.begin(), columns.starts.end(), matrix.outerIndexPtr()) &&
         std::equal(columns.indices.begin(), columns.indices.end(), matrix.innerIndexPtr());
}

std::span<const double> span_of(const ConstVectorRef& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

const SparseHessianPlan& checked_plan(const Function& f, std::size_t size) {
  f.impl().require_scalar("sparse_hessian");
  check_length("sparse_hessian", "x", size, f.dimension());
  return f.impl().sparse_hessian();
}

}  // namespace

Eigen::SparseMatrix<double> sparse_hessian(const Function& f, std::span<const double> x) {
  const SparseHessianPlan& plan = checked_plan(f, x.size());
  Eigen::SparseMatrix<double> result;
  set_pattern(plan.pattern(), result);
  plan.evaluate(x.data(), result.valuePtr());
  return result;
}

Eigen::SparseMatrix<double> sparse_hessian(const Function& f, const ConstVectorRef& x) {
  return sparse_hessian(f, span_of(x));
}

void sparse_hessian(const Function& f, const ConstVectorRef& x,
                    Eigen::SparseMatrix<double>& result) {
  const SparseHessianPlan& plan = checked_plan(f, static_cast<std::size_t>(x.size()));
  if (!has_pattern(plan.pattern(), result)) set_pattern(plan.pattern(), result);
  plan.evaluate(x.data(), result.valuePtr());
}

void sparse_hessian_values(const Function& f, std::span<const double> x, std::span<double> result) {
  const SparseHessianPlan& plan = checked_plan(f, x.size());
  check_length("sparse_hessian_values", "result", result.size(), plan.pattern().num_entries());
  plan.evaluate(x.data(), result.data());
}

Eigen::SparseMatrix<double> sparse_jacobian(const Function& f, std::span<const double> x) {
  check_length("sparse_jacobian", "x", x.size(), f.dimension());
  const SparseJacobianPlan& plan = f.impl().sparse_jacobian();
  Eigen::SparseMatrix<double> result;
  set_pattern(plan.pattern(), result);
  plan.evaluate(x.data(), result.valuePtr());
  return result;
}

Eigen::SparseMatrix<double> sparse_jacobian(const Function& f, const ConstVectorRef& x) {
  return sparse_jacobian(f, span_of(x));
}

SparsityReport hessian_sparsity(const Function& f) {
  f.impl().require_scalar("hessian_sparsity");
  const SparseHessianPlan& plan = f.impl().sparse_hessian();
  return {plan.pattern().num_entries(), plan.num_products(), plan.num_dense()};
}

SparsityReport jacobian_sparsity(const Function& f) {
  const SparseJacobianPlan& plan = f.impl().sparse_jacobian();
  return {plan.pattern().num_entries(), plan.num_products(), plan.num_dense()};
}

}  // namespace kappa
