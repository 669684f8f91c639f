#include "frontend/onnx/ml.h"

namespace kappa {

Array ml_samples(OnnxCall& call, std::size_t input) {
  Array x = call.input(input);
  if (x.rank() == 1) x = reshape(x, {1, x.size()});
  if (x.rank() != 2) call.fail("data that are not (samples, features)");
  return x.dtype() == DType::f32 || x.dtype() == DType::f64 ? x : convert(x, call.floating());
}

Array ml_post_transform(OnnxCall& call, const Array& scores) {
  const std::string name = call.text("post_transform", "NONE");
  if (name == "NONE") return scores;
  if (name == "LOGISTIC") return sigmoid(scores);
  if (name == "SOFTMAX") return softmax(scores, 1);
  if (name == "SOFTMAX_ZERO") {  // scores of exactly 0 take no part
    const Array parts = exp(scores - max(scores, {1}, true));
    const Array counted = where(equal(scores, 0.0), 0.0 * parts, parts);
    return counted / sum(counted, {1}, true);
  }
  call.fail("post_transform " + name);
}

Array ml_labels(OnnxCall& call, const Array& classes, std::string_view names) {
  const Dims labels = call.integers(names);
  if (!labels.empty()) return gather(call.integers_constant(labels), classes);
  return call.texts("classlabels_strings").empty() ? classes : Array{};
}

Array ml_best_class(const Array& scores) {
  const std::int64_t count = scores.shape()[1];
  const Array place = reshape(iota(scores, count, DType::i64), {1, count});
  const Array best = equal(scores, max(scores, {1}, true));
  return min(where(best, place, static_cast<double>(count - 1)), {1});
}

}  // namespace kappa
