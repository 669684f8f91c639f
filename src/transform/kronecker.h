#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "program/program.h"

namespace kappa {

/// A dense layer found in a model: its parameters as indices of the model's inputs. The gradient by
/// the weight is P'Q, P and Q with a row a sample; that by the bias is the sum of P's or Q's rows.
struct DenseLayer {
  std::size_t weight;
  std::optional<std::size_t> bias;
  bool bias_is_row = false;  ///< the bias belongs to Q; one more row of the weight
};

struct KroneckerFactors {
  /// inputs: those of the model, the further inputs of the loss (sample weights last), then signs
  /// of the shape of z. outputs: P'P and Q'Q of each layer, summed over the samples with their
  /// weights; the factor beside a bias's has a last row and column for an input of 1.
  Program program;
  std::vector<DenseLayer> layers;
};

/// P and Q of every dense layer (a varying matrix whose gradient is one matrix product over the
/// samples), back-propagated from sqrt(diag H_loss) o signs at z; see base/kronecker.h. Layers with
/// a side above `max_side` are left out. `batch` is the number of samples of the programs.
KroneckerFactors kronecker_factors(const Program& model, const Program& loss,
                                   const std::vector<bool>& varying, std::int64_t batch,
                                   std::int64_t max_side);

}  // namespace kappa
