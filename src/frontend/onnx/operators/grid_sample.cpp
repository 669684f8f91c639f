// GridSample: values of an array between its entries, at places that are data themselves; and
// AffineGrid, which makes such places. Derivatives pass to both.

#include <cmath>

#include "frontend/onnx/entries.h"
#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {
namespace {

Array floor(const Array& x) { return apply("floor", {{x}}); }

// How places between -1 and 1 are read and what lies outside.
struct Grid {
  std::string mode, padding;
  bool align_corners;
};

// Places folded back into [low, high], to and fro.
Array reflected(const Array& x, double low, double high) {
  if (high <= low) return 0.0 * x;
  const double range = high - low;
  const Array away = abs(x - low);
  const Array turns = floor(away * (1 / range));
  const Array rest = away - turns * range;
  const Array odd = not_equal(turns - 2.0 * floor(turns * 0.5), 0.0);
  return where(odd, range - rest, rest) + low;
}

Array brought_inside(const Grid& grid, const Array& x, std::int64_t extent) {
  const auto last = static_cast<double>(extent - 1);
  if (grid.padding == "border") return maximum(0.0, minimum(last, x));
  if (grid.padding == "reflection") {
    return grid.align_corners ? reflected(x, 0, last) : reflected(x, -0.5, last + 0.5);
  }
  return x;
}

// Weights of the four entries around a place, `t` behind the second.
std::vector<Array> cubic_weights(const Array& t) {
  const double a = -0.75;
  const auto near = [&](const Array& d) { return ((a + 2) * d - (a + 3)) * d * d + 1.0; };
  const auto far = [&](const Array& d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)};
}

struct Tap {
  Array place, weight;  // place: floating, whole numbers; weight undefined: 1
};

std::vector<Tap> taps_of(const Grid& grid, const Array& x) {
  if (grid.mode == "nearest") return {{apply("round", {{x}}), {}}};
  const Array base = floor(x), rest = x - base;
  if (grid.mode == "linear") return {{base, 1.0 - rest}, {base + 1.0, rest}};
  const std::vector<Array> weights = cubic_weights(rest);
  std::vector<Tap> taps;
  for (int k = 0; k < 4; ++k)
    taps.push_back({base + static_cast<double>(k - 1), weights[static_cast<std::size_t>(k)]});
  return taps;
}

