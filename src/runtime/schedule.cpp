#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "runtime/stored_values.h"

namespace kappa {
namespace {

// A sum over so many elements fewer may ride along in a pass.
constexpr std::int64_t max_extra_elements = 64;

// Gives stored values their buffers and puts the work into steps: kernels, and passes over elements
// that are joined while everything they read is there.
class Scheduler : private StoredValues {
 public:
  Scheduler(const Program& program, bool fuse)
      : StoredValues(program, fuse),
        accumulates_(size(), -1),
        slot_(size()),
        step_of_(size(), -1) {}

  Schedule run() {
    make_buffers();
    make_steps();
    set_lifetimes(schedule_);
    if (fuse_) reuse_in_place(schedule_);
    return std::move(schedule_);
  }

 private:
  Schedule schedule_;
  std::vector<NodeId> accumulates_;  // library node: the sum it adds into; else -1
  std::vector<Slot> slot_;           // where a stored value lives
  std::vector<int> step_of_;         // the step that makes it

  // ---- buffers -------------------------------------------------------------------------------

  int add_buffer(Buffer buffer) {
    schedule_.buffers.push_back(std::move(buffer));
    return static_cast<int>(schedule_.buffers.size() - 1);
  }

  void make_buffers() {
    // Outputs: the node behind reshapes writes straight to the output's memory.
    std::vector<int> output_buffer(size(), -1);
    for (std::size_t k = 0; k < program_.outputs.size(); ++k) {
      const NodeId id = program_.outputs[k];
      const int buffer = add_buffer({.place = Buffer::Place::output,
                                     .index = static_cast<std::int64_t>(k),
                                     .bytes = num_bytes(node(id).type)});
      if (at(slot_, id).buffer >= 0) {  // an output already
        copies_.push_back({id, buffer});
        continue;
      }
      NodeId target = id;
      while (at(role_, target) == Role::view && at(view_, target).same_order && target == id &&
             fuse_) {
        const NodeId below = node(target).operands[0];
        if (at(role_, below) == Role::outer || at(output_buffer, below) >= 0) break;
        if (at(role_, below) == Role::view && !at(stored_, below)) break;
        if (!at(stored_, below)) at(stored_, below) = true;
        target = below;
      }
      if (at(role_, target) != Role::outer && at(output_buffer, target) < 0) {
        at(output_buffer, target) = buffer;
        if (target != id) {  // the view is the same memory
          at(slot_, id) = {buffer, 0};
        }
      } else {
        copies_.push_back({id, buffer});
      }
    }
    for (std::size_t i = 0; i < size(); ++i) {
      const Node& n = program_.nodes[i];
      if (is_input(n)) {
        slot_[i] = {add_buffer({.place = Buffer::Place::input,
                                .index = n.attributes.integer("index"),
                                .bytes = num_bytes(n.type)}),
                    0};
      } else if (is_constant(n)) {
        const Tensor& value = n.attributes.tensor("value");
        slot_[i] = {add_buffer({.place = Buffer::Place::constant,
                                .constant = value.data(),
                                .bytes = value.bytes()}),
                    0};
      } else if (stored_[i] && slot_[i].buffer < 0) {
        slot_[i] = {
            output_buffer[i] >= 0 ? output_buffer[i] : add_buffer({.bytes = num_bytes(n.type)}), 0};
      }
    }
    // Products that are added up share the sum's buffer.
    for (std::size_t i = 0; i < size(); ++i) {
      if (!accumulated_[i]) continue;
      const auto id = static_cast<NodeId>(i);
      const bool inner = sole_product(id) == id && consumer_accumulates(id);
      if (inner) continue;
      std::vector<NodeId> products;
      collect_products(id, products);
      for (const NodeId product : products) {
        at(accumulates_, product) = id;
        at(slot_, product) = slot_[i];
      }
      share_inner_sums(id, slot_[i]);
      first_product_[id] = *std::min_element(products.begin(), products.end());
    }
  }

  // Whether the one consumer behind reshapes is itself an accumulated sum.
  [[nodiscard]] bool consumer_accumulates(NodeId id) const {
    while (true) {
      if (at(users_, id).size() != 1 || at(is_output_, id)) return false;
      const NodeId user = at(users_, id)[0];
      if (at(accumulated_, user)) return true;
      if (at(role_, user) != Role::view || !at(view_, user).same_order) return false;
      id = user;
    }
  }

