#include "transform/kronecker.h"

#include <algorithm>

#include "program/builder.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

// P and Q where the array is P'Q with a row a sample each; a row or column that stands as the
// transpose of its product (simplified so) counts.
std::optional<std::pair<Array, Array>> product_over_samples(Builder& builder, const Array& x,
                                                            std::int64_t batch) {
  if (x.rank() != 2) return {};
  Array product = x;
  if (x.node().primitive->name == "reshape") product = Array(&builder, x.node().operands[0]);
  const Node& node = product.node();
  if (node.primitive->name != "matmul" || node.attributes.integer("transpose_a") == 0 ||
      node.attributes.integer("transpose_b") != 0) {
    return {};
  }
  const Array p(&builder, node.operands[0]), q(&builder, node.operands[1]);
  if (p.rank() != 2 || q.rank() != 2 || p.shape()[0] != batch) return {};
  if (product.shape() == x.shape()) return std::pair(p, q);
  const bool turned = product.rank() == 2 && product.shape()[0] == x.shape()[1] &&
                      product.shape()[1] == x.shape()[0];
  if (turned && std::min(x.shape()[0], x.shape()[1]) == 1) return std::pair(q, p);
  return {};
}

// The array whose rows x sums up, through changes of shape; its id or -1.
NodeId summed_rows(const Builder& builder, const Array& x) {
  NodeId id = x.id();
  while (builder.node(id).primitive->name == "reshape") id = builder.node(id).operands[0];
  const Node& node = builder.node(id);
  if (node.primitive->name != "reduce_sum") return -1;
  const NodeId operand = node.operands[0];
  const Shape& shape = builder.node(operand).type.shape;
  return shape.size() == 2 && node.attributes.dims("axes") == Dims{0} ? operand : -1;
}

}  // namespace

KroneckerFactors kronecker_factors(const Program& model, const Program& loss,
                                   const std::vector<bool>& varying, std::int64_t batch,
                                   std::int64_t max_side) {
  std::vector<bool> by_z(loss.inputs.size(), false);
  by_z[0] = true;
  const Program loss_gradient = value_and_gradient(loss, by_z);

  Builder builder;
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    inputs.push_back(builder.input(model.input_type(i), model.input_names[i]));
  }
  std::vector<Array> loss_inputs(1);
  for (std::size_t i = 1; i < loss.inputs.size(); ++i) {
    loss_inputs.push_back(builder.input(loss.input_type(i), loss.input_names[i]));
  }
  const Array signs = builder.input(model.output_type(0), "signs");

  loss_inputs[0] = inline_program(builder, model, inputs)[0];
  std::vector<Array> tangents(loss.inputs.size());
  tangents[0] = signs;
  const Array bent = linearize(builder, loss_gradient, loss_inputs, tangents).tangents[1];
  KroneckerFactors factors;
  if (!bent.defined()) return factors;
  const Array root = sqrt(maximum(signs * bent, 0)) * signs;
  const std::vector<Array> pulled =
      pull_back(builder, model, inputs, varying, std::vector<Array>{root});

  const Array weight = reshape(loss_inputs.back(), {batch, 1});
  const auto gram = [&](const Array& rows, bool with_one) {
    std::vector<Array> parts = {rows * weight};
    if (with_one) parts.push_back(weight);
    const Array all = with_one ? concat(parts, 1) : parts[0];
    return matmul(all, all, true, false);
  };
  std::vector<Array> outputs;
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (!varying[i] || !pulled[i].defined()) continue;
    const auto product = product_over_samples(builder, pulled[i], batch);
    if (!product || std::max(product->first.shape()[1], product->second.shape()[1]) > max_side) {
      continue;
    }
    const auto& [p, q] = *product;
    DenseLayer layer{.weight = i, .bias = {}};
    for (std::size_t j = 0; j < varying.size(); ++j) {
      if (!varying[j] || !pulled[j].defined()) continue;
      const NodeId rows = summed_rows(builder, pulled[j]);
      if (rows < 0 || (rows != p.id() && rows != q.id())) continue;
      layer.bias = j;
      layer.bias_is_row = rows == q.id();
    }
    outputs.push_back(gram(p, layer.bias && layer.bias_is_row));
    outputs.push_back(gram(q, layer.bias && !layer.bias_is_row));
    factors.layers.push_back(layer);
  }
  if (!outputs.empty()) factors.program = builder.finish(outputs);
  return factors;
}

}  // namespace kappa
