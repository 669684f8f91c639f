#include <fmt/format.h>

#include "kappa/error.h"
#include "primitives/axes.h"

namespace kappa {
namespace {

template <class T>
void fill(const KernelCall& call) {
  auto* out = static_cast<T*>(call.output);
  for (std::int64_t i = 0; i < call.output_type.shape[0]; ++i) out[i] = static_cast<T>(i);
}

}  // namespace

KAPPA_PRIMITIVE(iota) {
  Primitive p;
  p.name = "iota";
  p.doc = "The vector 0, 1, ..., extent - 1. Attribute dtype is the number of the DType.";
  p.num_operands = 0;
  p.infer = [](const Attributes& attributes, std::span<const Type>) {
    const std::int64_t extent = attributes.integer("extent");
    if (extent < 0) shape_error("iota", fmt::format("extent {}; expected 0 or more", extent));
    const auto dtype = static_cast<DType>(attributes.integer("dtype"));
    if (dtype == DType::boolean) {
      throw Error(ErrorKind::type, "[iota] booleans do not count; expected f64, f32 or i64");
    }
    return Type{dtype, {extent}};
  };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return fill<double>(call);
      case DType::f32: return fill<float>(call);
      default: return fill<std::int64_t>(call);
    }
  };
  p.print = [](const Attributes& attributes, std::span<const std::pair<std::string, int>>) {
    return std::pair{fmt::format("range({})", attributes.integer("extent")), 9};
  };
  return p;
}

Array iota(const Array& like, std::int64_t extent, DType dtype) {
  const Attributes attributes{{"extent", extent}, {"dtype", static_cast<std::int64_t>(dtype)}};
  return builder_of({&like, 1}).apply(kappa_primitive_iota(), attributes, {});
}

Array full(const Array& like, double value, const Shape& shape, DType dtype) {
  return broadcast_to(builder_of({&like, 1}).scalar(value, dtype), shape);
}

Array constant(const Array& like, std::span<const double> values, const Shape& shape, DType dtype) {
  return builder_of({&like, 1}).constant(Tensor::from_doubles(values, shape, dtype));
}

}  // namespace kappa