  void share_inner_sums(NodeId id, const Slot& slot) {
    for (const NodeId operand : node(id).operands) {
      NodeId below = operand;
      while (at(role_, below) == Role::view) below = node(below).operands[0];
      if (at(accumulated_, below)) {
        at(slot_, below) = slot;
        share_inner_sums(below, slot);
      }
    }
  }

  std::vector<std::pair<NodeId, int>> copies_;  // outputs that are copies of something else
  std::unordered_map<NodeId, NodeId> first_product_;

  // ---- steps ---------------------------------------------------------------------------------

  void make_steps() {
    for (std::size_t i = 0; i < size(); ++i) {
      const auto id = static_cast<NodeId>(i);
      const Node& n = program_.nodes[i];
      if (role_[i] == Role::outer) continue;
      if (role_[i] == Role::elementwise) {
        schedule_.flops += static_cast<double>(num_elements(n.type.shape));
      } else if (n.primitive->kernel.flops) {
        schedule_.flops += n.primitive->kernel.flops(n.attributes, operand_types(n), n.type);
      }
      if (accumulated_[i]) {
        std::vector<NodeId> products;
        collect_products(id, products);
        for (const NodeId product : products) {
          step_of_[i] = std::max(step_of_[i], at(step_of_, product));
        }
        continue;
      }
      if (role_[i] == Role::library && !fused_sum_[i]) {
        make_library_step(id);
      } else if (role_[i] == Role::view && stored_[i]) {
        if (shares_memory(id)) {
          // Another name for the same memory, and for the register while its pass runs.
          const NodeId below = node(id).operands[0];
          step_of_[i] = at(step_of_, below);
          const auto pass = maps_.find(step_of_[i]);
          if (pass != maps_.end()) {
            const auto known = pass->second.find({below, 0});
            if (known != pass->second.end()) pass->second[{id, 0}] = known->second;
          }
        } else {
          add_pass(id, slot_[i].buffer);
        }
      } else if (fused_sum_[i] || (role_[i] == Role::elementwise && stored_[i])) {
        add_pass(id, slot_[i].buffer);
      }
    }
    for (const auto& [id, buffer] : copies_) add_copy(id, buffer);
    for (Step& step : schedule_.steps) {
      if (step.kind == Step::Kind::fused) finish_pass(step.fused, fuse_);
    }
  }

  [[nodiscard]] bool shares_memory(NodeId view_id) const {
    if (!at(view_, view_id).same_order) return false;
    return at(slot_, view_id).buffer == at(slot_, node(view_id).operands[0]).buffer;
  }

  [[nodiscard]] Slot pointer_to(NodeId operand) const {
    if (at(stored_, operand) && at(slot_, operand).buffer >= 0) return at(slot_, operand);
    const Reach r = reach(operand);
    Slot slot = at(slot_, r.base);
    slot.byte_offset += r.access.offset * size_of(node(r.base).type.dtype);
    return slot;
  }

  void make_library_step(NodeId id) {
    const Node& n = node(id);
    Step step{Step::Kind::library, {}, {}};
    step.library.node = &n;
    step.library.input_types = operand_types(n);
    for (const NodeId operand : n.operands) step.library.inputs.push_back(pointer_to(operand));
    step.library.output = at(slot_, id);
    const NodeId sum = at(accumulates_, id);
    step.library.accumulate = sum >= 0 && first_product_.at(sum) != id;
    if (n.primitive->kernel.scratch_bytes) {
      step.library.scratch_bytes =
          n.primitive->kernel.scratch_bytes(n.attributes, step.library.input_types);
    }
    at(step_of_, id) = static_cast<int>(schedule_.steps.size());
    schedule_.steps.push_back(std::move(step));
  }

  // A pass under construction knows which instruction holds which value at which shift.
  using InstructionMap = std::map<std::pair<NodeId, std::int64_t>, int>;
  std::unordered_map<int, InstructionMap> maps_;  // by step

  // The step after which everything an expression reads is there; -1: from the start.
  void collect_dependencies(NodeId id, std::vector<NodeId>& leaves,
                            std::unordered_map<NodeId, bool>& seen, bool root) const {
    if (!root) {
      if (seen[id]) return;
      seen[id] = true;
    }
    if (!root && at(stored_, id)) {
      leaves.push_back(id);
      return;
    }
    if (at(role_, id) == Role::view) {
      const Reach r = root ? reach_below(id) : reach(id);
      collect_dependencies(r.base, leaves, seen, false);
      return;
    }
    for (const NodeId operand : node(id).operands) {
      collect_dependencies(reach(operand).base, leaves, seen, false);
    }
  }

