#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

Array minor_of(const Array& m, std::int64_t row, std::int64_t column) {
  const std::int64_t b = m.shape()[0], n = m.shape()[1];
  const Array below = slice(m, {0, row + 1, 0}, {b, n, n});
  return concat(std::vector<Array>{slice(below, {0, 0, 0}, {b, n - row - 1, column}),
                                   slice(below, {0, 0, column + 1}, {b, n - row - 1, n})},
                2);
}

// Expanded along the first row: n! products, exact and with exact derivatives for singular matrices
// as well. m is (batch, n, n), the result (batch).
Array determinant(const Array& m) {
  const std::int64_t b = m.shape()[0], n = m.shape()[1];
  if (n == 1) return reshape(m, {b});
  Array total;
  for (std::int64_t c = 0; c < n; ++c) {
    const Array entry = reshape(slice(m, {0, 0, c}, {b, 1, c + 1}), {b});
    const Array term = entry * determinant(minor_of(m, 0, c));
    total = c == 0 ? term : c % 2 == 0 ? total + term : total - term;
  }
  return total;
}

}  // namespace

KAPPA_ONNX_OPERATOR(Det) {
  return {.first = 11, .note = "matrices of at most 6 rows", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const Shape& s = x.shape();
            if (s.size() < 2 || s.back() != s.end()[-2] || s.back() < 1)
              call.fail("matrices that are not square");
            if (s.back() > 6) call.fail("matrices of more than 6 rows");
            const Shape outer(s.begin(), s.end() - 2);
            const Array flat = reshape(x, {x.size() / (s.back() * s.back()), s.back(), s.back()});
            return std::vector<Array>{reshape(determinant(flat), outer)};
          }};
}

}  // namespace kappa
