#pragma once

#include "program/program.h"

namespace kappa {

/// The same function with the samples of images as the innermost axis, where convolutions and
/// windows gain from it: (N, C, H, W) becomes (C, H, W, N), from the first of them on and through
/// whatever follows that leaves the sample axis alone. Derivatives taken of the result inherit the
/// layout. Inputs and outputs keep theirs.
///
/// Programs without such calls, or with too few samples to fill a vector, come back as they are.
Program with_samples_last(const Program& program);

/// Whether images in the program stand that way.
bool has_samples_last(const Program& program);

}  // namespace kappa
