#include <fmt/format.h>

#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "function/function_impl.h"
#include "kappa/error.h"
#include "program/builder.h"
#include "transform/batch.h"
#include "transform/derivatives.h"

namespace kappa {
namespace {

std::span<const double> span_of(const ConstVectorRef& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}
std::span<double> span_of(Eigen::VectorXd& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

// Directions at once such that an intermediate of that many stays in a second-level cache: 512 kB.
std::int64_t choose_block(const Program& program, std::int64_t n) {
  std::int64_t largest = n;
  for (const Node& node : program.nodes) {
    if (is_constant(node)) continue;
    largest = std::max(largest, num_elements(node.type.shape));
  }
  constexpr std::int64_t kElements = std::int64_t{1} << 16;
  const std::int64_t limit =
      std::clamp<std::int64_t>(kElements / largest, 1, std::min<std::int64_t>(n, 256));
  const std::int64_t blocks = (n + limit - 1) / limit;
  return (n + blocks - 1) / blocks;
}

// A Hessian of less work, in additions, is computed before a cut of its program is found.
constexpr double kWorthCutting = 1 << 18;

/// What a Hessian at one point needs for any direction: the residuals of setup, f and its gradient.
struct AtPoint {
  AtPoint(const Function::Impl& impl, const double* x)
      : gradient(static_cast<std::size_t>(impl.dimension)) {
    const Split& split = impl.split_product();
    std::vector<void*> outputs;
    for (std::size_t i = 0; i < split.num_residuals; ++i) {
      residuals.emplace_back(split.setup.output_type(i));
      outputs.push_back(residuals.back().data());
    }
    outputs.push_back(&value);
    outputs.push_back(gradient.data());
    impl.setup().run({x}, outputs);
  }
  /// The inputs of apply; [1], the directions, is for the caller to set.
  [[nodiscard]] std::vector<const void*> inputs(const double* x) const {
    std::vector<const void*> list{x, nullptr};
    for (const Tensor& residual : residuals) list.push_back(residual.data());
    return list;
  }
  std::vector<Tensor> residuals;
  std::vector<double> gradient;
  double value = 0;
};

}  // namespace

void check_length(const char* call, const char* name, std::size_t size, std::int64_t expected) {
  if (static_cast<std::int64_t>(size) != expected) {
    throw Error(ErrorKind::shape,
                fmt::format("{}: {} has {} entries, expected {}", call, name, size, expected));
  }
}

Program gradient_program(const Program& scalar) {
  return prune(value_and_gradient(scalar, {true}), std::array<std::size_t, 1>{1});
}
Program product_program(const Program& scalar) {
  return prune(hessian_product(scalar, {true}), std::array<std::size_t, 1>{0});
}

// ---- tracing -----------------------------------------------------------------------------------

struct detail::Tracer::Impl {
  Builder builder;
  std::vector<Array> inputs;
};

detail::Tracer::Tracer(std::span<const Shape> shapes) : impl_(std::make_unique<Impl>()) {
  std::int64_t n = 0;
  std::vector<std::int64_t> sizes;
  for (const Shape& shape : shapes) {
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t e) { return e < 1; })) {
      throw Error(ErrorKind::shape,
                  fmt::format("trace: input {} has shape {}; every extent must be 1 or more",
                              sizes.size(), to_string(shape)));
    }
    sizes.push_back(num_elements(shape));
    n += sizes.back();
  }
  const Array x = impl_->builder.input({DType::f64, {n}}, "x");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Array part = shapes.size() == 1 ? x : slice(x, {offset}, {offset + sizes[i]});
    impl_->inputs.push_back(shapes[i].size() == 1 ? part : reshape(part, shapes[i]));
    offset += sizes[i];
  }
}

detail::Tracer::~Tracer() = default;

const Array& detail::Tracer::input(std::size_t i) const { return impl_->inputs[i]; }

Function detail::Tracer::finish(const Array& result) {
  if (!result.defined()) {
    throw Error(ErrorKind::usage, "trace: f returned an array without a value");
  }
  Array y = result;
  if (y.is_literal()) {
    y = impl_->builder.scalar(y.literal(), DType::f64);
  } else if (y.builder() != &impl_->builder) {
    throw Error(ErrorKind::usage,
                "trace: f returned an array of another trace; build the result from f's arguments");
  }
  if (y.dtype() != DType::f64) {
    throw Error(ErrorKind::type, fmt::format("trace: f returned {}, expected f64; see "
                                             "kappa::convert and kappa::where",
                                             to_string(y.node().type)));
  }
  if (y.rank() > 1 || y.size() == 0) {
    throw Error(ErrorKind::shape,
                fmt::format("trace: f returned shape {}, expected a scalar or a vector; remedy: "
                            "sum(y), or reshape(y, {{{}}})",
                            to_string(y.shape()), y.size()));
  }
  const std::array<Array, 1> outputs{y};
  return Function(std::make_shared<const Function::Impl>(impl_->builder.finish(outputs)));
}

