#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"

namespace kappa::bench {

/// Images of curves, in the manner of Hinton & Salakhutdinov (2006): 28 x 28 pixels, one curve an
/// image, drawn from 6 numbers: the parabola through three random points, passed at t = 0, 1/2, 1.
/// Ink falls off as a Gaussian of 0.8 pixels around the curve; a pixel is 1 - exp(-ink). Inputs and
/// targets are the same. Image i is a function of (seed, i) alone.
inline std::shared_ptr<Dataset> curve_images(std::int64_t count, std::uint64_t seed) {
  constexpr std::int64_t kSide = 28;
  constexpr int kSteps = 80;
  std::vector<float> pixels(static_cast<std::size_t>(count * kSide * kSide));
  for (std::int64_t image = 0; image < count; ++image) {
    Random random(seed, static_cast<std::uint64_t>(image));
    double x[3], y[3];
    for (int k = 0; k < 3; ++k) {
      x[k] = 4 + 19 * random.uniform();
      y[k] = 4 + 19 * random.uniform();
    }
    double ink[kSide][kSide] = {};
    for (int step = 0; step <= kSteps; ++step) {
      const double t = static_cast<double>(step) / kSteps;
      const double a = (1 - t) * (1 - 2 * t), b = 4 * t * (1 - t), c = t * (2 * t - 1);
      const double px = a * x[0] + b * x[1] + c * x[2], py = a * y[0] + b * y[1] + c * y[2];
      for (int i = 0; i < kSide; ++i) {
        for (int j = 0; j < kSide; ++j) {
          const double d = (i - py) * (i - py) + (j - px) * (j - px);
          ink[i][j] += d < 12 ? 0.25 * std::exp(-d / (2 * 0.8 * 0.8)) : 0;
        }
      }
    }
    float* out = pixels.data() + image * kSide * kSide;
    for (int i = 0; i < kSide; ++i) {
      for (int j = 0; j < kSide; ++j) *out++ = static_cast<float>(1 - std::exp(-ink[i][j]));
    }
  }
  auto data = std::make_shared<Dataset>();
  data->source = "curves";
  data->x = {{count, kSide * kSide}, std::move(pixels)};
  data->y = data->x;
  return data;
}

}  // namespace kappa::bench
