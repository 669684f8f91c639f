#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kappa {
namespace {

thread_local bool inside_loop = false;

// About as long as a sleeping thread takes to wake, some ten microseconds.
constexpr int patience = 1000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Returns when `value` is no longer `old`.
template <class T>
void await_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < patience; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

// What the threads of a team share; the last of them to leave frees it.
struct TeamState {
  using Work = std::function<void(int, std::int64_t)>;
  // The number of the loop, and below it how many of its indices nobody has taken yet. Who lowers
  // that by one owns an index, and until it is done the loop's work and count stay.
  std::atomic<std::uint64_t> ticket{0};
  static constexpr std::uint64_t next_loop = std::uint64_t{1} << 40;
  static std::uint64_t untaken(std::uint64_t ticket) { return ticket & (next_loop - 1); }

  const Work* work = nullptr;
  std::int64_t count = 0;
  std::atomic<std::int64_t> unfinished{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;  // of the thread that set `failed`

  std::atomic<bool> closed{false};
  std::atomic<int> joined{1};

  // Takes indices until none is left; returns the ticket that says so.
  std::uint64_t take_part(int thread) {
    std::uint64_t seen = ticket.load(std::memory_order_acquire);
    while (untaken(seen) > 0) {
      if (!ticket.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) continue;
      if (!failed.load(std::memory_order_relaxed)) {
        call(thread, count - static_cast<std::int64_t>(untaken(seen)));
      }
      if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_one();
      seen = ticket.load(std::memory_order_acquire);
    }
    return seen;
  }

  void help() {
    const int thread = joined++;
    for (;;) {
      const std::uint64_t seen = take_part(thread);
      // Closing comes before its own ticket: asked in the other order, this could wait for a change
      // after the last one.
      if (closed.load(std::memory_order_acquire)) return;
      await_change(ticket, seen);
    }
  }

  void announce(std::uint64_t indices) {
    const std::uint64_t loop = ticket.load(std::memory_order_relaxed) / next_loop + 1;
    ticket.exchange(loop * next_loop + indices, std::memory_order_acq_rel);
    ticket.notify_all();
  }

 private:
  void call(int thread, std::int64_t index) {
    inside_loop = true;
    try {
      (*work)(thread, index);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
    inside_loop = false;
  }
};

namespace {

// Threads that wait for a team to help.
class Pool {
 public:
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void call_up(const std::shared_ptr<TeamState>& team, int helpers) {
    {
      const std::lock_guard lock(mutex_);
      offers_.insert(offers_.end(), static_cast<std::size_t>(helpers), team);
      while (idle_ < offers_.size()) {
        threads_.emplace_back([this] { serve(); });
        ++idle_;
      }
    }
    for (int i = 0; i < helpers; ++i) wake_.notify_one();
  }

  // Calls that nobody has followed yet.
  void call_off(const std::shared_ptr<TeamState>& team) {
    const std::lock_guard lock(mutex_);
    std::erase(offers_, team);
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return closing_ || !offers_.empty(); });
      if (closing_) return;
      --idle_;
      std::shared_ptr<TeamState> team = std::move(offers_.front());
      offers_.pop_front();
      lock.unlock();
      team->help();
      team.reset();
      lock.lock();
      ++idle_;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<TeamState>> offers_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;  // threads that wait for a call or have just been started
  bool closing_ = false;
};

Pool& pool() {
  static Pool pool;
  return pool;
}

}  // namespace

ThreadTeam::ThreadTeam(int num_threads) : size_(inside_loop ? 1 : std::max(num_threads, 1)) {
  if (size_ == 1) return;
  state_ = std::make_shared<TeamState>();
  pool().call_up(state_, size_ - 1);
}

ThreadTeam::~ThreadTeam() {
  if (!state_) return;
  state_->closed.store(true, std::memory_order_release);
  state_->announce(0);
  pool().call_off(state_);
}

void ThreadTeam::for_each(std::int64_t count, const std::function<void(int, std::int64_t)>& work) {
  if (!state_ || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) work(0, i);
    return;
  }
  TeamState& state = *state_;
  state.work = &work;
  state.count = count;
  state.failed.store(false, std::memory_order_relaxed);
  state.unfinished.store(count, std::memory_order_relaxed);
  state.announce(static_cast<std::uint64_t>(count));
  state.take_part(0);
  std::int64_t left = 0;
  while ((left = state.unfinished.load(std::memory_order_acquire)) > 0) {
    await_change(state.unfinished, left);
  }
  if (state.failed) std::rethrow_exception(std::exchange(state.error, nullptr));
}

void parallel_for(int num_threads, std::int64_t count,
                  const std::function<void(std::int64_t)>& work) {
  ThreadTeam team(static_cast<int>(std::min<std::int64_t>(num_threads, count)));
  team.for_each(count, [&](int, std::int64_t index) { work(index); });
}

}  // namespace kappa
