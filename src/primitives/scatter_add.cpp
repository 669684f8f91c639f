#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "primitives/axes.h"
#include "primitives/gather.h"

namespace kappa {
namespace {

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  refuse_boolean("scatter_add", operands[0]);
  refuse_index_type("scatter_add", operands[1]);
  const std::int64_t axis = attributes.integer("axis");
  const std::int64_t extent = attributes.integer("extent");
  const Shape& updates = operands[0].shape;
  const Shape& indices = operands[1].shape;
  const auto width = static_cast<std::int64_t>(indices.size());
  const bool fits = axis >= 0 && axis + width <= static_cast<std::int64_t>(updates.size()) &&
                    std::equal(indices.begin(), indices.end(), updates.begin() + axis);
  if (!fits || extent < (num_elements(indices) > 0 ? 1 : 0)) {
    shape_error(
        "scatter_add",
        fmt::format("updates {} do not hold the indices' axes {} from axis {} on, or extent "
                    "{} is too small",
                    to_string(operands[0]), to_string(indices), axis, extent));
  }
  Shape result(updates.begin(), updates.begin() + axis);
  result.push_back(extent);
  result.insert(result.end(), updates.begin() + axis + width, updates.end());
  return {operands[0].dtype, result};
}

template <class T>
void scatter(const KernelCall& call) {
  const auto axis = static_cast<std::size_t>(call.attributes.integer("axis"));
  const Shape& shape = call.output_type.shape;
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const std::int64_t extent = shape[axis];
  const std::int64_t count = num_elements(call.input_types[1].shape);
  const T* updates = static_cast<const T*>(call.inputs[0]);
  const auto* indices = static_cast<const std::int64_t*>(call.inputs[1]);
  T* out = static_cast<T*>(call.output);
  if (!call.accumulate) std::fill_n(out, outer * extent * inner, T{0});
  for (std::int64_t o = 0; o < outer; ++o, out += extent * inner) {
    for (std::int64_t i = 0; i < count; ++i, updates += inner) {
      T* entry = out + std::clamp<std::int64_t>(indices[i], 0, extent - 1) * inner;
      for (std::int64_t j = 0; j < inner; ++j) entry[j] += updates[j];
    }
  }
}

Array batch(const Call& call, const std::vector<bool>& batched, std::int64_t count) {
  const std::int64_t axis = call.attributes.integer("axis");
  const std::int64_t extent = call.attributes.integer("extent");
  const Array& indices = call.operands[1];
  if (!batched[1]) return scatter_add(call.operands[0], indices, extent, axis + 1);
  // The batch axis joins the scattered one, and indices count through the blocks.
  const Array updates = with_batch_axis(call.operands[0], batched[0], count);
  const Array beside = transpose(updates, move_axis(updates.rank(), 0, axis));
  const Array added =
      scatter_add(beside, indices_into_blocks(indices, extent), count * extent, axis);
  Shape split = added.shape();
  split[static_cast<std::size_t>(axis)] = count;
  split.insert(split.begin() + axis + 1, extent);
  return transpose(reshape(added, split),
                   move_axis(static_cast<std::int64_t>(split.size()), axis, 0));
}

}  // namespace

KAPPA_PRIMITIVE(scatter_add) {
  Primitive p;
  p.name = "scatter_add";
  p.doc =
      "The transpose of gather: zeros, to which operand 0 is added along an axis at the int64 "
      "indices of operand 1, in their order. Indices are checked and clamped as gather's are.";
  p.num_operands = 2;
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = [](const Call& call, int, const Array& cotangent) {
    return gather(cotangent, call.operands[1], call.attributes.integer("axis"));
  };
  p.batch = batch;
  p.sparsity = [](const SparsityCall& call, int) -> std::optional<ElementGroups> {
    if (call.known[1] == nullptr) return std::nullopt;
    return ElementGroups{.of_operand = indexed_places(call.result.shape, *call.known[1],
                                                      call.attributes.integer("axis"),
                                                      num_elements(call.operands[0].shape))};
  };
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return scatter<double>(call);
      case DType::f32: return scatter<float>(call);
      default: return scatter<std::int64_t>(call);
    }
  };
  p.kernel.accumulates = true;
  p.samples = [] {
    const auto sample = [](Shape updates, Shape indices, std::int64_t extent, std::int64_t axis) {
      return Sample{{{DType::f64, std::move(updates)}, {DType::i64, std::move(indices)}},
                    {{"axis", axis}, {"extent", extent}},
                    {{-2, 2}, {0, static_cast<double>(extent - 1)}}};
    };
    return std::vector<Sample>{sample({3}, {3}, 5, 0), sample({6, 2}, {6}, 3, 0),
                               sample({2, 2, 3, 4}, {2, 3}, 4, 1), sample({3, 1}, {1}, 1, 1),
                               sample({2, 3}, {}, 4, 1)};
  };
  return p;
}

Array scatter_add(const Array& updates, const Array& indices, std::int64_t extent,
                  std::int64_t axis) {
  const Array whole =
      indices.is_literal() ? full(updates, indices.literal(), {}, DType::i64) : indices;
  const std::int64_t rank = updates.rank() - whole.rank() + 1;  // of the result
  const std::int64_t normal = normalize_axis(axis, rank, "scatter_add");
  refuse_index("scatter_add", whole, extent);
  return apply(kappa_primitive_scatter_add(), {{"axis", normal}, {"extent", extent}},
               {updates, whole});
}

}  // namespace kappa