  void add_pass(NodeId id, int buffer) {
    const Node& n = node(id);
    const bool is_sum = at(fused_sum_, id);
    const std::int64_t count = num_elements(is_sum ? node(n.operands[0]).type.shape : n.type.shape);
    std::vector<NodeId> leaves;
    std::unordered_map<NodeId, bool> seen;
    collect_dependencies(id, leaves, seen, true);
    int ready = -1;
    for (const NodeId leaf : leaves) ready = std::max(ready, at(step_of_, leaf));
    // Join an earlier pass over as many elements that reads something in common, if everything is
    // there by then (values that pass itself makes may be read at shift 0, from its registers).
    int target = -1;
    if (fuse_ && count > 1) {
      const auto first =
          std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(schedule_.steps.size()) - 24);
      for (auto s = static_cast<std::ptrdiff_t>(schedule_.steps.size()) - 1; s >= first; --s) {
        const Step& step = schedule_.steps[static_cast<std::size_t>(s)];
        if (step.kind != Step::Kind::fused) continue;
        // A sum over almost as many elements may ride along: what is missing counts as zero.
        const std::int64_t more = step.fused.count - count;
        if (more != 0 && !(is_sum && more > 0 && more <= max_extra_elements)) continue;
        if (step.fused.instructions.size() > 200) continue;
        if (ready > s) break;
        bool common = false;
        bool possible = true;
        for (const NodeId leaf : leaves) {
          const int leaf_buffer = at(slot_, leaf).buffer;
          if (at(step_of_, leaf) == static_cast<int>(s)) {
            common = true;
            possible = possible && read_directly(id, leaf, count);
          }
          for (const Instruction& x : step.fused.instructions) {
            common = common ||
                     (x.kind == Instruction::Kind::load && x.buffer == leaf_buffer && x.count > 1);
          }
        }
        if (common && possible) {
          target = static_cast<int>(s);
          break;
        }
      }
    }
    if (target < 0) {
      target = static_cast<int>(schedule_.steps.size());
      Step step{Step::Kind::fused, {}, {}};
      step.fused.count = count;
      schedule_.steps.push_back(std::move(step));
    }
    FusedStep& fused = schedule_.steps[static_cast<std::size_t>(target)].fused;
    InstructionMap& map = maps_[target];
    const auto instruction = is_sum
                                 ? emit_operand(fused, map, n.operands[0], 0, target)
                                 : (at(role_, id) == Role::view
                                        ? emit_reach(fused, map, reach_below(id), n.type, 0, target)
                                        : emit(fused, map, id, 0, target, true));
    if (!is_sum) map[{id, 0}] = instruction;
    fused.outputs.push_back({instruction, buffer, is_sum, false, n.type.dtype});
    at(step_of_, id) = target;
  }

  void add_copy(NodeId id, int buffer) {
    Step step{Step::Kind::fused, {}, {}};
    step.fused.count = num_elements(node(id).type.shape);
    InstructionMap map;
    const int instruction = emit_load(step.fused, pointer_to(id),
                                      identity_access(node(id).type.shape), node(id).type, 0);
    step.fused.outputs.push_back({instruction, buffer, false, false, DType::f64});
    schedule_.steps.push_back(std::move(step));
  }

  // Whether every use of `leaf` inside the expression of `id` reads element i at i.
  [[nodiscard]] bool read_directly(NodeId id, NodeId leaf, std::int64_t count) const {
    return direct_uses(id, leaf, count, 0, true);
  }
  [[nodiscard]] bool direct_uses(NodeId id, NodeId leaf, std::int64_t count, std::int64_t shift,
                                 bool root) const {
    if (!root && at(stored_, id)) return true;
    std::vector<Reach> reaches;
    if (at(role_, id) == Role::view) {
      reaches.push_back(reach_below(id));
    } else {
      for (const NodeId operand : node(id).operands) reaches.push_back(reach(operand));
    }
    const std::int64_t own = num_elements(at(fused_sum_, id) ? node(node(id).operands[0]).type.shape
                                                             : node(id).type.shape);
    for (const Reach& r : reaches) {
      std::int64_t step = 0;
      const bool shifts = is_shift(r.access, own, num_elements(node(r.base).type.shape), step);
      if (r.base == leaf) {
        if (!shifts || step + shift != 0 || own != count) return false;
      } else if (!at(stored_, r.base)) {
        if (!direct_uses(r.base, leaf, count, shift + step, false)) return false;
      }
    }
    return true;
  }

