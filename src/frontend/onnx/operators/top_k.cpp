#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// Every entry is compared with every other: its rank is how many come before it. Derivatives pass
// to the chosen entries.
KAPPA_ONNX_OPERATOR(TopK) {
  return {.note = "compares all pairs: extent^2 a row", .build = [](OnnxCall& call) {
            Array x = call.input(0);
            const Dims given = call.opset() < 10 ? Dims{call.integer("k")} : call.known_integers(1);
            const std::int64_t axis = onnx_axis(call.integer("axis", -1), x.rank());
            const bool largest = call.integer("largest", 1) != 0;
            Dims order;
            for (std::int64_t i = 0; i < x.rank(); ++i) {
              if (i != axis) order.push_back(i);
            }
            order.push_back(axis);
            x = transpose(x, order);
            const Shape shape = x.shape();
            const std::int64_t n = shape.back();
            if (given.size() != 1 || given[0] < 0 || given[0] > n) {
              call.fail("k must be one number from 0 to the axis's extent");
            }
            const std::int64_t k = given[0], rows = n == 0 ? 0 : x.size() / n;
            if (num_elements({rows, n, n}) > (std::int64_t{1} << 26)) {
              call.fail("an axis of " + std::to_string(n) + " entries: too many pairs to compare");
            }
            const Array mine = reshape(x, {rows, n, 1}), other = reshape(x, {rows, 1, n});
            const Array place = iota(x, n, DType::i64);
            const Array earlier = less(reshape(place, {1, 1, n}), reshape(place, {1, n, 1}));
            const Array before = logical_or(largest ? other > mine : other < mine,
                                            logical_and(equal(other, mine), earlier));
            const Array rank = sum(convert(before, DType::i64), {2});
            const Array chosen =
                equal(reshape(rank, {rows, 1, n}), reshape(iota(x, k, DType::i64), {1, k, 1}));
            const Shape all{rows, k, n};
            const auto pick = [&](const Array& v) {
              const Array picked =
                  sum(where(chosen, broadcast_to(v, all), call.zeros(all, v.dtype())), {2});
              Shape back = shape;
              back.back() = k;
              Dims inverse(order.size());
              for (std::size_t i = 0; i < order.size(); ++i) {
                inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
              }
              return transpose(reshape(picked, back), inverse);
            };
            return std::vector<Array>{pick(other), pick(reshape(place, {1, 1, n}))};
          }};
}

}  // namespace kappa
