#pragma once

#include <cstdint>
#include <vector>

#include "runtime/access.h"
#include "runtime/steps.h"

// Which values of a program are stored, and which are made anew in the registers of every pass that
// uses them.

namespace kappa {

/// What makes a value: nobody (inputs, constants), a view of another, a fused pass, or a kernel.
enum class Role { outer, view, elementwise, library };

/// How an elementwise operand is reached: through a chain of views down to `base`.
struct Reach {
  NodeId base = -1;
  Access access;  // of the consumer's elements in the base's
};

/// The first half of compilation; the scheduler goes on from here. Stored are outputs, what kernels
/// read and make, what is read out of its order, and what several passes use and is dear to repeat.
class StoredValues {
 public:
  /// Without `fuse` every value that is not a view is stored.
  StoredValues(const Program& program, bool fuse);

 protected:
  const Program& program_;
  bool fuse_;
  std::vector<Role> role_;
  std::vector<View> view_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<bool> is_output_;
  std::vector<bool> stored_;
  std::vector<bool> fused_sum_;    // a full sum made by a fused pass
  std::vector<bool> accumulated_;  // add nodes realised by accumulation

  [[nodiscard]] std::size_t size() const { return program_.nodes.size(); }
  [[nodiscard]] const Node& node(NodeId id) const {
    return program_.nodes[static_cast<std::size_t>(id)];
  }
  template <class T>
  auto at(T& list, NodeId id) const -> decltype(list[0]) {
    return list[static_cast<std::size_t>(id)];
  }

  [[nodiscard]] std::vector<Type> operand_types(const Node& n) const;
  // The library node or accumulated sum behind a chain of reshapes each used once; -1 if none.
  [[nodiscard]] NodeId sole_product(NodeId id) const;
  // The products that are added up in `id`.
  void collect_products(NodeId id, std::vector<NodeId>& products) const;
  // Follows views from the consumer's element order down to something that is or can be stored.
  [[nodiscard]] Reach reach(NodeId operand) const;
  // reach() of a stored view's own operand, in the view's element order.
  [[nodiscard]] Reach reach_below(NodeId view_id) const;
  // For an access that reads element i + shift at i, within bounds that are exactly those of the
  // base: the shift.
  [[nodiscard]] bool is_shift(const Access& access, std::int64_t count, std::int64_t base_count,
                              std::int64_t& shift) const;

 private:
  void classify();
  void find_accumulations();
  // A contiguous array inside a stored base, for kernels that want pointers.
  [[nodiscard]] bool contiguous_reach(const Reach& r, std::int64_t count) const;
  void store_for_pointer(NodeId operand);
  void decide_stored();
  [[nodiscard]] std::vector<int> costs() const;
};

}  // namespace kappa