std::vector<Array> grid_sample(OnnxCall& call) {
  const Array x = call.input(0), places = call.input(1);
  const std::int64_t axes = x.rank() - 2;
  if (axes < 1 || places.rank() != x.rank() || places.shape().back() != axes ||
      places.shape()[0] != x.shape()[0]) {
    call.fail("a grid that does not fit the data");
  }
  Grid grid{call.text("mode", "linear"), call.text("padding_mode", "zeros"),
            call.integer("align_corners", 0) != 0};
  if (grid.mode == "bilinear") grid.mode = "linear";
  if (grid.mode == "bicubic") grid.mode = "cubic";
  if ((grid.mode != "linear" && grid.mode != "nearest" && grid.mode != "cubic") ||
      (grid.padding != "zeros" && grid.padding != "border" && grid.padding != "reflection")) {
    call.fail("mode " + grid.mode + " with padding_mode " + grid.padding);
  }
  const std::int64_t n = x.shape()[0], channels = x.shape()[1];
  const Shape spatial(x.shape().begin() + 2, x.shape().end());
  const std::int64_t size = num_elements(spatial);
  const std::int64_t count = places.size() / (n * axes);
  // Entries as rows (n * size, channels), so that a place is one index.
  const Array rows =
      reshape(transpose(reshape(x, {n, channels, size}), {0, 2, 1}), {n * size, channels});
  const Array sample = reshape(iota(x, n, DType::i64) * static_cast<double>(size), {n, 1});
  const Array flat = reshape(places, {n, count, axes});

  // All combinations of taps over the axes; the grid's last number belongs to the first axis.
  struct Term {
    Array index, weight, inside;  // undefined: 1, and all
  };
  std::vector<Term> terms{{sample, {}, {}}};
  std::int64_t stride = size;
  for (std::int64_t d = 0; d < axes; ++d) {
    const std::int64_t extent = spatial[static_cast<std::size_t>(d)];
    const auto length = static_cast<double>(extent);
    stride /= extent;
    const Array u = entry_along(flat, 2, axes - 1 - d);
    Array place =
        grid.align_corners ? (u + 1.0) * (0.5 * (length - 1)) : ((u + 1.0) * length - 1.0) * 0.5;
    if (grid.mode != "cubic") place = brought_inside(grid, place, extent);
    std::vector<Term> longer;
    for (const Term& term : terms) {
      for (const Tap& tap : taps_of(grid, place)) {
        const Array at = grid.mode == "cubic" ? brought_inside(grid, tap.place, extent) : tap.place;
        const Array index = convert(maximum(0.0, minimum(length - 1, at)), DType::i64);
        Term next{term.index + index * static_cast<double>(stride), term.weight, term.inside};
        if (tap.weight.defined()) {
          next.weight = next.weight.defined() ? next.weight * tap.weight : tap.weight;
        }
        if (grid.padding == "zeros") {
          const Array inside = logical_and(at >= 0.0, at <= length - 1);
          next.inside = next.inside.defined() ? logical_and(next.inside, inside) : inside;
        }
        longer.push_back(next);
      }
    }
    terms = std::move(longer);
  }
  Array total;
  for (const Term& term : terms) {
    Array value = gather(rows, term.index, 0);  // (n, count, channels)
    const Shape column{n, count, 1};
    if (term.weight.defined()) value = value * reshape(term.weight, column);
    if (term.inside.defined()) {
      value = where(reshape(term.inside, column), value, call.zeros(value.shape(), value.dtype()));
    }
    total = total.defined() ? total + value : value;
  }
  Shape result{n, channels};
  result.insert(result.end(), places.shape().begin() + 1, places.shape().end() - 1);
  return {reshape(transpose(total, {0, 2, 1}), result)};
}

}  // namespace

KAPPA_ONNX_OPERATOR(GridSample) { return {.first = 16, .build = grid_sample}; }

// theta (N, d, d + 1) applied to (x, y, ..., 1), x along the last axis.
KAPPA_ONNX_OPERATOR(AffineGrid) {
  return {.first = 20, .build = [](OnnxCall& call) {
            const Array theta = call.input(0);
            const Dims size = call.known_integers(1);
            const auto axes = static_cast<std::int64_t>(size.size()) - 2;
            if (axes < 1 || theta.shape() != Shape{size[0], axes, axes + 1}) {
              call.fail("theta does not fit the size");
            }
            const bool corners = call.integer("align_corners", 0) != 0;
            Shape spatial(size.begin() + 2, size.end());
            for (const std::int64_t extent : spatial) {
              if (extent < 1) call.fail("an extent below 1");
            }
            const std::int64_t count = num_elements(spatial);
            if (count > (std::int64_t{1} << 24)) call.fail("more places than make sense");
            std::vector<double> points;
            for (std::int64_t i = 0; i < count; ++i) {
              std::int64_t rest = i;
              for (std::size_t d = spatial.size(); d-- > 0;) {
                const auto extent = static_cast<double>(spatial[d]);
                const auto k = static_cast<double>(rest % spatial[d]);
                rest /= spatial[d];
                points.push_back(!corners     ? (2 * k + 1) / extent - 1
                                 : extent > 1 ? 2 * k / (extent - 1) - 1
                                              : 0);
              }
              points.push_back(1);
            }
            const Array base = constant(theta, points, {count, axes + 1}, theta.dtype());
            Shape result{size[0]};
            result.insert(result.end(), spatial.begin(), spatial.end());
            result.push_back(axes);
            return std::vector<Array>{reshape(matmul(base, theta, false, true), result)};
          }};
}

}  // namespace kappa
