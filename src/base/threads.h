#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace kappa {

struct TeamState;

/// Threads that share out one loop after another: the calling one, and others that are started at
/// the first need, kept, and called up when the team is made.
///
/// Between two loops the others watch for the next one a moment before they sleep, so that the
/// loops of a team should follow one another closely. A loop waits for the threads that take part
/// in it and for no other. Made inside a loop's work, a team is the calling thread alone.
class ThreadTeam {
 public:
  explicit ThreadTeam(int num_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] int size() const { return size_; }

  /// Calls work(thread, index) for index 0 to count - 1, in this order, each by the next thread
  /// that is free, and returns when all are done. `thread`, from 0 to size() - 1, is no other
  /// thread's at the time. Which thread takes which index is not determined: results must not
  /// depend on it.
  ///
  /// The first exception is thrown again here, after the calls under way have ended; indices not
  /// yet begun are left out.
  void for_each(std::int64_t count, const std::function<void(int, std::int64_t)>& work);

 private:
  int size_;
  std::shared_ptr<TeamState> state_;  // null: the calling thread alone
};

/// One loop of a team: work(0), ..., work(count - 1), spread over at most `num_threads` threads.
void parallel_for(int num_threads, std::int64_t count,
                  const std::function<void(std::int64_t)>& work);

}  // namespace kappa
