#include <cstring>
#include <stdexcept>

#include "program/builder.h"

namespace kappa {
namespace {

// Copies along axis d of a view; the innermost axis is a plain loop over elements of `bytes`.
struct ViewCopy {
  const View& view;
  const Shape& shape;
  std::size_t bytes;
  const std::byte* source;
  std::byte* target;

  void run(std::size_t axis, std::int64_t offset, bool inside) {
    if (axis == shape.size()) {
      put(offset, inside);
      return;
    }
    const bool bounded = !view.lower.empty();
    for (std::int64_t i = 0; i < shape[axis]; ++i) {
      const bool in = inside && (!bounded || (i >= view.lower[axis] && i < view.upper[axis]));
      run(axis + 1, offset + i * view.strides[axis], in);
    }
  }

  void put(std::int64_t offset, bool inside) {
    if (inside) {
      std::memcpy(target, source + offset * static_cast<std::int64_t>(bytes), bytes);
    } else {
      std::memset(target, 0, bytes);
    }
    target += bytes;
  }
};

}  // namespace

void copy_view(const View& view, const Shape& shape, std::int64_t bytes, const void* source,
               void* target) {
  if (view.same_order) {
    std::memcpy(target, source, static_cast<std::size_t>(num_elements(shape) * bytes));
    return;
  }
  if (num_elements(shape) == 0) return;
  ViewCopy copy{view, shape, static_cast<std::size_t>(bytes), static_cast<const std::byte*>(source),
                static_cast<std::byte*>(target)};
  copy.run(0, view.offset, true);
}

Tensor evaluate(const Primitive& primitive, const Attributes& attributes,
                std::span<const Tensor> operands) {
  std::vector<Type> types;
  std::vector<const void*> inputs;
  for (const Tensor& x : operands) {
    types.push_back(x.type());
    inputs.push_back(x.data());
  }
  Tensor result(primitive.infer(attributes, types));
  const Kernel& kernel = primitive.kernel;
  if (kernel.tile) {
    const TileFunction function = kernel.tile(types, result.type());
    if (function == nullptr) {
      throw std::logic_error("[" + primitive.name + "] has no kernel for these types");
    }
    function({result.size(), inputs.data(), result.data(), attributes});
    return result;
  }
  if (kernel.view) {
    if (const auto view = kernel.view(attributes, types, result.type())) {
      copy_view(*view, result.shape(), size_of(result.dtype()), inputs[0], result.data());
      return result;
    }
  }
  if (!kernel.run) throw std::logic_error("[" + primitive.name + "] has no kernel");
  const std::int64_t scratch = kernel.scratch_bytes ? kernel.scratch_bytes(attributes, types) : 0;
  const auto memory = allocate_aligned(scratch);
  kernel.run({attributes, types, result.type(), inputs.data(), result.data(), false, memory.get()});
  return result;
}

std::vector<Tensor> evaluate(const Program& program, std::span<const Tensor> inputs) {
  std::vector<Tensor> values(program.nodes.size());
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (is_input(node)) {
      values[i] = inputs[static_cast<std::size_t>(node.attributes.integer("index"))];
    } else if (is_constant(node)) {
      values[i] = node.attributes.tensor("value");
    } else {
      std::vector<Tensor> operands;
      for (const NodeId id : node.operands)
        operands.push_back(values[static_cast<std::size_t>(id)]);
      values[i] = evaluate(*node.primitive, node.attributes, operands);
    }
  }
  std::vector<Tensor> outputs;
  for (const NodeId id : program.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return outputs;
}

}  // namespace kappa