  int emit(FusedStep& fused, InstructionMap& map, NodeId id, std::int64_t shift, int step,
           bool root) {
    const auto found = map.find({id, shift});
    if (found != map.end()) return found->second;
    const Node& n = node(id);
    if (!root && at(stored_, id)) {
      return emit_reach(fused, map, {id, identity_access(n.type.shape)}, n.type, shift, step);
    }
    Instruction instruction;
    instruction.kind = Instruction::Kind::tile;
    instruction.type = n.type;
    instruction.shift = shift;
    instruction.count = num_elements(n.type.shape);
    instruction.function = n.primitive->kernel.tile(operand_types(n), n.type);
    if (instruction.function == nullptr) {
      throw std::logic_error("[" + n.primitive->name + "] has no kernel for " + to_string(n.type));
    }
    instruction.attributes = &n.attributes;
    instruction.name = n.primitive->name;
    instruction.role = n.primitive->kernel.role;
    for (const NodeId operand : n.operands) {
      instruction.operands.push_back(emit_operand(fused, map, operand, shift, step));
    }
    fused.instructions.push_back(std::move(instruction));
    const int index = static_cast<int>(fused.instructions.size() - 1);
    map[{id, shift}] = index;
    return index;
  }

  int emit_operand(FusedStep& fused, InstructionMap& map, NodeId operand, std::int64_t shift,
                   int step) {
    return emit_reach(fused, map, reach(operand), node(operand).type, shift, step);
  }

  int emit_reach(FusedStep& fused, InstructionMap& map, const Reach& r, const Type& type,
                 std::int64_t shift, int step) {
    std::int64_t delta = 0;
    const std::int64_t count = num_elements(type.shape);
    const std::int64_t base_count = num_elements(node(r.base).type.shape);
    if (is_shift(r.access, count, base_count, delta)) {
      const auto found = map.find({r.base, shift + delta});
      if (found != map.end()) return found->second;
      if (!at(stored_, r.base)) return emit(fused, map, r.base, shift + delta, step, false);
    }
    if (!at(stored_, r.base)) throw std::logic_error("schedule: an operand is nowhere");
    if (at(step_of_, r.base) == step && at(role_, r.base) != Role::outer) {
      throw std::logic_error("schedule: a pass reads what it makes");
    }
    if (base_count > 1 && is_shift(r.access, count, base_count, delta)) {
      // The same elements, moved: inner tiles then read in place.
      return emit_load(fused, at(slot_, r.base), identity_access(node(r.base).type.shape),
                       node(r.base).type, shift + delta);
    }
    return emit_load(fused, at(slot_, r.base), r.access, type, shift);
  }

  int emit_load(FusedStep& fused, const Slot& slot, Access access, const Type& type,
                std::int64_t shift) {
    access.offset += slot.byte_offset / size_of(type.dtype);
    const std::int64_t count = num_elements(type.shape);
    // A uniform value needs no shift; sharing it saves registers.
    if (access.uniform()) shift = 0;
    for (std::size_t i = 0; i < fused.instructions.size(); ++i) {
      const Instruction& x = fused.instructions[i];
      if (x.kind == Instruction::Kind::load && x.buffer == slot.buffer && x.shift == shift &&
          x.type.dtype == type.dtype && x.access.offset == access.offset &&
          x.access.extents == access.extents && x.access.strides == access.strides &&
          x.access.lower == access.lower && x.access.upper == access.upper &&
          (x.count == count || access.uniform())) {
        return static_cast<int>(i);
      }
    }
    Instruction instruction;
    instruction.kind = Instruction::Kind::load;
    instruction.type = type;
    instruction.shift = shift;
    instruction.count = access.uniform() ? fused.count : count;
    instruction.buffer = slot.buffer;
    instruction.access = std::move(access);
    fused.instructions.push_back(std::move(instruction));
    return static_cast<int>(fused.instructions.size() - 1);
  }
};

}  // namespace

Schedule make_schedule(const Program& program, bool fuse) { return Scheduler(program, fuse).run(); }

}  // namespace kappa
