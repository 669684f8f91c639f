#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kappa/error.h"

namespace kappa {

/// Writes or reads state as bytes. A class lists its members once, in `void archive(Archive&)`, so
/// that saving and loading cannot disagree.
class Archive {
 public:
  Archive() = default;  ///< writes
  explicit Archive(std::vector<char> bytes)
      : bytes_(std::move(bytes)), reading_(true) {}  ///< reads

  [[nodiscard]] bool reading() const { return reading_; }
  [[nodiscard]] const std::vector<char>& bytes() const { return bytes_; }
  [[nodiscard]] bool exhausted() const { return position_ == bytes_.size(); }

  template <class First, class... Rest>
  void operator()(First& first, Rest&... rest) {
    item(first);
    (item(rest), ...);
  }

 private:
  template <class T>
  void item(T& x) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      raw(&x, sizeof x);
    } else {
      x.archive(*this);
    }
  }
  void item(std::string& text) { sequence(text); }
  template <class T>
  void item(std::vector<T>& items) {
    if constexpr (std::is_arithmetic_v<T>) {
      sequence(items);
    } else {
      std::uint64_t size = items.size();
      item(size);
      if (reading_) {
        if (size > bytes_.size()) truncated();
        items.resize(size);
      }
      for (T& x : items) item(x);
    }
  }
  template <class Sequence>
  void sequence(Sequence& items) {
    std::uint64_t size = items.size();
    item(size);
    if (reading_) {
      if (size > (bytes_.size() - position_) / sizeof(items[0])) truncated();
      items.resize(size);
    }
    raw(items.data(), size * sizeof(items[0]));
  }
  void raw(void* data, std::size_t size) {
    if (size == 0) return;
    if (reading_) {
      if (size > bytes_.size() - position_) truncated();
      std::memcpy(data, bytes_.data() + position_, size);
      position_ += size;
    } else {
      const char* first = static_cast<const char*>(data);
      bytes_.insert(bytes_.end(), first, first + size);
    }
  }
  [[noreturn]] static void truncated() {
    throw Error(ErrorKind::data, "checkpoint: its contents end too early");
  }

  std::vector<char> bytes_;
  std::size_t position_ = 0;
  bool reading_ = false;
};

}  // namespace kappa
