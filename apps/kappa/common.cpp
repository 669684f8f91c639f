#include "common.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "data/npy.h"
#include "frontend/formula.h"
#include "frontend/losses.h"
#include "frontend/nearest.h"
#include "frontend/network.h"
#include "function/onnx_objective.h"
#include "kappa/error.h"
#include "values.h"

namespace kappa {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

[[noreturn]] void only_for(const char* option, const char* what) {
  throw Error(ErrorKind::usage, fmt::format("{} is for {}", option, what));
}

ObjectiveSettings settings_of(const CommonOptions& options) {
  ObjectiveSettings settings;
  if (options.dtype == "f32") settings.dtype = DType::f32;
  if (options.dtype == "f64") settings.dtype = DType::f64;
  if (options.l2 < 0) {
    throw Error(ErrorKind::value, fmt::format("--l2: {:g} is negative", options.l2));
  }
  settings.l2 = options.l2;
  settings.params = options.params;
  settings.options.num_threads = options.num_threads();
  settings.options.batch = options.batch;
  if (!options.memory.empty()) {
    settings.options.memory_bytes = parse_bytes("--memory", options.memory);
    // The program, its libraries and the kernels they generate take about this much themselves.
    settings.options.reserved_bytes =
        std::min<std::int64_t>(std::int64_t{40} << 20, settings.options.memory_bytes / 2);
  }
  return settings;
}

void load_formula(const CommonOptions& options, LoadedObjective& loaded) {
  constexpr const char* networks =
      "networks (mlp:... and others); a formula is its own model and loss";
  if (!options.loss.empty()) only_for("--loss", networks);
  if (!options.weights.empty()) only_for("--weights", "networks; give a formula's point by --at");
  if (!options.targets.empty()) only_for("--target", networks);
  if (options.classes > 0) only_for("--classes", networks);
  if (options.standardize) only_for("--standardize", networks);
  if (options.scale != 1) only_for("--scale", networks);
  if (options.shift != 0) only_for("--shift", networks);
  if (options.data.empty() && options.samples > 0) only_for("--samples", "objectives with --data");
  const NamedValues at = parse_point(options.at);
  const NamedValues constants = parse_constants(options.constants);
  if (!options.data.empty()) {
    loaded.table = std::make_shared<Table>(load_table(options.data, options.samples));
  }
  FormulaObjective made = make_formula_objective(options.objective, at, constants, loaded.table,
                                                 options.reduce == "mean", settings_of(options));
  loaded.scalar = std::move(made.scalar);
  loaded.vector = std::move(made.vector);
  const std::vector<std::string> used = parse_formula(options.objective).free_names;
  for (const auto& [name, value] : at) {
    if (std::find(used.begin(), used.end(), name) == used.end()) {
      loaded.notes.push_back(fmt::format("the formula does not use {}: it is flat along it", name));
    }
  }
}

// The data set of a network, and the loss where none is given.
std::string load_data(const CommonOptions& options, LoadedObjective& loaded) {
  DatasetOptions data_options;
  data_options.targets = options.targets;
  data_options.require_targets =
      options.loss.empty() || find_loss(options.loss).target != TargetKind::none;
  data_options.num_samples = options.samples;
  data_options.num_classes = options.classes;
  data_options.standardize = options.standardize;
  data_options.scale = options.scale;
  data_options.shift = options.shift;
  static const std::vector<std::string> named{"fashion-mnist", "fashion-mnist:test"};
  std::error_code ignored;
  if (const std::string meant = nearest(options.data, named);
      !meant.empty() && meant != options.data && !std::filesystem::exists(options.data, ignored)) {
    throw Error(ErrorKind::data,
                fmt::format("--data {}: no such file or data set (did you mean '{}'?)",
                            options.data, meant));
  }
  auto data = std::make_shared<Dataset>(load_dataset(options.data, data_options));
  loaded.notes = data->notes;
  std::string loss = options.loss;
  if (loss.empty()) {
    loss = data->num_classes > 0 ? "cross-entropy" : "mse";
    loaded.notes.push_back(fmt::format(
        "no --loss given: {} ({})", loss,
        data->num_classes > 0 ? "the targets are class labels" : "the targets are numbers"));
  }
  loaded.data = data;
  return loss;
}

void check_network_options(const CommonOptions& options) {
  if (!options.at.empty()) only_for("--at", "formulas; give a network's parameters by --weights");
  if (!options.constants.empty()) only_for("--const", "formulas");
  if (!options.loss.empty()) find_loss(options.loss);
}

NamedValues weights_of(const CommonOptions& options) {
  return options.weights.empty() ? NamedValues{} : read_named_arrays(options.weights);
}

void load_network(const CommonOptions& options, LoadedObjective& loaded) {
  parse_network(options.objective);  // before any data is read
  check_network_options(options);
  if (options.data.empty()) {
    throw Error(ErrorKind::usage,
                "a network needs data: --data fashion-mnist, XY.npz, X.npy,Y.npy or TABLE.csv with "
                "--target");
  }
  const std::string loss = load_data(options, loaded);
  loaded.scalar = make_network_objective(options.objective, loaded.data, loss, options.init,
                                         static_cast<std::uint64_t>(options.seed),
                                         weights_of(options), settings_of(options));
}

// NAME=FILE.npy, or NAME=NUMBER for that number everywhere.
OnnxInputValue parse_input(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("--input: '{}' is not NAME=FILE.npy or NAME=NUMBER", text));
  }
  OnnxInputValue value{text.substr(0, equals), 0, nullptr};
  const std::string what = text.substr(equals + 1);
  const auto [end, status] = std::from_chars(what.data(), what.data() + what.size(), value.number);
  if (status == std::errc() && end == what.data() + what.size()) return value;
  auto data = std::make_shared<Dataset>();
  data->source = what;
  data->x = read_npy(what);
  value.array = std::move(data);
  return value;
}

