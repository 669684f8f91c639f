#include "function/onnx_objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/losses.h"
#include "frontend/nearest.h"
#include "kappa/error.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"

namespace kappa {
namespace {

/// The model's data inputs, then the targets as the loss wants them.
class OnnxSamples final : public SampleSource {
 public:
  OnnxSamples(std::shared_ptr<const OnnxInputs> inputs, std::shared_ptr<const Dataset> data,
              DType dtype, bool whole, std::optional<Type> target)
      : inputs_(std::move(inputs)),
        data_(std::move(data)),
        dtype_(dtype),
        whole_(whole),
        target_(std::move(target)) {}

  [[nodiscard]] std::int64_t num_samples() const override { return inputs_->num_samples(); }

  [[nodiscard]] std::vector<Type> types(std::int64_t batch) const override {
    std::vector<Type> types =
        whole_ ? inputs_->batch_types(batch, dtype_) : inputs_->sample_types(batch, dtype_);
    if (target_) {
      types.push_back(*target_);
      types.back().shape.insert(types.back().shape.begin(), batch);
    }
    return types;
  }

  void fill(std::size_t input, const Rows& rows, void* target) const override {
    const std::vector<Type> all = types(rows.count());
    const DType dtype = all[input].dtype;
    if (!target_ || input + 1 < all.size()) return inputs_->fill(input, rows, dtype, target);
    if (dtype == DType::f32) return copy_targets(*data_, rows, static_cast<float*>(target));
    if (dtype == DType::f64) return copy_targets(*data_, rows, static_cast<double*>(target));
    std::vector<double> wide(static_cast<std::size_t>(rows.count() * data_->num_targets()));
    copy_targets(*data_, rows, wide.data());
    std::copy(wide.begin(), wide.end(), static_cast<std::int64_t*>(target));
  }

 private:
  std::shared_ptr<const OnnxInputs> inputs_;
  std::shared_ptr<const Dataset> data_;
  DType dtype_;
  bool whole_;
  std::optional<Type> target_;  // of one sample
};

/// Builds the model's program for micro-batches.
struct ModelBuilder {
  std::shared_ptr<const OnnxModel> model;
  std::shared_ptr<const OnnxInputs> inputs;
  OnnxImportOptions base;
  bool whole = false;  // bound to a micro-batch at once

  [[nodiscard]] OnnxProgram import_batch(std::int64_t batch) const {
    OnnxImportOptions options = base;
    inputs->bind_batch(options, batch);
    return import_onnx(*model, options);
  }
  [[nodiscard]] OnnxProgram import_sample() const {
    OnnxImportOptions options = base;
    inputs->bind_sample(options);
    return import_onnx(*model, options);
  }
  /// Output (batch, ...): a sample's own axes, without the first where that has extent 1.
  [[nodiscard]] Program operator()(std::int64_t batch) const {
    if (whole) return import_batch(batch).program;
    const OnnxProgram sample = import_sample();
    std::vector<bool> batched(sample.program.inputs.size(), true);
    std::fill(batched.begin(),
              batched.begin() + static_cast<std::ptrdiff_t>(sample.parameters.size()), false);
    const Program rows = kappa::batch(sample.program, batched, batch);
    Builder builder;
    std::vector<Array> arguments;
    for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
      arguments.push_back(builder.input(rows.input_type(i), rows.input_names[i]));
    }
    const Array z = inline_program(builder, rows, arguments)[0];
    Shape shape = sample.program.output_type(0).shape;
    if (shape.size() > 1 && shape[0] == 1) shape.erase(shape.begin());
    shape.insert(shape.begin(), batch);
    return builder.finish(std::vector<Array>{reshape(z, shape)});
  }
};

// Whether the model takes micro-batches of any size: its output then has that many rows. The reason
// where it does not.
std::string refuses_batches(const ModelBuilder& builder) {
  for (const std::int64_t batch : {3, 5}) {
    try {
      const Shape shape = builder.import_batch(batch).program.output_type(0).shape;
      if (shape.empty() || shape[0] != batch) {
        return fmt::format("its output for {} samples has the shape {}", batch, to_string(shape));
      }
    } catch (const Error& error) {
      return error.what();
    }
  }
  return "";
}

// Buffers and Constant nodes that --params names.
std::set<std::string> asked_parameters(const OnnxModel& model,
                                       const std::vector<std::string>& globs) {
  std::set<std::string> asked;
  for (const std::string& glob : globs) {
    bool any = false;
    for (const OnnxTensor& tensor : model.graph.initialisers) {
      if (!is_floating(tensor.type) || !matches_glob(glob, tensor.name)) continue;
      any = true;
      if (glob != "*") asked.insert(tensor.name);
    }
    if (any) continue;
    for (const OnnxNode& node : model.graph.nodes) {
      if (node.op == "Constant" && !node.outputs.empty() && matches_glob(glob, node.outputs[0])) {
        asked.insert(node.outputs[0]);
      }
    }
  }
  return asked;
}

// Operators at a model's end that the loss contains itself.
std::set<std::string> heads_in(const std::string& loss) {
  if (loss == "cross-entropy" || loss == "nll") return {"Softmax", "LogSoftmax"};
  if (loss == "bce") return {"Sigmoid"};
  return {};
}

std::vector<Parameter> parameter_list(const OnnxProgram& imported, const OnnxModel& model,
                                      const NamedValues& weights) {
  if (imported.parameters.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: no float initialiser influences the output through operators that "
                            "have derivatives; weights in Constant nodes become parameters by "
                            "--params NAME",
                            model.path));
  }
  std::vector<Parameter> list;
  std::vector<std::string> names;
  for (const OnnxParameter& p : imported.parameters) {
    list.push_back({p.name, p.value.shape(), true, 0, p.value});
    names.push_back(p.name);
  }
  for (const auto& [name, value] : weights) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const Parameter& p) { return p.name == name; });
    if (found == list.end()) {
      throw Error(ErrorKind::name, fmt::format("--weights: {} has no parameter '{}'{}", model.path,
                                               name, did_you_mean(name, names)));
    }
    if (found->shape != value.shape()) {
      throw Error(ErrorKind::shape,
                  fmt::format("--weights: {} has shape {}, {} needs {}", name,
                              to_string(value.shape()), model.path, to_string(found->shape)));
    }
    found->value = value;
  }
  return list;
}

