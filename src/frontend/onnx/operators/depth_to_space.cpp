#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

std::int64_t block_of(OnnxCall& call, const Array& x) {
  const std::int64_t block = call.integer("blocksize");
  if (x.rank() != 4 || block < 1 || block > 1 << 20) {
    call.fail("data that are not (N, C, height, width), or a block size below 1");
  }
  return block;
}

}  // namespace

// Blocks of channels become blocks of pixels; the block stands before the channel (DCR) or after.
KAPPA_ONNX_OPERATOR(DepthToSpace) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t b = block_of(call, x);
    const Shape& s = x.shape();
    if (s[1] % (b * b) != 0) call.fail("channels that do not divide into blocks");
    const std::int64_t channels = s[1] / (b * b);
    const Array split =
        call.text("mode", "DCR") == "DCR"
            ? transpose(reshape(x, {s[0], b, b, channels, s[2], s[3]}), {0, 3, 4, 1, 5, 2})
            : transpose(reshape(x, {s[0], channels, b, b, s[2], s[3]}), {0, 1, 4, 2, 5, 3});
    return std::vector<Array>{reshape(split, {s[0], channels, s[2] * b, s[3] * b})};
  }};
}

KAPPA_ONNX_OPERATOR(SpaceToDepth) {
  return {.build = [](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t b = block_of(call, x);
    const Shape& s = x.shape();
    if (s[2] % b != 0 || s[3] % b != 0) call.fail("pixels that do not divide into blocks");
    const Array split =
        transpose(reshape(x, {s[0], s[1], s[2] / b, b, s[3] / b, b}), {0, 3, 5, 1, 2, 4});
    return std::vector<Array>{reshape(split, {s[0], s[1] * b * b, s[2] / b, s[3] / b})};
  }};
}

}  // namespace kappa
