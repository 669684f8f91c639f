#pragma once

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
    std::shared_ptr<std::byte[]> workspace = take();
    plan_.run(inputs.data(), outputs.data(), workspace.get());
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::shared_ptr<std::byte[]> take() const {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::shared_ptr<std::byte[]> workspace = std::move(free_.back());
        free_.pop_back();
        return workspace;
      }
    }
    return allocate_aligned(plan_.workspace_bytes());
  }

  Plan plan_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<std::byte[]>> free_;
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
