#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "kappa/array.h"
#include "program/primitive.h"
#include "program/program.h"

namespace kappa {

/// A program under construction. Equal calls become one node (hash-consing), calls on constants are
/// computed, and each primitive's `simplify` is consulted, so that programs are small from the
/// start.
class Builder {
 public:
  Builder() = default;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Array input(Type type, std::string name = "");
  Array constant(Tensor value);
  /// Stands for a value that exists only as a type: rules may ask its shape, and a program that
  /// needs it cannot be finished.
  Array placeholder(Type type);
  Array scalar(double value, DType dtype) { return constant(Tensor::scalar(value, dtype)); }

  /// The primitive applied; throws Error where its type rule does.
  Array apply(const Primitive& primitive, Attributes attributes, std::span<const Array> operands);
  /// A node of another program, with operands of this one.
  Array replay(const Node& node, std::span<const Array> operands);

  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::size_t num_nodes() const { return nodes_.size(); }

  /// The program computing `outputs`; unneeded nodes are dropped, inputs kept in order.
  Program finish(std::span<const Array> outputs);

 private:
  Array append(Node node);

  std::deque<Node> nodes_;  // rules hold shapes by reference while they append: nodes never move
  std::vector<NodeId> inputs_;
  std::vector<std::string> input_names_;
  std::unordered_multimap<std::size_t, NodeId> known_;
};

/// The value of an array all of whose elements are the same known number (a literal, a constant, or
/// a broadcast of one).
std::optional<double> constant_value(const Array& x);

bool is_input(const Node& node);
bool is_constant(const Node& node);

/// The program of some of the outputs alone; what only the others need is dropped.
Program prune(const Program& program, std::span<const std::size_t> outputs);

/// @name Helpers for primitives' public functions
/// @{

/// The builder of the first operand that has one; throws Error(usage) where all are literals.
Builder& builder_of(std::span<const Array> operands);
/// Literals made constants, dtypes promoted (bool < i64 < f32 < f64; literals are weak) and shapes
/// broadcast. Ready for an elementwise primitive of equal operand types.
std::vector<Array> unify(std::span<const Array> operands, const char* verb);
/// Literals made constants of the common dtype, without broadcasting.
std::vector<Array> resolve_literals(std::span<const Array> operands);
/// unify, then apply.
Array apply_elementwise(const Primitive& primitive, std::span<const Array> operands);

/// infer for elementwise primitives: all operand types equal, result the same.
Type infer_same(const Attributes&, std::span<const Type> operands);
/// @}

/// The node's value for given operand values, without a runtime: for constants and as the reference
/// that the runtime is tested against.
Tensor evaluate(const Primitive& primitive, const Attributes& attributes,
                std::span<const Tensor> operands);
/// All outputs of a program, node by node.
std::vector<Tensor> evaluate(const Program& program, std::span<const Tensor> inputs);

/// Copies a view of `source` (elements of `bytes` bytes each) into contiguous `target`.
void copy_view(const View& view, const Shape& shape, std::int64_t bytes, const void* source,
               void* target);

}  // namespace kappa
