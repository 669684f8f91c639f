#include "function/make_objective.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/losses.h"
#include "frontend/network.h"
#include "kappa/error.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"

namespace kappa {
namespace {

// Builds a program with new inputs of the given types and names.
struct InputsOf {
  Builder& builder;
  std::vector<Array> operator()(const Program& program) const {
    std::vector<Array> inputs;
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      inputs.push_back(builder.input(program.input_type(i), program.input_names[i]));
    }
    return inputs;
  }
};

// The program of one row turned into that of a micro-batch: parameters stay, columns get a leading
// axis. Output (batch, ...).
Program over_rows(const Program& row, std::size_t num_parameters, std::int64_t batch) {
  std::vector<bool> batched(row.inputs.size(), true);
  std::fill(batched.begin(), batched.begin() + static_cast<std::ptrdiff_t>(num_parameters), false);
  return kappa::batch(row, batched, batch);
}

// sum_i weight_i * x_i^power for a program whose one output is (batch); weights are a new input.
Program weighted_sum(const Program& rows, std::int64_t batch) {
  Builder builder;
  const std::vector<Array> inputs = InputsOf{builder}(rows);
  const Array values = inline_program(builder, rows, inputs)[0];
  const Array weights = builder.input({values.dtype(), {batch}}, "weights");
  return builder.finish(std::vector<Array>{sum(values * weights)});
}

// scale * sum of squares of z (batch), weighted; or of all of z without data.
Program sum_of_squares(const Type& z_type, double scale, bool weighted) {
  Builder builder;
  const Array z = builder.input(z_type, "r");
  Array squares = z * z;
  if (weighted) squares = squares * builder.input({z_type.dtype, {z_type.shape[0]}}, "weights");
  return builder.finish(std::vector<Array>{sum(squares) * scale});
}

void check_weights_known(const NamedValues& weights, const std::vector<LayerParameter>& layers) {
  for (const auto& [name, value] : weights) {
    const bool known = std::any_of(layers.begin(), layers.end(),
                                   [&](const LayerParameter& p) { return p.name == name; });
    if (!known) {
      throw Error(ErrorKind::name,
                  fmt::format("--weights: the network has no parameter '{}'; its parameters are "
                              "layers.I.weight and layers.I.bias, I from 0 to {}",
                              name, layers.size() / 2 - 1));
    }
  }
}

}  // namespace

FormulaObjective make_formula_objective(const std::string& text, const NamedValues& at,
                                        const NamedValues& constants,
                                        std::shared_ptr<const Table> table, bool mean,
                                        const ObjectiveSettings& settings) {
  const DType dtype = settings.dtype.value_or(DType::f64);
  FormulaBindings bindings;
  bindings.dtype = dtype;
  for (const auto& [name, value] : constants) bindings.constants.emplace(name, value);
  if (table) {
    for (const Column& column : table->columns) bindings.columns.push_back(column.name);
  }
  std::vector<Parameter> list;
  for (const auto& [name, value] : at) {
    bindings.parameters.emplace_back(name, value.shape());
    list.push_back({name, value.shape(), true, 0, value});
  }
  const BoundFormula bound = bind_formula(parse_formula(text), bindings);
  select_parameters(list, settings.params);

  FormulaObjective result;
  if (bound.is_vector) {
    if (table) {
      throw Error(ErrorKind::unsupported,
                  "a vector of formulas over a table has no single value to reduce; give one "
                  "formula, the term of a row");
    }
    result.vector = std::make_unique<VectorFunction>(text, Parameters(std::move(list)),
                                                     bound.components, bound.program);
    return result;
  }

  ObjectiveParts parts;
  parts.kind = table ? "formula-table" : "formula";
  parts.text = text;
  parts.dtype = dtype;
  parts.l2 = settings.l2;
  parts.mean = mean;
  const std::size_t num_parameters = list.size();
  parts.parameters = Parameters(std::move(list));
  const std::optional<FormulaResiduals>& residuals = bound.residuals;
  if (table) {
    parts.samples = table_samples(table, bound.columns, dtype);
    parts.total = [program = bound.program, num_parameters](std::int64_t batch) {
      return weighted_sum(over_rows(program, num_parameters, batch), batch);
    };
    // A row's term may itself be a sum of several squares; the fit needs one residual a row.
    if (residuals && num_elements(residuals->program.output_type(0).shape) == 1) {
      parts.residuals = [program = residuals->program, num_parameters](std::int64_t batch) {
        Program rows = over_rows(program, num_parameters, batch);
        Builder builder;
        const std::vector<Array> inputs = InputsOf{builder}(rows);
        const Array r = reshape(inline_program(builder, rows, inputs)[0], {batch});
        return builder.finish(std::vector<Array>{r});
      };
      parts.residual_scale = residuals->scale;
      parts.num_residuals = table->num_rows;
      parts.model = parts.residuals;
      parts.loss = [dtype, scale = residuals->scale](std::int64_t batch) {
        return sum_of_squares({dtype, {batch}}, scale, true);
      };
    }
  } else {
    parts.total = [program = bound.program](std::int64_t) { return program; };
    if (residuals) {
      parts.residuals = [program = residuals->program](std::int64_t) { return program; };
      parts.residual_scale = residuals->scale;
      parts.num_residuals = num_elements(residuals->program.output_type(0).shape);
      parts.model = parts.residuals;
      parts.loss = [type = residuals->program.output_type(0), scale = residuals->scale](
                       std::int64_t) { return sum_of_squares(type, scale, false); };
    }
  }
  result.scalar = std::make_unique<Objective>(std::move(parts), settings.options);
  return result;
}