// ---- what is compiled --------------------------------------------------------------------------

Function::Impl::Impl(Program p) : program(std::move(p)) {
  dimension = num_elements(program.input_type(0).shape);
  num_outputs = num_elements(program.output_type(0).shape);
  scalar = program.output_type(0).shape.empty();
  block_ = choose_block(program, dimension);
}

void Function::Impl::require_scalar(const char* call) const {
  if (!scalar) {
    throw Error(ErrorKind::shape,
                fmt::format("{}: the function returns a vector of {}, a scalar is needed; remedy: "
                            "trace sum(square(y)) or another scalar of it",
                            call, num_outputs));
  }
}

const PooledPlan& Function::Impl::value() const {
  return value_.get([&] { return PooledPlan(program); });
}
const PooledPlan& Function::Impl::gradient() const {
  return gradient_.get([&] { return PooledPlan(gradient_program(program)); });
}
const PooledPlan& Function::Impl::value_and_gradient() const {
  return value_and_gradient_.get(
      [&] { return PooledPlan(kappa::value_and_gradient(program, {true})); });
}
const PooledPlan& Function::Impl::product() const {
  return product_.get([&] { return PooledPlan(product_program(program)); });
}
const PooledPlan& Function::Impl::jacobian() const {
  return jacobian_.get([&] { return PooledPlan(kappa::jacobian(program, {true})); });
}
const PooledPlan& Function::Impl::hessian_block() const {
  return hessian_block_.get([&] {
    return PooledPlan(batch(product_program(program), {false, true}, dimension));
  });
}
const CutHessian* Function::Impl::cut_hessian() const {
  const std::optional<CutHessian>& cut = cut_hessian_.get([&]() -> std::optional<CutHessian> {
    const double work = static_cast<double>(dimension) * work_of(split_product().apply);
    if (work < kWorthCutting) return std::nullopt;
    return CutHessian::find(program, work);
  });
  return cut ? &*cut : nullptr;
}
const Split& Function::Impl::split_product() const {
  return split_.get([&] { return split(hessian_product(program, {true}), {false, true}, 1); });
}
const PooledPlan& Function::Impl::setup() const {
  return setup_.get([&] { return PooledPlan(split_product().setup); });
}
const PooledPlan& Function::Impl::apply() const {
  return apply_.get([&] { return PooledPlan(split_product().apply); });
}
const PooledPlan& Function::Impl::apply_block() const {
  return apply_block_.get([&] {
    std::vector<bool> batched(split_product().apply.inputs.size(), false);
    batched[1] = true;
    return PooledPlan(batch(split_product().apply, batched, block_));
  });
}
const SparseHessianPlan& Function::Impl::sparse_hessian() const {
  return sparse_hessian_.get([&] { return SparseHessianPlan(program); });
}
const SparseJacobianPlan& Function::Impl::sparse_jacobian() const {
  return sparse_jacobian_.get([&] { return SparseJacobianPlan(program); });
}

// ---- the questions -----------------------------------------------------------------------------

std::int64_t Function::dimension() const { return impl_->dimension; }
std::int64_t Function::num_outputs() const { return impl_->num_outputs; }
bool Function::is_scalar() const { return impl_->scalar; }

double value(const Function& f, std::span<const double> x) {
  f.impl().require_scalar("value");
  check_length("value", "x", x.size(), f.dimension());
  double result = 0;
  f.impl().value().run({x.data()}, {&result});
  return result;
}

void values(const Function& f, std::span<const double> x, std::span<double> result) {
  check_length("values", "x", x.size(), f.dimension());
  check_length("values", "result", result.size(), f.num_outputs());
  f.impl().value().run({x.data()}, {result.data()});
}

void gradient(const Function& f, std::span<const double> x, std::span<double> result) {
  f.impl().require_scalar("gradient");
  check_length("gradient", "x", x.size(), f.dimension());
  check_length("gradient", "result", result.size(), f.dimension());
  f.impl().gradient().run({x.data()}, {result.data()});
}

double value_and_gradient(const Function& f, std::span<const double> x,
                          std::span<double> gradient) {
  f.impl().require_scalar("value_and_gradient");
  check_length("value_and_gradient", "x", x.size(), f.dimension());
  check_length("value_and_gradient", "gradient", gradient.size(), f.dimension());
  double result = 0;
  f.impl().value_and_gradient().run({x.data()}, {&result, gradient.data()});
  return result;
}

void hvp(const Function& f, std::span<const double> x, std::span<const double> v,
         std::span<double> result) {
  f.impl().require_scalar("hvp");
  check_length("hvp", "x", x.size(), f.dimension());
  check_length("hvp", "v", v.size(), f.dimension());
  check_length("hvp", "result", result.size(), f.dimension());
  f.impl().product().run({x.data(), v.data()}, {result.data()});
}

