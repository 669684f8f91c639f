#include "transform/layout.h"

#include <algorithm>
#include <string_view>

#include "program/builder.h"

namespace kappa {
namespace {

constexpr std::int64_t min_samples = 8;  // fewer leave most of a vector empty

Array first_axis_last(const Array& x) {
  Dims permutation;
  for (std::int64_t i = 1; i < x.rank(); ++i) permutation.push_back(i);
  permutation.push_back(0);
  return transpose(x, permutation);
}

Array last_axis_first(const Array& x) {
  Dims permutation{x.rank() - 1};
  for (std::int64_t i = 0; i + 1 < x.rank(); ++i) permutation.push_back(i);
  return transpose(x, permutation);
}

// Entries of a list over axes, in the order of the moved axes.
Dims moved_list(Dims list) {
  std::rotate(list.begin(), list.begin() + 1, list.end());
  return list;
}

bool is_convolution(std::string_view name) { return name.starts_with("convolution"); }
bool is_window(std::string_view name) { return name.starts_with("window_"); }

Attributes samples_last(const Attributes& a) {
  const std::int64_t yes = 1;
  if (!a.contains("kernel")) {
    return {{"strides", a.dims("strides")},
            {"dilations", a.dims("dilations")},
            {"pads_low", a.dims("pads_low")},
            {"groups", a.integer("groups")},
            {"samples_last", yes},
            {"extents", a.dims("extents")}};
  }
  return {{"strides", a.dims("strides")},
          {"dilations", a.dims("dilations")},
          {"pads_low", a.dims("pads_low")},
          {"groups", a.integer("groups")},
          {"samples_last", yes},
          {"extents", a.dims("extents")},
          {"kernel", a.dims("kernel")}};
}

// Images in the order (samples, channels, spatial axes), enough of them to fill a vector.
bool gains(const Node& node, const Program& program) {
  const std::string_view name = node.primitive->name;
  if (!is_convolution(name) && !is_window(name)) return false;
  if (node.attributes.integer("samples_last") != 0) return false;
  const std::size_t rank = node.attributes.dims("strides").size() + 2;
  const auto shape = [&](std::size_t i) -> const Shape& {
    return program.nodes[static_cast<std::size_t>(node.operands[i])].type.shape;
  };
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    if (shape(i).size() != rank) return false;
  }
  return shape(0)[0] >= min_samples;
}

// Values of a program in both orders of axes, each made where somebody asks for it.
class Mover {
 public:
  explicit Mover(const Program& program)
      : program_(program), plain_(program.nodes.size()), moved_(program.nodes.size()) {}

