#include "transform/derivatives.h"

#include <algorithm>

#include "program/builder.h"
#include "transform/batch.h"
#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

std::vector<Array> add_inputs(Builder& builder, const Program& program) {
  std::vector<Array> inputs;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    inputs.push_back(builder.input(program.input_type(i), program.input_names[i]));
  }
  return inputs;
}

// One more input, the direction, for each varying input; undefined for the others.
std::vector<Array> add_directions(Builder& builder, const Program& program,
                                  const std::vector<bool>& varying) {
  std::vector<Array> directions(program.inputs.size());
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (varying[i]) {
      directions[i] = builder.input(program.input_type(i), "d" + program.input_names[i]);
    }
  }
  return directions;
}

Array or_zeros(const Array& x, const Array& like) { return x.defined() ? x : zeros_like(like); }

// Identity of order n as an array of shape (n, shape...), n the size of the shape.
Array unit_directions(Builder& builder, const Type& type) {
  const std::int64_t n = num_elements(type.shape);
  const Array anchor = builder.scalar(0, type.dtype);
  const Array row = iota(anchor, n, DType::i64);
  const Array eye = convert(equal(reshape(row, {n, 1}), row), type.dtype);
  Shape shape = type.shape;
  shape.insert(shape.begin(), n);
  return reshape(eye, shape);
}

}  // namespace

Program value_and_gradient(const Program& scalar, const std::vector<bool>& varying) {
  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, scalar);
  const Array one = builder.scalar(1, scalar.output_type(0).dtype);
  std::vector<Array> outputs;
  const std::vector<Array> gradient =
      pull_back(builder, scalar, inputs, varying, std::vector<Array>{one}, &outputs);
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (varying[i]) outputs.push_back(or_zeros(gradient[i], inputs[i]));
  }
  return builder.finish(outputs);
}

Program jacobian_product(const Program& program, const std::vector<bool>& varying) {
  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, program);
  const std::vector<Array> directions = add_directions(builder, program, varying);
  const Linearized linearized = linearize(builder, program, inputs, directions);
  std::vector<Array> outputs = linearized.outputs;
  for (std::size_t i = 0; i < linearized.tangents.size(); ++i) {
    outputs.push_back(or_zeros(linearized.tangents[i], linearized.outputs[i]));
  }
  return builder.finish(outputs);
}

Program hessian_product(const Program& scalar, const std::vector<bool>& varying) {
  const Program gradient = value_and_gradient(scalar, varying);
  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, gradient);
  const std::vector<Array> directions = add_directions(builder, gradient, varying);
  const Linearized linearized = linearize(builder, gradient, inputs, directions);
  std::vector<Array> outputs;
  for (std::size_t i = 1; i < linearized.tangents.size(); ++i) {
    outputs.push_back(or_zeros(linearized.tangents[i], linearized.outputs[i]));
  }
  outputs.insert(outputs.end(), linearized.outputs.begin(), linearized.outputs.end());
  return builder.finish(outputs);
}

Program compose(const Program& model, const Program& loss) {
  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, model);
  std::vector<Array> loss_inputs = inline_program(builder, model, inputs);
  for (std::size_t i = 1; i < loss.inputs.size(); ++i) {
    loss_inputs.push_back(builder.input(loss.input_type(i), loss.input_names[i]));
  }
  return builder.finish(inline_program(builder, loss, loss_inputs));
}

Program gauss_newton_product(const Program& model, const Program& loss,
                             const std::vector<bool>& varying) {
  const std::vector<bool> loss_varying = [&] {
    std::vector<bool> flags(loss.inputs.size(), false);
    flags[0] = true;
    return flags;
  }();
  const Program loss_gradient = value_and_gradient(loss, loss_varying);

  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, model);
  std::vector<Array> loss_inputs(1);
  for (std::size_t i = 1; i < loss.inputs.size(); ++i) {
    loss_inputs.push_back(builder.input(loss.input_type(i), loss.input_names[i]));
  }
  const std::vector<Array> directions = add_directions(builder, model, varying);

  const Linearized forward = linearize(builder, model, inputs, directions);
  loss_inputs[0] = forward.outputs[0];
  std::vector<Array> loss_tangents(loss.inputs.size());
  loss_tangents[0] = or_zeros(forward.tangents[0], forward.outputs[0]);
  const Linearized curved = linearize(builder, loss_gradient, loss_inputs, loss_tangents);
  const Array weighted = or_zeros(curved.tangents[1], forward.outputs[0]);  // H_loss J v
  const std::vector<Array> products =
      pull_back(builder, model, inputs, varying, std::vector<Array>{weighted});
  const std::vector<Array> gradient =
      pull_back(builder, model, inputs, varying, std::vector<Array>{curved.outputs[1]});

  std::vector<Array> outputs;
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (varying[i]) outputs.push_back(or_zeros(products[i], inputs[i]));
  }
  outputs.push_back(curved.outputs[0]);
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (varying[i]) outputs.push_back(or_zeros(gradient[i], inputs[i]));
  }
  return builder.finish(outputs);
}

Program jacobian(const Program& program, const std::vector<bool>& varying) {
  Builder builder;
  const std::vector<Array> inputs = add_inputs(builder, program);
  const Type output = program.output_type(0);
  const std::int64_t rows = num_elements(output.shape);
  std::int64_t columns = 0;
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (varying[i]) columns += num_elements(program.input_type(i).shape);
  }
  std::vector<Array> outputs;
  if (rows < columns) {
    // Reverse: the transpose as a program of the cotangent, batched over unit cotangents.
    Builder inner;
    const std::vector<Array> inner_inputs = add_inputs(inner, program);
    const Array cotangent = inner.input(output);
    const std::vector<Array> pulled =
        pull_back(inner, program, inner_inputs, varying, std::vector<Array>{cotangent});
    std::vector<Array> results;
    for (std::size_t i = 0; i < varying.size(); ++i) {
      if (varying[i]) results.push_back(or_zeros(pulled[i], inner_inputs[i]));
    }
    const Program transposed = inner.finish(results);
    std::vector<Array> all = inputs;
    all.push_back(unit_directions(builder, output));
    std::vector<bool> batched(all.size(), false);
    batched.back() = true;
    for (const Array& block : batch(builder, transposed, all, batched, rows)) {
      Shape shape = output.shape;
      shape.insert(shape.end(), block.shape().begin() + 1, block.shape().end());
      outputs.push_back(reshape(block, shape));
    }
    return builder.finish(outputs);
  }
  for (std::size_t i = 0; i < varying.size(); ++i) {
    if (!varying[i]) continue;
    std::vector<bool> one(varying.size(), false);
    one[i] = true;
    Program forward = jacobian_product(program, one);
    forward.outputs.erase(forward.outputs.begin());
    std::vector<Array> all = inputs;
    all.push_back(unit_directions(builder, program.input_type(i)));
    std::vector<bool> batched(all.size(), false);
    batched.back() = true;
    const std::int64_t n = num_elements(program.input_type(i).shape);
    const Array block = batch(builder, forward, all, batched, n)[0];  // (n, output...)
    const Array turned = transpose(reshape(block, {n, rows}));        // (rows, n)
    Shape shape = output.shape;
    shape.insert(shape.end(), program.input_type(i).shape.begin(),
                 program.input_type(i).shape.end());
    outputs.push_back(reshape(turned, shape));
  }
  return builder.finish(outputs);
}

}  // namespace kappa
