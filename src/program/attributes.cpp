#include "program/attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace kappa {
namespace {

void combine(std::size_t& seed, std::size_t value) {
  seed ^= value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

template <class T>
const T& get(const Attributes::Value* value) {
  assert(value != nullptr && std::holds_alternative<T>(*value));
  return std::get<T>(*value);
}

std::size_t hash_bytes(const Tensor& tensor) {
  // A prefix is enough to tell constants apart in practice; equality compares all.
  const auto count = static_cast<std::size_t>(std::min<std::int64_t>(tensor.bytes(), 256));
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(tensor.data()), count});
}

}  // namespace

Attributes::Attributes(std::initializer_list<std::pair<std::string_view, Value>> entries) {
  for (const auto& [key, value] : entries) entries_.emplace_back(std::string(key), value);
  std::sort(entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

const Attributes::Value* Attributes::find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::int64_t Attributes::integer(std::string_view key) const {
  return get<std::int64_t>(find(key));
}
double Attributes::real(std::string_view key) const { return get<double>(find(key)); }
const Dims& Attributes::dims(std::string_view key) const { return get<Dims>(find(key)); }
const std::string& Attributes::text(std::string_view key) const {
  return get<std::string>(find(key));
}
const Tensor& Attributes::tensor(std::string_view key) const { return get<Tensor>(find(key)); }

std::size_t Attributes::hash() const {
  std::size_t seed = entries_.size();
  for (const auto& [name, value] : entries_) {
    combine(seed, std::hash<std::string>{}(name));
    combine(seed, value.index());
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      combine(seed, std::hash<std::int64_t>{}(*integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
      combine(seed, std::hash<double>{}(*real));
    } else if (const auto* dims = std::get_if<Dims>(&value)) {
      for (const std::int64_t d : *dims) combine(seed, std::hash<std::int64_t>{}(d));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      combine(seed, std::hash<std::string>{}(*text));
    } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
      combine(seed, hash_bytes(*tensor));
    }
  }
  return seed;
}

std::string Attributes::print() const {
  std::string text;
  for (const auto& [name, value] : entries_) {
    if (!text.empty()) text += ", ";
    text += name + "=";
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      text += std::to_string(*integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      text += fmt::format("{}", *real);
    } else if (const auto* dims = std::get_if<Dims>(&value)) {
      text += to_string(*dims);
    } else if (const auto* string = std::get_if<std::string>(&value)) {
      text += *string;
    } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
      text += tensor->size() == 1 ? fmt::format("{}", tensor->at(0)) : to_string(tensor->type());
    }
  }
  return text;
}

}  // namespace kappa
