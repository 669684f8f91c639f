#pragma once

#include <string>

namespace kappa {

/// The supported operators as a Markdown table: name, opsets, and what is refused. docs/onnx.md
/// holds a copy, which a test compares.
std::string onnx_operator_table();

}  // namespace kappa
