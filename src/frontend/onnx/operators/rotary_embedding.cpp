#include "frontend/onnx/operator.h"

namespace kappa {

// Pairs of features (halves, or neighbours where interleaved) turned by an angle that depends on
// the place: (a, b) -> (a cos - b sin, a sin + b cos).
KAPPA_ONNX_OPERATOR(RotaryEmbedding) {
  return {
      .first = 23, .build = [](OnnxCall& call) {
        Array x = call.input(0);
        const Shape given = x.shape();
        if (x.rank() == 3) {
          const std::int64_t heads = call.integer("num_heads", 0);
          if (heads < 1 || given[2] % heads != 0)
            call.fail("features that do not divide into num_heads");
          x = transpose(reshape(x, {given[0], given[1], heads, given[2] / heads}), {0, 2, 1, 3});
        }
        if (x.rank() != 4) call.fail("data of neither 3 nor 4 axes");
        const Shape s = x.shape();  // (batch, heads, steps, size)
        std::int64_t turned = call.integer("rotary_embedding_dim", 0);
        if (turned == 0) turned = s[3];
        const std::int64_t half = turned / 2;
        if (turned % 2 != 0 || turned < 0 || turned > s[3])
          call.fail("an odd number of features to turn");
        const auto factor = [&](std::size_t i) {  // (batch, 1, steps, half)
          Array table = call.input(i);
          if (call.has(3)) table = gather(table, call.input(3), 0);
          if (table.rank() != 3 || table.shape()[2] < half)
            call.fail("caches that do not fit the data");
          const Shape t = table.shape();
          table = slice(table, {0, 0, 0}, {t[0], t[1], half});
          return reshape(table, {t[0], 1, t[1], half});
        };
        const Array cosine = factor(1), sine = factor(2);
        const bool neighbours = call.integer("interleaved", 0) != 0;
        const auto part = [&](std::int64_t first) {
          return neighbours
                     ? slice(x, {0, 0, 0, first}, {s[0], s[1], s[2], turned}, {1, 1, 1, 2})
                     : slice(x, {0, 0, 0, first * half}, {s[0], s[1], s[2], (first + 1) * half});
        };
        const Array a = part(0), b = part(1);
        Array u = a * cosine - b * sine, w = a * sine + b * cosine;
        std::vector<Array> parts;
        if (neighbours) {
          const Shape apart{s[0], s[1], s[2], half, 1};
          parts.push_back(
              reshape(concat(std::vector<Array>{reshape(u, apart), reshape(w, apart)}, 4),
                      {s[0], s[1], s[2], turned}));
        } else {
          parts = {u, w};
        }
        if (turned < s[3]) parts.push_back(slice(x, {0, 0, 0, turned}, s));
        Array y = concat(parts, 3);
        if (given.size() == 3) y = reshape(transpose(y, {0, 2, 1, 3}), given);
        return std::vector<Array>{y};
      }};
}

}  // namespace kappa
