#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "program/tensor.h"

namespace kappa {

/// Static parameters of a node (axes, permutation, a constant's elements), by name.
class Attributes {
 public:
  using Value = std::variant<std::int64_t, double, Dims, std::string, Tensor>;

  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string_view, Value>> entries);

  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] double real(std::string_view key) const;
  [[nodiscard]] const Dims& dims(std::string_view key) const;
  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] const Tensor& tensor(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t hash() const;
  /// "axes=(0, 1), keep=1"
  [[nodiscard]] std::string print() const;
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  [[nodiscard]] const Value* find(std::string_view key) const;
  std::vector<std::pair<std::string, Value>> entries_;  // sorted by name
};

}  // namespace kappa
