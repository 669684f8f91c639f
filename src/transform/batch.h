#pragma once

#include <span>
#include <vector>

#include "program/builder.h"

namespace kappa {

/// The outputs of `program` on inputs of which the flagged ones carry one more leading axis of
/// `extent`; so does every output. What does not depend on a flagged input is computed once.
std::vector<Array> batch(Builder& builder, const Program& program, std::span<const Array> inputs,
                         const std::vector<bool>& batched, std::int64_t extent);

/// The same as a program of its own, its flagged inputs of the larger type.
Program batch(const Program& program, const std::vector<bool>& batched, std::int64_t extent);

}  // namespace kappa
