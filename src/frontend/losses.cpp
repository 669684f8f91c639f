#include "frontend/losses.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/nearest.h"
#include "kappa/error.h"
#include "program/program.h"

namespace kappa {
namespace {

// The mean over all axes but the first.
Array mean_over_outputs(const Array& x) {
  Dims axes;
  for (std::int64_t axis = 1; axis < x.rank(); ++axis) axes.push_back(axis);
  return axes.empty() ? x : mean(x, axes);
}

// z[..., y]: the label's entry of each row, chosen by comparison so that second derivatives and
// blocks of directions stay elementwise work.
Array entry_of_label(const Array& z, const Array& labels) {
  Shape column = labels.shape();
  column.push_back(1);
  const Array chosen = equal(reshape(labels, column), iota(z, z.shape().back(), DType::i64));
  return sum(where(chosen, z, 0.0), {-1});
}

Array cross_entropy(const Array& z, const Array& labels) {
  return mean_over_outputs(logsumexp(z, {-1}) - entry_of_label(z, labels));
}

Array negative_log_likelihood(const Array& z, const Array& labels) {
  return mean_over_outputs(-entry_of_label(z, labels));
}

Array mean_squared_error(const Array& z, const Array& y) {
  return mean_over_outputs(square(z - y));
}

// -y log sigmoid(z) - (1 - y) log(1 - sigmoid(z)), without overflow.
Array binary_cross_entropy(const Array& z, const Array& y) {
  return mean_over_outputs(softplus(z) - y * z);
}

// r^2/2 for |r| <= 1, |r| - 1/2 beyond (Huber 1964).
Array huber(const Array& z, const Array& y) {
  const Array r = z - y, size = abs(r);
  return mean_over_outputs(where(size <= 1.0, 0.5 * square(r), size - 0.5));
}

Array own_output(const Array& z, const Array&) { return mean_over_outputs(z); }

// The output without a last axis of extent 1 that the target does not have.
bool lacks_unit_axis(const Shape& z, const Shape& target) {
  return z.size() == target.size() + 1 && z.back() == 1 &&
         std::equal(target.begin(), target.end(), z.begin());
}

}  // namespace

std::span<const Loss> all_losses() {
  static const std::vector<Loss> list{
      {"cross-entropy", "log sum exp(z) - z[y], z the logits of C classes, y the class from 0",
       TargetKind::labels, true, true, cross_entropy},
      {"mse", "(z - y)^2, mean over outputs", TargetKind::numbers, true, true, mean_squared_error},
      {"bce", "softplus(z) - y*z, z a logit, y 0 or 1; mean over outputs", TargetKind::numbers,
       true, true, binary_cross_entropy},
      {"nll", "-z[y], z log-probabilities of C classes, y the class from 0", TargetKind::labels,
       true, false, negative_log_likelihood},
      {"huber", "(z - y)^2/2 where |z - y| <= 1, else |z - y| - 1/2; mean over outputs",
       TargetKind::numbers, true, false, huber},
      {"output", "the model's own scalar output is the loss", TargetKind::none, true, false,
       own_output},
  };
  return list;
}

const Loss& find_loss(std::string_view name) {
  std::vector<std::string> names;
  for (const Loss& loss : all_losses()) {
    if (loss.name == name) return loss;
    names.push_back(loss.name);
  }
  throw Error(ErrorKind::name,
              fmt::format("loss '{}': no such loss; known are {}{}", name.substr(0, 40),
                          fmt::join(names, ", "), did_you_mean(name, names)));
}

void check_loss(const Loss& loss, const Type& z, const Type& given) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorKind::shape, fmt::format("loss {}: {}", loss.name, why));
  };
  if (z.shape.empty()) fail("the model's output is a scalar; it needs a leading axis of samples");
  switch (loss.target) {
    case TargetKind::none:
      if (num_elements(z.shape) != z.shape[0]) {
        fail(fmt::format("the model's output {} is not one value a sample", to_string(z.shape)));
      }
      return;
    case TargetKind::labels: {
      if (z.shape.size() < 2) {
        fail(fmt::format("the model's output {} has no axis of classes", to_string(z.shape)));
      }
      if (given.dtype != DType::i64) {
        throw Error(ErrorKind::type,
                    fmt::format("loss {}: targets must be whole numbers (classes), not {}",
                                loss.name, to_string(given.dtype)));
      }
      const Shape expected(z.shape.begin(), z.shape.end() - 1);
      if (given.shape != expected) {
        fail(fmt::format("targets of shape {}, expected {} for outputs {}", to_string(given.shape),
                         to_string(expected), to_string(z.shape)));
      }
      return;
    }
    case TargetKind::numbers:
      if (given.shape != z.shape && !lacks_unit_axis(z.shape, given.shape)) {
        const auto per_sample = [](const Shape& shape) {
          return shape.empty() ? "()" : to_string(Shape(shape.begin() + 1, shape.end()));
        };
        fail(
            fmt::format("a sample has targets of shape {} and outputs of shape {}; for class "
                        "labels (0, 1, ...) use cross-entropy",
                        per_sample(given.shape), per_sample(z.shape)));
      }
  }
}

Array build_loss(const Loss& loss, const Array& z, const Array& target) {
  if (loss.target == TargetKind::none) {
    check_loss(loss, z.node().type, {});
    return loss.build(z, target);
  }
  check_loss(loss, z.node().type, target.node().type);
  if (loss.target == TargetKind::labels) return loss.build(z, target);
  const Shape shape = z.shape();  // a copy: appending nodes moves the original
  return loss.build(z, reshape(convert(target, z.dtype()), shape));
}

}  // namespace kappa
