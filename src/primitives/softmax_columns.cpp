// Softmax and log-sum-exp over the last axis but one: columns side by side fill vectors however few
// entries each has, and no axis is moved.

#include <cmath>
#include <cstring>
#include <limits>

#include "primitives/axes.h"
#include "primitives/softmax.h"
#include "primitives/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "primitives/softmax_columns.cpp"
#include "hwy/foreach_target.h"
// Stands apart: foreach_target.h goes before any other header of Highway.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kappa {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A vector of columns: x and y are `stride` apart from row to row. Where y is null, the logarithms
// of the sums go to `logarithms`. Without a finite maximum the quotient is not defined, and the
// logarithm is what the maximum is: -inf where all are, inf and NaN as the sum would be.
template <class T>
HWY_INLINE void softmax_of_vector(const T* x, std::int64_t rows, std::int64_t stride, T* y,
                                  T* logarithms) {
  const hn::ScalableTag<T> d;
  const auto infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  auto largest = hn::Neg(infinity);
  auto invalid = hn::Lt(infinity, infinity);
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto v = hn::LoadU(d, x + r * stride);
    invalid = hn::Or(invalid, hn::IsNaN(v));
    largest = hn::Max(largest, v);
  }
  largest = hn::IfThenElse(invalid, hn::Set(d, std::numeric_limits<T>::quiet_NaN()), largest);
  const auto finite = hn::Lt(hn::Abs(largest), infinity);
  const auto shift = hn::IfThenElseZero(finite, largest);
  auto sum = hn::Zero(d);
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto e = hn::Exp(d, hn::Sub(hn::LoadU(d, x + r * stride), shift));
    sum = hn::Add(sum, e);
    if (y != nullptr) hn::StoreU(e, d, y + r * stride);
  }
  if (y == nullptr) {
    hn::StoreU(hn::IfThenElse(finite, hn::Add(largest, hn::Log(d, sum)), largest), d, logarithms);
    return;
  }
  const auto scale =
      hn::IfThenElse(finite, hn::Div(hn::Set(d, T{1}), sum), hn::Sub(infinity, infinity));
  for (std::int64_t r = 0; r < rows; ++r) {
    hn::StoreU(hn::Mul(hn::LoadU(d, y + r * stride), scale), d, y + r * stride);
  }
}

// One matrix. Columns that fill no vector are copied beside zeros.
template <class T>
void softmax_columns_of(const T* x, std::int64_t rows, std::int64_t columns, T* scratch, T* y,
                        T* logarithms) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  std::int64_t j = 0;
  for (; j + lanes <= columns; j += lanes) {
    softmax_of_vector(x + j, rows, columns, y == nullptr ? y : y + j,
                      y == nullptr ? logarithms + j : nullptr);
  }
  if (j == columns) return;
  const auto bytes = static_cast<std::size_t>(columns - j) * sizeof(T);
  std::memset(scratch, 0, static_cast<std::size_t>((rows + 1) * lanes) * sizeof(T));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::memcpy(scratch + r * lanes, x + r * columns + j, bytes);
  }
  softmax_of_vector(scratch, rows, lanes, y == nullptr ? y : scratch, scratch + rows * lanes);
  if (y == nullptr) {
    std::memcpy(logarithms + j, scratch + rows * lanes, bytes);
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    std::memcpy(y + r * columns + j, scratch + r * lanes, bytes);
  }
}

