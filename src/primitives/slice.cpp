#include <fmt/format.h>

#include "kappa/error.h"
#include "primitives/axes.h"

namespace kappa {
const Primitive& kappa_primitive_slice();
const Primitive& kappa_primitive_reshape();

namespace {

std::int64_t count_of(std::int64_t start, std::int64_t stop, std::int64_t step) {
  const std::int64_t span = step > 0 ? stop - start : start - stop;
  const std::int64_t stride = step > 0 ? step : -step;
  return span <= 0 ? 0 : (span + stride - 1) / stride;
}

// The stop just beyond the last of `count` entries, so that equal slices have equal attributes.
std::int64_t stop_of(std::int64_t start, std::int64_t step, std::int64_t count) {
  return start + (count - 1) * step + (step > 0 ? 1 : -1);
}

Array canonical_slice(const Array& x, Dims starts, const Dims& counts, Dims steps) {
  Dims stops(starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (counts[i] == 0) starts[i] = 0;
    if (counts[i] <= 1) steps[i] = 1;
    stops[i] = counts[i] == 0 ? 0 : stop_of(starts[i], steps[i], counts[i]);
  }
  return apply(kappa_primitive_slice(), {{"starts", starts}, {"stops", stops}, {"steps", steps}},
               {x});
}

Type infer(const Attributes& attributes, std::span<const Type> operands) {
  const Dims& starts = attributes.dims("starts");
  const Dims& stops = attributes.dims("stops");
  const Dims& steps = attributes.dims("steps");
  const Shape& shape = operands[0].shape;
  if (starts.size() != shape.size() || stops.size() != shape.size() ||
      steps.size() != shape.size()) {
    shape_error("slice", fmt::format("{} has {} axes; {} starts, {} stops and {} steps given",
                                     to_string(operands[0]), shape.size(), starts.size(),
                                     stops.size(), steps.size()));
  }
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t count = steps[i] == 0 ? 0 : count_of(starts[i], stops[i], steps[i]);
    const std::int64_t low = steps[i] > 0 ? 0 : -1;
    const std::int64_t high = shape[i] + low;
    if (steps[i] == 0 || starts[i] < low || starts[i] > high || stops[i] < low || stops[i] > high ||
        (count > 0 && (starts[i] < 0 || starts[i] >= shape[i]))) {
      shape_error("slice", fmt::format("{}:{}:{} on axis {} of {} is out of bounds", starts[i],
                                       stops[i], steps[i], i, to_string(operands[0])));
    }
    result.push_back(count);
  }
  return {operands[0].dtype, result};
}

// pad with gaps undoes a slice that runs upwards; downward axes are turned around first.
Array transpose_slice(const Call& call, int, const Array& cotangent) {
  const Dims& starts = call.attributes.dims("starts");
  const Dims& steps = call.attributes.dims("steps");
  const Shape& shape = call.operands[0].shape();
  const Shape& taken = cotangent.shape();
  Dims low(shape.size()), high(shape.size()), interior(shape.size(), 0);
  Dims turn_starts(shape.size(), 0), turn_stops = taken, turn_steps(shape.size(), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (taken[i] == 0) {
      high[i] = shape[i];
      continue;
    }
    const std::int64_t last = starts[i] + (taken[i] - 1) * steps[i];
    low[i] = std::min(starts[i], last);
    high[i] = shape[i] - 1 - std::max(starts[i], last);
    if (taken[i] > 1) interior[i] = std::abs(steps[i]) - 1;
    if (steps[i] < 0) {
      turn_starts[i] = taken[i] - 1;
      turn_stops[i] = -1;
      turn_steps[i] = -1;
    }
  }
  return pad(slice(cotangent, turn_starts, turn_stops, turn_steps), low, high, interior);
}

// The slice of a reshape that only adds or drops axes of extent 1, as in x[0][1], taken before it;
// then slices meet and merge.
Array before_reshape(const Array& x, const Dims& starts, const Dims& counts, const Dims& steps) {
  const Array source = operand_of(x);
  const Shape& from = source.shape();
  Dims source_starts(from.size(), 0), source_counts(from.size(), 1), source_steps(from.size(), 1);
  std::size_t axis = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) return {};
    if (x.shape()[i] == 1) continue;
    while (axis < from.size() && from[axis] == 1) ++axis;
    if (axis == from.size() || from[axis] != x.shape()[i]) return {};
    source_starts[axis] = starts[i];
    source_counts[axis] = counts[i];
    source_steps[axis++] = steps[i];
  }
  return reshape(canonical_slice(source, source_starts, source_counts, source_steps), counts);
}

