#pragma once

#include <optional>
#include <vector>

#include "program/program.h"

namespace kappa {

/// A scalar program cut at one of its values u: f(x) = h(u(x), x), where h_u depends on x through u
/// alone. With J = du/dx and λ = h_u, its Hessian is by the chain rule
///
///     H = J' h_uu J + M + h_xx,    M = ∇² λ'u(x) with λ held fixed,
///
/// the first term of Gauss-Newton form. Where each element of u depends on few variables, J, h_uu
/// and M are sparse although H is dense: u are the log-likelihoods of a mixture's components, or
/// the scores of classes.
struct Cut {
  Program inner;            ///< x -> u
  Program outer_gradient;   ///< u, x -> h_u; x is not read
  Program inner_gradient;   ///< x, λ -> J'λ
  Program direct_gradient;  ///< x, u -> h_x
  /// Inputs x, v (n), w (size of u), z (n); outputs J v, M v, h_uu w, h_xx z, all of them vectors.
  Program product;
};

/// The cut at `node`, or nothing where h_u depends on x beside u or does not depend on u.
std::optional<Cut> cut_at(const Program& scalar, NodeId node);

/// The nodes at which a cut may be of use: arrays between x and f, no mere views.
std::vector<NodeId> cut_candidates(const Program& scalar);

}  // namespace kappa
