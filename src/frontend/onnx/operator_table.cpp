#include "frontend/onnx/operator_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "frontend/onnx/operator.h"

namespace kappa {

std::string onnx_operator_table() {
  std::vector<const OnnxOperator*> list(all_onnx_operators().begin(), all_onnx_operators().end());
  std::sort(list.begin(), list.end(), [](const OnnxOperator* a, const OnnxOperator* b) {
    return std::tie(a->domain, a->name) < std::tie(b->domain, b->name);
  });
  std::string table = "| operator | opsets | remarks |\n| --- | --- | --- |\n";
  for (const OnnxOperator* op : list) {
    const std::string name = op->domain.empty() ? op->name : op->domain + "." + op->name;
    table += fmt::format("| {} | {} to {} | {} |\n", name, op->first, op->last, op->note);
  }
  return table;
}

}  // namespace kappa
