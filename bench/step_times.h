#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "function/objective.h"
#include "runtime/plan.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/split.h"

namespace kappa {

/// Prints the time of every step in a Hessian product of `block` directions at a fixed point, one
/// micro-batch by itself on invented numbers, then the sums by kind of step.
inline void print_step_times(const Objective& objective, std::int64_t block, std::int64_t repeat) {
  const ObjectiveParts& parts = objective.parts();
  const Program total = parts.total(objective.cost(block).batch);
  std::vector<bool> varying = parts.parameters.varying();
  varying.resize(total.inputs.size(), false);
  const Program product = hessian_product(total, varying);
  const std::size_t n = parts.parameters.size();
  std::vector<bool> directions(product.inputs.size(), false);
  std::fill(directions.end() - static_cast<std::ptrdiff_t>(n), directions.end(), true);
  const Split cut = split(product, directions, n);
  Program apply = cut.apply;
  if (block > 1) {
    std::vector<bool> batched(apply.inputs.size(), false);
    const std::size_t first = batched.size() - cut.num_residuals - n;
    for (std::size_t i = 0; i < n; ++i) batched[first + i] = true;
    apply = batch(apply, batched, block);
  }
  const Plan plan(apply);
  std::vector<std::shared_ptr<std::byte[]>> memory;
  std::int64_t given_bytes = 0;
  const auto array = [&](const Type& type) {
    memory.push_back(allocate_aligned(num_bytes(type)));
    given_bytes += num_bytes(type);
    auto* values = reinterpret_cast<float*>(memory.back().get());
    for (std::int64_t i = 0; type.dtype == DType::f32 && i < num_elements(type.shape); ++i) {
      values[i] = 1 + 0.5F * std::sin(static_cast<float>(i));
    }
    return memory.back().get();
  };
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (std::size_t i = 0; i < apply.inputs.size(); ++i)
    inputs.push_back(array(apply.input_type(i)));
  for (std::size_t i = 0; i < apply.outputs.size(); ++i) {
    outputs.push_back(array(apply.output_type(i)));
  }
  const auto workspace = allocate_aligned(plan.workspace_bytes());
  plan.run(inputs.data(), outputs.data(), workspace.get());
  // The best of all runs, step by step: a shared machine only ever adds.
  std::vector<double> seconds(plan.num_steps(), std::numeric_limits<double>::infinity());
  for (std::int64_t r = 0; r < repeat; ++r) {
    std::vector<double> run(plan.num_steps());
    plan.run_timed(inputs.data(), outputs.data(), workspace.get(), run.data());
    for (std::size_t i = 0; i < run.size(); ++i) seconds[i] = std::min(seconds[i], run[i]);
  }
  std::istringstream lines(plan.describe());
  std::string line;
  std::map<std::string, std::pair<int, double>> kinds;
  double sum = 0;
  for (std::size_t i = 0; i < plan.num_steps() && std::getline(lines, line); ++i) {
    const double microseconds = 1e6 * seconds[i] / static_cast<double>(block);
    fmt::print("{:8.1f} us  {}\n", microseconds, line);
    const std::size_t begin = line.find(": ") + 2;
    auto& [count, time] = kinds[line.substr(begin, line.find(' ', begin) - begin)];
    ++count;
    time += microseconds;
    sum += microseconds;
  }
  for (const auto& [name, kind] : kinds) {
    fmt::print("{:24} {:4} steps {:10.1f} us a direction\n", name, kind.first, kind.second);
  }
  fmt::print(
      "{:24} {:4} steps {:10.1f} us a direction, {:.1f} GF/s; inputs and results {:.1f} MB, "
      "workspace {:.1f} MB\n",
      "all", plan.num_steps(), sum, plan.flops() / static_cast<double>(block) / sum / 1e3,
      static_cast<double>(given_bytes) / 1e6, static_cast<double>(plan.workspace_bytes()) / 1e6);
}

}  // namespace kappa
