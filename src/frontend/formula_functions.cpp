#include "frontend/formula_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/formula.h"
#include "kappa/error.h"
#include "program/primitive.h"

namespace kappa {
namespace {

// ------------------------------------------------------------------------------- elementwise

using Unary = Array (*)(const Array&);
using Binary = Array (*)(const Array&, const Array&);
using Reduction = Array (*)(const Array&, const Dims&, bool);

FormulaFunction unary(const char* name, Unary function) {
  return {name, fmt::format("{}(x)", name), 1, 1, false, [function](const FormulaCall& call) {
            return call.scope.apply(
                call.arguments, [function](std::span<const Array> x) { return function(x[0]); });
          }};
}

FormulaFunction binary(const char* name, const char* usage, Binary function) {
  return {name, usage, 2, 2, false, [function](const FormulaCall& call) {
            return call.scope.apply(call.arguments, [function](std::span<const Array> x) {
              return function(x[0], x[1]);
            });
          }};
}

FormulaFunction from_primitive(const Primitive& primitive) {
  const int count = std::max(primitive.num_operands, 1);
  std::string usage = primitive.name + "(";
  for (int i = 0; i < count; ++i) usage += (i > 0 ? ", " : "") + std::string(1, "xyzabc"[i % 6]);
  return {primitive.name, usage + ")", count, count, false, [&primitive](const FormulaCall& call) {
            return call.scope.apply(call.arguments, [&primitive](std::span<const Array> x) {
              return apply_elementwise(primitive, x);
            });
          }};
}

// ------------------------------------------------------------------------------- reductions

FormulaFunction reduction(const char* name, Reduction function) {
  return {name, fmt::format("{}(x, axis=)", name), 1, 1, true, [function](const FormulaCall& call) {
            const Dims axes = call.axes.value_or(Dims{});
            return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
              return function(x[0], axes, false);
            });
          }};
}

// min and max reduce one argument and compare several.
FormulaFunction extremum(const char* name, Reduction reduce, Binary compare) {
  return {name,
          fmt::format("{0}(x, axis=) or {0}(a, b, ...)", name),
          1,
          -1,
          true,
          [name, reduce, compare](const FormulaCall& call) {
            if (call.arguments.size() == 1) {
              const Dims axes = call.axes.value_or(Dims{});
              return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
                return reduce(x[0], axes, false);
              });
            }
            if (call.axes) {
              throw Error(ErrorKind::usage,
                          fmt::format("{} of several arguments takes no axis=", name));
            }
            return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
              Array result = x[0];
              for (std::size_t i = 1; i < x.size(); ++i) result = compare(result, x[i]);
              return result;
            });
          }};
}

// Functions along one axis, whose result keeps its shape.
FormulaFunction along_axis(const char* name, std::int64_t default_axis,
                           Array (*function)(const Array&, std::int64_t)) {
  return {name,
          fmt::format("{}(x, axis={})", name, default_axis),
          1,
          1,
          true,
          [=](const FormulaCall& call) {
            if (call.axes && call.axes->size() != 1) {
              throw Error(ErrorKind::usage, fmt::format("{} takes one axis", name));
            }
            const std::int64_t axis = call.axes ? call.axes->front() : default_axis;
            return call.scope.apply(call.arguments,
                                    [&](std::span<const Array> x) { return function(x[0], axis); });
          }};
}

FormulaValue build_norm(const FormulaCall& call) {
  return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
    return call.axes ? sqrt(sum(square(x[0]), *call.axes)) : norm(x[0]);
  });
}

FormulaValue build_polygamma(const FormulaCall& call) {
  const std::int64_t order = known_integer(call.arguments[0], "the order of polygamma");
  return call.scope.apply(call.arguments.subspan(1),
                          [&](std::span<const Array> x) { return polygamma(order, x[0]); });
}

FormulaValue build_dot(const FormulaCall& call) {
  return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
    return call.axes ? sum(x[0] * x[1], *call.axes) : dot(x[0], x[1]);
  });
}

// ------------------------------------------------------------------------------- selection