void load_onnx(const CommonOptions& options, LoadedObjective& loaded) {
  check_network_options(options);
  OnnxObjectiveOptions onnx;
  for (const std::string& text : options.inputs) onnx.inputs.push_back(parse_input(text));
  loaded.model = std::make_shared<const OnnxModel>(read_onnx(options.objective));
  if (options.data.empty()) {
    if (options.loss != "output") {
      throw Error(ErrorKind::usage,
                  "a model needs data: --data fashion-mnist, XY.npz, X.npy,Y.npy or TABLE.csv with "
                  "--target; or --loss output with its inputs by --input NAME=FILE.npy");
    }
    onnx.loss = options.loss;
  } else {
    onnx.loss = load_data(options, loaded);
  }
  onnx.output = options.output;
  onnx.weights = weights_of(options);
  onnx.train_batch_norm = options.batch_norm == "train";
  OnnxObjective made = make_onnx_objective(loaded.model, loaded.data, onnx, settings_of(options));
  loaded.scalar = std::move(made.objective);
  loaded.notes.insert(loaded.notes.end(), made.notes.begin(), made.notes.end());
}

}  // namespace

void CommonOptions::add_to(OptionTable& table) {
  std::vector<std::string> losses;
  for (const Loss& known : all_losses()) losses.push_back(known.name);
  table.group("Function and point");
  table.repeated("--at", "POINT",
                 "the point of a formula: x=-1.2,y=1; x=[1,2,3]; x=0.5*1000 (1000 entries 0.5); "
                 "x=@file.npy; start.npz",
                 at);
  table.repeated("--const", "NAME=VALUE", "a name that is no parameter: a=2, A=matrix.npy",
                 constants);
  table.list("--params", "GLOB[,GLOB]", "only these parameters vary", params);
  table.text("--weights", "FILE.npz", "parameters of a network by name", weights);
  table.text("--init", "SCHEME",
             "initial weights of a network: uniform (default), xavier, he, normal:SIGMA, zeros",
             init);
  table.repeated("--input", "NAME=FILE.npy",
                 "an input of an ONNX model: a row a sample, or the same for all; NAME=1 for ones",
                 inputs);
  table.text("--output", "NAME", "the output of an ONNX model (default: its first)", output);
  table.choice("--batch-norm", {"inference", "train"},
               "batch normalisation by running statistics (default) or each micro-batch's own",
               batch_norm);
  table.choice("--loss", losses, "what a network's outputs are measured by", loss);
  table.number("--l2", "LAMBDA", "adds LAMBDA/2 |w|^2", l2);
  table.choice("--dtype", {"f32", "f64"}, "precision (formulas f64, networks f32)", dtype);
  table.count("--seed", "of initial weights and all randomness (default 0)", 0, seed);
  table.group("Data");
  table.text("--data", "DATA",
             "TABLE.csv[.gz]; XY.npz with arrays x and y; X.npy,Y.npy; IMAGES-idx3-ubyte,"
             "LABELS-idx1-ubyte; fashion-mnist; fashion-mnist:test",
             data);
  table.list("--target", "NAME[,NAME]", "target columns of a table, for networks", targets);
  table.choice("--reduce", {"mean", "sum"}, "of a formula over the rows of a table", reduce);
  table.count("--samples", "only the first N samples", 1, samples);
  table.count("--classes", "number of classes", 1, classes);
  table.flag("--standardize", "inputs to mean 0 and variance 1 per feature", standardize);
  table.number("--scale", "S", "then inputs times S, e.g. 1/255", scale);
  table.number("--shift", "M", "then inputs minus M", shift);
  table.group("Work");
  table.count("--batch", "samples a micro-batch (default: chosen)", 1, batch);
  table.text("--memory", "SIZE", "budget of workspaces, e.g. 200M (default: half of free memory)",
             memory);
  table.count("--threads", "threads (default: one a core)", 1, threads);
  table.group("Output");
  table.text("--json", "FILE", "results as JSON; - is standard output, in place of the text", json);
  table.flag("--quiet", "no progress and no notes", quiet);
}

