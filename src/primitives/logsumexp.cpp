#include "primitives/axes.h"
#include "primitives/row_kernels.h"
#include "primitives/softmax.h"

namespace kappa {
namespace {

void run(const KernelCall& call) {
  const auto [rows, columns] = row_extents(call.input_types[0].shape);
  if (call.output_type.dtype == DType::f64) {
    logsumexp_rows(static_cast<const double*>(call.inputs[0]), rows, columns,
                   static_cast<double*>(call.output));
  } else {
    logsumexp_rows(static_cast<const float*>(call.inputs[0]), rows, columns,
                   static_cast<float*>(call.output));
  }
}

}  // namespace

KAPPA_PRIMITIVE(logsumexp) {
  Primitive p;
  p.name = "logsumexp";
  p.doc =
      "log sum_j exp(x_j) over the last axis, which is dropped; shifted by the maximum, so that "
      "nothing overflows.";
  p.infer = [](const Attributes&, std::span<const Type> operands) {
    refuse_rows("logsumexp", operands[0]);
    const Shape& shape = operands[0].shape;
    return Type{operands[0].dtype, Shape(shape.begin(), shape.end() - 1)};
  };
  p.jvp = [](const Call& call, std::span<const Array> tangents) {
    return sum(softmax(call.operands[0]) * tangents[0], {-1});
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_logsumexp(), {}, {call.operands[0]});
  };
  p.sparsity = [](const SparsityCall& call, int) {
    const Shape& shape = call.operands[0].shape;
    return reduction_groups(shape, {static_cast<std::int64_t>(shape.size()) - 1});
  };
  p.kernel.run = run;
  p.kernel.flops = [](const Attributes&, std::span<const Type> operands, const Type&) {
    return 3.0 * static_cast<double>(num_elements(operands[0].shape));
  };
  p.samples = row_samples;
  return p;
}

Array logsumexp(const Array& x, const Dims& axes, bool keep) {
  const Dims normal = normalize_axes(axes, x.rank(), "logsumexp");
  const Array columns = as_columns(as_floating(x), normal);
  const Array result =
      columns.defined()
          ? reshape(apply(kappa_primitive_logsumexp_columns(), {}, {columns}),
                    drop_axes(x.shape(), normal))
          : apply(kappa_primitive_logsumexp(), {}, {merge_axes_last(as_floating(x), normal)});
  return keep ? reshape(result, keep_axes(x.shape(), normal)) : result;
}

}  // namespace kappa
