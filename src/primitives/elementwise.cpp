#include "primitives/elementwise.h"

#include <fmt/format.h>

#include "kappa/error.h"

namespace kappa {
namespace {

std::vector<Array> at_least(std::vector<Array> operands, bool floating) {
  const DType dtype = operands[0].dtype();
  if (is_floating(dtype) || (!floating && dtype == DType::i64)) return operands;
  for (Array& x : operands) x = convert(x, floating ? DType::f64 : DType::i64);
  return operands;
}

}  // namespace

std::vector<Array> numeric_operands(std::span<const Array> operands, const char* verb) {
  return at_least(unify(operands, verb), false);
}

std::vector<Array> floating_operands(std::span<const Array> operands, const char* verb) {
  return at_least(unify(operands, verb), true);
}

Array apply_numeric(const Primitive& primitive, std::span<const Array> operands) {
  const auto unified = numeric_operands(operands, primitive.name.c_str());
  return unified[0].builder()->apply(primitive, {}, unified);
}

Array apply_floating(const Primitive& primitive, std::span<const Array> operands) {
  const auto unified = floating_operands(operands, primitive.name.c_str());
  return unified[0].builder()->apply(primitive, {}, unified);
}

Type infer_numeric(const Attributes& attributes, std::span<const Type> operands) {
  Type type = infer_same(attributes, operands);
  if (type.dtype == DType::boolean) {
    throw Error(ErrorKind::type, "operand 0 is boolean where a number is expected; convert it");
  }
  return type;
}

Type infer_floating(const Attributes& attributes, std::span<const Type> operands) {
  Type type = infer_same(attributes, operands);
  if (!is_floating(type.dtype)) {
    throw Error(ErrorKind::type, fmt::format("operand 0 is {} where f64 or f32 is expected; "
                                             "convert it",
                                             to_string(type)));
  }
  return type;
}

Type infer_predicate(const Attributes& attributes, std::span<const Type> operands) {
  return {DType::boolean, infer_same(attributes, operands).shape};
}

Type infer_boolean(const Attributes& attributes, std::span<const Type> operands) {
  Type type = infer_same(attributes, operands);
  if (type.dtype != DType::boolean) {
    throw Error(ErrorKind::type,
                fmt::format("operand 0 is {} where bool is expected; compare it", to_string(type)));
  }
  return type;
}

bool is(const Array& x, const Primitive& primitive) {
  return !x.is_literal() && x.node().primitive == &primitive;
}

Array operand(const Array& x, std::size_t index) { return {x.builder(), x.node().operands[index]}; }

Array filled(const Array& like, double value) {
  const Shape shape = like.shape();
  return broadcast_to(like.builder()->scalar(value, like.dtype()), shape);
}

Sample elementwise_sample(int num_operands, std::vector<Range> ranges) {
  return {.operands =
              std::vector<Type>(static_cast<std::size_t>(num_operands), Type{DType::f64, {3, 7}}),
          .ranges = std::move(ranges)};
}

Primitive unary_primitive(UnaryFunction function) {
  Primitive primitive{
      .name = std::move(function.name),
      .doc = std::move(function.doc),
      .infer = infer_floating,
      .kernel = std::move(function.kernel),
      .samples =
          [range = function.range] { return std::vector<Sample>{elementwise_sample(1, {range})}; },
      .formula_function = function.formula_function};
  primitive.kernel.element_cost = transcendental_cost;
  if (function.jvp != nullptr) {
    primitive.jvp = [rule = function.jvp](const Call& call, std::span<const Array> tangents) {
      return rule(call.operands[0], call.result, tangents[0]);
    };
  }
  return primitive;
}

std::string parenthesized(const Printed& operand, int precedence) {
  const bool signed_text = operand.first.starts_with('-') && precedence > 4;
  return operand.second < precedence || signed_text ? "(" + operand.first + ")" : operand.first;
}

}  // namespace kappa
