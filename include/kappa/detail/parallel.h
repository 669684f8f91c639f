#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace kappa::detail {

/// Calls body(i) for i < count from up to `num_threads` threads, each made by `make_body()`. Which
/// thread gets which i is left to chance, so bodies write to places of their own. An exception
/// stops the work and is rethrown here.
template <class MakeBody>
void parallel_for(std::int64_t count, int num_threads, const MakeBody& make_body) {
  const auto threads = static_cast<int>(std::min<std::int64_t>(num_threads, count));
  if (threads <= 1) {
    auto body = make_body();
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      auto body = make_body();
      for (std::int64_t i = next++; i < count; i = next++) body(i);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    helpers.reserve(static_cast<std::size_t>(threads) - 1);
    for (int t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace kappa::detail
