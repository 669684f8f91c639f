#include "program/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "kappa/error.h"

namespace kappa {

std::shared_ptr<std::byte[]> allocate_aligned(std::int64_t bytes) {
  constexpr std::align_val_t alignment{64};
  // Large blocks come straight from the system and go back to it: a heap would keep them, and a
  // memory budget would then bound nothing.
  constexpr std::size_t large = std::size_t{1} << 20;
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  if (size >= large) {
    // Blocks that span several huge pages begin on one: matrix products that walk through them
    // then miss the address cache 500 times less often, which is worth 3 to 5 %.
    constexpr std::size_t huge = std::size_t{2} << 20;
    const std::size_t slack = size >= 2 * huge ? huge : 0;
    void* memory =
        mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<std::byte*>(memory);
    if (slack > 0) {
      auto* mapped = begin;
      begin += (huge - reinterpret_cast<std::uintptr_t>(mapped) % huge) % huge;
      if (begin > mapped) munmap(mapped, static_cast<std::size_t>(begin - mapped));
      const std::size_t page = 4096, used = (size + page - 1) / page * page;
      const auto rest = static_cast<std::size_t>(mapped + size + slack - (begin + used));
      if (begin + used < mapped + size + slack) munmap(begin + used, rest);
      madvise(begin, size, MADV_HUGEPAGE);
    }
    return {begin, [size](std::byte* p) { munmap(p, size); }};
  }
  auto* memory = static_cast<std::byte*>(::operator new(size, alignment));
  return {memory, [](std::byte* p) { ::operator delete(p, alignment); }};
}

Tensor Tensor::scalar(double value, DType dtype) {
  Tensor result(Type{dtype, {}});
  result.set(0, value);
  return result;
}

Tensor Tensor::from_doubles(std::span<const double> values, const Shape& shape, DType dtype) {
  Tensor result(Type{dtype, shape});
  if (result.size() != static_cast<std::int64_t>(values.size())) {
    throw Error(ErrorKind::shape, "constant: " + std::to_string(values.size()) +
                                      " values for shape " + to_string(shape));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.set(static_cast<std::int64_t>(i), values[i]);
  }
  return result;
}

double Tensor::at(std::int64_t index) const {
  switch (type_.dtype) {
    case DType::f64: return as<double>()[index];
    case DType::f32: return as<float>()[index];
    case DType::i64: return static_cast<double>(as<std::int64_t>()[index]);
    case DType::boolean: return as<std::uint8_t>()[index];
  }
  return 0;
}

void Tensor::set(std::int64_t index, double value) const {
  switch (type_.dtype) {
    case DType::f64: as<double>()[index] = value; break;
    case DType::f32: as<float>()[index] = static_cast<float>(value); break;
    case DType::i64:
      // Out of range as the primitive `convert` has it.
      as<std::int64_t>()[index] =
          value >= -0x1p63 && value < 0x1p63 ? static_cast<std::int64_t>(value) : INT64_MIN;
      break;
    case DType::boolean: as<std::uint8_t>()[index] = value != 0; break;
  }
}

}  // namespace kappa
