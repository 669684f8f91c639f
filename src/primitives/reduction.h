#pragma once

#include <algorithm>

#include "primitives/axes.h"

namespace kappa {

/// How a reduction walks through its operand: neighbouring axes of one kind merged, the innermost
/// group set apart because it is contiguous.
struct ReductionLayout {
  Dims kept_extents, kept_strides;        // outer axes that stay
  Dims reduced_extents, reduced_strides;  // outer axes that go
  std::int64_t inner = 1;                 // extent of the innermost group
  bool inner_reduced = true;

  ReductionLayout(const Shape& shape, const Dims& axes) {
    const Dims strides = contiguous_strides(shape);
    std::int64_t last_kind = -1;
    Dims kinds, extents, group_strides;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1) continue;
      const std::int64_t kind =
          std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) ? 1 : 0;
      if (kind == last_kind) {
        extents.back() *= shape[i];
        group_strides.back() = strides[i];
      } else {
        kinds.push_back(kind);
        extents.push_back(shape[i]);
        group_strides.push_back(strides[i]);
      }
      last_kind = kind;
    }
    if (!kinds.empty()) {
      inner = extents.back();
      inner_reduced = kinds.back() == 1;
      for (std::size_t i = 0; i + 1 < kinds.size(); ++i) {
        (kinds[i] == 1 ? reduced_extents : kept_extents).push_back(extents[i]);
        (kinds[i] == 1 ? reduced_strides : kept_strides).push_back(group_strides[i]);
      }
    }
  }

  /// f(operand offset, index of the output or, where the inner group stays, of its run of outputs).
  template <class F>
  void for_each_output(const F& f) const {
    std::int64_t index = 0;
    walk(kept_extents, kept_strides, 0, 0, [&](std::int64_t offset) { f(offset, index++); });
  }
  /// f(operand offset) for every run of `inner` elements that goes into one output.
  template <class F>
  void for_each_run(std::int64_t offset, const F& f) const {
    walk(reduced_extents, reduced_strides, 0, offset, f);
  }
  /// f(operand offset, number of runs, distance between them): runs that are equally spaced.
  template <class F>
  void for_each_block(std::int64_t offset, const F& f) const {
    if (reduced_extents.empty()) return f(offset, std::int64_t{1}, std::int64_t{0});
    const Dims extents(reduced_extents.begin(), reduced_extents.end() - 1);
    const Dims strides(reduced_strides.begin(), reduced_strides.end() - 1);
    walk(extents, strides, 0, offset,
         [&](std::int64_t at) { f(at, reduced_extents.back(), reduced_strides.back()); });
  }

 private:
  template <class F>
  static void walk(const Dims& extents, const Dims& strides, std::size_t axis, std::int64_t offset,
                   const F& f) {
    if (axis == extents.size()) return f(offset);
    for (std::int64_t i = 0; i < extents[axis]; ++i) {
      walk(extents, strides, axis + 1, offset + i * strides[axis], f);
    }
  }
};

/// @name Shared by reductions
/// @{
/// The operand's type without the axes of attribute "axes"; throws where they do not fit.
Type infer_reduction(const char* primitive, const Attributes& attributes, const Type& operand);
/// The call with extent-1 axes dropped by a reshape; undefined where there is none.
Array drop_unit_axes(const Primitive& primitive, const Call& call);
/// The reduction of an array over axes normalised, with axes kept where asked.
Array reduce(const Primitive& primitive, const Array& x, const Dims& axes, bool keep,
             const char* verb);
/// The result of a reduction repeated along the axes it dropped, to `shape`.
Array expand_reduced(const Array& reduced, const Dims& axes, const Shape& shape);
/// An element depends on what was reduced into it.
std::optional<ElementGroups> reduction_sparsity(const SparsityCall& call, int index);
/// Samples with axes in front, behind, between and of extent 1.
std::vector<Sample> reduction_samples();
/// sum(x, axis=0); no axis is written where the attribute cannot tell that some remain.
std::pair<std::string, int> print_reduction(const char* name, const Attributes& attributes,
                                            const std::pair<std::string, int>& operand);
/// @}

}  // namespace kappa
