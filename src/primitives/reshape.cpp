#include <fmt/format.h>

#include "primitives/axes.h"

namespace kappa {

KAPPA_PRIMITIVE(reshape) {
  Primitive p;
  p.name = "reshape";
  p.doc = "The same elements in the same row-major order under another shape.";
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    const Shape& shape = attributes.dims("shape");
    if (num_elements(shape) != num_elements(operands[0].shape)) {
      shape_error("reshape", fmt::format("{} has {} elements, the new shape {} has {}",
                                         to_string(operands[0]), num_elements(operands[0].shape),
                                         to_string(shape), num_elements(shape)));
    }
    return Type{operands[0].dtype, shape};
  };
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    return reshape(cotangent, call.operands[0].shape());
  };
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t extent) {
    return reshape(call.operands[0], prepend(extent, call.attributes.dims("shape")));
  };
  p.simplify = [](const Call& call) -> Array {
    const Array& x = call.operands[0];
    const Shape& shape = call.attributes.dims("shape");
    if (x.shape() == shape) return x;
    if (is_call(x, kappa_primitive_reshape())) return reshape(operand_of(x), shape);
    if (x.size() != 1) {
      if (const auto source = uniform_source(x)) return broadcast_to(*source, shape);
    }
    return {};
  };
  p.kernel.view = [](const Attributes&, std::span<const Type>, const Type&) {
    return View{.same_order = true};
  };
  p.samples = [] {
    return std::vector<Sample>{{{{DType::f64, {2, 3}}}, {{"shape", Dims{3, 2}}}},
                               {{{DType::f64, {4}}}, {{"shape", Dims{1, 2, 1, 2}}}},
                               {{{DType::f64, {1, 1}}}, {{"shape", Dims{}}}}};
  };
  p.print = [](const Attributes&, std::span<const std::pair<std::string, int>> operands) {
    return operands[0];  // formulas broadcast; an added or dropped axis is not written
  };
  return p;
}

Array reshape(const Array& x, const Shape& shape) {
  return apply(kappa_primitive_reshape(), {{"shape", shape}}, {x});
}

}  // namespace kappa
