#pragma once

#include "frontend/onnx/import.h"

namespace kappa {

/// For models of unknown origin: every input as declared, with extent 2 where the file leaves one
/// open.
inline OnnxImportOptions small_inputs(const OnnxModel& model) {
  OnnxImportOptions options;
  for (const OnnxValueInfo& input : model.graph.inputs) {
    Shape shape;
    for (const OnnxDim& dim : input.dims) shape.push_back(dim.extent < 0 ? 2 : dim.extent);
    options.input_shapes[input.name] = shape;
  }
  return options;
}

}  // namespace kappa