// Labels a place of the output each, as many as the data set gives; throws where they do not fit.
void check_places(const Dataset& data, const Shape& places, std::int64_t classes) {
  if (data.num_targets() == 1 && num_elements(places) == 1) return check_labels(data, classes);
  if (data.num_targets() != num_elements(places)) {
    throw Error(ErrorKind::shape,
                fmt::format("{}: {} targets a sample for outputs of {} places", data.source,
                            data.num_targets(), num_elements(places)));
  }
  for (std::int64_t i = 0; i < data.y.size(); ++i) {
    const double label = data.y[i];
    if (label < 0 || label >= static_cast<double>(classes) || label != std::floor(label)) {
      throw Error(ErrorKind::value,
                  fmt::format("{}: target {} (from 0) is {:g}; expected an integer from 0 to {}",
                              data.source, i, label, classes - 1));
    }
  }
}

}  // namespace

OnnxObjective make_onnx_objective(std::shared_ptr<const OnnxModel> model,
                                  std::shared_ptr<const Dataset> data,
                                  const OnnxObjectiveOptions& options,
                                  const ObjectiveSettings& settings) {
  const Loss& loss = find_loss(options.loss);
  const DType dtype = settings.dtype.value_or(DType::f32);
  const bool has_targets = loss.target != TargetKind::none;
  if (data != nullptr && data->num_samples() == 0) {
    throw Error(ErrorKind::data, fmt::format("{} has no samples", data->source));
  }
  if (has_targets && (data == nullptr || !data->has_targets())) {
    throw Error(ErrorKind::data,
                fmt::format("loss {} needs targets, {}", loss.name,
                            data == nullptr ? "which --data gives" : data->source + " has none"));
  }
  std::vector<std::string> names;
  for (const OnnxValueInfo& output : model->graph.outputs) names.push_back(output.name);
  if (names.empty()) throw Error(ErrorKind::data, model->path + ": the model has no output");
  const std::string output = options.output.empty() ? names[0] : options.output;
  if (std::find(names.begin(), names.end(), output) == names.end()) {
    throw Error(ErrorKind::name,
                fmt::format("--output {}: {} has no such output; it has {}{}", output, model->path,
                            fmt::join(names, ", "), did_you_mean(output, names)));
  }

  OnnxObjective result;
  ModelBuilder builder{model, nullptr, {}};
  auto inputs = std::make_shared<OnnxInputs>(*model, output, data, options.inputs);
  builder.inputs = inputs;
  builder.base.floating = dtype;
  builder.base.outputs = {output};
  builder.base.asked_parameters = asked_parameters(*model, settings.params);
  builder.base.train_batch_norm = options.train_batch_norm;
  builder.base.left_out_heads = heads_in(loss.name);
  if (inputs->takes_batches(options.train_batch_norm)) {
    const std::string reason = refuses_batches(builder);
    builder.whole = reason.empty();
    if (!builder.whole) {
      if (options.train_batch_norm) {
        throw Error(
            ErrorKind::unsupported,
            fmt::format("--batch-norm train needs a model that takes many samples at once: {}",
                        reason));
      }
      result.notes.push_back(fmt::format(
          "the model takes one sample at a time ({}); its operations are batched instead", reason));
    }
  } else if (options.train_batch_norm) {
    throw Error(
        ErrorKind::unsupported,
        fmt::format("{}: --batch-norm train needs inputs with an axis of samples", model->path));
  }
  const OnnxProgram imported = builder.whole ? builder.import_batch(2) : builder.import_sample();
  std::vector<Parameter> list = parameter_list(imported, *model, options.weights);
  select_parameters(list, settings.params);

  ObjectiveParts parts;
  parts.kind = "onnx";
  parts.text = model->path;
  parts.loss_name = loss.name;
  parts.dtype = dtype;
  parts.l2 = settings.l2;
  parts.parameters = Parameters(std::move(list));
  parts.fisher_is_gauss_newton = loss.fisher_is_gauss_newton;
  if (options.train_batch_norm) {
    parts.whole_batch = settings.options.batch > 0 ? settings.options.batch : inputs->num_samples();
  }
  if (!imported.head.empty()) {
    result.notes.push_back(
        fmt::format("the model ends in {}: the loss {} takes its input, the logits{}",
                    imported.head, loss.name, loss.name == "nll" ? ", and their log-softmax" : ""));
  }
  if (!inputs->has_samples()) {  // nothing is data: the output is the function
    const Type value = imported.program.output_type(0);
    if (num_elements(value.shape) != 1) {
      throw Error(ErrorKind::shape,
                  fmt::format("loss output: '{}' is {}, not one value", output, to_string(value)));
    }
    parts.total = [builder, value](std::int64_t) {
      Builder b;
      const Array z = b.input(value, "z");
      return compose(builder.import_sample().program, b.finish(std::vector<Array>{reshape(z, {})}));
    };
    result.objective = std::make_unique<Objective>(std::move(parts), settings.options);
    return result;
  }
  const bool log_probabilities = loss.name == "nll" && !imported.head.empty();

  // The model's output as the loss takes it: one axis of outputs for numbers.
  parts.model = [builder, numbers = loss.target == TargetKind::numbers,
                 log_probabilities](std::int64_t batch) {
    const Program program = builder(batch);
    const Shape& shape = program.output_type(0).shape;
    const bool flatten = numbers && shape.size() != 2;
    if (!flatten && !log_probabilities) return program;
    Builder b;
    const Array z = b.input(program.output_type(0), "z");
    const Array y = log_probabilities ? log_softmax(z, -1) : z;
    return compose(
        program, b.finish(std::vector<Array>{flatten ? reshape(y, {batch, y.size() / batch}) : y}));
  };
  if (!imported.head.empty()) {
    ModelBuilder as_is = builder;
    as_is.base.left_out_heads.clear();
    parts.outputs = [as_is](std::int64_t batch) { return as_is(batch); };
  }
  const Type z = parts.model(2).output_type(0);
  std::optional<Type> target;
  if (loss.target == TargetKind::labels) {
    if (z.shape.size() < 2) {
      throw Error(ErrorKind::shape, fmt::format("loss {}: the output '{}' has no axis of classes",
                                                loss.name, output));
    }
    target = Type{DType::i64, {z.shape.begin() + 1, z.shape.end() - 1}};
    check_places(*data, target->shape, z.shape.back());
  } else if (has_targets) {
    target = Type{dtype, {data->num_targets()}};
  }
  parts.samples = std::make_shared<OnnxSamples>(inputs, data, dtype, builder.whole, target);
  check_loss(loss, z, target ? parts.samples->types(2).back() : Type{dtype, {}});
  parts.loss = [&loss, samples = parts.samples, has_targets, dtype,
                model_program = parts.model](std::int64_t batch) {
    Builder b;
    const Array y = b.input(model_program(batch).output_type(0), "z");
    Array t;
    if (has_targets) t = b.input(samples->types(batch).back(), "y");
    const Array weight = b.input({dtype, {batch}}, "weights");
    return b.finish(std::vector<Array>{sum(build_loss(loss, y, t) * weight)});
  };
  parts.total = [model_program = parts.model, loss_program = parts.loss](std::int64_t batch) {
    return compose(model_program(batch), loss_program(batch));
  };
  result.objective = std::make_unique<Objective>(std::move(parts), settings.options);
  return result;
}

}  // namespace kappa
