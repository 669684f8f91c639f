#pragma once

#include <cstring>
#include <memory>
#include <span>

#include "program/type.h"

namespace kappa {

/// Bytes aligned for the widest SIMD load.
std::shared_ptr<std::byte[]> allocate_aligned(std::int64_t bytes);

/// An array with its elements, row-major. Copies share the elements; treat them as constant once
/// shared.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Type type)
      : type_(std::move(type)), bytes_(num_bytes(type_)), data_(allocate_aligned(bytes_)) {}

  static Tensor scalar(double value, DType dtype);
  static Tensor from_doubles(std::span<const double> values, const Shape& shape, DType dtype);

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] const Shape& shape() const { return type_.shape; }
  [[nodiscard]] DType dtype() const { return type_.dtype; }
  [[nodiscard]] std::int64_t size() const { return bytes_ / size_of(type_.dtype); }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::byte* data() const { return data_.get(); }
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }
  /// Element i converted to double.
  [[nodiscard]] double at(std::int64_t index) const;
  void set(std::int64_t index, double value) const;

  friend bool operator==(const Tensor& a, const Tensor& b) {
    return a.type_ == b.type_ &&
           (a.data_ == b.data_ ||
            std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.bytes_)) == 0);
  }

 private:
  Type type_;
  std::int64_t bytes_ = 0;
  std::shared_ptr<std::byte[]> data_;
};

}  // namespace kappa
