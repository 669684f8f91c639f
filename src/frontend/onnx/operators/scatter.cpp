// ScatterElements (Scatter before opset 11) and ScatterND: the operand with some elements replaced,
// or combined with the updates by `reduction`.

#include <map>
#include <string>

#include "frontend/onnx/flat_index.h"
#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {
namespace {

// `data` (rows, ...) with the rows named by `places` (count) combined with `updates` (count, ...),
// where no row is named twice.
Array combined(const Array& data, const Array& places, const Array& updates,
               const std::string& reduction) {
  const std::int64_t rows = data.shape()[0];
  const Array ones = full(data, 1, {places.size()}, DType::i64);
  Shape column(data.shape().size(), 1);
  column[0] = rows;
  const Array untouched = equal(reshape(scatter_add(ones, places, rows), column), 0.0);
  const Array placed = scatter_add(updates, places, rows);
  if (reduction == "mul") return where(untouched, data, data * placed);
  if (reduction == "max") return where(untouched, data, maximum(data, placed));
  if (reduction == "min") return where(untouched, data, minimum(data, placed));
  return where(untouched, data, placed);
}

// Known places in rounds, in none of which a row is named twice; positions in their list.
std::vector<Dims> rounds_of(const Tensor& places) {
  std::vector<Dims> rounds;
  std::map<std::int64_t, std::size_t> times;
  for (std::int64_t i = 0; i < places.size(); ++i) {
    const std::size_t round = times[places.as<std::int64_t>()[i]]++;
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(i);
  }
  return rounds;
}

Array scattered(OnnxCall& call, const Array& data, const Array& places, const Array& updates) {
  const std::string reduction = call.text("reduction", "none");
  if (reduction == "add") return data + scatter_add(updates, places, data.shape()[0]);
  const auto known = call.value_of(places);
  if (!known) {
    if (reduction == "none") return combined(data, places, updates, reduction);
    call.fail("reduction '" + reduction + "' with indices that depend on the data");
  }
  const std::vector<Dims> rounds = rounds_of(*known);
  if (rounds.size() > 64) call.fail("a place that is named more than 64 times");
  Array result = data;
  for (const Dims& round : rounds) {
    const Array chosen = call.integers_constant(round);
    result = combined(result, gather(places, chosen), gather(updates, chosen), reduction);
  }
  return result;
}

OnnxOperator scatter_elements() {
  return {.note = "reductions other than add need indices known in advance",
          .build = [](OnnxCall& call) {
            const Array x = call.input(0), indices = call.input(1), updates = call.input(2);
            const std::int64_t axis = onnx_axis(call.integer("axis", 0), x.rank());
            if (indices.rank() != x.rank() || updates.shape() != indices.shape()) {
              call.fail("data, indices and updates do not fit each other");
            }
            const Array places = flat_index_along(indices, x.shape(), axis);
            const std::int64_t count = places.size();
            return std::vector<Array>{
                reshape(scattered(call, reshape(x, {x.size()}), reshape(places, {count}),
                                  reshape(updates, {count})),
                        x.shape())};
          }};
}

}  // namespace

KAPPA_ONNX_OPERATOR(Scatter) { return scatter_elements(); }
KAPPA_ONNX_OPERATOR(ScatterElements) { return scatter_elements(); }

KAPPA_ONNX_OPERATOR(ScatterND) {
  return {.note = "reductions other than add need indices known in advance",
          .build = [](OnnxCall& call) {
            const Array x = call.input(0), indices = call.input(1), updates = call.input(2);
            const Array places = flat_index_of_tuples(call, indices, x.shape(), 0);
            const std::int64_t width = indices.shape().back();
            const Shape& shape = x.shape();
            const std::int64_t size = num_elements({shape.begin() + width, shape.end()});
            const std::int64_t rows = size == 0 ? 0 : x.size() / size;
            const std::int64_t count = places.size();
            return std::vector<Array>{
                reshape(scattered(call, reshape(x, {rows, size}), reshape(places, {count}),
                                  reshape(updates, {count, size})),
                        x.shape())};
          }};
}

}  // namespace kappa