// The condition is a truth value, or a number, which is true unless 0.
FormulaValue build_where(const FormulaCall& call) {
  FormulaScope& scope = call.scope;
  const bool variable = std::any_of(call.arguments.begin(), call.arguments.end(),
                                    [](const FormulaValue& x) { return x.variable; });
  Array condition = scope.as_array(call.arguments[0]);
  if (condition.dtype() != DType::boolean) condition = not_equal(condition, 0.0);
  const DType dtype = variable ? scope.dtype() : DType::f64;
  return scope.known({where(condition, scope.cast(call.arguments[1].array, dtype),
                            scope.cast(call.arguments[2].array, dtype)),
                      variable});
}

// ------------------------------------------------------------------------------- structure

FormulaValue build_len(const FormulaCall& call) {
  const Shape shape = shape_of(call.arguments[0]);
  if (shape.empty()) throw Error(ErrorKind::shape, "len of a scalar; it has no axes");
  return {Array(static_cast<double>(shape[0])), false};
}

void check_size(const Shape& shape, std::string_view verb) {
  double size = 1;
  for (const std::int64_t extent : shape) size *= static_cast<double>(extent);
  if (size > static_cast<double>(max_formula_elements)) {
    throw Error(ErrorKind::resource,
                fmt::format("{} of {:.4g} elements ({:.4g} GB); at most {} are allowed", verb, size,
                            size * 8e-9, max_formula_elements));
  }
}

Shape shape_arguments(std::span<const FormulaValue> arguments, const std::string& verb) {
  Shape shape;
  for (const FormulaValue& extent : arguments) {
    shape.push_back(known_integer(extent, "an extent of " + verb));
    if (shape.back() < 0) {
      throw Error(ErrorKind::value, fmt::format("{} with extent {}", verb, shape.back()));
    }
  }
  check_size(shape, verb);
  return shape;
}

// range(stop), range(start, stop), range(start, stop, step)
FormulaValue build_range(const FormulaCall& call) {
  std::vector<std::int64_t> parts;
  for (const FormulaValue& part : call.arguments) {
    parts.push_back(known_integer(part, "an argument of range"));
  }
  const std::int64_t start = parts.size() > 1 ? parts[0] : 0;
  const std::int64_t stop = parts.size() > 1 ? parts[1] : parts[0];
  const std::int64_t step = parts.size() > 2 ? parts[2] : 1;
  if (step == 0) throw Error(ErrorKind::value, "range with step 0");
  if (parts.size() == 1 && stop < 0) {
    throw Error(ErrorKind::value, fmt::format("range({}); it counts up from 0", stop));
  }
  const double exact = std::ceil((static_cast<double>(stop) - static_cast<double>(start)) /
                                 static_cast<double>(step));
  if (exact > static_cast<double>(max_formula_elements)) {
    throw Error(ErrorKind::resource,
                fmt::format("range of {:.4g} elements ({:.4g} GB); at most {} are allowed", exact,
                            exact * 8e-9, max_formula_elements));
  }
  const auto extent = static_cast<std::int64_t>(std::max(exact, 0.0));
  constexpr std::int64_t max_listed = 4096;
  if (extent <= max_listed) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < extent; ++i) {
      values.push_back(static_cast<double>(start + i * step));
    }
    return call.scope.constant(values, {extent});
  }
  Array counted = iota(call.scope.builder().scalar(0, DType::f64), extent, DType::f64);
  if (step != 1) counted = counted * Array(static_cast<double>(step));
  if (start != 0) counted = counted + Array(static_cast<double>(start));
  return {counted, false};
}

FormulaFunction filled(const char* name, double value) {
  return {name, fmt::format("{}(n, ...)", name), 1, 8, false, [=](const FormulaCall& call) {
            const Shape shape = shape_arguments(call.arguments, name);
            return FormulaValue{
                full(call.scope.builder().scalar(0, DType::f64), value, shape, DType::f64), false};
          }};
}

FormulaValue build_concat(const FormulaCall& call) {
  if (call.axes && call.axes->size() != 1) {
    throw Error(ErrorKind::usage, "concat takes one axis");
  }
  return call.scope.apply(call.arguments, [&](std::span<const Array> x) {
    std::vector<Array> parts = resolve_literals(x);
    for (Array& part : parts) {
      if (part.rank() == 0) part = reshape(part, {1});
    }
    return concat(parts, call.axes ? call.axes->front() : 0);
  });
}

