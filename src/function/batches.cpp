#include "function/batches.h"

#include <algorithm>
#include <numeric>

namespace kappa {
namespace {

constexpr std::int64_t alignment = 64;

std::int64_t aligned(std::int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

// The run beginning at `offset` of array `index` of every block.
template <class T>
void accumulate_run(std::span<const Block* const> typed, std::size_t index, std::int64_t offset,
                    std::int64_t count, const Accumulation& how, const double* direction,
                    double* sum) {
  bool assign = how.assign;
  for (const Block* block : typed) {
    const T* x = static_cast<const T*>((*block)[index]) + offset;
    if (assign) {
      for (std::int64_t i = 0; i < count; ++i) sum[i] = static_cast<double>(x[i]);
    } else {
      for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(x[i]);
    }
    assign = false;
  }
  if (!how.finish) return;
  if (how.l2 != 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      sum[i] = sum[i] * how.scale + how.l2 * direction[i];
    }
  } else if (how.scale != 1) {
    for (std::int64_t i = 0; i < count; ++i) sum[i] *= how.scale;
  }
}

// Runs short enough to stay in the first-level cache between the passes over them.
constexpr std::int64_t run_elements = 1024;

}  // namespace

Block::Block(const std::vector<Type>& types) {
  std::int64_t size = 0;
  for (const Type& type : types) {
    offsets_.push_back(size);
    size += aligned(num_bytes(type));
  }
  memory_ = allocate_aligned(size);
}

std::int64_t Block::bytes(const std::vector<Type>& types) {
  std::int64_t size = 0;
  for (const Type& type : types) size += aligned(num_bytes(type));
  return size;
}

Batches::Batches(const SampleSource* source, Problem::Samples samples, std::int64_t batch,
                 DType dtype)
    : source_(source),
      samples_(samples),
      batch_(batch),
      samples_count_(0),
      count_(1),
      dtype_(dtype) {
  if (source_ == nullptr) return;
  samples_count_ =
      samples.empty() ? source->num_samples() : static_cast<std::int64_t>(samples.size());
  count_ = (samples_count_ + batch - 1) / batch;
}

std::vector<Type> Batches::types() const {
  if (source_ == nullptr) return {};
  std::vector<Type> types = source_->types(batch_);
  types.push_back({dtype_, {batch_}});
  return types;
}

void Batches::fill(std::int64_t index, const Block& block) const {
  if (source_ == nullptr) return;
  const std::int64_t first = index * batch_;
  const std::int64_t real = std::min(batch_, samples_count_ - first);
  const std::size_t inputs = block.size() - 1;
  if (real == batch_) {
    const Rows rows = samples_.empty() ? Rows::range(first, batch_)
                                       : Rows(samples_.subspan(static_cast<std::size_t>(first),
                                                               static_cast<std::size_t>(batch_)));
    for (std::size_t i = 0; i < inputs; ++i) source_->fill(i, rows, block[i]);
  } else {
    std::vector<std::int64_t> list(static_cast<std::size_t>(batch_));
    for (std::int64_t i = 0; i < batch_; ++i) {
      const std::int64_t k = first + std::min(i, real - 1);
      list[static_cast<std::size_t>(i)] =
          samples_.empty() ? k : samples_[static_cast<std::size_t>(k)];
    }
    for (std::size_t i = 0; i < inputs; ++i) source_->fill(i, Rows(list), block[i]);
  }
  for (std::int64_t i = 0; i < batch_; ++i) {
    const double weight = i < real ? 1 : 0;
    if (dtype_ == DType::f32) {
      static_cast<float*>(block[inputs])[i] = static_cast<float>(weight);
    } else {
      static_cast<double*>(block[inputs])[i] = weight;
    }
  }
}

std::int64_t equal_batches(std::int64_t count, std::int64_t preferred) {
  if (count <= 0) return 1;
  std::int64_t parts = (count + preferred - 1) / preferred;
  if (parts == 1 && (count >= 512 || 2 * count >= preferred)) parts = 2;
  if (parts > 1 && parts % 2 == 1) ++parts;
  return (count + parts - 1) / parts;
}

Block typed_parameters(const Parameters& parameters, DType dtype, const double* w) {
  std::vector<Type> types;
  for (const Parameter& p : parameters.list()) types.push_back({dtype, p.shape});
  Block block(types);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    const std::int64_t count = num_elements(p.shape);
    for (std::int64_t k = 0; k < count; ++k) {
      const double value = p.varies ? w[p.offset + k] : p.value.at(k);
      if (dtype == DType::f32) {
        static_cast<float*>(block[i])[k] = static_cast<float>(value);
      } else {
        static_cast<double*>(block[i])[k] = value;
      }
    }
  }
  return block;
}

std::vector<Type> direction_types(const Parameters& parameters, DType dtype, std::int64_t k) {
  std::vector<Type> types;
  for (const Parameter& p : parameters.list()) {
    if (!p.varies) continue;
    Type type{dtype, p.shape};
    if (k > 0) type.shape.insert(type.shape.begin(), k);
    types.push_back(std::move(type));
  }
  return types;
}

void fill_directions(const Parameters& parameters, DType dtype, const double* directions,
                     std::int64_t k, std::int64_t first, std::int64_t last, const Block& block) {
  const std::int64_t n = parameters.dimension();
  std::int64_t position = 0;
  std::size_t index = 0;
  for (const Parameter& p : parameters.list()) {
    if (!p.varies) continue;
    const std::int64_t count = num_elements(p.shape);
    for (std::int64_t j = 0; j < std::max<std::int64_t>(k, 1); ++j, position += count) {
      const std::int64_t from = std::max(first, position) - position;
      const std::int64_t to = std::min(last, position + count) - position;
      const double* source = directions + j * n + p.offset;
      if (dtype == DType::f32) {
        float* target = static_cast<float*>(block[index]) + j * count;
        for (std::int64_t i = from; i < to; ++i) target[i] = static_cast<float>(source[i]);
      } else if (from < to) {
        std::copy(source + from, source + to,
                  static_cast<double*>(block[index]) + j * count + from);
      }
    }
    ++index;
  }
}

void accumulate(const Parameters& parameters, DType dtype, std::span<const Block* const> typed,
                std::int64_t k, std::int64_t first, std::int64_t last, const Accumulation& how,
                double* sum) {
  const std::int64_t n = parameters.dimension();
  const std::int64_t columns = std::max<std::int64_t>(k, 1);
  std::int64_t position = 0;
  std::size_t index = 0;
  for (const Parameter& p : parameters.list()) {
    if (!p.varies) continue;
    const std::int64_t count = num_elements(p.shape);
    for (std::int64_t j = 0; j < columns; ++j, position += count) {
      const std::int64_t from = std::max(first, position) - position;
      const std::int64_t to = std::min(last, position + count) - position;
      for (std::int64_t i = from; i < to; i += run_elements) {
        const std::int64_t run = std::min(run_elements, to - i);
        const std::int64_t target = j * n + p.offset + i;
        const double* direction = how.l2 != 0 ? how.directions + target : nullptr;
        const auto add = dtype == DType::f32 ? accumulate_run<float> : accumulate_run<double>;
        add(typed, index, j * count + i, run, how, direction, sum + target);
      }
    }
    ++index;
  }
}

double read_scalar(const void* data, DType dtype) {
  return dtype == DType::f32 ? static_cast<double>(*static_cast<const float*>(data))
                             : *static_cast<const double*>(data);
}

}  // namespace kappa
