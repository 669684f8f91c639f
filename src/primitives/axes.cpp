#include "primitives/axes.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/error.h"

namespace kappa {

const Primitive& kappa_primitive_broadcast_to();

Dims prepend(std::int64_t first, const Dims& rest) {
  Dims result{first};
  result.insert(result.end(), rest.begin(), rest.end());
  return result;
}

Dims shift_axes(const Dims& axes) {
  Dims result = axes;
  for (std::int64_t& axis : result) ++axis;
  return result;
}

Shape drop_axes(const Shape& shape, const Dims& axes) {
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(i))) {
      result.push_back(shape[i]);
    }
  }
  return result;
}

Shape keep_axes(const Shape& shape, const Dims& axes) {
  Shape result = shape;
  for (const std::int64_t axis : axes) result[static_cast<std::size_t>(axis)] = 1;
  return result;
}

Dims move_axis(std::int64_t rank, std::int64_t from, std::int64_t to) {
  Dims permutation;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i != from) permutation.push_back(i);
  }
  permutation.insert(permutation.begin() + to, from);
  return permutation;
}

Array apply(const Primitive& primitive, Attributes attributes,
            std::initializer_list<Array> operands) {
  const std::span<const Array> given(operands.begin(), operands.size());
  return builder_of(given).apply(primitive, std::move(attributes), resolve_literals(given));
}

bool is_call(const Array& x, const Primitive& primitive) {
  return x.defined() && !x.is_literal() && x.node().primitive == &primitive;
}

Array operand_of(const Array& x, std::size_t index) {
  return {x.builder(), x.node().operands[index]};
}

std::optional<Array> uniform_source(const Array& x) {
  if (!is_call(x, kappa_primitive_broadcast_to())) return std::nullopt;
  const Array source = operand_of(x);
  if (source.size() != 1) return std::nullopt;
  return reshape(source, {});
}

Array with_batch_axis(const Array& x, bool batched, std::int64_t extent) {
  return batched ? x : broadcast_to(x, prepend(extent, x.shape()));
}

Array merge_axes_last(const Array& x, const Dims& axes) {
  Dims permutation;
  Shape shape = drop_axes(x.shape(), axes);
  for (std::int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) permutation.push_back(i);
  }
  std::int64_t extent = 1;
  for (const std::int64_t axis : axes) {
    permutation.push_back(axis);
    extent *= x.shape()[static_cast<std::size_t>(axis)];
  }
  shape.push_back(extent);
  return reshape(transpose(x, permutation), shape);
}

std::vector<std::int32_t> strided_places(const Shape& shape, const Dims& strides,
                                         std::int64_t offset) {
  std::vector<std::int32_t> places(static_cast<std::size_t>(num_elements(shape)));
  Dims index(shape.size(), 0);
  std::int64_t place = offset;
  for (std::int32_t& p : places) {
    p = static_cast<std::int32_t>(place);
    for (std::size_t d = shape.size(); d-- > 0;) {
      place += strides[d];
      if (++index[d] < shape[d]) break;
      place -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return places;
}

ElementGroups reduction_groups(const Shape& operand, const Dims& axes) {
  const Dims kept = contiguous_strides(drop_axes(operand, axes));
  Dims strides(operand.size(), 0);
  for (std::size_t d = 0, k = 0; d < operand.size(); ++d) {
    if (std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d))) continue;
    strides[d] = kept[k++];
  }
  return {.of_operand = strided_places(operand, strides)};
}

void shape_error(const char* primitive, const std::string& what) {
  throw Error(ErrorKind::shape, fmt::format("[{}] {}", primitive, what));
}

void refuse_boolean(const char* primitive, const Type& operand) {
  if (operand.dtype == DType::boolean) {
    throw Error(ErrorKind::type,
                fmt::format("[{}] operand is {}; convert it to a number first, e.g. by where",
                            primitive, to_string(operand)));
  }
}

}  // namespace kappa
