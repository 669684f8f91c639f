#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/network.h"

namespace kappa {

/// A convolutional network as it is written: `cnn:1x28x28-8c5-p2-16c5-p2-10:relu`.
///
/// A sample is an image of `channels` x `height` x `width` numbers, row-major. Layers follow:
///
///   8c5      8 channels by kernels of 5 x 5; 8c5/2 in steps of 2, 8c5+2 with a border of 2 zeros
///   r8       a residual block of 8 channels (He et al. 2016): two kernels of 3 x 3 with a border
///            of 1, added to what came in; r8/2 in steps of 2. Where shapes differ, a kernel of
///            1 x 1 makes them fit.
///   p2, a2   the maximum or the mean of windows of 2 x 2, side by side; p3/2 in steps of 2
///   120      a dense layer of 120; the last one is the output
///
/// The activation follows each c, each dense layer but the last, and both kernels of an r.
struct CnnSpec {
  struct Layer {
    enum class Kind { convolution, residual, max_pool, average_pool, dense } kind = Kind::dense;
    std::int64_t width = 0;  // channels or units
    std::int64_t kernel = 1, stride = 1, border = 0;
  };
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<Layer> layers;
  std::string activation;
  std::string text;
};

NetworkPreset cnn_preset();

/// Reads a layer string. Throws Error(parse | name | value | resource) in one line.
CnnSpec parse_cnn(std::string_view text);

}  // namespace kappa
