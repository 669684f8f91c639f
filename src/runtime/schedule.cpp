#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "runtime/cpu/combined.h"
#include "runtime/steps.h"

namespace kappa {
namespace {

// A value used by several passes is stored if making it again costs more additions than this an
// element: about what a store and a load cost.
constexpr int max_repeated_cost = 12;
constexpr std::int64_t max_extra_elements = 64;
constexpr std::int64_t tile_bytes = 8192;                // of one register, at most
constexpr std::int64_t register_file_bytes = 24 * 1024;  // all registers of a pass: half of an L1

// A row that repeats is kept in a register for a pass up to this length.
constexpr std::int64_t max_period = 1024;
// Rows shorter than this cost more than loading what changes with them tile by tile.
constexpr std::int64_t least_row = 512;

enum class Role { outer, view, elementwise, library };

// How an elementwise operand is reached: through a chain of views down to `base`.
struct Reach {
  NodeId base = -1;
  Access access;  // of the consumer's elements in the base's
};

class Scheduler {
 public:
  Scheduler(const Program& program, bool fuse) : program_(program), fuse_(fuse) {}

  Schedule run() {
    classify();
    find_accumulations();
    decide_stored();
    make_buffers();
    make_steps();
    set_lifetimes();
    if (fuse_) reuse_in_place();
    return std::move(schedule_);
  }

 private:
  const Program& program_;
  bool fuse_;
  Schedule schedule_;

  std::vector<Role> role_;
  std::vector<View> view_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<bool> is_output_;
  std::vector<bool> stored_;
  std::vector<bool> fused_sum_;      // a full sum made by a fused pass
  std::vector<NodeId> accumulates_;  // library node: the sum it adds into; else -1
  std::vector<bool> accumulated_;    // add nodes realised by accumulation
  std::vector<Slot> slot_;           // where a stored value lives
  std::vector<int> step_of_;         // the step that makes it

  [[nodiscard]] std::size_t size() const { return program_.nodes.size(); }
  [[nodiscard]] const Node& node(NodeId id) const {
    return program_.nodes[static_cast<std::size_t>(id)];
  }
  template <class T>
  auto at(T& list, NodeId id) const -> decltype(list[0]) {
    return list[static_cast<std::size_t>(id)];
  }

  void classify() {
    role_.resize(size());
    view_.resize(size());
    users_.resize(size());
    is_output_.assign(size(), false);
    stored_.assign(size(), false);
    fused_sum_.assign(size(), false);
    accumulates_.assign(size(), -1);
    accumulated_.assign(size(), false);
    slot_.resize(size());
    step_of_.assign(size(), -1);
    for (std::size_t i = 0; i < size(); ++i) {
      const Node& n = program_.nodes[i];
      for (const NodeId id : n.operands) at(users_, id).push_back(static_cast<NodeId>(i));
      if (is_input(n) || is_constant(n)) {
        role_[i] = Role::outer;
      } else if (n.primitive->kernel.tile) {
        role_[i] = Role::elementwise;
      } else {
        role_[i] = Role::library;
        if (n.primitive->kernel.view) {
          const std::vector<Type> types = operand_types(n);
          if (auto view = n.primitive->kernel.view(n.attributes, types, n.type)) {
            role_[i] = Role::view;
            view_[i] = std::move(*view);
          }
        }
        if (role_[i] == Role::library && !n.primitive->kernel.run) {
          throw std::logic_error("[" + n.primitive->name + "] has no kernel");
        }
      }
    }
    for (const NodeId id : program_.outputs) at(is_output_, id) = true;
    // A sum over all elements is the end of an elementwise pass.
    for (std::size_t i = 0; i < size(); ++i) {
      const Node& n = program_.nodes[i];
      if (!fuse_ || n.primitive->kernel.role != Kernel::Role::sum || role_[i] != Role::library) {
        continue;
      }
      if (!is_floating(n.type.dtype) || num_elements(n.type.shape) != 1) continue;
      fused_sum_[i] = true;
    }
  }

  [[nodiscard]] std::vector<Type> operand_types(const Node& n) const {
    std::vector<Type> types;
    for (const NodeId id : n.operands) types.push_back(node(id).type);
    return types;
  }

  // ---- sums of products, accumulated in place ------------------------------------------------

