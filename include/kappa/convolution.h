#pragma once

#include "kappa/array.h"

namespace kappa {

/// How a kernel walks over the spatial axes of an array. Empty lists stand for ones (strides,
/// dilations) and zeros (pads); pads may differ at the two ends of an axis.
struct Window {
  Dims strides;    ///< elements from one position to the next, an axis
  Dims dilations;  ///< elements between neighbouring entries of the kernel
  Dims pads_low;   ///< elements added before the first
  Dims pads_high;  ///< and behind the last
};

/// y[n, o, p] = sum over c, k of x[n, c, p * stride + k * dilation - pad_low] * weight[o, c, k],
/// x being zero outside (a correlation, as every network library calls it).
///
/// x is (N, C, spatial...), weight (O, C / groups, kernel...), 1 to 3 spatial axes; the result is
/// (N, O, spatial...). Channels fall into `groups` blocks; outputs of a block see its inputs alone
/// (groups = C: depthwise). 2 N O C / groups times the kernel's and the result's positions
/// operations. Throws Error(shape) where the kernel is larger than the padded array.
KAPPA_EXPORT Array convolution(const Array& x, const Array& weight, const Window& window = {},
                               std::int64_t groups = 1);

/// The transpose of `convolution` in its first operand (a "deconvolution"): x is (N, C,
/// spatial...), weight (C, O / groups, kernel...), the result (N, O, spatial...) with extents
/// (extent - 1) * stride + (kernel - 1) * dilation + 1 - pads + output_padding.
KAPPA_EXPORT Array convolution_transpose(const Array& x, const Array& weight,
                                         const Window& window = {}, const Dims& output_padding = {},
                                         std::int64_t groups = 1);

/// The largest element under the kernel at each position of x (N, C, spatial...); padding never
/// wins, NaN does. Of equal elements the first counts, and its derivative alone.
/// Throws Error(shape) where a window would hold nothing but padding.
KAPPA_EXPORT Array max_pool(const Array& x, const Dims& kernel, const Window& window = {});

/// The mean of the elements under the kernel; `count_padding` counts padding as zeros, otherwise
/// the mean is over what lies inside.
KAPPA_EXPORT Array average_pool(const Array& x, const Dims& kernel, const Window& window = {},
                                bool count_padding = false);

}  // namespace kappa
