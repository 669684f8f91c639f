#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace kappa {
namespace {

TEST(ParallelFor, every_index_once) {
  for (const int threads : {1, 2, 4}) {
    for (const std::int64_t count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      parallel_for(threads, count, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
      for (const auto& n : calls) EXPECT_EQ(n, 1);
    }
  }
}

TEST(ParallelFor, forwards_an_exception_and_survives_it) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> calls = 0;
    EXPECT_THROW(parallel_for(3, 100,
                              [&](std::int64_t i) {
                                ++calls;
                                if (i == 5) throw std::runtime_error("five");
                              }),
                 std::runtime_error);
    EXPECT_GE(calls, 6);
  }
  std::atomic<int> calls = 0;
  parallel_for(3, 100, [&](std::int64_t) { ++calls; });
  EXPECT_EQ(calls, 100);
}

TEST(ParallelFor, nested_calls_run_on_their_own_thread) {
  std::atomic<int> strangers = 0, calls = 0;
  parallel_for(3, 8, [&](std::int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(3, 5, [&](std::int64_t) {
      ++calls;
      if (std::this_thread::get_id() != outer) ++strangers;
    });
  });
  EXPECT_EQ(calls, 40);
  EXPECT_EQ(strangers, 0);
}

TEST(ParallelFor, calls_from_several_threads_at_once) {
  std::atomic<std::int64_t> total = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        parallel_for(3, 10, [&](std::int64_t i) { total += i; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 4 * 100 * 45);
}

TEST(ParallelFor, uses_other_threads) {
  std::set<std::thread::id> seen;
  std::mutex mutex;
  std::atomic<int> waiting = 0;
  parallel_for(2, 2, [&](std::int64_t) {
    ++waiting;
    while (waiting < 2) std::this_thread::yield();  // ends only where two threads run
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 2U);
}

// Loops of all lengths one after another: an index taken twice, lost, or taken into the next loop
// would show.
TEST(ThreadTeam, loops_in_turn_take_every_index_once) {
  for (const int threads : {1, 2, 4}) {
    ThreadTeam team(threads);
    EXPECT_EQ(team.size(), threads);
    for (int round = 0; round < 2000; ++round) {
      const std::int64_t count = round * 7 % 13;
      std::vector<int> calls(13);
      team.for_each(count,
                    [&](int, std::int64_t i) { calls[static_cast<std::size_t>(i)] += round; });
      for (std::int64_t i = 0; i < 13; ++i) {
        ASSERT_EQ(calls[static_cast<std::size_t>(i)], i < count ? round : 0);
      }
      // Now and then longer than the others watch.
      if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
}

TEST(ThreadTeam, no_two_threads_have_the_same_number_at_a_time) {
  ThreadTeam team(3);
  std::atomic<int> inside[3] = {0, 0, 0}, clashes = 0;
  for (int round = 0; round < 200; ++round) {
    team.for_each(12, [&](int thread, std::int64_t) {
      ASSERT_TRUE(0 <= thread && thread < 3);
      if (++inside[thread] != 1) ++clashes;
      --inside[thread];
    });
  }
  EXPECT_EQ(clashes, 0);
}

// A helper that missed the end would be kept for ever, and new teams would need ever more threads.
TEST(ThreadTeam, helpers_come_back_from_every_team) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  for (int round = 0; round < 3000; ++round) {
    ThreadTeam team(2);
    team.for_each(2, [&](int, std::int64_t) {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
  }
  EXPECT_LE(seen.size(), 20U);
}

TEST(ThreadTeam, goes_on_after_an_exception) {
  ThreadTeam team(3);
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> calls = 0;
    EXPECT_THROW(team.for_each(10,
                               [&](int, std::int64_t i) {
                                 ++calls;
                                 if (i == 3) throw std::runtime_error("three");
                               }),
                 std::runtime_error);
    EXPECT_LE(calls, 10);
    calls = 0;
    team.for_each(10, [&](int, std::int64_t) { ++calls; });
    EXPECT_EQ(calls, 10);
  }
}

}  // namespace
}  // namespace kappa
