#include "primitives/softmax.h"

#include <fmt/format.h>

#include "kappa/error.h"
#include "primitives/axes.h"
#include "primitives/row_kernels.h"

namespace kappa {

void refuse_rows(const char* primitive, const Type& operand) {
  if (!is_floating(operand.dtype)) {
    throw Error(ErrorKind::type, fmt::format("[{}] operand is {}; expected f64 or f32", primitive,
                                             to_string(operand)));
  }
  if (operand.shape.empty() || operand.shape.back() == 0) {
    shape_error(primitive, to_string(operand) + " has no entries along its last axis");
  }
}

std::pair<std::int64_t, std::int64_t> row_extents(const Shape& shape) {
  return {num_elements(shape) / shape.back(), shape.back()};
}

Array as_floating(const Array& x) { return is_floating(x.dtype()) ? x : convert(x, DType::f64); }

Array as_columns(const Array& x, const Dims& axes) {
  constexpr std::int64_t least_columns = 64;
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<std::int64_t>(axes.size())) {
    return {};
  }
  Shape shape{1, 1, 1};
  for (std::int64_t d = 0; d < x.rank(); ++d) {
    shape[d < axes.front() ? 0 : (d <= axes.back() ? 1 : 2)] *=
        x.shape()[static_cast<std::size_t>(d)];
  }
  if (shape[2] < least_columns || shape[1] == 0 || axes.back() == x.rank() - 1) return {};
  return reshape(x, shape);
}

std::vector<Sample> samples_of_shapes(const std::vector<Shape>& shapes) {
  std::vector<Sample> samples;
  for (const Shape& shape : shapes) samples.push_back({{{DType::f64, shape}}, {}});
  return samples;
}

std::vector<Sample> row_samples() { return samples_of_shapes({{5}, {3, 10}, {2, 1, 37}, {4, 1}}); }

namespace {

void run(const KernelCall& call) {
  const auto [rows, columns] = row_extents(call.output_type.shape);
  if (call.output_type.dtype == DType::f64) {
    softmax_rows(static_cast<const double*>(call.inputs[0]), rows, columns,
                 static_cast<double*>(call.output));
  } else {
    softmax_rows(static_cast<const float*>(call.inputs[0]), rows, columns,
                 static_cast<float*>(call.output));
  }
}

}  // namespace

KAPPA_PRIMITIVE(softmax) {
  Primitive p;
  p.name = "softmax";
  p.doc =
      "exp(x_j) / sum_k exp(x_k) over the last axis; NaN where the row's maximum is not finite.";
  p.infer = [](const Attributes&, std::span<const Type> operands) {
    refuse_rows("softmax", operands[0]);
    return operands[0];
  };
  p.jvp = [](const Call& call, std::span<const Array> tangents) {
    const Array weighted = call.result * tangents[0];
    return weighted - call.result * sum(weighted, {-1}, true);
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_softmax(), {}, {call.operands[0]});
  };
  p.sparsity = [](const SparsityCall& call, int) {
    const Shape& shape = call.result.shape;
    const std::vector<std::int32_t> rows =
        reduction_groups(shape, {static_cast<std::int64_t>(shape.size()) - 1}).of_operand;
    return ElementGroups{rows, rows};
  };
  p.kernel.run = run;
  p.kernel.flops = [](const Attributes&, std::span<const Type>, const Type& result) {
    return 4.0 * static_cast<double>(num_elements(result.shape));
  };
  p.samples = row_samples;
  return p;
}

Array softmax(const Array& x, std::int64_t axis) {
  const std::int64_t rank = x.rank();
  const std::int64_t normal = normalize_axis(axis, rank, "softmax");
  if (const Array columns = as_columns(as_floating(x), {normal}); columns.defined()) {
    return reshape(apply(kappa_primitive_softmax_columns(), {}, {columns}), x.shape());
  }
  const Array rows = transpose(as_floating(x), move_axis(rank, normal, rank - 1));
  return transpose(apply(kappa_primitive_softmax(), {}, {rows}), move_axis(rank, rank - 1, normal));
}

Array log_softmax(const Array& x, std::int64_t axis) { return x - logsumexp(x, {axis}, true); }

}  // namespace kappa