  // The library node or accumulated sum behind a chain of reshapes each used once; -1 if none.
  [[nodiscard]] NodeId sole_product(NodeId id) const {
    while (true) {
      if (at(users_, id).size() != 1 || at(is_output_, id)) return -1;
      if (at(accumulated_, id)) return id;
      if (at(role_, id) == Role::library) {
        // A full sum is the end of a fused pass, which writes its result and adds to nothing.
        return node(id).primitive->kernel.accumulates && !at(fused_sum_, id) ? id : -1;
      }
      if (at(role_, id) != Role::view || !at(view_, id).same_order) return -1;
      id = node(id).operands[0];
    }
  }

  void find_accumulations() {
    if (!fuse_) return;
    for (std::size_t i = 0; i < size(); ++i) {
      const Node& n = program_.nodes[i];
      if (role_[i] != Role::elementwise || n.primitive->kernel.role != Kernel::Role::add) continue;
      const NodeId a = sole_product(n.operands[0]);
      const NodeId b = sole_product(n.operands[1]);
      if (a < 0 || b < 0 || a == b) continue;
      accumulated_[i] = true;
    }
  }

  void collect_products(NodeId id, std::vector<NodeId>& products) const {
    if (at(accumulated_, id)) {
      for (const NodeId operand : node(id).operands) collect_products(operand, products);
    } else if (at(role_, id) == Role::view) {
      collect_products(node(id).operands[0], products);
    } else {
      products.push_back(id);
    }
  }

  // ---- what is stored ------------------------------------------------------------------------

  // Follows views from the consumer's element order down to something that is or can be stored.
  [[nodiscard]] Reach reach(NodeId operand) const {
    Reach result{operand, identity_access(node(operand).type.shape)};
    while (at(role_, result.base) == Role::view && !at(stored_, result.base)) {
      const Node& n = node(result.base);
      auto deeper = through_view(result.access, at(view_, result.base), n.type.shape);
      if (!deeper) break;  // the view itself must be stored
      result.access = std::move(*deeper);
      result.base = n.operands[0];
    }
    return result;
  }

  // For an access that reads element i + shift at i, within bounds that are exactly those of the
  // base: the shift.
  [[nodiscard]] bool is_shift(const Access& access, std::int64_t count, std::int64_t base_count,
                              std::int64_t& shift) const {
    if (count == 1 && base_count != 1) return false;
    std::int64_t low = 0;
    std::int64_t high = count;
    if (access.extents.empty()) {
      if (count != 1 || base_count != 1) return false;
      shift = access.offset;
      return shift == 0;
    }
    if (access.extents.size() != 1 || access.strides[0] != 1) return false;
    if (access.bounded()) {
      low = access.lower[0];
      high = access.upper[0];
    }
    shift = access.offset;
    return low == std::max<std::int64_t>(0, -shift) && high == std::min(count, base_count - shift);
  }

  // A contiguous array inside a stored base, for kernels that want pointers.
  [[nodiscard]] bool contiguous_reach(const Reach& r, std::int64_t count) const {
    if (r.access.bounded()) return false;
    return count <= 1 || r.access.contiguous();
  }

  void store_for_pointer(NodeId operand) {
    const Reach r = reach(operand);
    if (contiguous_reach(r, num_elements(node(operand).type.shape))) {
      at(stored_, r.base) = true;
    } else {
      at(stored_, operand) = true;
    }
  }

  void decide_stored() {
    for (std::size_t i = 0; i < size(); ++i) {
      if (role_[i] == Role::outer || role_[i] == Role::library || accumulated_[i]) {
        stored_[i] = true;
      }
      if (role_[i] == Role::elementwise && !fuse_) stored_[i] = true;
    }
    for (const NodeId id : program_.outputs) at(stored_, id) = true;
    for (std::size_t i = 0; i < size(); ++i) {
      if (role_[i] == Role::library && !fused_sum_[i]) {
        for (const NodeId id : program_.nodes[i].operands) store_for_pointer(id);
      }
    }
    // From the last node to the first: which passes use a value, and at which shifts. `sole` is the
    // one (pass, shift) that does, or `many`.
    constexpr std::pair<NodeId, std::int64_t> none{-1, 0};
    constexpr std::pair<NodeId, std::int64_t> many{-2, 0};
    std::vector<std::pair<NodeId, std::int64_t>> sole(size(), none);
    const auto use = [&](NodeId id, std::pair<NodeId, std::int64_t> by) {
      auto& s = at(sole, id);
      if (s == none) {
        s = by;
      } else if (s != by) {
        s = many;
      }
    };
    const std::vector<int> cost = costs();
    for (std::size_t i = size(); i-- > 0;) {
      const auto id = static_cast<NodeId>(i);
      const Node& n = program_.nodes[i];
      if (role_[i] == Role::elementwise && !accumulated_[i] && !stored_[i] && sole[i] == many &&
          cost[i] > max_repeated_cost) {
        stored_[i] = true;
      }
      const bool pass = role_[i] == Role::elementwise && !accumulated_[i];
      const bool copies = role_[i] == Role::view && stored_[i];
      if (!pass && !copies && !fused_sum_[i]) continue;
      std::pair<NodeId, std::int64_t> by = sole[i];
      if (stored_[i] || fused_sum_[i]) by = {id, 0};
      const std::int64_t count =
          num_elements(fused_sum_[i] ? node(n.operands[0]).type.shape : n.type.shape);
      for (const NodeId operand : n.operands) {
        Reach r = copies ? reach_below(id) : reach(operand);
        if (at(stored_, r.base)) continue;
        if (at(role_, r.base) == Role::view) {  // a view that cannot be read in place
          at(stored_, r.base) = true;
          continue;
        }
        std::int64_t shift = 0;
        if (!is_shift(r.access, count, num_elements(node(r.base).type.shape), shift)) {
          at(stored_, r.base) = true;
        } else {
          use(r.base, by == many ? many : std::pair{by.first, by.second + shift});
        }
      }
    }
  }

