#include <algorithm>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

constexpr std::int64_t max_padding = std::int64_t{1} << 40;

// Indices along an axis of `extent` with `low` more in front and `high` more behind, taken from
// inside as the mode says.
Dims source_places(OnnxCall& call, const std::string& mode, std::int64_t extent, std::int64_t low,
                   std::int64_t high) {
  if (low + extent + high > (std::int64_t{1} << 24)) call.fail("more padding than makes sense");
  Dims places;
  for (std::int64_t i = -low; i < extent + high; ++i) {
    if (mode == "edge") {
      places.push_back(i < 0 ? 0 : i >= extent ? extent - 1 : i);
    } else if (mode == "wrap") {
      places.push_back(((i % extent) + extent) % extent);
    } else {  // reflect: the border is not repeated
      const std::int64_t period = extent > 1 ? 2 * (extent - 1) : 1;
      const std::int64_t place = ((i % period) + period) % period;
      places.push_back(place < extent ? place : period - place);
    }
  }
  return places;
}

}  // namespace

KAPPA_ONNX_OPERATOR(Pad) {
  return {.build = [](OnnxCall& call) {
    Array x = call.input(0);
    const bool attributes = call.opset() < 11;
    const std::string mode = call.text("mode", "constant");
    const Dims given = !attributes        ? call.known_integers(1)
                       : call.opset() < 2 ? call.integers("paddings")
                                          : call.integers("pads");
    Dims axes;
    if (!attributes && call.has(3)) axes = onnx_axes(call.known_integers(3), x.rank());
    if (axes.empty()) {
      for (std::int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
    }
    if (given.size() != 2 * axes.size()) call.fail("two numbers an axis are needed");
    for (const std::int64_t count : given) {
      if (count < -max_padding || count > max_padding) call.fail("more padding than makes sense");
    }
    const auto rank = static_cast<std::size_t>(x.rank());
    Dims low(rank, 0), high(rank, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      low[static_cast<std::size_t>(axes[i])] = given[i];
      high[static_cast<std::size_t>(axes[i])] = given[axes.size() + i];
    }
    // Negative numbers take away.
    Dims starts(rank), stops(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      const std::int64_t extent = x.shape()[i];
      starts[i] = low[i] < 0 ? -low[i] : 0;
      stops[i] = extent - (high[i] < 0 ? -high[i] : 0);
      if (starts[i] > stops[i]) call.fail("it takes away more than there is");
      low[i] = std::max<std::int64_t>(low[i], 0);
      high[i] = std::max<std::int64_t>(high[i], 0);
    }
    x = slice(x, starts, stops);
    if (mode == "constant") {
      Array value;
      if (!attributes && call.has(2)) value = reshape(call.buffer(2), {});
      if (attributes && call.has_attribute("value")) {
        value = call.number(call.real("value", 0), x.dtype());
      }
      const Array padded = pad(x, low, high);
      if (!value.defined()) return std::vector<Array>{padded};
      if (const auto known = call.value_of(value); known && known->at(0) == 0) {
        return std::vector<Array>{padded};
      }
      const Array inside = pad(broadcast_to(call.number(1, DType::i64), x.shape()), low, high);
      return std::vector<Array>{where(not_equal(inside, 0.0), padded, convert(value, x.dtype()))};
    }
    if (mode != "edge" && mode != "reflect" && mode != "wrap") call.fail("mode '" + mode + "'");
    for (std::size_t i = 0; i < rank; ++i) {
      if (low[i] == 0 && high[i] == 0) continue;
      const std::int64_t extent = x.shape()[i];
      if (extent == 0) call.fail("nothing to pad with");
      x = gather(x, call.integers_constant(source_places(call, mode, extent, low[i], high[i])),
                 static_cast<std::int64_t>(i));
    }
    return std::vector<Array>{x};
  }};
}

}  // namespace kappa
