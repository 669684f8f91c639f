#pragma once

#include <span>
#include <vector>

#include "program/builder.h"

namespace kappa {

/// The transpose of a linear program: cotangents of its linear inputs from cotangents of its
/// outputs.
///
/// `inputs[i]` is undefined for the linear inputs and given for the others; `cotangents[i]` may be
/// undefined (zero). The result has one entry an input: undefined for those that are not linear,
/// and where the cotangent is zero.
std::vector<Array> transpose_linear(Builder& builder, const Program& program,
                                    std::span<const Array> inputs,
                                    std::span<const Array> cotangents);

/// Jᵀu: the cotangents of the flagged inputs of any program at `inputs`, as the transpose of its
/// linearisation. Reverse mode; cost 2 to 4 times that of the program, whatever the number of
/// inputs. Outputs of the program itself are returned through `outputs` where it is not null.
std::vector<Array> pull_back(Builder& builder, const Program& program,
                             std::span<const Array> inputs, const std::vector<bool>& varying,
                             std::span<const Array> cotangents,
                             std::vector<Array>* outputs = nullptr);

}  // namespace kappa
