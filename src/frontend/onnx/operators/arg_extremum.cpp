#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

// The place of the extreme entry, the first or the last of equals. Integers: no derivative passes.
OnnxOperator place_of(Array (*extremum)(const Array&, const Dims&, bool)) {
  return {.build = [extremum](OnnxCall& call) {
    const Array x = call.input(0);
    const std::int64_t axis = onnx_axis(call.integer("axis", 0), x.rank());
    const bool keep = call.integer("keepdims", 1) != 0;
    const bool last = call.integer("select_last_index", 0) != 0;
    const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
    if (extent == 0) call.fail("no entries to choose from");
    Shape along(x.shape().size(), 1);
    along[static_cast<std::size_t>(axis)] = extent;
    const Array place = reshape(iota(x, extent, DType::i64), along);
    const Array best = equal(x, extremum(x, {axis}, true));
    return std::vector<Array>{
        last ? max(where(best, place, -1.0), {axis}, keep)
             : min(where(best, place, static_cast<double>(extent - 1)), {axis}, keep)};
  }};
}

}  // namespace

KAPPA_ONNX_OPERATOR(ArgMax) { return place_of(max); }
KAPPA_ONNX_OPERATOR(ArgMin) { return place_of(min); }

}  // namespace kappa
