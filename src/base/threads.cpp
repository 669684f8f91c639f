#include "base/threads.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace kappa {
namespace {

// One parallel_for. Helpers enter and leave it under the pool's mutex.
struct Job {
  const std::function<void(std::int64_t)>* work;
  std::int64_t count;
  std::int64_t next = 0;
  int helpers = 0;  // threads inside, without the caller
  std::exception_ptr error;
};

thread_local bool inside_job = false;

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

  void run(int num_helpers, Job& job) {
    {
      const std::lock_guard lock(mutex_);
      while (static_cast<int>(threads_.size()) < num_helpers) {
        threads_.emplace_back([this] { serve(); });
      }
      for (int i = 0; i < num_helpers; ++i) offers_.push_back(&job);
    }
    wake_.notify_all();
    std::unique_lock lock(mutex_);
    take_part(job, lock);
    std::erase(offers_, &job);  // offers nobody took up must not outlive the job
    left_.wait(lock, [&] { return job.helpers == 0; });
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return closing_ || !offers_.empty(); });
      if (closing_) return;
      Job& job = *offers_.front();
      offers_.pop_front();
      ++job.helpers;
      take_part(job, lock);
      --job.helpers;
      left_.notify_all();
    }
  }

  // Takes indices until none is left. The lock is held between calls of work only.
  static void take_part(Job& job, std::unique_lock<std::mutex>& lock) {
    while (job.next < job.count) {
      const std::int64_t index = job.next++;
      lock.unlock();
      std::exception_ptr error;
      inside_job = true;
      try {
        (*job.work)(index);
      } catch (...) {
        error = std::current_exception();
      }
      inside_job = false;
      lock.lock();
      if (error) {
        if (!job.error) job.error = error;
        job.next = job.count;
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::deque<Job*> offers_;
  std::vector<std::thread> threads_;
  bool closing_ = false;
};

}  // namespace

void parallel_for(int num_threads, std::int64_t count,
                  const std::function<void(std::int64_t)>& work) {
  if (num_threads <= 1 || count <= 1 || inside_job) {
    for (std::int64_t i = 0; i < count; ++i) work(i);
    return;
  }
  static Pool pool;
  Job job{&work, count};
  pool.run(static_cast<int>(std::min<std::int64_t>(num_threads, count)) - 1, job);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace kappa