FormulaValue build_reshape(const FormulaCall& call) {
  Shape shape;
  std::int64_t unknown = -1;
  for (const FormulaValue& extent : call.arguments.subspan(1)) {
    shape.push_back(known_integer(extent, "an extent of reshape"));
    if (shape.back() == -1 && unknown < 0) {
      unknown = static_cast<std::int64_t>(shape.size()) - 1;
    } else if (shape.back() < 0) {
      throw Error(ErrorKind::value, fmt::format("reshape to extent {}", shape.back()));
    }
  }
  const std::int64_t size = num_elements(shape_of(call.arguments[0]));
  Shape others = shape;
  if (unknown >= 0) others[static_cast<std::size_t>(unknown)] = 1;
  check_size(others, "reshape");
  const std::int64_t known = num_elements(others);
  if (unknown >= 0 && known > 0 && size % known == 0) {
    shape[static_cast<std::size_t>(unknown)] = size / known;
  } else if (unknown >= 0 || known != size) {
    throw Error(ErrorKind::shape,
                fmt::format("reshape of {} elements to {}", size, to_string(shape)));
  }
  return call.scope.apply(call.arguments.subspan(0, 1),
                          [&](std::span<const Array> x) { return reshape(x[0], shape); });
}

std::vector<FormulaFunction> make_functions() {
  std::vector<FormulaFunction> list{
      unary("exp", exp),
      unary("expm1", expm1),
      unary("log", log),
      unary("log1p", log1p),
      unary("log2", log2),
      unary("log10", log10),
      unary("sqrt", sqrt),
      unary("cbrt", cbrt),
      unary("abs", abs),
      unary("sign", sign),
      unary("sin", sin),
      unary("cos", cos),
      unary("tan", tan),
      unary("asin", asin),
      unary("acos", acos),
      unary("atan", atan),
      unary("sinh", sinh),
      unary("cosh", cosh),
      unary("tanh", tanh),
      unary("asinh", asinh),
      unary("acosh", acosh),
      unary("atanh", atanh),
      unary("erf", erf),
      unary("erfc", erfc),
      unary("lgamma", lgamma),
      unary("sigmoid", sigmoid),
      unary("softplus", softplus),
      unary("relu", relu),
      unary("gelu", gelu),
      unary("silu", silu),
      binary("pow", "pow(a, b)", pow),
      binary("atan2", "atan2(y, x)", atan2),
      binary("hypot", "hypot(a, b)", hypot),
      extremum("min", min, minimum),
      extremum("max", max, maximum),
      reduction("sum", sum),
      reduction("mean", mean),
      reduction("prod", prod),
      reduction("logsumexp", logsumexp),
      along_axis("softmax", -1, softmax),
      along_axis("log_softmax", -1, log_softmax),
      along_axis("cumsum", 0, [](const Array& x, std::int64_t axis) { return cumsum(x, axis); }),
      {"norm", "norm(x, axis=)", 1, 1, true, build_norm},
      {"dot", "dot(a, b, axis=)", 2, 2, true, build_dot},
      {"polygamma", "polygamma(order, x)", 2, 2, false, build_polygamma},
      {"where", "where(condition, a, b)", 3, 3, false, build_where},
      {"len", "len(x)", 1, 1, false, build_len},
      {"range", "range(n) or range(start, stop, step)", 1, 3, false, build_range},
      {"concat", "concat(a, b, ..., axis=0)", 1, -1, true, build_concat},
      {"reshape", "reshape(x, extent, ...)", 2, 9, false, build_reshape},
      filled("zeros", 0),
      filled("ones", 1),
  };
  for (const Primitive* primitive : all_primitives()) {
    const bool listed = std::any_of(list.begin(), list.end(), [&](const FormulaFunction& known) {
      return known.name == primitive->name;
    });
    if (primitive->formula_function && !listed) list.push_back(from_primitive(*primitive));
  }
  std::sort(list.begin(), list.end(),
            [](const FormulaFunction& a, const FormulaFunction& b) { return a.name < b.name; });
  return list;
}

// The elements of a node that depends on no input, where it and what it is made of are small. The
// builder leaves broadcasts of constants as they are, and so what is computed from them.
std::optional<Tensor> folded(const Builder& builder, NodeId id, int depth = 0) {
  constexpr std::int64_t max_elements = 4096;
  constexpr int max_depth = 8;
  const Node& node = builder.node(id);
  if (is_constant(node)) return node.attributes.tensor("value");
  if (is_input(node) || depth > max_depth || num_elements(node.type.shape) > max_elements) {
    return std::nullopt;
  }
  std::vector<Tensor> operands;
  for (const NodeId operand : node.operands) {
    auto value = folded(builder, operand, depth + 1);
    if (!value) return std::nullopt;
    operands.push_back(std::move(*value));
  }
  return evaluate(*node.primitive, node.attributes, operands);
}

}  // namespace

