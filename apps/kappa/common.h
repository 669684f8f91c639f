#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/table.h"
#include "frontend/onnx/model.h"
#include "function/make_objective.h"
#include "kappa/analysis.h"
#include "option_table.h"
#include "terminal.h"

namespace kappa {

/// What every command takes: the objective, its data, and where results go.
struct CommonOptions {
  std::string objective;
  std::vector<std::string> at, constants;
  std::string data, reduce = "mean";
  std::vector<std::string> targets;
  std::int64_t samples = 0, classes = 0;
  bool standardize = false;
  double scale = 1, shift = 0;
  std::string loss;
  double l2 = 0;
  std::vector<std::string> params;
  std::string weights, init = "uniform";
  std::vector<std::string> inputs;  ///< of ONNX models: NAME=FILE or NAME=NUMBER
  std::string output, batch_norm = "inference";
  std::int64_t seed = 0;
  std::string dtype;
  std::int64_t batch = 0, threads = 0;
  std::string memory;
  std::string json;
  bool quiet = false;

  void add_to(OptionTable& table);
  /// Takes the objective from what is left of the command line. Throws Error(usage).
  void take_objective(const std::vector<std::string>& positional);
  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
  /// --threads, or one a core.
  [[nodiscard]] int num_threads() const;
};

/// The objective of a command line, ready to be asked.
struct LoadedObjective {
  std::unique_ptr<Objective> scalar;  ///< one of the two is set
  std::unique_ptr<VectorFunction> vector;
  std::vector<double> w;  ///< the point
  ObjectiveSummary summary;
  std::shared_ptr<const Dataset> data;     ///< of networks
  std::shared_ptr<const Table> table;      ///< of formulas over tables
  std::vector<std::string> notes;          ///< what a user should know, one sentence each
  std::shared_ptr<const OnnxModel> model;  ///< of .onnx files, which --out can write again

  [[nodiscard]] const Parameters& parameters() const {
    return scalar ? scalar->parameters() : vector->parameters();
  }
  /// The scalar objective, or Error(unsupported) with the reason.
  [[nodiscard]] const Objective& require_scalar(const std::string& question) const;
};

LoadedObjective load_objective(const CommonOptions& options);

/// Throws Error(data) if no file could be written under this name; leaves nothing behind.
void check_writable(const std::string& path);

/// Writes the JSON where --json said: a file, or standard output.
void write_json(const CommonOptions& options, const std::string& text);

/// A line each on standard error.
void print_notes(const std::vector<std::string>& notes);
void print_warnings(const std::vector<std::string>& warnings);

}  // namespace kappa
