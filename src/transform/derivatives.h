#pragma once

#include <vector>

#include "program/program.h"

namespace kappa {

/// Programs of derivatives, by composition of linearize, transpose and batch. `varying` flags the
/// inputs to differentiate by; a scalar program has one output of shape ().

/// outputs: f, then the gradient by each varying input.
Program value_and_gradient(const Program& scalar, const std::vector<bool>& varying);
/// inputs: those of the program, then a direction for each varying input.
/// outputs: the outputs, then their directional derivatives (forward mode).
Program jacobian_product(const Program& program, const std::vector<bool>& varying);
/// inputs: as above. outputs: Hv by each varying input, then f, then the gradient by each varying
/// input (forward over reverse).
Program hessian_product(const Program& scalar, const std::vector<bool>& varying);
/// G v = Jᵀ H_loss J v. `model` has one output z; `loss` takes (z, further inputs...) to a scalar.
/// inputs: those of the model, the further inputs of the loss, then a direction for each varying
/// input of the model. outputs: as hessian_product.
Program gauss_newton_product(const Program& model, const Program& loss,
                             const std::vector<bool>& varying);
/// The loss of the model, inputs those of the model, then the further inputs of the loss.
Program compose(const Program& model, const Program& loss);

/// Dense Jacobian of the program's one output by each varying input, shape output + input. Forward
/// over unit tangents, or reverse where the output is shorter.
Program jacobian(const Program& program, const std::vector<bool>& varying);

}  // namespace kappa
