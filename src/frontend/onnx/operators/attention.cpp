#include <cmath>
#include <limits>

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// (batch, steps, heads * size) as (batch, heads, steps, size).
Array in_heads(OnnxCall& call, const Array& x, std::int64_t heads) {
  if (x.rank() == 4) return x;
  if (x.rank() != 3 || heads < 1 || x.shape()[2] % heads != 0) {
    call.fail("Q, K and V need 4 axes, or 3 and as many features as divide into the heads");
  }
  const Shape& s = x.shape();
  return transpose(reshape(x, {s[0], s[1], heads, s[2] / heads}), {0, 2, 1, 3});
}

// Each head `times` in a row.
Array repeated(const Array& x, std::int64_t times) {
  if (times == 1) return x;
  const Shape s = x.shape();
  const Array apart = reshape(x, {s[0], s[1], 1, s[2], s[3]});
  return reshape(broadcast_to(apart, {s[0], s[1], times, s[2], s[3]}),
                 {s[0], s[1] * times, s[2], s[3]});
}

// The scores with -infinity where the mask says so, added where it is numbers. A mask shorter than
// the keys excludes those behind it.
Array masked(OnnxCall& call, const Array& scores, Array mask) {
  const bool chooses = mask.dtype() == DType::boolean;
  if (mask.rank() < 1) call.fail("a mask without an axis of keys");
  const std::int64_t missing = scores.shape().back() - mask.shape().back();
  if (missing < 0) call.fail("a mask longer than the keys");
  if (missing > 0) {
    Shape behind = mask.shape();
    behind.back() = missing;
    mask = chooses ? convert(mask, DType::i64) : mask;
    const Array tail = full(mask, chooses ? 0 : -infinity, behind, mask.dtype());
    mask = concat(std::vector<Array>{mask, tail}, mask.rank() - 1);
    if (chooses) mask = not_equal(mask, 0.0);
  }
  return chooses ? where(mask, scores, -infinity) : scores + mask;
}

}  // namespace

// softmax(scale Q K^T + mask) V, head by head; K and V may be shared by several heads of Q, and may
// continue those of past calls.
KAPPA_ONNX_OPERATOR(Attention) {
  return {.first = 23, .build = [](OnnxCall& call) {
            const bool flat = call.input(0).rank() == 3;
            const Array q = in_heads(call, call.input(0), call.integer("q_num_heads", 0));
            Array k = in_heads(call, call.input(1), call.integer("kv_num_heads", 0));
            Array v = in_heads(call, call.input(2), call.integer("kv_num_heads", 0));
            for (const std::size_t i : {4, 5}) {
              if (call.has(i) && call.input(i).rank() != 4) call.fail("past keys of not 4 axes");
            }
            const std::int64_t past = call.has(4) ? call.input(4).shape()[2] : 0;
            if (call.has(4)) k = concat(std::vector<Array>{call.input(4), k}, 2);
            if (call.has(5)) v = concat(std::vector<Array>{call.input(5), v}, 2);
            const Array all_keys = k, all_values = v;
            const std::int64_t heads = q.shape()[1], queries = q.shape()[2], keys = k.shape()[2];
            if (k.shape()[1] < 1 || heads % k.shape()[1] != 0 || v.shape()[1] != k.shape()[1]) {
              call.fail("the heads of Q do not divide into those of K and V");
            }
            k = repeated(k, heads / k.shape()[1]);
            v = repeated(v, heads / v.shape()[1]);

            const double scale =
                call.real("scale", 1 / std::sqrt(static_cast<double>(q.shape()[3])));
            Array scores = matmul(q, k, false, true) * scale;
            const Array products = scores;
            const double cap = call.real("softcap", 0);
            if (cap > 0) scores = cap * tanh(scores * (1 / cap));
            const Array capped = scores;
            if (call.has(3)) scores = masked(call, scores, call.input(3));
            const Array key = reshape(iota(q, keys, DType::i64), {1, 1, 1, keys});
            const Array query = reshape(iota(q, queries, DType::i64), {1, 1, queries, 1});
            if (call.has(6)) {  // keys in use, a sample
              const Array used = call.input(6);
              const Array count = reshape(used, {used.size(), 1, 1, 1});
              scores = where(key < count, scores, -infinity);
              if (call.integer("is_causal", 0) != 0 && !call.has(4)) {
                const Array last = query + count - static_cast<double>(queries);
                scores = where(key <= last, scores, -infinity);
              }
            }
            if (call.integer("is_causal", 0) != 0 && (call.has(4) || !call.has(6))) {
              scores = where(key <= query + static_cast<double>(past), scores, -infinity);
            }
            const Array weights = softmax(scores, 3);
            Array y = matmul(weights, v);
            if (flat) {
              const Shape s = y.shape();
              y = reshape(transpose(y, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]});
            }
            const Array shown[] = {products, capped, scores, weights};
            const std::int64_t mode = call.integer("qk_matmul_output_mode", 0);
            if (mode < 0 || mode > 3) call.fail("an unknown qk_matmul_output_mode");
            return std::vector<Array>{y, all_keys, all_values, shown[mode]};
          }};
}

}  // namespace kappa
