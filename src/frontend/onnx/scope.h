#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/onnx/import.h"
#include "frontend/onnx/operator.h"
#include "program/builder.h"

namespace kappa {

/// The values of constant arrays, computed when asked. Bounds on their size and work keep absurd
/// shapes of a hostile file from being filled in.
class KnownValues {
 public:
  using Assumption = std::function<std::optional<Tensor>(NodeId)>;

  /// What the array is where it follows from constants, else nothing. An assumption gives values to
  /// inputs of the program: those of parameters.
  std::optional<Tensor> find(const Array& x, const Assumption& assumption = nullptr);

 private:
  std::unordered_map<NodeId, std::optional<Tensor>> found_;  // without assumptions
  double flops_ = 0;
  std::int64_t elements_ = 0;
};

/// What one import has in common, whatever graph it is in.
struct OnnxImport {
  const OnnxModel& model;
  const OnnxImportOptions& options;
  Builder& builder;
  KnownValues known;
  /// Inputs of the program that stand for initialisers (or the values of Constant nodes).
  std::map<NodeId, const OnnxTensor*> parameters;
  std::set<std::string> frozen;  ///< parameters whose value a rule has read
  /// Outputs of Constant nodes that are parameters, as inputs of the program.
  std::map<std::string, Array> constants;
  std::int64_t folded_bytes = 0;  ///< of small constants that nodes have made
  std::int64_t num_nodes = 0;     ///< imported so far: bounds unrolled loops
};

/// The names of one graph; those of the graphs around it are seen through `outer`.
struct OnnxScope {
  OnnxImport& import;
  OnnxScope* outer = nullptr;
  std::map<std::string, Array> values;
  const std::map<std::string, int>* opsets = nullptr;  ///< of a function's body; null: the model's
  const OnnxNode* caller = nullptr;  ///< of a function's body: whose attributes it refers to
  OnnxScope* caller_scope = nullptr;
  int depth = 0;

  [[nodiscard]] const Array* find(const std::string& name) const;
};

/// The names a node reads, those that its nested graphs take from around them included.
std::vector<std::string> names_read(const OnnxNode& node);

/// Imports the nodes of `graph` that `outputs` need into `scope`, in an order that data flow
/// allows. Throws Error(data) for cycles and for names that nothing makes.
void import_nodes(OnnxScope& scope, const OnnxGraph& graph,
                  const std::vector<std::string>& outputs);

}  // namespace kappa
