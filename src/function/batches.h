#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "function/objective.h"
#include "program/tensor.h"
#include "runtime/plan.h"
#include "transform/split.h"

// The machinery behind Objective: micro-batches, typed copies of vectors, compiled plans.

namespace kappa {

/// Memory of one kind for several arrays.
class Block {
 public:
  Block() = default;
  explicit Block(const std::vector<Type>& types);
  [[nodiscard]] void* operator[](std::size_t i) const { return memory_.get() + offsets_[i]; }
  [[nodiscard]] std::size_t size() const { return offsets_.size(); }
  [[nodiscard]] bool empty() const { return memory_ == nullptr; }
  static std::int64_t bytes(const std::vector<Type>& types);

 private:
  std::shared_ptr<std::byte[]> memory_;
  std::vector<std::int64_t> offsets_;
};

/// Samples cut into micro-batches of equal size; the last is filled up with copies of its last
/// sample, whose weight is 0.
class Batches {
 public:
  Batches(const SampleSource* source, Problem::Samples samples, std::int64_t batch, DType dtype);
  [[nodiscard]] std::int64_t count() const { return count_; }  ///< micro-batches
  [[nodiscard]] std::int64_t num_samples() const { return samples_count_; }
  /// Types of the data inputs and the weights.
  [[nodiscard]] std::vector<Type> types() const;
  void fill(std::int64_t index, const Block& block) const;

 private:
  const SampleSource* source_;
  Problem::Samples samples_;
  std::int64_t batch_, samples_count_, count_;
  DType dtype_;
};

/// Micro-batch size for `count` samples whose preferred size is `preferred`: equal parts, an even
/// number of them where there are several, so that two threads have as much to do each. Depends on
/// nothing else: the cut decides the order of the sums, so it must not change with threads or
/// memory.
std::int64_t equal_batches(std::int64_t count, std::int64_t preferred);

/// Values of all parameters in the program's dtype, those of w among them.
Block typed_parameters(const Parameters& parameters, DType dtype, const double* w);

/// A block of k directions, n x k column-major in double, as one array (k, shape...) for each
/// varying parameter; k = 0 stands for one direction without the leading axis.
/// Elements [first, last) of the n k are converted, so that threads can share the work.
void fill_directions(const Parameters& parameters, DType dtype, const double* directions,
                     std::int64_t k, std::int64_t first, std::int64_t last, const Block& block);
std::vector<Type> direction_types(const Parameters& parameters, DType dtype, std::int64_t k);

/// sum (n x k, double) = or += the typed arrays one after the other, for elements [first, last) of
/// the n k; with `finish` the sum is then scaled and l2 * directions added. One pass over memory.
struct Accumulation {
  bool assign = false;
  bool finish = false;
  double scale = 1;
  double l2 = 0;
  const double* directions = nullptr;
};
void accumulate(const Parameters& parameters, DType dtype, std::span<const Block* const> typed,
                std::int64_t k, std::int64_t first, std::int64_t last, const Accumulation& how,
                double* sum);

/// Element 0 of an array as double.
double read_scalar(const void* data, DType dtype);

}  // namespace kappa
