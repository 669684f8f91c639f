#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kappa/array.h"
#include "program/attributes.h"
#include "program/program.h"
#include "program/type.h"

namespace kappa {

/// A primitive's application inside a program under construction, as rules see it.
struct Call {
  const Attributes& attributes;
  std::span<const Array> operands;
  Array result;  // undefined in `simplify`
};

/// A run of consecutive elements for an elementwise kernel. Inputs and output are contiguous and
/// each input either equals the output's address or does not overlap it.
struct TileCall {
  std::int64_t count;
  const void* const* inputs;
  void* output;
  const Attributes& attributes;
};
using TileFunction = void (*)(const TileCall&);

/// Element i of a view is element offset + sum_d i_d * strides[d] of its operand; where bounds are
/// given, elements with some i_d outside [lower[d], upper[d]) are zero.
struct View {
  bool same_order = false;  // reshape: all elements in the same order; nothing below applies
  std::int64_t offset = 0;
  Dims strides;
  Dims lower, upper;
};

/// A call of a general kernel. Arrays are contiguous and do not overlap.
struct KernelCall {
  const Attributes& attributes;
  std::span<const Type> input_types;
  const Type& output_type;
  const void* const* inputs;
  void* output;
  bool accumulate;  // add to the output instead of writing it
  void* scratch;    // scratch_bytes() bytes
};

/// How the runtime executes a primitive; exactly one of tile, view, run is set.
struct Kernel {
  /// Elementwise: the function for these types, null where the types are not supported.
  std::function<TileFunction(std::span<const Type> operands, const Type& result)> tile;
  /// No work of its own: a rearrangement that is read in place. May return nothing for a call that
  /// is no view; `run` is used then.
  std::function<std::optional<View>(const Attributes&, std::span<const Type>, const Type& result)>
      view;
  std::function<void(const KernelCall&)> run;
  bool accumulates = false;  // `run` honours KernelCall::accumulate
  /// Elementwise: cost of one element, an addition being 1 (a transcendental function about 20).
  /// The runtime recomputes what is cheap rather than storing it.
  int element_cost = 1;
  /// Tells the runtime what it may fuse: a + b, a - b and a * b of two operands; `sum` sums over
  /// the attribute "axes".
  enum class Role { other, add, subtract, multiply, sum } role = Role::other;
  std::function<std::int64_t(const Attributes&, std::span<const Type>)> scratch_bytes;
  /// Floating-point operations of one call; elementwise kernels count one an element.
  std::function<double(const Attributes&, std::span<const Type>, const Type& result)> flops;
};

/// A call as the rule of its sparsity sees it. `known` holds the values of operands that depend on
/// no input of the program, null for the others.
struct SparsityCall {
  const Attributes& attributes;
  std::span<const Type> operands;
  const Type& result;
  std::span<const Tensor* const> known;
};

/// Which elements of an operand an element of the result depends on: those of its own group.
struct ElementGroups {
  std::vector<std::int32_t> of_operand;  // empty: every element is a group, named by its place
  std::vector<std::int32_t> of_result;   // likewise; -1: depends on none
  /// Which of the group: all, or those whose place is not after (not before) the result's own.
  enum class Within { all, not_after, not_before } within = Within::all;
};

/// What the property tests feed a primitive with: operand types (floating ones are tried as f64 and
/// f32), attributes, and for each operand the range of its random values.
struct Sample {
  std::vector<Type> operands;
  Attributes attributes;
  std::vector<std::pair<double, double>> ranges;  // empty: [-2, 2] for all
  bool smooth = true;  // false: derivative tests are meaningless here (ties, kinks, integers)
};

/// One operation: its type rule, derivative rules, batching, execution, printing and tests.
///
/// A new primitive is one file in src/primitives with a line `KAPPA_PRIMITIVE(name) { ... }`.
struct Primitive {
  std::string name;
  std::string doc;
  int num_operands = 1;  // -1: any number

  /// Result type, or Error that names the operand.
  std::function<Type(const Attributes&, std::span<const Type>)> infer;

  /// Operands in which the result is jointly linear, the others held fixed. Gives the jvp.
  std::vector<int> linear_operands;
  /// Linear in operand 0 and in operand 1 separately. Gives the jvp.
  bool bilinear = false;
  /// Tangent of the result; tangents that are zero are undefined arrays, and at least one is not.
  /// Not needed where linear_operands or bilinear is set. Empty otherwise: the result is piecewise
  /// constant (comparison, sign) and its tangent zero.
  std::function<Array(const Call&, std::span<const Array> tangents)> jvp;
  /// Cotangent of operand `index` in which the result is linear. Not defined for primitives that
  /// are linear in no operand.
  std::function<Array(const Call&, int index, const Array& cotangent)> transpose;
  /// The call with one more leading axis on the flagged operands; the result carries it too.
  /// Elementwise primitives need none.
  std::function<Array(const Call&, const std::vector<bool>& batched, std::int64_t extent)> batch;
  /// Groups of operand `index` and the result, or nothing where that cannot be told before the
  /// program runs. An upper bound of the dependence; without a rule all depends on all. Elementwise
  /// primitives and views need none.
  std::function<std::optional<ElementGroups>(const SparsityCall&, int index)> sparsity;
  /// Something cheaper of the same value (x * 1 -> x), or undefined.
  std::function<Array(const Call&)> simplify;

  Kernel kernel;
  std::function<std::vector<Sample>()> samples;

  /// Formula text: function call `name(...)` unless `print` is set; `precedence` of what it prints
  /// (see frontend): 1 comparison, 2 sum, 3 product, 4 negation, 5 power, 9 call.
  std::function<std::pair<std::string, int>(const Attributes&,
                                            std::span<const std::pair<std::string, int>> operands)>
      print;
  /// Known by its name in formulas as an elementwise function.
  bool formula_function = false;

  [[nodiscard]] bool elementwise() const { return static_cast<bool>(kernel.tile); }
};

/// Every primitive, in file order. Defined in a file the build generates.
std::span<const Primitive* const> all_primitives();
/// The primitive of that name, or null.
const Primitive* find_primitive(std::string_view name);

/// Defines `const Primitive& kappa_primitive_NAME()`; the body returns the Primitive.
#define KAPPA_PRIMITIVE(identifier)                          \
  static Primitive kappa_make_##identifier();                \
  const Primitive& kappa_primitive_##identifier() {          \
    static const Primitive made = kappa_make_##identifier(); \
    return made;                                             \
  }                                                          \
  static Primitive kappa_make_##identifier()

}  // namespace kappa