// HWY_EXPORT takes plain functions.
void softmax_columns_f32(const float* x, std::int64_t rows, std::int64_t columns, float* scratch,
                         float* y, float* logarithms) {
  softmax_columns_of(x, rows, columns, scratch, y, logarithms);
}
void softmax_columns_f64(const double* x, std::int64_t rows, std::int64_t columns, double* scratch,
                         double* y, double* logarithms) {
  softmax_columns_of(x, rows, columns, scratch, y, logarithms);
}

}  // namespace HWY_NAMESPACE
}  // namespace kappa
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kappa {
namespace {

HWY_EXPORT(softmax_columns_f32);
HWY_EXPORT(softmax_columns_f64);

// The widest vector there is, in bytes.
constexpr std::int64_t widest = 64;

struct Matrices {
  std::int64_t count, rows, columns;
};
Matrices matrices(const Shape& shape) {
  const std::int64_t rows = shape[shape.size() - 2], columns = shape.back();
  return {num_elements(shape) / std::max<std::int64_t>(1, rows * columns), rows, columns};
}

void check(const char* primitive, const Type& operand) {
  refuse_rows(primitive, operand);
  if (operand.shape.size() < 2 || operand.shape[operand.shape.size() - 2] == 0) {
    shape_error(primitive, to_string(operand) + " has no entries along its last axis but one");
  }
}

template <class T, class F>
void run_typed(const KernelCall& call, bool logarithm, const F& function) {
  const auto [count, rows, columns] = matrices(call.input_types[0].shape);
  const auto* x = static_cast<const T*>(call.inputs[0]);
  auto* y = static_cast<T*>(call.output);
  for (std::int64_t m = 0; m < count; ++m, x += rows * columns) {
    function(x, rows, columns, static_cast<T*>(call.scratch), logarithm ? nullptr : y,
             logarithm ? y : nullptr);
    y += logarithm ? columns : rows * columns;
  }
}

void run(const KernelCall& call, bool logarithm) {
  if (call.output_type.dtype == DType::f64) {
    run_typed<double>(call, logarithm, HWY_DYNAMIC_DISPATCH(softmax_columns_f64));
  } else {
    run_typed<float>(call, logarithm, HWY_DYNAMIC_DISPATCH(softmax_columns_f32));
  }
}

std::int64_t scratch_bytes(const Attributes&, std::span<const Type> operands) {
  return (matrices(operands[0].shape).rows + 1) * widest;
}

std::vector<Sample> column_samples() {
  return samples_of_shapes({{5, 1}, {3, 10}, {2, 3, 37}, {1, 16}});
}

Dims columns_of(const Shape& shape) { return {static_cast<std::int64_t>(shape.size()) - 2}; }

}  // namespace

KAPPA_PRIMITIVE(softmax_columns) {
  Primitive p;
  p.name = "softmax_columns";
  p.doc =
      "exp(x_ij) / sum_k exp(x_kj) over the last axis but one; NaN where a column's maximum is not "
      "finite.";
  p.infer = [](const Attributes&, std::span<const Type> operands) {
    check("softmax_columns", operands[0]);
    return operands[0];
  };
  p.jvp = [](const Call& call, std::span<const Array> tangents) {
    const Array weighted = call.result * tangents[0];
    return weighted - call.result * sum(weighted, {-2}, true);
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_softmax_columns(), {}, {call.operands[0]});
  };
  p.sparsity = [](const SparsityCall& call, int) {
    const std::vector<std::int32_t> columns =
        reduction_groups(call.result.shape, columns_of(call.result.shape)).of_operand;
    return ElementGroups{columns, columns};
  };
  p.kernel.run = [](const KernelCall& call) { run(call, false); };
  p.kernel.scratch_bytes = scratch_bytes;
  p.kernel.flops = [](const Attributes&, std::span<const Type>, const Type& result) {
    return 4.0 * static_cast<double>(num_elements(result.shape));
  };
  p.samples = column_samples;
  return p;
}

KAPPA_PRIMITIVE(logsumexp_columns) {
  Primitive p;
  p.name = "logsumexp_columns";
  p.doc =
      "log sum_i exp(x_ij) over the last axis but one, which is dropped; shifted by the maximum, "
      "so "
      "that nothing overflows.";
  p.infer = [](const Attributes&, std::span<const Type> operands) {
    check("logsumexp_columns", operands[0]);
    return Type{operands[0].dtype, drop_axes(operands[0].shape, columns_of(operands[0].shape))};
  };
  p.jvp = [](const Call& call, std::span<const Array> tangents) {
    const Array share = apply(kappa_primitive_softmax_columns(), {}, {call.operands[0]});
    return sum(share * tangents[0], {-2});
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_logsumexp_columns(), {}, {call.operands[0]});
  };
  p.sparsity = [](const SparsityCall& call, int) {
    return reduction_groups(call.operands[0].shape, columns_of(call.operands[0].shape));
  };
  p.kernel.run = [](const KernelCall& call) { run(call, true); };
  p.kernel.scratch_bytes = scratch_bytes;
  p.kernel.flops = [](const Attributes&, std::span<const Type> operands, const Type&) {
    return 3.0 * static_cast<double>(num_elements(operands[0].shape));
  };
  p.samples = column_samples;
  return p;
}

}  // namespace kappa
#endif  // HWY_ONCE
