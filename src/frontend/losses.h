#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/array.h"
#include "program/type.h"

namespace kappa {

/// What a loss compares the model's output with.
enum class TargetKind {
  none,     // nothing
  labels,   // int64 class indices, the output's shape without its last axis
  numbers,  // floating, the output's shape (a last axis of extent 1 may be missing); for bce also
            // 0/1 integers
};

/// A loss: one record from which help, checks and programs follow.
///
/// z is the model's output for a micro-batch, shape (B, ..., C); the result is one value a sample,
/// shape (B), the mean over all axes between.
struct Loss {
  std::string name;
  std::string text;
  TargetKind target = TargetKind::none;
  /// Convex in z, so that the Gauss-Newton matrix J' H_loss J is positive semidefinite.
  bool convex = true;
  /// The loss is the negative log-likelihood of an exponential family in its natural parameter (up
  /// to a constant factor), so that the exact Fisher matrix is the Gauss-Newton matrix.
  bool fisher_is_gauss_newton = false;
  Array (*build)(const Array& z, const Array& target) = nullptr;
};

/// All losses, in the order of the help.
std::span<const Loss> all_losses();
/// The loss of that name; throws Error(name) with a suggestion.
const Loss& find_loss(std::string_view name);

/// The target's type for a model output z, or Error(shape) where z does not suit the loss. `given`
/// is the type of the targets at hand.
void check_loss(const Loss& loss, const Type& z, const Type& given);

/// The per-sample loss, shape (B). `target` is ignored where the loss has none.
Array build_loss(const Loss& loss, const Array& z, const Array& target);

}  // namespace kappa