  // reach() of a stored view's own operand, in the view's element order.
  [[nodiscard]] Reach reach_below(NodeId view_id) const {
    const Node& n = node(view_id);
    auto access = through_view(identity_access(n.type.shape), at(view_, view_id), n.type.shape);
    if (!access) throw std::logic_error("[" + n.primitive->name + "] view of itself is no access");
    Reach result{n.operands[0], std::move(*access)};
    while (at(role_, result.base) == Role::view && !at(stored_, result.base)) {
      const Node& below = node(result.base);
      auto deeper = through_view(result.access, at(view_, result.base), below.type.shape);
      if (!deeper) break;
      result.access = std::move(*deeper);
      result.base = below.operands[0];
    }
    return result;
  }

  [[nodiscard]] std::vector<int> costs() const {
    std::vector<int> cost(size(), 0);
    for (std::size_t i = 0; i < size(); ++i) {
      if (role_[i] == Role::view) cost[i] = at(cost, program_.nodes[i].operands[0]);
      if (role_[i] != Role::elementwise || stored_[i]) continue;
      cost[i] = program_.nodes[i].primitive->kernel.element_cost;
      for (const NodeId id : program_.nodes[i].operands) {
        cost[i] = std::min(cost[i] + at(cost, id), 1 << 20);
      }
    }
    return cost;
  }

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
      const auto id = static_cast<NodeId>(i);
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
      (void)id;
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
      if (step.kind == Step::Kind::fused) finish_pass(step.fused);
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

  // How a load repeats its elements (a row added to every row): every `period` elements, for
  // `length` elements, after which others are repeated (those of the next direction of a block).
  struct Repetition {
    std::int64_t period = 0;  // 0: none
    std::int64_t length = 0;
  };
  static Repetition repetition_of(const FusedStep& fused, const Instruction& x) {
    const Access& access = x.access;
    if (x.kind != Instruction::Kind::load || x.shift != 0 || x.count != fused.count ||
        access.bounded() || access.extents.size() < 2) {
      return {};
    }
    if (access.strides[0] == 0) return {fused.count / access.extents[0], fused.count};
    if (access.extents.size() < 3 || access.strides[1] != 0) return {};
    const std::int64_t length = fused.count / access.extents[0];
    return {length / access.extents[1], length};
  }

