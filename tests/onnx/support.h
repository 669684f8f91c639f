#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "frontend/onnx/import.h"
#include "frontend/onnx/model.h"
#include "kappa/error.h"
#include "runtime/plan.h"

namespace kappa {

inline std::string test_data_folder() {
  const char* folder = std::getenv("KAPPA_TEST_DATA");
  return folder == nullptr ? "" : folder;
}

inline OnnxTensor read_pb(const std::filesystem::path& path) {
  return parse_onnx_tensor(read_file(path.string(), std::int64_t{1} << 30), path.string());
}

/// All outputs of a program on the given inputs.
inline std::vector<Tensor> run_program(const Program& program, const std::vector<Tensor>& inputs) {
  const Plan plan(program);
  std::vector<const void*> sources;
  for (const Tensor& input : inputs) sources.push_back(input.data());
  std::vector<Tensor> outputs;
  std::vector<void*> targets;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    outputs.emplace_back(program.output_type(i));
    targets.push_back(outputs.back().data());
  }
  const auto workspace = allocate_aligned(plan.workspace_bytes());
  plan.run(sources.data(), targets.data(), workspace.get());
  return outputs;
}

/// "" where every element agrees: |a - e| <= absolute + relative |e|, integers equal. Else the
/// first that does not.
inline std::string difference(const Tensor& actual, const Tensor& expected, double relative,
                              double absolute) {
  if (actual.shape() != expected.shape()) {
    return "shape " + to_string(actual.shape()) + ", expected " + to_string(expected.shape());
  }
  if (is_floating(actual.dtype()) != is_floating(expected.dtype()) ||
      (!is_floating(actual.dtype()) && actual.dtype() != expected.dtype())) {
    return to_string(actual.dtype()) + ", expected " + to_string(expected.dtype());
  }
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const double a = actual.at(i), e = expected.at(i);
    if (a == e || (std::isnan(a) && std::isnan(e))) continue;
    if (!is_floating(actual.dtype()) || !(std::abs(a - e) <= absolute + relative * std::abs(e))) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " +
             std::to_string(e) + ", off by " + std::to_string(a - e);
    }
  }
  return "";
}

}  // namespace kappa
