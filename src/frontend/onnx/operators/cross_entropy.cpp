// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: data (N, C, d1, ...), classes (N, d1,
// ...).

#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

// -w[t] x[t] for the class t of each place; `mean` divides by the sum of those weights. Places of
// the class `ignore_index` count nothing.
Array likelihood_loss(OnnxCall& call, const Array& x, const Array& classes, const Array& weights) {
  Shape raised = classes.shape();
  if (x.rank() < 2 || x.rank() != classes.rank() + 1) call.fail("classes that do not fit the data");
  raised.insert(raised.begin() + 1, 1);
  Shape along(x.shape().size(), 1);
  along[1] = x.shape()[1];
  const Array t = reshape(classes, raised);
  Array chosen = equal(t, reshape(iota(x, x.shape()[1], DType::i64), along));
  if (call.has_attribute("ignore_index")) {
    chosen = logical_and(chosen, not_equal(t, static_cast<double>(call.integer("ignore_index"))));
  }
  const Array weight = weights.defined() ? reshape(weights, along) : full(x, 1, along, x.dtype());
  const Array zero = call.zeros(x.shape(), x.dtype());
  const Array loss = -sum(where(chosen, x * weight, zero), {1});
  const std::string reduction = call.text("reduction", "mean");
  if (reduction == "none") return loss;
  if (reduction == "sum") return sum(loss);
  if (reduction != "mean") call.fail("reduction '" + reduction + "'");
  return sum(loss) / sum(where(chosen, broadcast_to(weight, x.shape()), zero));
}

}  // namespace

KAPPA_ONNX_OPERATOR(NegativeLogLikelihoodLoss) {
  return {.first = 12, .build = [](OnnxCall& call) {
            return std::vector<Array>{
                likelihood_loss(call, call.input(0), call.input(1), call.optional_input(2))};
          }};
}

KAPPA_ONNX_OPERATOR(SoftmaxCrossEntropyLoss) {
  return {.first = 12, .build = [](OnnxCall& call) {
            const Array log_probabilities = log_softmax(call.input(0), 1);
            return std::vector<Array>{
                likelihood_loss(call, log_probabilities, call.input(1), call.optional_input(2)),
                log_probabilities};
          }};
}

}  // namespace kappa