std::unique_ptr<Objective> make_network_objective(const std::string& layers,
                                                  std::shared_ptr<const Dataset> data,
                                                  const std::string& loss_name,
                                                  const std::string& init, std::uint64_t seed,
                                                  const NamedValues& weights,
                                                  const ObjectiveSettings& settings) {
  const Network network = parse_network(layers);
  const Loss& loss = find_loss(loss_name);
  const DType dtype = settings.dtype.value_or(DType::f32);
  if (data->num_features() != network.num_inputs) {
    throw Error(ErrorKind::shape,
                fmt::format("{} takes {} inputs a sample, {} has {}; {}", layers,
                            network.num_inputs, data->source, data->num_features(),
                            network.kind == "mlp"
                                ? fmt::format("write mlp:{}-...", data->num_features())
                                : fmt::format("the extents it begins with must multiply to {}",
                                              data->num_features())));
  }
  if (data->num_samples() == 0) {
    throw Error(ErrorKind::data, fmt::format("{} has no samples", data->source));
  }
  const bool has_targets = loss.target != TargetKind::none;
  const bool labels = loss.target == TargetKind::labels;
  if (has_targets && !data->has_targets()) {
    throw Error(ErrorKind::data,
                fmt::format("loss {} needs targets, {} has none", loss.name, data->source));
  }
  if (labels) check_labels(*data, network.num_outputs);

  std::vector<Parameter> list;
  const std::vector<LayerParameter>& layer_list = network.parameters;
  check_weights_known(weights, layer_list);
  const std::vector<Tensor> initial = initial_weights(layer_list, init, seed, dtype);
  for (std::size_t i = 0; i < layer_list.size(); ++i) {
    Tensor value = initial[i];
    for (const auto& [name, given] : weights) {
      if (name != layer_list[i].name) continue;
      if (given.shape() != layer_list[i].shape) {
        throw Error(ErrorKind::shape,
                    fmt::format("--weights: {} has shape {}, {} needs {}", name,
                                to_string(given.shape()), layers, to_string(layer_list[i].shape)));
      }
      value = given;
    }
    list.push_back({layer_list[i].name, layer_list[i].shape, true, 0, value});
  }
  select_parameters(list, settings.params);

  ObjectiveParts parts;
  parts.kind = network.kind;
  parts.text = layers;
  parts.loss_name = loss.name;
  parts.dtype = dtype;
  parts.l2 = settings.l2;
  parts.parameters = Parameters(std::move(list));
  parts.samples = dataset_samples(data, dtype, labels, has_targets);
  parts.fisher_is_gauss_newton = loss.fisher_is_gauss_newton;
  {
    const std::vector<Type> types = parts.samples->types(2);
    check_loss(loss, build_network(network, 2, dtype).output_type(0),
               has_targets ? types[1] : Type{dtype, {}});
  }
  parts.model = [network, dtype](std::int64_t batch) {
    return build_network(network, batch, dtype);
  };
  parts.loss = [&loss, samples = parts.samples, has_targets, dtype,
                width = network.num_outputs](std::int64_t batch) {
    Builder builder;
    const Array z = builder.input({dtype, {batch, width}}, "z");
    Array target;
    if (has_targets) target = builder.input(samples->types(batch)[1], "y");
    const Array weight = builder.input({dtype, {batch}}, "weights");
    return builder.finish(std::vector<Array>{sum(build_loss(loss, z, target) * weight)});
  };
  parts.total = [model = parts.model, loss_program = parts.loss](std::int64_t batch) {
    return compose(model(batch), loss_program(batch));
  };
  return std::make_unique<Objective>(std::move(parts), settings.options);
}

}  // namespace kappa
