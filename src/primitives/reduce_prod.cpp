#include "primitives/reduction.h"

namespace kappa {

const Primitive& kappa_primitive_reduce_prod();

namespace {

template <class T>
void reduce_prod(const KernelCall& call) {
  const ReductionLayout layout(call.input_types[0].shape, call.attributes.dims("axes"));
  const T* x = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  if (num_elements(call.output_type.shape) == 0) return;
  std::fill_n(out, num_elements(call.output_type.shape), T{1});
  layout.for_each_output([&](std::int64_t offset, std::int64_t at) {
    layout.for_each_run(offset, [&](std::int64_t run) {
      if (layout.inner_reduced) {
        T product = out[at];
        for (std::int64_t i = 0; i < layout.inner; ++i) product *= x[run + i];
        out[at] = product;
      } else {
        T* row = out + at * layout.inner;
        for (std::int64_t i = 0; i < layout.inner; ++i) row[i] *= x[run + i];
      }
    });
  });
}

// Entries [first, stop) along the last axis.
Array columns(const Array& x, std::int64_t first, std::int64_t stop) {
  Dims starts(x.shape().size(), 0), stops = x.shape();
  starts.back() = first;
  stops.back() = stop;
  return slice(x, starts, stops);
}

// Products of pairs, then of pairs of those: the product rule a b' + a' b at every level never
// divides, so that zeros among the factors are no special case, in this or any higher derivative.
Array tangent_of_product(const Call& call, std::span<const Array> tangents) {
  const Dims& axes = call.attributes.dims("axes");
  Array x = merge_axes_last(call.operands[0], axes);
  Array dx = merge_axes_last(tangents[0], axes);
  if (x.shape().back() == 0) return {};
  while (x.shape().back() > 1) {
    const std::int64_t count = x.shape().back(), half = count / 2;
    const Array a = columns(x, 0, half), b = columns(x, half, 2 * half);
    const Array da = columns(dx, 0, half), db = columns(dx, half, 2 * half);
    Array product = a * b, tangent = da * b + a * db;
    if (count % 2 == 1) {
      const Array last[] = {product, columns(x, count - 1, count)};
      const Array dlast[] = {tangent, columns(dx, count - 1, count)};
      product = concat(last, -1);
      tangent = concat(dlast, -1);
    }
    x = product;
    dx = tangent;
  }
  return reshape(dx, call.result.shape());
}

}  // namespace

KAPPA_PRIMITIVE(reduce_prod) {
  Primitive p;
  p.name = "reduce_prod";
  p.doc =
      "Product over axes, which are dropped. Derivatives are right with zeros among the factors.";
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    return infer_reduction("reduce_prod", attributes, operands[0]);
  };
  p.jvp = tangent_of_product;
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(kappa_primitive_reduce_prod(),
                 {{"axes", shift_axes(call.attributes.dims("axes"))}}, {call.operands[0]});
  };
  p.sparsity = reduction_sparsity;
  p.simplify = [](const Call& call) { return drop_unit_axes(kappa_primitive_reduce_prod(), call); };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return reduce_prod<double>(call);
      case DType::f32: return reduce_prod<float>(call);
      default: return reduce_prod<std::int64_t>(call);
    }
  };
  p.samples = [] {
    std::vector<Sample> samples = reduction_samples();
    samples.pop_back();  // the product of hundreds of factors says nothing at any tolerance
    return samples;
  };
  p.print = [](const Attributes& attributes,
               std::span<const std::pair<std::string, int>> operands) {
    return print_reduction("prod", attributes, operands[0]);
  };
  return p;
}

Array prod(const Array& x, const Dims& axes, bool keep_axes) {
  return reduce(kappa_primitive_reduce_prod(), x, axes, keep_axes, "prod");
}

}  // namespace kappa
