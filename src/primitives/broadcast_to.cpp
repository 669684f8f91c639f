#include <fmt/format.h>

#include <algorithm>

#include "primitives/axes.h"

namespace kappa {

const Primitive& kappa_primitive_reshape();

namespace {

// Axes of `shape` along which an operand of shape `from` is repeated.
Dims repeated_axes(const Shape& from, const Shape& shape) {
  Dims axes;
  const std::size_t added = shape.size() - from.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i < added || (from[i - added] == 1 && shape[i] != 1)) {
      axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  return axes;
}

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  const Shape& from = operands[0].shape;
  const Shape& shape = attributes.dims("shape");
  bool fits = from.size() <= shape.size();
  for (std::size_t i = 0; fits && i < from.size(); ++i) {
    const std::int64_t extent = from[from.size() - 1 - i];
    fits = extent == 1 || extent == shape[shape.size() - 1 - i];
  }
  if (!fits) {
    shape_error("broadcast_to",
                fmt::format("{} does not broadcast to {}: extents must be equal or 1, aligned at "
                            "the last axis",
                            to_string(operands[0]), to_string(shape)));
  }
  return {operands[0].dtype, shape};
}

std::optional<View> view(const Attributes&, std::span<const Type> operands, const Type& result) {
  const Shape& from = operands[0].shape;
  const Dims strides = contiguous_strides(from);
  const std::size_t added = result.shape.size() - from.size();
  View view{.strides = Dims(result.shape.size(), 0)};
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) view.strides[added + i] = strides[i];
  }
  return view;
}

}  // namespace

KAPPA_PRIMITIVE(broadcast_to) {
  Primitive p;
  p.name = "broadcast_to";
  p.doc = "The operand repeated along new leading axes and along its axes of extent 1.";
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    const Shape& from = call.operands[0].shape();
    const Dims axes = repeated_axes(from, cotangent.shape());
    return reshape(axes.empty() ? cotangent : sum(cotangent, axes), from);
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t extent) {
    const Array& x = call.operands[0];
    const Shape& shape = call.attributes.dims("shape");
    Shape aligned(shape.size() + 1, 1);  // the operand's own axes stay aligned at the last
    aligned[0] = extent;
    std::copy_backward(x.shape().begin() + 1, x.shape().end(), aligned.end());
    return broadcast_to(reshape(x, aligned), prepend(extent, shape));
  };
  p.simplify = [](const Call& call) -> Array {
    const Array& x = call.operands[0];
    const Shape& shape = call.attributes.dims("shape");
    if (x.shape() == shape) return x;
    if (is_call(x, kappa_primitive_broadcast_to())) return broadcast_to(operand_of(x), shape);
    if (is_call(x, kappa_primitive_reshape())) {
      // Leading axes of extent 1 that a reshape only added are added by the broadcast itself.
      const Array source = operand_of(x);
      const Shape& inner = source.shape();
      const Shape& outer = x.shape();
      if (inner.size() < outer.size() && std::equal(inner.rbegin(), inner.rend(), outer.rbegin())) {
        return broadcast_to(source, shape);
      }
    }
    if (x.size() == 1 && num_elements(shape) == 1) return reshape(x, shape);
    return {};
  };
  p.kernel.view = view;
  p.samples = [] {
    return std::vector<Sample>{{{{DType::f64, {}}}, {{"shape", Dims{3}}}},
                               {{{DType::f64, {3}}}, {{"shape", Dims{2, 3}}}},
                               {{{DType::f64, {2, 1, 3}}}, {{"shape", Dims{2, 2, 4, 3}}}}};
  };
  p.print = [](const Attributes&, std::span<const std::pair<std::string, int>> operands) {
    return operands[0];  // formulas broadcast by themselves
  };
  return p;
}

Array broadcast_to(const Array& x, const Shape& shape) {
  return apply(kappa_primitive_broadcast_to(), {{"shape", shape}}, {x});
}

}  // namespace kappa
