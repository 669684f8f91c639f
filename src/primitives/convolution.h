#pragma once

#include <array>
#include <span>

#include "kappa/convolution.h"
#include "program/primitive.h"

// What the three convolution primitives and the window primitives have in common.
//
// T(x, w, y) = sum of x w y over all (input, kernel, output) positions that meet is linear in each
// argument. Its derivatives by y, x and w are the primitives `convolution`, `convolution_data` and
// `convolution_weight`: each is bilinear, and the transposes of each are the other two.
namespace kappa {

const Primitive& kappa_primitive_convolution();
const Primitive& kappa_primitive_convolution_data();
const Primitive& kappa_primitive_convolution_weight();

/// Attributes of all of them. Result extents are explicit, so that padding at the high end needs no
/// mention: what lies outside of x is zero.
///
/// Images are (N, C, spatial...) or, with `samples_last`, (C, spatial..., N); weights are
/// (O, C / groups, kernel...) in both.
struct WindowAttributes {
  Dims strides, dilations, pads_low;
  std::int64_t groups = 1;
  bool samples_last = false;
  Dims extents;  // spatial extents of the result
  Dims kernel;   // of the window primitives; a convolution's are its weight's

  WindowAttributes() = default;
  explicit WindowAttributes(const Attributes& attributes);
  [[nodiscard]] Attributes attributes() const;
  [[nodiscard]] std::size_t rank() const { return strides.size(); }
};

/// An image's axes, without the leading axis of a batch of calls.
struct Image {
  std::int64_t samples = 0, channels = 0;
  Dims extents;

  Image() = default;
  Image(const Shape& shape, std::size_t rank, bool samples_last);  // drops a leading axis
  [[nodiscard]] Shape shape(bool samples_last) const;
  [[nodiscard]] std::int64_t positions() const { return num_elements(extents); }
  [[nodiscard]] std::int64_t size() const { return samples * channels * positions(); }
};

/// Which of x, w, y a primitive computes from the other two.
enum class ConvolutionPart { output, data, weight };

/// The extents of one call of a convolution primitive.
struct Convolution {
  ConvolutionPart part = ConvolutionPart::output;
  WindowAttributes window;
  Image x, y;
  Dims kernel;
  std::int64_t blocks = 0;        // extent of the leading axis of a batch of calls; 0: none
  std::array<bool, 2> batched{};  // operands that have it

  /// Throws Error(shape | type) where the operands do not fit.
  Convolution(ConvolutionPart part, const Attributes& attributes, std::span<const Type> operands);
  [[nodiscard]] std::int64_t group_inputs() const { return x.channels / window.groups; }
  [[nodiscard]] std::int64_t group_outputs() const { return y.channels / window.groups; }
  [[nodiscard]] std::int64_t taps() const { return num_elements(kernel); }
  [[nodiscard]] std::int64_t weight_size() const { return y.channels * group_inputs() * taps(); }
  [[nodiscard]] Shape result() const;
};

/// Kernels for samples first: patches are copied into columns, then multiplied.
void run_columns(const Convolution& convolution, const KernelCall& call);
std::int64_t columns_scratch_bytes(const Convolution& convolution, DType dtype);

/// Kernels for samples last: vectors run along the samples, no patches are made.
void run_direct(const Convolution& convolution, const KernelCall& call);
std::int64_t direct_scratch_bytes(const Convolution& convolution, DType dtype);
/// Of them, the transpose in the weight.
void run_direct_weight(const Convolution& convolution, const KernelCall& call);
std::int64_t direct_weight_scratch_bytes(const Convolution& convolution, DType dtype);

/// Throws Error(resource) where the lists of which input each tap meets at each output position
/// would not fit: 2^27 entries, some 32 times what a 7 x 7 kernel on 256 x 256 needs.
void check_meetings(const char* verb, const Dims& positions, const Dims& kernel);
/// Window with its empty lists filled in; throws Error(shape | value) naming `verb`.
Window full_window(const char* verb, const Window& window, std::size_t rank);
/// (extent + pads - (kernel - 1) * dilation - 1) / stride + 1; throws where a kernel does not fit.
Dims window_extents(const char* verb, const Dims& extents, const Dims& kernel,
                    const Window& window);

/// Calls body(position, flat) for every position of the extents, last axis fastest.
template <class Body>
void for_each_position(const Dims& extents, Body body) {
  Dims at(extents.size(), 0);
  const std::int64_t count = num_elements(extents);
  for (std::int64_t flat = 0; flat < count; ++flat) {
    body(at, flat);
    for (std::size_t i = extents.size(); i-- > 0;) {
      if (++at[i] < extents[i]) break;
      at[i] = 0;
    }
  }
}

/// Flat position in an array of `extents` that output position `at` meets at kernel position `tap`,
/// or -1 outside.
std::int64_t input_position(const WindowAttributes& window, const Dims& extents, const Dims& at,
                            const Dims& tap);

/// The operands of a call with one more leading axis where some calls have one already: both axes
/// become one. Sets `merged` to whether they did.
std::vector<Array> merge_batches(std::span<const Array> operands, const std::vector<bool>& batched,
                                 const std::vector<bool>& carried, std::int64_t extent,
                                 bool& merged);

}  // namespace kappa
