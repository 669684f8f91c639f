#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

namespace kappa::detail {

/// What all threads of a parallel_for share. No template: threads are compiled once.
struct ParallelWork {
  using Loop = void (*)(const void* make_body, std::atomic<std::int64_t>& next, std::int64_t count);
  ParallelWork(Loop loop_given, const void* make_body_given, std::int64_t count_given)
      : loop(loop_given), make_body(make_body_given), count(count_given) {}

  Loop loop;
  const void* make_body;
  std::int64_t count;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure = nullptr;
  std::mutex failure_mutex;

  void run() {
    try {
      loop(make_body, next, count);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  }
  [[gnu::noinline]] void run_on(int num_threads) {
    if (num_threads <= 1) return run();
    struct Helper {
      std::thread thread;
      ~Helper() { thread.join(); }
    };
    Helper helper{std::thread(&ParallelWork::run, this)};
    run_on(num_threads - 1);
  }
};

[[gnu::noinline]] inline void run_parallel(ParallelWork::Loop loop, const void* make_body,
                                           std::int64_t count, int num_threads) {
  ParallelWork work(loop, make_body, count);
  work.run_on(num_threads < count ? num_threads : static_cast<int>(count));
  if (work.failure) std::rethrow_exception(work.failure);
}

/// Calls body(i) for i < count from up to `num_threads` threads, each made by `make_body()`. Which
/// thread gets which i is left to chance, so bodies write to places of their own. An exception
/// stops the work and is rethrown here.
template <class MakeBody>
void parallel_for(std::int64_t count, int num_threads, const MakeBody& make_body) {
  const auto loop = [](const void* make, std::atomic<std::int64_t>& next, std::int64_t end) {
    auto body = (*static_cast<const MakeBody*>(make))();
    for (std::int64_t i = next++; i < end; i = next++) body(i);
  };
  run_parallel(loop, &make_body, count, num_threads);
}

}  // namespace kappa::detail
