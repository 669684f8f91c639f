#pragma once

#include "kappa/convolution.h"

namespace kappa {

/// The elements of `values`, an array of x's shape, from where max_pool finds the largest of x.
/// Linear in `values`; x has no derivative here.
Array take_at_maxima(const Array& x, const Array& values, const Dims& kernel,
                     const Window& window = {});

}  // namespace kappa
