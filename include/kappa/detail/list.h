#pragma once

// Small stand-ins for parts of the standard library whose instantiations took half the compile time
// of a sum of elements: ten kinds of std::vector were 1400 functions, messages put together with +
// another hundred (bench/compile_times.py).

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "kappa/error.h"

namespace kappa::detail {

/// Memory for `capacity` entries that starts with what `data` holds, which is freed.
[[gnu::cold, gnu::noinline]] inline void* reallocate(void* data, std::size_t capacity,
                                                     std::size_t entry_size) {
  // malloc(0) may be null, which would look like a failure.
  void* moved = capacity <= static_cast<std::size_t>(-1) / (2 * entry_size)
                    ? std::realloc(data, (capacity + 1) * entry_size)
                    : nullptr;
  if (moved == nullptr) throw std::bad_alloc();
  return moved;
}

/// The part of std::vector that set-up needs, for entries that are plain data. Entries that
/// resize() adds have no value.
template <class T>
class List {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  List() = default;
  List(std::size_t size, T value) { assign(size, value); }
  List(const List& other) {
    resize(other.size_);
    for (std::size_t i = 0; i < size_; ++i) data_[i] = other.data_[i];
  }
  List(List&& other) noexcept { swap(other); }
  List& operator=(List other) noexcept {
    swap(other);
    return *this;
  }
  ~List() { std::free(data_); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T* begin() { return data_; }
  [[nodiscard]] T* end() { return data_ + size_; }
  [[nodiscard]] const T* begin() const { return data_; }
  [[nodiscard]] const T* end() const { return data_ + size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return data_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data_[i]; }
  [[nodiscard]] T& back() { return data_[size_ - 1]; }
  [[nodiscard]] const T& back() const { return data_[size_ - 1]; }

  void push_back(const T& value) {
    const T copy = value;  // may be an entry of this list
    if (size_ == capacity_) reserve(2 * size_ + 16);
    data_[size_++] = copy;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  void resize(std::size_t size) {
    if (size > capacity_) reserve(size);
    size_ = size;
  }
  void assign(std::size_t size, T value) {
    resize(size);
    for (std::size_t i = 0; i < size; ++i) data_[i] = value;
  }
  void shrink_to_fit() {
    if (size_ < capacity_) reserve(size_);
  }

 private:
  void reserve(std::size_t capacity) {
    data_ = static_cast<T*>(reallocate(static_cast<void*>(data_), capacity, sizeof(T)));
    capacity_ = capacity;
  }
  void swap(List& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// A piece of a message: text or a number.
class Word {
 public:
  Word(const char* text) : text_(text) {}  // NOLINT: implicit
  Word(std::integral auto x) : kind_('i'), integer_(static_cast<long long>(x)) {}  // NOLINT
  Word(double x) : kind_('d'), real_(x) {}                                         // NOLINT
  void append_to(std::string& message) const {
    char digits[352];  // the longest double in %f
    if (kind_ == 'i') std::snprintf(digits, sizeof digits, "%lld", integer_);
    if (kind_ == 'd') std::snprintf(digits, sizeof digits, "%f", real_);
    message.append(kind_ == 't' ? text_ : digits);
  }

 private:
  char kind_ = 't';
  const char* text_ = nullptr;
  long long integer_ = 0;
  double real_ = 0;
};

[[gnu::cold]] inline std::string sentence(std::initializer_list<Word> words) {
  std::string message;
  for (const Word& word : words) word.append_to(message);
  return message;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail(ErrorKind kind,
                                                        std::initializer_list<Word> words) {
  throw Error(kind, sentence(words));
}

}  // namespace kappa::detail
