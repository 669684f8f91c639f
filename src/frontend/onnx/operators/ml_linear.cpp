// LinearClassifier and LinearRegressor of scikit-learn. Coefficients are attributes, so no
// parameters.

#include "frontend/onnx/ml.h"

namespace kappa {
namespace {

// x W^T + b; W has a row a class.
Array linear_scores(OnnxCall& call, const Array& x, std::int64_t rows) {
  const std::int64_t features = x.shape()[1];
  const std::vector<double> weights = call.reals("coefficients");
  const std::vector<double> bias = call.reals("intercepts");
  if (rows < 1 || static_cast<std::int64_t>(weights.size()) != rows * features ||
      (!bias.empty() && static_cast<std::int64_t>(bias.size()) != rows)) {
    call.fail("coefficients or intercepts do not fit the data");
  }
  const Array scores = matmul(x, constant(x, weights, {rows, features}, x.dtype()), false, true);
  return bias.empty() ? scores : scores + constant(x, bias, {rows}, x.dtype());
}

}  // namespace

KAPPA_ONNX_OPERATOR(LinearClassifier) {
  return {.domain = "ai.onnx.ml",
          .note = "labels that are texts have no place; scores do",
          .build = [](OnnxCall& call) {
            const Array x = ml_samples(call, 0);
            const std::int64_t coefficients =
                static_cast<std::int64_t>(call.reals("coefficients").size());
            const std::int64_t rows = x.shape()[1] > 0 ? coefficients / x.shape()[1] : 0;
            const std::size_t labels =
                call.integers("classlabels_ints").size() + call.texts("classlabels_strings").size();
            const Array scores = linear_scores(call, x, rows);
            if (rows == 1 && labels == 2) {  // one score decides between two classes
              const Array positive = ml_post_transform(call, scores);
              const Array chosen = convert(scores > 0.0, DType::i64);
              return std::vector<Array>{
                  ml_labels(call, reshape(chosen, {x.shape()[0]}), "classlabels_ints"),
                  concat(std::vector<Array>{1.0 - positive, positive}, 1)};
            }
            return std::vector<Array>{ml_labels(call, ml_best_class(scores), "classlabels_ints"),
                                      ml_post_transform(call, scores)};
          }};
}

KAPPA_ONNX_OPERATOR(LinearRegressor) {
  return {.domain = "ai.onnx.ml", .build = [](OnnxCall& call) {
            const Array x = ml_samples(call, 0);
            return std::vector<Array>{
                ml_post_transform(call, linear_scores(call, x, call.integer("targets", 1)))};
          }};
}

}  // namespace kappa
