#pragma once

// What the operators of scikit-learn's domain (ai.onnx.ml) have in common.

#include "frontend/onnx/operator.h"

namespace kappa {

/// Data as (samples, features) in a floating type; a vector is one sample.
Array ml_samples(OnnxCall& call, std::size_t input);

/// Scores (samples, classes) after the node's post_transform.
Array ml_post_transform(OnnxCall& call, const Array& scores);

/// The labels' numbers for class indices (samples); undefined where the labels are texts. `names`
/// is the attribute that holds the numbers.
Array ml_labels(OnnxCall& call, const Array& classes, std::string_view names);

/// Index of the greatest score (samples).
Array ml_best_class(const Array& scores);

}  // namespace kappa