int CommonOptions::num_threads() const {
  const unsigned cores = std::thread::hardware_concurrency();
  return static_cast<int>(threads > 0 ? std::min<std::int64_t>(threads, 1024)
                                      : std::max(cores, 1U));
}

void CommonOptions::take_objective(const std::vector<std::string>& positional) {
  if (positional.empty() || positional[0].empty()) {
    throw Error(ErrorKind::usage,
                "no OBJECTIVE: give a formula in quotes such as \"x^2 + y^2\", or a network such "
                "as mlp:784-64-10:tanh");
  }
  if (positional.size() > 1) {
    throw Error(ErrorKind::usage,
                fmt::format("unexpected argument '{}' after the objective '{}'; put formulas in "
                            "quotes",
                            positional[1].substr(0, 40), positional[0].substr(0, 40)));
  }
  objective = positional[0];
}

const Objective& LoadedObjective::require_scalar(const std::string& question) const {
  if (scalar) return *scalar;
  throw Error(
      ErrorKind::unsupported,
      fmt::format("{} needs one function value; this is a vector of {} functions, which has "
                  "a Jacobian but no Hessian. Reduce it to one number, e.g. the sum of "
                  "squares of its entries",
                  question, vector->num_outputs()));
}

LoadedObjective load_objective(const CommonOptions& options) {
  if (!options.json.empty()) check_writable(options.json);
  LoadedObjective loaded;
  if (ends_with(options.objective, ".onnx")) {
    load_onnx(options, loaded);
  } else {
    if (!options.inputs.empty()) only_for("--input", "ONNX models");
    if (!options.output.empty()) only_for("--output", "ONNX models");
    if (options.batch_norm != "inference") only_for("--batch-norm", "ONNX models");
    is_layer_string(options.objective) ? load_network(options, loaded)
                                       : load_formula(options, loaded);
  }
  loaded.w = loaded.parameters().start();
  ObjectiveSummary& summary = loaded.summary;
  if (loaded.scalar) {
    const ObjectiveParts& parts = loaded.scalar->parts();
    summary.kind = parts.kind;
    summary.text = parts.text;
    summary.loss = parts.loss_name;
    summary.dtype = to_string(parts.dtype);
    summary.num_samples = loaded.scalar->num_samples();
  } else {
    summary.kind = "formula";
    summary.text = loaded.vector->text();
    summary.dtype = to_string(loaded.vector->program().output_type(0).dtype);
  }
  summary.num_parameters = loaded.parameters().dimension();
  return loaded;
}

void check_writable(const std::string& path) {
  if (path != "-") AtomicFile{path};  // closed without commit(): nothing stays
}

void write_json(const CommonOptions& options, const std::string& text) {
  if (options.json_to_stdout()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  } else if (!options.json.empty()) {
    write_file(options.json, text);
  }
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::fprintf(stderr, "kappa: note: %s\n", note.c_str());
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    std::fprintf(stderr, "kappa: warning: %s\n", warning.c_str());
  }
}

}  // namespace kappa