  // Tile size, rows, and registers.
  void finish_pass(FusedStep& fused) {
    std::int64_t widest = 1;
    for (const Instruction& x : fused.instructions)
      widest = std::max(widest, size_of(x.type.dtype));
    std::int64_t period = 1;
    std::int64_t length = fused.count;  // for which all loads that repeat do
    const auto find_period = [&](std::int64_t least_length) {
      period = 1;
      length = fused.count;
      for (const Instruction& x : fused.instructions) {
        const auto [p, l] = repetition_of(fused, x);
        if (p > 0 && p <= max_period && l >= least_length && (p % period == 0 || period % p == 0)) {
          period = std::max(period, p);
          length = std::min(length, l);
        }
      }
    };
    find_period(std::min(fused.count, least_row));
    const auto repeats = [&](const Instruction& x) {
      const auto [p, l] = repetition_of(fused, x);
      return p > 0 && period % p == 0 && l % length == 0;
    };
    // The longest rows that leave every load that does not repeat in one run.
    const auto row_of = [&] {
      std::int64_t row = 0;
      for (const Instruction& x : fused.instructions) {
        if (x.kind != Instruction::Kind::load || x.shift != 0 || x.access.uniform() ||
            x.access.contiguous() || repeats(x)) {
          continue;
        }
        const std::int64_t run = x.access.inner_run();
        if (run >= 128 && run < fused.count && fused.count % run == 0 && run % period == 0 &&
            x.count == fused.count) {
          row = row == 0 ? run : std::min(row, run);
        }
      }
      return row;
    };
    fused.row = row_of();
    if (length < fused.count) {
      if (fused.row % length == 0 && length % period == 0) {
        fused.row = length;
      } else {  // rows are shorter: what changes within the pass is loaded tile by tile
        find_period(fused.count);
        fused.row = row_of();
      }
    }
    for (Instruction& x : fused.instructions) {
      x.constant = x.kind == Instruction::Kind::load && (x.access.uniform() || repeats(x));
      x.changes = x.constant && !x.access.uniform() && repetition_of(fused, x).length < fused.count;
    }
    if (fuse_) combine_arithmetic(fused);
    assign_registers(fused);
    std::int64_t bytes = tile_bytes;
    while (bytes > 2048 && bytes * fused.num_registers > register_file_bytes) bytes /= 2;
    const std::int64_t grain = period > 1 ? period : 16;  // a tile is a multiple of it
    fused.tile = std::max<std::int64_t>(bytes / widest / grain, 1) * grain;
    if (fused.row > 0 && fused.row > fused.tile) {
      // Equal pieces of a row rather than a short last one.
      const std::int64_t pieces = (fused.row + fused.tile - 1) / fused.tile;
      fused.tile = ((fused.row + pieces - 1) / pieces + grain - 1) / grain * grain;
    } else if (fused.row > 0) {
      fused.tile = fused.row;
    }
    fused.tile = std::min(fused.tile, std::max<std::int64_t>(fused.count, 1));
    // One cache line more than the tile: registers a multiple of 4 kB apart would make every load
    // wait for the store before it.
    fused.register_bytes = (fused.tile * widest + 63) / 64 * 64 + 64;
  }

  // A product used once, by a sum, difference or product, is computed along with it.
  static void combine_arithmetic(FusedStep& fused) {
    std::vector<Instruction>& list = fused.instructions;
    std::vector<int> uses(list.size(), 0);
    for (const Instruction& x : list) {
      for (const int operand : x.operands) ++uses[static_cast<std::size_t>(operand)];
    }
    for (const FusedStep::Output& output : fused.outputs) {
      uses[static_cast<std::size_t>(output.instruction)] += 2;
    }
    std::vector<bool> dead(list.size(), false);
    for (Instruction& x : list) {
      const Kernel::Role role = x.role;
      if (role != Kernel::Role::add && role != Kernel::Role::subtract &&
          role != Kernel::Role::multiply) {
        continue;
      }
      for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
        const auto index = static_cast<std::size_t>(x.operands[side]);
        const Instruction& product = list[index];
        if (product.role != Kernel::Role::multiply || uses[index] != 1 ||
            product.shift != x.shift || product.count != x.count ||
            product.type.dtype != x.type.dtype) {
          continue;
        }
        const Combined which =
            role == Kernel::Role::add
                ? Combined::multiply_add
                : (role == Kernel::Role::multiply
                       ? Combined::multiply_multiply
                       : (side == 0 ? Combined::multiply_subtract : Combined::subtract_product));
        const TileFunction function = combined_tile(which, x.type.dtype);
        if (function == nullptr) continue;
        x.function = function;
        x.name = x.name + "*";
        x.role = Kernel::Role::other;
        x.operands = {product.operands[0], product.operands[1], x.operands[1 - side]};
        dead[index] = true;
        break;
      }
    }
    std::vector<int> renamed(list.size(), -1);
    std::vector<Instruction> kept;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (dead[i]) continue;
      renamed[i] = static_cast<int>(kept.size());
      kept.push_back(std::move(list[i]));
      for (int& operand : kept.back().operands)
        operand = renamed[static_cast<std::size_t>(operand)];
    }
    for (FusedStep::Output& output : fused.outputs) {
      output.instruction = renamed[static_cast<std::size_t>(output.instruction)];
    }
    list = std::move(kept);
  }

