#include <fmt/format.h>

#include <type_traits>

#include "primitives/reduction.h"
#include "primitives/row_kernels.h"

namespace kappa {

const Primitive& kappa_primitive_reduce_sum();
const Primitive& kappa_primitive_broadcast_to();

namespace {

void add_rows(const std::int64_t* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
              std::int64_t* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < columns; ++j) sums[j] += x[r * stride + j];
  }
}
std::int64_t sum_row(const std::int64_t* x, std::int64_t count) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < count; ++i) total += x[i];
  return total;
}
using kappa::add_rows;
using kappa::sum_row;

// Floating sums run in double and are rounded once.
template <class T, class Sum>
void reduce_sum(const KernelCall& call) {
  const ReductionLayout layout(call.input_types[0].shape, call.attributes.dims("axes"));
  const T* x = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  const auto put = [&](std::int64_t at, Sum value) {
    out[at] =
        call.accumulate ? static_cast<T>(static_cast<Sum>(out[at]) + value) : static_cast<T>(value);
  };
  if (num_elements(call.output_type.shape) == 0) return;
  if (layout.inner_reduced) {
    layout.for_each_output([&](std::int64_t offset, std::int64_t at) {
      Sum total = 0;
      layout.for_each_run(offset,
                          [&](std::int64_t run) { total += sum_row(x + run, layout.inner); });
      put(at, total);
    });
    return;
  }
  constexpr std::int64_t tile = 512;
  Sum sums[tile];
  layout.for_each_output([&](std::int64_t offset, std::int64_t at) {
    for (std::int64_t first = 0; first < layout.inner; first += tile) {
      const std::int64_t columns = std::min(tile, layout.inner - first);
      Sum* to = sums;
      if constexpr (std::is_same_v<T, Sum>) {  // which need no rounding at the end
        if (!call.accumulate) to = out + at * layout.inner + first;
      }
      std::fill_n(to, columns, Sum{0});
      layout.for_each_block(offset + first,
                            [&](std::int64_t block, std::int64_t rows, std::int64_t stride) {
                              add_rows(x + block, rows, stride, columns, to);
                            });
      if (to != sums) continue;
      for (std::int64_t j = 0; j < columns; ++j) put(at * layout.inner + first + j, sums[j]);
    }
  });
}

// The sum of a broadcast along the axes it repeats is a multiple: sum(repeat(x, n)) = n x.
Array sum_of_broadcast(const Call& call) {
  const Array& x = call.operands[0];
  if (!is_call(x, kappa_primitive_broadcast_to())) return {};
  const Array source = operand_of(x);
  const Dims& axes = call.attributes.dims("axes");
  Shape aligned(x.shape().size() - source.shape().size(), 1);
  aligned.insert(aligned.end(), source.shape().begin(), source.shape().end());
  Shape narrowed = x.shape();
  double count = 1;
  for (const std::int64_t axis : axes) {
    const auto i = static_cast<std::size_t>(axis);
    if (aligned[i] != 1) continue;
    count *= static_cast<double>(narrowed[i]);
    narrowed[i] = 1;
  }
  if (narrowed == x.shape()) return {};
  const Array rest = broadcast_to(reshape(source, aligned), narrowed);
  const Array total = apply(kappa_primitive_reduce_sum(), {{"axes", axes}}, {rest});
  return total * full(total, count, {}, total.dtype());
}

}  // namespace

KAPPA_PRIMITIVE(reduce_sum) {
  Primitive p;
  p.name = "reduce_sum";
  p.doc = "Sum over axes, which are dropped. Floating sums run in double, in a fixed order.";
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    return infer_reduction("reduce_sum", attributes, operands[0]);
  };
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    return expand_reduced(cotangent, call.attributes.dims("axes"), call.operands[0].shape());
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_reduce_sum(), {{"axes", shift_axes(call.attributes.dims("axes"))}},
                 {call.operands[0]});
  };
  p.sparsity = reduction_sparsity;
  p.simplify = [](const Call& call) -> Array {
    const Array dropped = drop_unit_axes(kappa_primitive_reduce_sum(), call);
    return dropped.defined() ? dropped : sum_of_broadcast(call);
  };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return reduce_sum<double, double>(call);
      case DType::f32: return reduce_sum<float, double>(call);
      default: return reduce_sum<std::int64_t, std::int64_t>(call);
    }
  };
  p.kernel.accumulates = true;
  p.kernel.role = Kernel::Role::sum;
  p.kernel.flops = [](const Attributes&, std::span<const Type> operands, const Type&) {
    return static_cast<double>(num_elements(operands[0].shape));
  };
  p.samples = reduction_samples;
  p.print = [](const Attributes& attributes,
               std::span<const std::pair<std::string, int>> operands) {
    return print_reduction("sum", attributes, operands[0]);
  };
  return p;
}

Array sum(const Array& x, const Dims& axes, bool keep_axes) {
  return reduce(kappa_primitive_reduce_sum(), x, axes, keep_axes, "sum");
}

Array mean(const Array& x, const Dims& axes, bool keep_axes) {
  const Array number = is_floating(x.dtype()) ? x : convert(x, DType::f64);
  const Array total = sum(number, axes, keep_axes);
  const double count =
      static_cast<double>(x.size()) / static_cast<double>(std::max<std::int64_t>(1, total.size()));
  return total / full(total, count, {}, total.dtype());
}

}  // namespace kappa