Array FormulaScope::cast(const Array& x, DType dtype) {
  if (x.is_literal()) return builder_.scalar(x.literal(), dtype);
  if (x.dtype() == dtype) return x;
  if (!is_constant(x.node())) return convert(x, dtype);
  const Tensor& old = x.node().attributes.tensor("value");
  Tensor converted(Type{dtype, old.shape()});
  for (std::int64_t i = 0; i < old.size(); ++i) converted.set(i, old.at(i));
  return builder_.constant(std::move(converted));
}

Array FormulaScope::as_array(const FormulaValue& value) {
  return value.array.is_literal() ? builder_.scalar(value.array.literal(), DType::f64)
                                  : value.array;
}

FormulaValue FormulaScope::constant(std::span<const double> values, const Shape& shape) {
  return {builder_.constant(Tensor::from_doubles(values, shape, DType::f64)), false};
}

FormulaValue FormulaScope::known(FormulaValue value) {
  if (value.variable || value.array.is_literal()) return value;
  if (const auto tensor = folded(builder_, value.array.id())) {
    value.array = tensor->shape().empty() ? Array(tensor->at(0)) : builder_.constant(*tensor);
  } else if (value.array.rank() == 0) {
    if (const auto number = constant_value(value.array)) value.array = Array(*number);
  }
  return value;
}

FormulaValue FormulaScope::apply(std::span<const FormulaValue> operands,
                                 const Operation& operation) {
  const auto is_literal = [](const FormulaValue& x) { return x.array.is_literal(); };
  const bool variable = std::any_of(operands.begin(), operands.end(),
                                    [](const FormulaValue& x) { return x.variable; });
  const bool all_literal = std::all_of(operands.begin(), operands.end(), is_literal);
  std::vector<Array> arrays;
  for (const FormulaValue& x : operands) {
    const bool weak = is_literal(x) && !all_literal;  // takes the dtype of the others
    arrays.push_back(weak ? x.array : cast(x.array, variable ? dtype_ : DType::f64));
  }
  return known({operation(arrays), variable});
}

Shape shape_of(const FormulaValue& value) {
  return value.array.is_literal() ? Shape{} : value.array.shape();
}

std::optional<std::vector<double>> known_elements(const FormulaValue& value) {
  if (value.variable) return std::nullopt;
  if (value.array.is_literal()) return std::vector<double>{value.array.literal()};
  if (!is_constant(value.array.node())) return std::nullopt;
  const Tensor& tensor = value.array.node().attributes.tensor("value");
  std::vector<double> elements;
  for (std::int64_t i = 0; i < tensor.size(); ++i) elements.push_back(tensor.at(i));
  return elements;
}

std::int64_t known_integer(const FormulaValue& value, const std::string& what) {
  if (value.variable || !value.array.is_literal()) {
    throw Error(ErrorKind::type, fmt::format("{} must be a constant whole number, made of numbers "
                                             "and len()",
                                             what));
  }
  const double number = value.array.literal();
  if (!(std::abs(number) <= 0x1p53) || number != std::floor(number)) {
    throw Error(ErrorKind::value, fmt::format("{} must be a whole number, not {}", what, number));
  }
  return static_cast<std::int64_t>(number);
}

std::span<const FormulaFunction> all_formula_functions() {
  static const std::vector<FormulaFunction> list = make_functions();
  return list;
}

const FormulaFunction* find_formula_function(std::string_view name) {
  const auto list = all_formula_functions();
  const auto found = std::lower_bound(
      list.begin(), list.end(), name,
      [](const FormulaFunction& function, std::string_view text) { return function.name < text; });
  return found != list.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::pair<std::string, std::string>> formula_functions() {
  std::vector<std::pair<std::string, std::string>> list;
  for (const FormulaFunction& function : all_formula_functions()) {
    list.emplace_back(function.name, function.usage);
  }
  return list;
}

}  // namespace kappa
