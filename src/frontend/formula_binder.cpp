#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "frontend/formula.h"
#include "frontend/formula_functions.h"
#include "frontend/formula_squares.h"
#include "frontend/nearest.h"

namespace kappa {
namespace {

using Id = std::int32_t;
using Value = FormulaValue;

constexpr std::size_t max_named_components = 10'000;

// Python's rule for start and stop of a slice; steps may be negative.
struct Slice {
  std::int64_t start, stop, step;
};

class Binder {
 public:
  Binder(const ParsedFormula& formula, const FormulaBindings& bindings)
      : formula_(formula), bindings_(bindings), scope_(bindings.dtype) {}

  BoundFormula run() {
    bind_names();
    values_.resize(formula_.nodes.size());
    for (std::size_t i = 0; i < formula_.nodes.size(); ++i) {
      const FormulaNode& node = formula_.nodes[i];
      try {
        values_[i] = build(node);
      } catch (const FormulaError&) {
        throw;
      } catch (const Error& error) {
        throw FormulaError(error.kind(), formula_.text, node.offset, error.what());
      }
    }
    finish();
    return std::move(result_);
  }

 private:
  [[nodiscard]] const FormulaNode& node(Id id) const {
    return formula_.nodes[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const Value& value(Id id) const { return values_[static_cast<std::size_t>(id)]; }
  [[noreturn]] void fail(ErrorKind kind, const FormulaNode& at, const std::string& problem,
                         const std::string& remedy = "") const {
    throw FormulaError(kind, formula_.text, at.offset, problem, remedy);
  }

  // ----------------------------------------------------------------------------- names

  void bind_names() {
    check_parameters();
    for (const auto& [name, shape] : bindings_.parameters) {
      names_[name] = {scope_.builder().input({bindings_.dtype, shape}, name), true};
    }
    std::vector<std::string> unbound;
    for (const std::string& name : formula_.free_names) {
      if (const auto found = bindings_.constants.find(name); found != bindings_.constants.end()) {
        const Tensor& tensor = found->second;
        Tensor doubles(Type{DType::f64, tensor.shape()});
        for (std::int64_t i = 0; i < tensor.size(); ++i) doubles.set(i, tensor.at(i));
        names_[name] = scope_.known({scope_.builder().constant(std::move(doubles)), false});
      } else if (is_column(name)) {
        names_[name] = {scope_.builder().input({bindings_.dtype, {}}, name), true};
        result_.columns.push_back(name);
      } else if (!names_.contains(name)) {
        unbound.push_back(name);
      }
    }
    if (!unbound.empty()) fail_unbound(unbound);
  }

  [[nodiscard]] bool is_column(const std::string& name) const {
    return std::find(bindings_.columns.begin(), bindings_.columns.end(), name) !=
           bindings_.columns.end();
  }

  // A value given for a name that stands for something else would be dropped in silence.
  void check_parameters() const {
    std::set<std::string> seen;
    for (const auto& parameter : bindings_.parameters) {
      const std::string& name = parameter.first;
      const auto refuse = [&](std::string_view why) {
        throw Error(ErrorKind::usage, fmt::format("parameter '{}': {}", name, why));
      };
      if (!seen.insert(name).second) refuse("given twice");
      if (name == "pi" || name == "e") refuse("the name is a constant; choose another");
      if (bindings_.constants.contains(name)) refuse("also given as a constant; remove one");
      if (is_column(name)) refuse("a column of the table has this name; remove the value");
      for (const auto& definition : formula_.definitions) {
        if (definition.name == name) refuse("defined in the formula; remove the value");
      }
    }
    for (const char* name : {"pi", "e"}) {
      if (bindings_.constants.contains(name)) {
        throw Error(
            ErrorKind::usage,
            fmt::format("constant '{}': the name has a fixed meaning; choose another", name));
      }
    }
    for (const FormulaNode& node : formula_.nodes) {
      if (node.kind == FormulaKind::constant && is_column(node.text)) {
        fail(ErrorKind::name, node,
             fmt::format("'{}' is a constant and also a column of the table", node.text),
             "rename the column");
      }
    }
  }

  [[noreturn]] void fail_unbound(const std::vector<std::string>& unbound) const {
    std::vector<std::string> known = bindings_.columns;
    for (const auto& [name, shape] : bindings_.parameters) known.push_back(name);
    for (const auto& [name, tensor] : bindings_.constants) known.push_back(name);
    for (const auto& definition : formula_.definitions) known.push_back(definition.name);
    const auto at = std::find_if(formula_.nodes.begin(), formula_.nodes.end(), [&](const auto& n) {
      return n.kind == FormulaKind::name && n.text == unbound[0];
    });
    std::string remedy = did_you_mean(unbound[0], known);
    if (remedy.empty()) {
      remedy = "give " + std::string(unbound.size() > 1 ? "them" : "it") + " with --at ";
      for (std::size_t i = 0; i < std::min<std::size_t>(unbound.size(), 8); ++i) {
        remedy += (i > 0 ? "," : "") + unbound[i] + "=VALUE";
      }
      if (unbound.size() > 8) remedy += ",...";
      if (!bindings_.columns.empty()) {
        remedy += fmt::format("; the table's columns are {}", fmt::join(bindings_.columns, ", "));
      }
    }
    fail(
        ErrorKind::name, *at,
        fmt::format("'{}'{} no value", unbound[0],
                    unbound.size() > 2 ? fmt::format(" and {} other names have", unbound.size() - 1)
                    : unbound.size() > 1 ? fmt::format(" and '{}' have", unbound[1])
                                         : " has"),
        remedy);
  }

  // ----------------------------------------------------------------------------- expressions

  Value build(const FormulaNode& node) {
    switch (node.kind) {
      case FormulaKind::number:
      case FormulaKind::constant: return {Array(node.number), false};
      case FormulaKind::name: return names_.at(node.text);
      case FormulaKind::reference:
      case FormulaKind::keyword: return value(node.children[0]);
      case FormulaKind::negate:
        return scope_.apply(std::vector{value(node.children[0])},
                            [](std::span<const Array> x) { return -x[0]; });
      case FormulaKind::binary: return binary(node);
      case FormulaKind::call: return call(node);
      case FormulaKind::index: return index(node);
      case FormulaKind::transpose:
        return scope_.apply(std::vector{value(node.children[0])}, [](std::span<const Array> x) {
          return x[0].rank() < 2 ? x[0] : transpose(x[0]);
        });
      case FormulaKind::array: return array(node);
      case FormulaKind::slice:
      case FormulaKind::new_axis: return {Array(0.0), false};  // read by the index around them
    }
    return {};
  }

  Value binary(const FormulaNode& node) {
    const std::vector<Value> operands{value(node.children[0]), value(node.children[1])};
    using Operator = Array (*)(const Array&, const Array&);
    static const std::map<std::string, Operator> operators{
        {"+", [](const Array& a, const Array& b) { return a + b; }},
        {"-", [](const Array& a, const Array& b) { return a - b; }},
        {"*", [](const Array& a, const Array& b) { return a * b; }},
        {"/", [](const Array& a, const Array& b) { return a / b; }},
        {"^", [](const Array& a, const Array& b) { return pow(a, b); }},
        {"@", [](const Array& a, const Array& b) { return matmul(a, b); }},
        {"<", less},
        {"<=", less_equal},
        {">", greater},
        {">=", greater_equal},
        {"==", equal},
        {"!=", not_equal}};
    if (node.text == "and") {
      return {logical_and(scope_.cast(operands[0].array, DType::boolean),
                          scope_.cast(operands[1].array, DType::boolean)),
              operands[0].variable || operands[1].variable};
    }
    const Operator function = operators.at(node.text);
    return scope_.apply(operands,
                        [function](std::span<const Array> x) { return function(x[0], x[1]); });
  }

  Value call(const FormulaNode& node) {
    std::vector<Value> arguments;
    std::optional<Dims> axes;
    for (const Id child : node.children) {
      if (this->node(child).kind == FormulaKind::keyword) {
        axes = read_axes(child);
      } else {
        arguments.push_back(value(child));
      }
    }
    return find_formula_function(node.text)->build({scope_, arguments, axes});
  }

  Dims read_axes(Id id) const {
    const auto elements = known_elements(value(id));
    if (!elements || elements->empty()) {
      fail(ErrorKind::type, node(id), "axis= must be a constant whole number or an array of them");
    }
    Dims axes;
    for (const double axis : *elements) {
      axes.push_back(known_integer({Array(axis), false}, "axis="));
    }
    return axes;
  }

  Value array(const FormulaNode& node) {
    std::vector<Value> parts;
    bool known = true;
    std::vector<double> elements;
    for (const Id child : node.children) {
      parts.push_back(value(child));
      if (shape_of(parts.back()) != shape_of(parts.front())) {
        fail(ErrorKind::shape, this->node(child),
             fmt::format("an element of shape {} beside one of shape {}",
                         to_string(shape_of(parts.back())), to_string(shape_of(parts.front()))));
      }
      const auto values = known ? known_elements(parts.back()) : std::nullopt;
      known = values.has_value();
      if (known) elements.insert(elements.end(), values->begin(), values->end());
    }
    Shape shape = shape_of(parts.front());
    shape.insert(shape.begin(), 1);
    if (known) {
      shape[0] = static_cast<std::int64_t>(parts.size());
      return scope_.constant(elements, shape);
    }
    return scope_.apply(parts, [&](std::span<const Array> x) {
      std::vector<Array> rows = resolve_literals(x);
      for (Array& row : rows) row = reshape(row, shape);
      return concat(rows, 0);
    });
  }

  // ----------------------------------------------------------------------------- indices

  Value index(const FormulaNode& node) {
    const Value& operand = value(node.children[0]);
    const Shape shape = shape_of(operand);
    Dims starts(shape.size(), 0), stops = shape, steps(shape.size(), 1);
    Shape result;  // extents after dropping indexed axes and adding new ones
    std::optional<std::pair<std::int64_t, Array>> gathered;
    std::size_t axis = 0;
    for (const Id item : std::span(node.children).subspan(1)) {
      const FormulaNode& part = this->node(item);
      if (part.kind == FormulaKind::new_axis) {
        result.push_back(1);
        continue;
      }
      if (axis == shape.size()) {
        fail(ErrorKind::shape, node,
             fmt::format("{} indices for shape {}", axis + 1, to_string(shape)));
      }
      if (part.kind == FormulaKind::slice) {
        const Slice slice = read_slice(part, shape[axis]);
        starts[axis] = slice.start;
        stops[axis] = slice.stop;
        steps[axis] = slice.step;
        result.push_back(extent(slice));
      } else if (!shape_of(value(item)).empty()) {
        if (gathered) fail(ErrorKind::unsupported, part, "a second array of indices");
        const Array indices = read_indices(item, shape[axis]);
        gathered.emplace(static_cast<std::int64_t>(axis), indices);
        for (const std::int64_t n : indices.shape()) result.push_back(n);
      } else {
        const std::int64_t position = read_index(item, shape[axis]);
        starts[axis] = position;
        stops[axis] = position + 1;
      }
      ++axis;
    }
    for (; axis < shape.size(); ++axis) result.push_back(shape[axis]);
    return scope_.apply(std::vector{operand}, [&](std::span<const Array> x) {
      Array taken = slice(x[0], starts, stops, steps);
      if (gathered) taken = gather(taken, gathered->second, gathered->first);
      return reshape(taken, result);
    });
  }

  static std::int64_t extent(const Slice& slice) {
    const std::int64_t span = slice.step > 0 ? slice.stop - slice.start : slice.start - slice.stop;
    const std::int64_t stride = std::abs(slice.step);
    return span <= 0 ? 0 : (span + stride - 1) / stride;
  }

  std::int64_t read_index(Id item, std::int64_t count) const {
    const std::int64_t index = integer(item, "an index");
    if (index < -count || index >= count) {
      fail(ErrorKind::shape, node(item),
           fmt::format("index {} on an axis of {} entries (0 to {})", index, count, count - 1));
    }
    return index < 0 ? index + count : index;
  }

  Array read_indices(Id item, std::int64_t count) {
    const auto elements = known_elements(value(item));
    if (!elements) fail(ErrorKind::type, node(item), "an array of indices must be constant");
    std::vector<double> indices;
    for (const double element : *elements) {
      const auto index = known_integer({Array(element), false}, "an index");
      if (index < -count || index >= count) {
        fail(ErrorKind::shape, node(item),
             fmt::format("index {} on an axis of {} entries (0 to {})", index, count, count - 1));
      }
      indices.push_back(static_cast<double>(index < 0 ? index + count : index));
    }
    return scope_.builder().constant(
        Tensor::from_doubles(indices, shape_of(value(item)), DType::i64));
  }

  Slice read_slice(const FormulaNode& part, std::int64_t count) const {
    const auto read = [&](std::size_t i, std::int64_t absent) {
      return part.children[i] < 0 ? absent : integer(part.children[i], "a slice's bound");
    };
    const std::int64_t step = read(2, 1);
    if (step == 0) fail(ErrorKind::value, part, "a slice with step 0");
    const bool up = step > 0;
    const auto clamp = [&](std::int64_t at) {
      if (at < 0) at += count;
      return std::clamp<std::int64_t>(at, up ? 0 : -1, up ? count : count - 1);
    };
    Slice slice{up ? 0 : count - 1, up ? count : -1, step};
    if (part.children[0] >= 0) slice.start = clamp(read(0, 0));
    if (part.children[1] >= 0) slice.stop = clamp(read(1, 0));
    if (up) slice.stop = std::max(slice.stop, slice.start);
    if (!up) slice.stop = std::min(slice.stop, slice.start);
    return slice;
  }

  std::int64_t integer(Id id, const char* what) const {
    try {
      return known_integer(value(id), what);
    } catch (const Error& error) {
      fail(error.kind(), node(id), error.what());
    }
  }

  // ----------------------------------------------------------------------------- results

  void finish() {
    result_.is_vector = formula_.is_tuple;
    std::vector<Array> parts;
    for (const Id id : formula_.results) {
      const Array part = scope_.cast(value(id).array, bindings_.dtype);
      const std::int64_t size = part.size();
      const std::string text(formula_.text, node(id).begin, node(id).end - node(id).begin);
      result_.is_vector = result_.is_vector || size != 1;
      parts.push_back(reshape(part, {size}));
      if (result_.components.size() + static_cast<std::size_t>(size) > max_named_components) {
        named_ = false;
      }
      for (std::int64_t i = 0; named_ && i < size; ++i) {
        result_.components.push_back(
            size == 1 && part.rank() == 0 ? text : fmt::format("{}[{}]", text, i));
      }
    }
    if (!named_ || !result_.is_vector) result_.components.clear();
    const Array joined = parts.size() == 1 ? parts[0] : concat(parts, 0);
    if (joined.size() == 0) {
      fail(ErrorKind::shape, node(formula_.results[0]), "the formula's value has no elements");
    }
    const Array output = result_.is_vector ? joined : reshape(joined, {});
    result_.program = scope_.builder().finish(std::vector{output});
    if (!result_.is_vector) {
      result_.residuals = find_residuals(formula_, values_, scope_, formula_.results[0]);
    }
  }

  const ParsedFormula& formula_;
  const FormulaBindings& bindings_;
  FormulaScope scope_;
  std::map<std::string, Value> names_;
  std::vector<Value> values_;
  BoundFormula result_;
  bool named_ = true;
};

}  // namespace

BoundFormula bind_formula(const ParsedFormula& formula, const FormulaBindings& bindings) {
  return Binder(formula, bindings).run();
}

}  // namespace kappa
