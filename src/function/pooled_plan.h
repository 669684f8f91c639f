#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "program/tensor.h"
#include "runtime/plan.h"

namespace kappa {

/// A plan with its workspaces: as many as calls ran side by side, kept for the next ones.
class PooledPlan {
 public:
  explicit PooledPlan(Program program) : plan_(std::move(program)) {}

  [[nodiscard]] const Program& program() const { return plan_.program(); }
  void run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const {
    Memory workspace = workspaces_.take(plan_.workspace_bytes());
    plan_.run(inputs.data(), outputs.data(), workspace.get());
    workspaces_.give(std::move(workspace));
  }

  /// @name A further buffer for the caller, always of the same size, kept likewise; zero when new
  /// @{
  [[nodiscard]] std::shared_ptr<std::byte[]> take_buffer(std::int64_t bytes) const {
    return buffers_.take(bytes);
  }
  void give_buffer(std::shared_ptr<std::byte[]> buffer) const { buffers_.give(std::move(buffer)); }
  /// @}

 private:
  using Memory = std::shared_ptr<std::byte[]>;
  class Pool {
   public:
    Memory take(std::int64_t bytes) const {
      {
        const std::lock_guard lock(mutex_);
        if (!free_.empty()) {
          Memory memory = std::move(free_.back());
          free_.pop_back();
          return memory;
        }
      }
      Memory memory = allocate_aligned(bytes);
      std::memset(memory.get(), 0, static_cast<std::size_t>(bytes));
      return memory;
    }
    void give(Memory memory) const {
      const std::lock_guard lock(mutex_);
      free_.push_back(std::move(memory));
    }

   private:
    mutable std::mutex mutex_;
    mutable std::vector<Memory> free_;
  };

  Plan plan_;
  Pool workspaces_, buffers_;
};

/// A value made at the first call, once, whichever thread comes first.
template <class T>
class Lazy {
 public:
  template <class Make>
  const T& get(const Make& make) const {
    std::call_once(once_, [&] { value_.reset(new T(make())); });
    return *value_;
  }

 private:
  mutable std::once_flag once_;
  mutable std::unique_ptr<const T> value_;
};

}  // namespace kappa
