#pragma once

#include <span>
#include <vector>

#include "program/builder.h"

namespace kappa {

/// The outputs of `program`, its nodes replayed in `builder` on the given inputs.
std::vector<Array> inline_program(Builder& builder, const Program& program,
                                  std::span<const Array> inputs);

struct Linearized {
  std::vector<Array> outputs;
  std::vector<Array> tangents;  // undefined where zero
};

/// Outputs and their tangents for given inputs and input tangents (undefined: zero).
///
/// The tangents are linear in the input tangents: every node that depends on them is linear in what
/// does. Cost: that of the program, two to three times over.
Linearized linearize(Builder& builder, const Program& program, std::span<const Array> inputs,
                     std::span<const Array> input_tangents);

/// The tangent of one node by its primitive's rule; undefined where it is zero.
Array tangent_of(Builder& builder, const Node& node, std::span<const Array> operands,
                 const Array& result, std::span<const Array> tangents);

/// Zeros of the same type as `like`.
Array zeros_like(const Array& like);

}  // namespace kappa