Array simplify(const Call& call) {
  const Array& x = call.operands[0];
  const Dims& starts = call.attributes.dims("starts");
  const Dims& steps = call.attributes.dims("steps");
  const std::size_t rank = starts.size();
  Dims counts(rank);
  bool everything = true;
  for (std::size_t i = 0; i < rank; ++i) {
    counts[i] = count_of(starts[i], call.attributes.dims("stops")[i], steps[i]);
    everything = everything && counts[i] == x.shape()[i] && (steps[i] == 1 || counts[i] <= 1);
  }
  if (everything) return x;
  if (is_call(x, kappa_primitive_slice())) {
    Dims inner_starts = x.node().attributes.dims("starts");
    Dims inner_steps = x.node().attributes.dims("steps");
    for (std::size_t i = 0; i < rank; ++i) {
      inner_starts[i] += starts[i] * inner_steps[i];
      inner_steps[i] *= steps[i];
    }
    return canonical_slice(operand_of(x), inner_starts, counts, inner_steps);
  }
  if (is_call(x, kappa_primitive_reshape())) return before_reshape(x, starts, counts, steps);
  if (const auto source = uniform_source(x)) return broadcast_to(*source, counts);
  return {};
}

std::optional<View> view(const Attributes& attributes, std::span<const Type> operands,
                         const Type&) {
  View view{.strides = contiguous_strides(operands[0].shape)};
  for (std::size_t i = 0; i < view.strides.size(); ++i) {
    view.offset += attributes.dims("starts")[i] * view.strides[i];
    view.strides[i] *= attributes.dims("steps")[i];
  }
  return view;
}

// x[1:3, 0], x[4::-1]; a single entry is written as an index.
std::pair<std::string, int> print_slice(const Attributes& attributes,
                                        std::span<const std::pair<std::string, int>> operands) {
  const auto& [text, precedence] = operands[0];
  std::string indices;
  for (std::size_t i = 0; i < attributes.dims("starts").size(); ++i) {
    const std::int64_t start = attributes.dims("starts")[i];
    const std::int64_t stop = attributes.dims("stops")[i];
    const std::int64_t step = attributes.dims("steps")[i];
    if (!indices.empty()) indices += ", ";
    if (count_of(start, stop, step) == 1) {
      indices += fmt::format("{}", start);
      continue;
    }
    indices += stop < 0 ? fmt::format("{}:", start) : fmt::format("{}:{}", start, stop);
    if (step != 1) indices += fmt::format(":{}", step);
  }
  return {(precedence >= 9 ? text : "(" + text + ")") + "[" + indices + "]", 9};
}

}  // namespace

KAPPA_PRIMITIVE(slice) {
  Primitive p;
  p.name = "slice";
  p.doc = "Every steps[i]-th entry from starts[i] to before stops[i] on each axis i.";
  p.infer = infer;
  p.linear_operands = {0};
  p.transpose = transpose_slice;
  p.batch = [](const Call& call, const std::vector<bool>&, std::int64_t extent) {
    return slice(call.operands[0], prepend(0, call.attributes.dims("starts")),
                 prepend(extent, call.attributes.dims("stops")),
                 prepend(1, call.attributes.dims("steps")));
  };
  p.simplify = simplify;
  p.kernel.view = view;
  p.samples = [] {
    const auto sample = [](Shape shape, Dims starts, Dims stops, Dims steps) {
      return Sample{{{DType::f64, std::move(shape)}},
                    {{"starts", starts}, {"stops", stops}, {"steps", steps}}};
    };
    return std::vector<Sample>{sample({5}, {1}, {5}, {1}), sample({7}, {1}, {7}, {3}),
                               sample({6}, {4}, {-1}, {-2}),
                               sample({3, 4}, {0, 3}, {2, 0}, {1, -1}),
                               sample({2, 1, 3}, {1, 0, 0}, {2, 1, 3}, {1, 1, 2})};
  };
  p.print = print_slice;
  return p;
}

Array slice(const Array& x, const Dims& starts, const Dims& stops, const Dims& steps) {
  const Dims unit(starts.size(), 1);
  const Dims& given = steps.empty() ? unit : steps;
  const Attributes attributes{{"starts", starts}, {"stops", stops}, {"steps", given}};
  const Type operand = x.node().type;
  const Type result = infer(attributes, {&operand, 1});  // bounds are checked before they change
  return canonical_slice(x, starts, result.shape, given);
}

Array Array::operator[](std::int64_t index) const {
  if (rank() == 0) throw Error(ErrorKind::shape, "[index] a scalar cannot be indexed");
  const std::int64_t extent = shape()[0];
  if (index < -extent || index >= extent) {
    throw Error(ErrorKind::shape,
                fmt::format("[index] index {} of an array of shape {}; expected {} to {}", index,
                            to_string(shape()), -extent, extent - 1));
  }
  Dims starts(shape().size(), 0), stops = shape();
  starts[0] = index < 0 ? index + extent : index;
  stops[0] = starts[0] + 1;
  return reshape(slice(*this, starts, stops), Shape(shape().begin() + 1, shape().end()));
}

}  // namespace kappa
