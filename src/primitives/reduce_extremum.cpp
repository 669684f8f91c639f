#include <cmath>
#include <limits>

#include "primitives/reduction.h"

namespace kappa {

const Primitive& kappa_primitive_reduce_max();
const Primitive& kappa_primitive_reduce_min();

namespace {

template <class T>
T identity_of(bool maximum) {
  using Limits = std::numeric_limits<T>;
  if constexpr (Limits::has_infinity) return maximum ? -Limits::infinity() : Limits::infinity();
  return maximum ? Limits::min() : Limits::max();
}

// A NaN, once met, stays: it compares false, and is taken where it is not equal to itself.
template <bool maximum, class T>
T pick(T best, T value) {
  const bool better = maximum ? value > best : value < best;
  return better || value != value ? value : best;
}

template <bool maximum, class T>
void extremum(const KernelCall& call) {
  const ReductionLayout layout(call.input_types[0].shape, call.attributes.dims("axes"));
  const T* x = static_cast<const T*>(call.inputs[0]);
  T* out = static_cast<T*>(call.output);
  if (num_elements(call.output_type.shape) == 0) return;
  std::fill_n(out, num_elements(call.output_type.shape), identity_of<T>(maximum));
  layout.for_each_output([&](std::int64_t offset, std::int64_t at) {
    layout.for_each_run(offset, [&](std::int64_t run) {
      if (layout.inner_reduced) {
        T best = out[at];
        for (std::int64_t i = 0; i < layout.inner; ++i) best = pick<maximum>(best, x[run + i]);
        out[at] = best;
      } else {
        T* row = out + at * layout.inner;
        for (std::int64_t i = 0; i < layout.inner; ++i) row[i] = pick<maximum>(row[i], x[run + i]);
      }
    });
  });
}

template <bool maximum>
void run(const KernelCall& call) {
  switch (call.output_type.dtype) {
    case DType::f64: return extremum<maximum, double>(call);
    case DType::f32: return extremum<maximum, float>(call);
    default: return extremum<maximum, std::int64_t>(call);
  }
}

// The mean of the tangents of the elements that attain the extremum.
Array tangent_of_extremum(const Call& call, std::span<const Array> tangents) {
  const Array& x = call.operands[0];
  const Dims& axes = call.attributes.dims("axes");
  const Array attained = convert(equal(x, expand_reduced(call.result, axes, x.shape())), x.dtype());
  return sum(attained * tangents[0], axes) / sum(attained, axes);
}

Primitive extremum_primitive(const char* name, const char* formula_name, bool maximum) {
  const auto self = [maximum]() -> const Primitive& {
    return maximum ? kappa_primitive_reduce_max() : kappa_primitive_reduce_min();
  };
  Primitive p;
  p.name = name;
  p.doc = maximum
              ? "Largest element over axes, which are dropped; NaN where one is NaN. Ties share "
                "the derivative equally."
              : "Smallest element over axes, which are dropped; NaN where one is NaN. Ties "
                "share the derivative equally.";
  p.infer = [name](const Attributes& attributes, std::span<const Type> operands) {
    Type result = infer_reduction(name, attributes, operands[0]);
    if (num_elements(operands[0].shape) == 0 && num_elements(result.shape) > 0) {
      shape_error(name, to_string(operands[0]) + " has no elements along the reduced axes");
    }
    return result;
  };
  p.jvp = tangent_of_extremum;
  p.batch = [self](const Call& call, const std::vector<bool>&, std::int64_t) {
    return apply(self(), {{"axes", shift_axes(call.attributes.dims("axes"))}}, {call.operands[0]});
  };
  p.sparsity = reduction_sparsity;
  p.simplify = [self](const Call& call) {
    if (const auto source = uniform_source(call.operands[0])) {
      return broadcast_to(*source,
                          drop_axes(call.operands[0].shape(), call.attributes.dims("axes")));
    }
    return drop_unit_axes(self(), call);
  };
  p.kernel.run = maximum ? run<true> : run<false>;
  p.samples = reduction_samples;
  p.print = [formula_name](const Attributes& attributes,
                           std::span<const std::pair<std::string, int>> operands) {
    return print_reduction(formula_name, attributes, operands[0]);
  };
  return p;
}

}  // namespace

KAPPA_PRIMITIVE(reduce_max) { return extremum_primitive("reduce_max", "max", true); }
KAPPA_PRIMITIVE(reduce_min) { return extremum_primitive("reduce_min", "min", false); }

Array max(const Array& x, const Dims& axes, bool keep_axes) {
  return reduce(kappa_primitive_reduce_max(), x, axes, keep_axes, "max");
}
Array min(const Array& x, const Dims& axes, bool keep_axes) {
  return reduce(kappa_primitive_reduce_min(), x, axes, keep_axes, "min");
}

}  // namespace kappa