  static void assign_registers(FusedStep& fused) {
    const auto count = fused.instructions.size();
    std::vector<std::size_t> last_use(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
      last_use[i] = std::max(last_use[i], i);
      for (const int operand : fused.instructions[i].operands) {
        last_use[static_cast<std::size_t>(operand)] = i;
      }
    }
    for (const FusedStep::Output& output : fused.outputs) {
      last_use[static_cast<std::size_t>(output.instruction)] = count;
    }
    // What is loaded once keeps its register for the whole pass.
    for (Instruction& x : fused.instructions) {
      if (x.constant) x.register_index = fused.num_registers++;
    }
    std::vector<int> free;
    std::vector<std::vector<int>> release(count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      Instruction& x = fused.instructions[i];
      if (x.register_index < 0) {
        if (free.empty()) free.push_back(fused.num_registers++);
        x.register_index = free.back();
        free.pop_back();
        release[last_use[i]].push_back(x.register_index);
      }
      for (const int r : release[i]) free.push_back(r);
    }
    // An output is computed in its place, unless that is memory which a later instruction of the
    // same tile still reads.
    for (FusedStep::Output& output : fused.outputs) {
      output.in_place = !output.is_sum;
    }
  }

  // ---- lifetimes -----------------------------------------------------------------------------

  void touch(int buffer, int step) {
    Buffer& b = schedule_.buffers[static_cast<std::size_t>(buffer)];
    if (b.first_step < 0) b.first_step = step;
    b.first_step = std::min(b.first_step, step);
    b.last_step = std::max(b.last_step, step);
  }

  void set_lifetimes() {
    for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
      const Step& step = schedule_.steps[s];
      const int index = static_cast<int>(s);
      if (step.kind == Step::Kind::library) {
        for (const Slot& slot : step.library.inputs) touch(slot.buffer, index);
        touch(step.library.output.buffer, index);
      } else {
        for (const Instruction& x : step.fused.instructions) {
          if (x.kind == Instruction::Kind::load) touch(x.buffer, index);
        }
        for (const FusedStep::Output& output : step.fused.outputs) touch(output.buffer, index);
      }
    }
  }

  // A pass may write where it reads for the last time, element by element.
  void reuse_in_place() {
    for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
      Step& step = schedule_.steps[s];
      if (step.kind != Step::Kind::fused) continue;
      std::vector<int> taken;
      for (FusedStep::Output& output : step.fused.outputs) {
        Buffer& target = schedule_.buffers[static_cast<std::size_t>(output.buffer)];
        if (output.is_sum || target.place != Buffer::Place::arena || target.reuses >= 0 ||
            target.first_step != static_cast<int>(s)) {
          continue;
        }
        for (const Instruction& x : step.fused.instructions) {
          if (x.kind != Instruction::Kind::load || !reusable(step.fused, x, static_cast<int>(s))) {
            continue;
          }
          if (schedule_.buffers[static_cast<std::size_t>(x.buffer)].bytes != target.bytes) continue;
          if (std::find(taken.begin(), taken.end(), x.buffer) != taken.end()) continue;
          if (last_reader(step.fused, x.buffer) > output.instruction) output.in_place = false;
          target.reuses = x.buffer;
          taken.push_back(x.buffer);
          break;
        }
      }
    }
  }

  static int last_reader(const FusedStep& fused, int buffer) {
    int last = -1;
    for (std::size_t i = 0; i < fused.instructions.size(); ++i) {
      for (const int operand : fused.instructions[i].operands) {
        const Instruction& x = fused.instructions[static_cast<std::size_t>(operand)];
        if (x.kind == Instruction::Kind::load && x.buffer == buffer) last = static_cast<int>(i);
      }
    }
    for (const FusedStep::Output& output : fused.outputs) {
      const Instruction& x = fused.instructions[static_cast<std::size_t>(output.instruction)];
      if (x.kind == Instruction::Kind::load && x.buffer == buffer) {
        last = static_cast<int>(fused.instructions.size());
      }
    }
    return last;
  }

  [[nodiscard]] bool reusable(const FusedStep& fused, const Instruction& load, int step) const {
    const Buffer& source = schedule_.buffers[static_cast<std::size_t>(load.buffer)];
    if (source.place != Buffer::Place::arena || source.last_step != step) return false;
    // Every read of the buffer in this pass is element i at i, by the tile that overwrites it.
    for (const Instruction& x : fused.instructions) {
      if (x.kind != Instruction::Kind::load || x.buffer != load.buffer) continue;
      if (!x.access.contiguous() || x.access.offset != 0 || x.shift != 0 ||
          x.count != fused.count) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace

Schedule make_schedule(const Program& program, bool fuse) { return Scheduler(program, fuse).run(); }

std::int64_t FusedStep::scratch_bytes() const { return num_registers * register_bytes; }

}  // namespace kappa
