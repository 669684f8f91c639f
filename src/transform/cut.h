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
///
/// Inputs of f beside x are held fixed; they stand where the dots are.
struct Cut {
  Program inner;            ///< x ... -> u
  Program outer_gradient;   ///< u, x ... -> h_u; x is not read
  Program inner_gradient;   ///< x ..., λ -> J'λ
  Program direct_gradient;  ///< x, u ... -> h_x
};

/// The cut at `node`, or nothing where h_u depends on x beside u or does not depend on u.
std::optional<Cut> cut_at(const Program& scalar, NodeId node);

/// Inputs x, v (n), w (size of u), z (n); outputs J v, M v, h_uu w, h_xx z, all of them vectors.
Program products_of(const Cut& cut);

/// The nodes at which a cut may be of use: arrays between x and f, no mere views.
std::vector<NodeId> cut_candidates(const Program& scalar);

/// A cut at u and one of ψ(x) = λ'u(x) at a value c on the way to u: u = g(c(x), x), and
///
///     M = C' ψ_cc C + ∇² ν'c(x) + ψ_xx,    J = g_c C + g_x,    C = dc/dx, ν = ψ_c held fixed.
///
/// C takes fewer products than J where an element of c depends on fewer variables still: the
/// log-likelihood of a sample is a sum of squares, each of them by one row of a matrix.
struct NestedCut {
  Cut first;     ///< of f at u
  Cut second;    ///< of ψ(x, λ) at c
  Program by_c;  ///< c, x, λ -> u; λ is not read
  Program by_x;  ///< x, c, λ -> u
};

/// x, λ -> ψ, u: for the candidates of a second cut and for nested_cut_at.
Program multiplied(const Cut& first);
std::optional<NestedCut> nested_cut_at(const Cut& first, const Program& multiplied, NodeId node);

/// Inputs x, v (n), w (size of u), z (n), t (size of c), y (n); outputs C v, ∇²(ν'c) v, h_uu w,
/// (h_xx + ψ_xx) z, g_c t, ψ_cc t, g_x y, all of them vectors.
Program products_of(const NestedCut& cut);

}  // namespace kappa