  Program run() {
    for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
      plain_[static_cast<std::size_t>(program_.inputs[i])] =
          builder_.input(program_.input_type(i), program_.input_names[i]);
    }
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      if (!is_input(program_.nodes[i])) make(static_cast<NodeId>(i));
    }
    std::vector<Array> outputs;
    for (const NodeId id : program_.outputs) outputs.push_back(plain(id));
    return builder_.finish(outputs);
  }

 private:
  const Program& program_;
  Builder builder_;
  std::vector<Array> plain_, moved_;

  const Node& node(NodeId id) const { return program_.nodes[static_cast<std::size_t>(id)]; }
  const Shape& shape(NodeId id) const { return node(id).type.shape; }
  bool is_moved(NodeId id) const {
    return moved_[static_cast<std::size_t>(id)].defined() &&
           !plain_[static_cast<std::size_t>(id)].defined();
  }
  bool keeps_samples(NodeId from, NodeId to) const {
    return !shape(from).empty() && !shape(to).empty() && shape(from)[0] == shape(to)[0];
  }

  Array plain(NodeId id) {
    Array& value = plain_[static_cast<std::size_t>(id)];
    if (!value.defined()) value = last_axis_first(moved_[static_cast<std::size_t>(id)]);
    return value;
  }

  Array moved(NodeId id) {
    Array& value = moved_[static_cast<std::size_t>(id)];
    if (value.defined()) return value;
    const Node& n = node(id);
    const std::string_view name = n.primitive->name;
    if (name == "reshape" && keeps_samples(n.operands[0], id)) {
      Shape extents = moved_list(shape(id));
      return value = reshape(moved(n.operands[0]), extents);
    }
    if (name == "broadcast_to") {
      const Array source = plain(n.operands[0]);
      Shape aligned(shape(id).size(), 1);
      std::copy_backward(source.shape().begin(), source.shape().end(), aligned.end());
      return value = broadcast_to(first_axis_last(reshape(source, aligned)), moved_list(shape(id)));
    }
    return value = first_axis_last(plain(id));
  }

  void make(NodeId id) {
    const Node& n = node(id);
    Array& to_moved = moved_[static_cast<std::size_t>(id)];
    if (gains(n, program_)) {
      const std::string_view name = n.primitive->name;
      std::vector<Array> operands;
      for (std::size_t i = 0; i < n.operands.size(); ++i) {
        const bool weight = i == 1 && (name == "convolution" || name == "convolution_data");
        operands.push_back(weight ? plain(n.operands[i]) : moved(n.operands[i]));
      }
      const Array result = builder_.apply(*n.primitive, samples_last(n.attributes), operands);
      (name == "convolution_weight" ? plain_[static_cast<std::size_t>(id)] : to_moved) = result;
      return;
    }
    if (std::none_of(n.operands.begin(), n.operands.end(),
                     [&](NodeId operand) { return is_moved(operand); }) ||
        !make_moved(id)) {
      std::vector<Array> operands;
      for (const NodeId operand : n.operands) operands.push_back(plain(operand));
      plain_[static_cast<std::size_t>(id)] = builder_.replay(n, operands);
    }
  }

  // The node on moved operands, where it leaves the sample axis alone.
  bool make_moved(NodeId id) {
    const Node& n = node(id);
    const std::string_view name = n.primitive->name;
    const NodeId first = n.operands[0];
    Array& to = moved_[static_cast<std::size_t>(id)];
    const auto rank = static_cast<std::int64_t>(shape(first).size());
    if (n.primitive->elementwise()) {
      std::vector<Array> operands;
      for (const NodeId operand : n.operands) operands.push_back(moved(operand));
      to = builder_.replay(n, operands);
    } else if (name == "reshape" && keeps_samples(first, id)) {
      moved(id);
    } else if (name.starts_with("reduce_")) {
      const Dims& axes = n.attributes.dims("axes");
      const bool sums_samples = std::find(axes.begin(), axes.end(), 0) != axes.end();
      Dims mapped;
      for (const std::int64_t axis : axes) mapped.push_back(axis == 0 ? rank - 1 : axis - 1);
      std::sort(mapped.begin(), mapped.end());
      const Array operand = moved(first);
      const Array result = builder_.apply(*n.primitive, {{"axes", mapped}}, {&operand, 1});
      (sums_samples || result.rank() < 2 ? plain_[static_cast<std::size_t>(id)] : to) = result;
    } else if (name == "transpose" && n.attributes.dims("permutation")[0] == 0) {
      Dims permutation = n.attributes.dims("permutation");
      for (std::int64_t& axis : permutation) axis = axis == 0 ? rank - 1 : axis - 1;
      to = transpose(moved(first), moved_list(permutation));
    } else if (name == "concat" && n.attributes.integer("axis") != 0) {
      std::vector<Array> parts;
      for (const NodeId operand : n.operands) parts.push_back(moved(operand));
      to = concat(parts, n.attributes.integer("axis") - 1);
    } else if (name == "pad") {
      to = pad(moved(first), moved_list(n.attributes.dims("low")),
               moved_list(n.attributes.dims("high")), moved_list(n.attributes.dims("interior")));
    } else if (name == "slice") {
      to = slice(moved(first), moved_list(n.attributes.dims("starts")),
                 moved_list(n.attributes.dims("stops")), moved_list(n.attributes.dims("steps")));
    } else if (name == "matmul" && is_moved(first) && rank == 2 &&
               shape(n.operands[1]).size() == 2 && n.attributes.integer("transpose_a") == 0) {
      // (x w)' = w' x'
      to = matmul(plain(n.operands[1]), moved(first), n.attributes.integer("transpose_b") == 0,
                  false);
    } else {
      return false;
    }
    return true;
  }
};

}  // namespace

Program with_samples_last(const Program& program) {
  const bool any = std::any_of(program.nodes.begin(), program.nodes.end(),
                               [&](const Node& node) { return gains(node, program); });
  return any ? Mover(program).run() : program;
}

bool has_samples_last(const Program& program) {
  return std::any_of(program.nodes.begin(), program.nodes.end(), [](const Node& node) {
    return is_convolution(node.primitive->name) && node.attributes.integer("samples_last") != 0;
  });
}

}  // namespace kappa
