#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "frontend/onnx/model.h"
#include "program/program.h"

namespace kappa {

struct OnnxImportOptions {
  DType floating = DType::f32;
  /// Shapes of the inputs that are arrays of the program, by name.
  std::map<std::string, Shape> input_shapes;
  /// Inputs that are the same for every run; they become constants.
  std::map<std::string, Tensor> fixed_inputs;
  /// The outputs wanted; empty: the first.
  std::vector<std::string> outputs;
  /// Parameters that are such only when asked for by name: buffers (running statistics), and
  /// Constant nodes by the name of their output.
  std::set<std::string> asked_parameters;
  bool parameters = true;  ///< false: all initialisers are constants
  bool train_batch_norm = false;
  /// Operators that are left out where one ends the model: "Softmax", "LogSoftmax", "Sigmoid".
  std::set<std::string> left_out_heads;
};

struct OnnxParameter {
  std::string name;
  Tensor value;
};

struct OnnxProgram {
  Program program;  ///< inputs: the parameters, then the data inputs in the model's order
  std::vector<OnnxParameter> parameters;  ///< in the order of the initialisers
  std::vector<std::string> inputs;        ///< names of the data inputs
  std::string head;                       ///< the operator that was left out, or empty
};

/// The model as a program. The parameters are the float initialisers that influence the outputs
/// through operators that have derivatives; everything else is constant. Throws Error with the
/// model, the node and the opset for what is not supported.
OnnxProgram import_onnx(const OnnxModel& model, const OnnxImportOptions& options);

/// The inputs of the model that the output depends on.
std::set<std::string> needed_inputs(const OnnxModel& model, const std::string& output);

}  // namespace kappa
