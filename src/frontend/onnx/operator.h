#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/onnx/graph.h"
#include "kappa/array.h"

namespace kappa {

struct OnnxScope;

/// One node of a model while it is imported, as an operator's rule sees it: inputs, attributes and
/// the opset. Every refusal by `fail` or a thrown Error is completed with the node's name.
class OnnxCall {
 public:
  OnnxCall(OnnxScope& scope, const OnnxNode& node, int opset)
      : scope_(scope), node_(node), opset_(opset) {}

  [[nodiscard]] const OnnxNode& node() const { return node_; }
  /// Version of the operator's domain that the model imports.
  [[nodiscard]] int opset() const { return opset_; }

  /// @name Inputs. Optional ones may be left out at the end, or be named "".
  /// @{
  [[nodiscard]] std::size_t num_inputs() const { return node_.inputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const;
  [[nodiscard]] Array input(std::size_t i) const;
  /// Undefined where left out.
  [[nodiscard]] Array optional_input(std::size_t i) const;
  /// All inputs; for operators that take any number.
  [[nodiscard]] std::vector<Array> inputs() const;
  /// The input's value where it must be known while the model is read (shapes, axes, counts);
  /// Error(unsupported) where it depends on data. A parameter read this way becomes a constant.
  [[nodiscard]] Tensor known(std::size_t i) const;
  /// The same as integers, or as doubles.
  [[nodiscard]] Dims known_integers(std::size_t i) const;
  [[nodiscard]] std::vector<double> known_numbers(std::size_t i) const;
  /// One of them; refused where there are none or several.
  [[nodiscard]] std::int64_t known_integer(std::size_t i) const;
  [[nodiscard]] double known_number(std::size_t i) const;
  /// The value where it is known anyway, else nothing. Parameters stay parameters.
  [[nodiscard]] std::optional<Tensor> try_known(std::size_t i) const;
  /// An input that is a buffer (running statistics): a constant unless --params names it.
  [[nodiscard]] Array buffer(std::size_t i) const;
  /// @}

  /// @name Outputs
  /// @{
  [[nodiscard]] std::size_t num_outputs() const { return node_.outputs.size(); }
  /// Whether something may read output i.
  [[nodiscard]] bool wants(std::size_t i) const {
    return i < node_.outputs.size() && !node_.outputs[i].empty();
  }
  /// @}

  /// @name Attributes; a second argument is the value where there is none
  /// @{
  [[nodiscard]] bool has_attribute(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  [[nodiscard]] double real(std::string_view name, double otherwise) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = "") const;
  [[nodiscard]] Dims integers(std::string_view name, const Dims& otherwise = {}) const;
  [[nodiscard]] std::vector<double> reals(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] const OnnxTensor& tensor(std::string_view name) const;
  [[nodiscard]] const OnnxGraph& graph(std::string_view name) const;
  /// @}

  /// @name Values
  /// @{
  /// The model's floating type: what float16, float and double are computed in.
  [[nodiscard]] DType floating() const;
  /// What ONNX's element type number `type` is computed in.
  [[nodiscard]] DType computed(std::int64_t type) const;
  [[nodiscard]] Array constant(const Tensor& value) const;
  [[nodiscard]] Array integers_constant(const Dims& values) const;  ///< int64 vector
  [[nodiscard]] Array number(double value, DType dtype) const;
  [[nodiscard]] Array zeros(const Shape& shape, DType dtype) const;
  /// The value of an array where it follows from constants.
  [[nodiscard]] std::optional<Tensor> value_of(const Array& x) const;
  /// @}

  /// The outputs of a nested graph (the branch of an If, the body of a Loop) on given inputs.
  [[nodiscard]] std::vector<Array> run(const OnnxGraph& graph, std::span<const Array> inputs) const;
  /// Whether BatchNormalization takes the micro-batch's own statistics.
  [[nodiscard]] bool train_batch_norm() const;

  /// Throws Error(unsupported); the message is completed with the node and the opset.
  [[noreturn]] void fail(const std::string& why) const;

 private:
  [[nodiscard]] const OnnxAttribute* find(std::string_view name) const;
  template <class T>
  [[nodiscard]] const T* find_as(std::string_view name, const char* kind) const;

  OnnxScope& scope_;
  const OnnxNode& node_;
  int opset_;
};

/// How an operator of ONNX is written with arrays.
///
/// A new operator is one file in src/frontend/onnx/operators, named as the operator, with a line
///
///     KAPPA_ONNX_OPERATOR(Relu) { return {.build = [](OnnxCall& call) { ... }}; }
///
/// which returns one array an output. What differs between versions is asked by `call.opset()`.
/// Shapes, axes and the like come from `call.known_integers(i)`: shape arithmetic is folded while
/// the model is read, so the same rule serves constants and arrays. The official node tests of the
/// operator run as soon as it is registered; docs/onnx.md is written from this record.
struct OnnxOperator {
  std::string name;          ///< set by the registry from the macro
  int first = 1, last = 24;  ///< opsets it is right for
  std::string domain = "";
  std::string note = "";  ///< for the table in docs/onnx.md: what is refused, in a few words
  std::function<std::vector<Array>(OnnxCall&)> build;
};

/// Every operator, in file order. Defined in a file the build generates.
std::span<const OnnxOperator* const> all_onnx_operators();
/// The operator of that name and domain, or null.
const OnnxOperator* find_onnx_operator(std::string_view domain, std::string_view name);

/// Defines `const OnnxOperator& kappa_onnx_operator_NAME()`; the body returns the OnnxOperator.
#define KAPPA_ONNX_OPERATOR(identifier)                    \
  static OnnxOperator kappa_make_##identifier();           \
  const OnnxOperator& kappa_onnx_operator_##identifier() { \
    static const OnnxOperator made = [] {                  \
      OnnxOperator made_now = kappa_make_##identifier();   \
      made_now.name = #identifier;                         \
      return made_now;                                     \
    }();                                                   \
    return made;                                           \
  }                                                        \
  static OnnxOperator kappa_make_##identifier()

/// @name Families whose rule is one function of arrays
/// @{
OnnxOperator unary_onnx(Array (*function)(const Array&), int last = 24);
/// @}

/// Axes counted from the end made non-negative; throws Error(shape).
Dims onnx_axes(const Dims& axes, std::int64_t rank);
std::int64_t onnx_axis(std::int64_t axis, std::int64_t rank);

}  // namespace kappa