void hessian(const Function& f, std::span<const double> x, std::span<double> result) {
  const Function::Impl& impl = f.impl();
  impl.require_scalar("hessian");
  const std::int64_t n = impl.dimension;
  check_length("hessian", "x", x.size(), n);
  check_length("hessian", "result", result.size(), n * n);
  if (const CutHessian* cut = impl.cut_hessian()) {
    cut->evaluate(x.data(), result.data());
    return;
  }
  const std::int64_t block = impl.block();
  std::vector<double> unit(static_cast<std::size_t>(block * n));
  std::vector<double> last;
  // What all directions share is computed once: in one program where one block does it all.
  std::optional<AtPoint> point;
  if (block < n) point.emplace(impl, x.data());
  std::vector<const void*> inputs =
      point ? point->inputs(x.data()) : std::vector<const void*>{x.data(), nullptr};
  inputs[1] = unit.data();
  const PooledPlan& plan = point ? impl.apply_block() : impl.hessian_block();
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t k = std::min(block, n - first);
    std::fill(unit.begin(), unit.end(), 0.0);
    for (std::int64_t j = 0; j < k; ++j) unit[static_cast<std::size_t>(j * n + first + j)] = 1;
    double* target = result.data() + first * n;
    if (k < block) {
      last.resize(unit.size());
      target = last.data();
    }
    plan.run(inputs, {target});
    if (k < block) std::copy_n(target, k * n, result.data() + first * n);
  }
  // The columns are products of their own: rounding may differ across the diagonal.
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j + 1; i < n; ++i) {
      double& lower = result[static_cast<std::size_t>(j * n + i)];
      double& upper = result[static_cast<std::size_t>(i * n + j)];
      lower = upper = lower == upper ? lower : 0.5 * (lower + upper);
    }
  }
}

double value(const Function& f, const ConstVectorRef& x) { return value(f, span_of(x)); }

Eigen::VectorXd values(const Function& f, const ConstVectorRef& x) {
  Eigen::VectorXd result(f.num_outputs());
  values(f, span_of(x), span_of(result));
  return result;
}

Eigen::VectorXd gradient(const Function& f, const ConstVectorRef& x) {
  Eigen::VectorXd result(f.dimension());
  gradient(f, span_of(x), span_of(result));
  return result;
}

Eigen::VectorXd hvp(const Function& f, const ConstVectorRef& x, const ConstVectorRef& v) {
  Eigen::VectorXd result(f.dimension());
  hvp(f, span_of(x), span_of(v), span_of(result));
  return result;
}

Eigen::MatrixXd hessian(const Function& f, const ConstVectorRef& x) {
  f.impl().require_scalar("hessian");
  Eigen::MatrixXd result(f.dimension(), f.dimension());
  hessian(f, span_of(x), {result.data(), static_cast<std::size_t>(result.size())});
  return result;
}

Eigen::MatrixXd jacobian(const Function& f, std::span<const double> x) {
  check_length("jacobian", "x", x.size(), f.dimension());
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows(f.num_outputs(),
                                                                              f.dimension());
  f.impl().jacobian().run({x.data()}, {rows.data()});
  return rows;
}

Eigen::MatrixXd jacobian(const Function& f, const ConstVectorRef& x) {
  return jacobian(f, span_of(x));
}

// ---- products at one point ---------------------------------------------------------------------

struct FunctionHessian::Impl {
  Impl(const Function& function, std::span<const double> at)
      : f(function), x(at.begin(), at.end()), point(f.impl(), x.data()) {}
  Function f;
  std::vector<double> x;
  AtPoint point;
};

FunctionHessian::FunctionHessian(const Function& f, std::span<const double> x) {
  f.impl().require_scalar("hvp_operator");
  check_length("hvp_operator", "x", x.size(), f.dimension());
  impl_ = std::make_unique<Impl>(f, x);
}

FunctionHessian::~FunctionHessian() = default;
FunctionHessian::FunctionHessian(FunctionHessian&&) noexcept = default;
std::int64_t FunctionHessian::dimension() const { return impl_->f.dimension(); }
double FunctionHessian::value() const { return impl_->point.value; }
std::span<const double> FunctionHessian::gradient() const { return impl_->point.gradient; }

void FunctionHessian::apply(std::int64_t num_directions, const double* directions,
                            double* products) const {
  const std::int64_t n = dimension();
  const Function::Impl& f = impl_->f.impl();
  std::vector<const void*> inputs = impl_->point.inputs(impl_->x.data());
  std::int64_t j = 0;
  while (j < num_directions) {
    const bool whole = num_directions - j >= f.block();
    inputs[1] = directions + j * n;
    (whole ? f.apply_block() : f.apply()).run(inputs, {products + j * n});
    j += whole ? f.block() : 1;
  }
}

FunctionHessian hvp_operator(const Function& f, std::span<const double> x) {
  return FunctionHessian(f, x);
}
FunctionHessian hvp_operator(const Function& f, const ConstVectorRef& x) {
  return FunctionHessian(f, span_of(x));
}

}  // namespace kappa
