#pragma once

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "function/objective.h"

namespace kappa {

/// What two threads bring to a Hessian product of `block` directions, in one process. A round takes
/// in turn, so that all meet the same moment: products by one thread on either core; by two
/// objectives at once that share nothing but the machine, a core each (the pair: what a second core
/// is worth); by two threads; and by the pair again. One line of JSON with medians over rounds;
/// `pair` is the sum of the two rates over the mean rate of the two cores alone.
///
/// A virtual machine's cores are at times two halves of one, or slow one by one, for 0.01 to 10
/// seconds: then the pair yields 1.1 or 2.4 instead of 2. `two_over_one_steady` is the median over
/// the rounds, `steady` of them, in which the pair yielded 1.88 to 2.06 both times; null if none.
inline void print_thread_scaling(const std::function<std::unique_ptr<Objective>(int threads)>& make,
                                 std::int64_t block, std::int64_t rounds) {
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  const auto pin = [](std::initializer_list<int> cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  };
  const auto median = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  struct Product {
    std::unique_ptr<Objective> objective;
    std::unique_ptr<Linearization> at;
    std::vector<double> v, hv;
    void run(std::int64_t block) { at->hessian_product(block, v.data(), hv.data()); }
  };
  const auto prepare = [&](int threads) {
    Product product{make(threads), nullptr, {}, {}};
    const std::vector<double> w = product.objective->parameters().start();
    product.at = product.objective->linearize(w.data());
    product.v.resize(w.size() * static_cast<std::size_t>(block));
    for (std::size_t i = 0; i < product.v.size(); ++i) {
      product.v[i] = std::sin(static_cast<double>(i) * 0.7);
    }
    product.hv.resize(product.v.size());
    product.run(block);
    return product;
  };
  pin({0, 1});
  Product one = prepare(1), other = prepare(1), both = prepare(2);
  const bool same = one.hv == both.hv;
  std::vector<double> first, second, two, pair, ratio, ceiling, steady;
  // Enough products a measurement to outlast a thread's start.
  one.run(block);
  const double start = now();
  one.run(block);
  const auto each = std::max<std::int64_t>(1, static_cast<std::int64_t>(0.03 / (now() - start)));
  const auto time = [&](Product& product) {
    product.run(block);
    const double begin = now();
    for (std::int64_t i = 0; i < each; ++i) product.run(block);
    return (now() - begin) / static_cast<double>(each * block);
  };
  // Rate of the pair over that of one core alone.
  const auto run_pair = [&](double alone) {
    std::atomic<int> ready{0};
    double seconds[2];
    const auto side = [&](int core, Product& product) {
      pin({core});
      ++ready;
      while (ready < 2) {
      }
      seconds[core] = time(product);
      ++ready;
      while (ready < 4) product.run(block);  // the other is never left alone
    };
    std::thread thread([&] { side(1, other); });
    side(0, one);
    thread.join();
    pin({0, 1});
    pair.push_back(0.5 * (seconds[0] + seconds[1]));
    return (1 / seconds[0] + 1 / seconds[1]) / alone;
  };
  for (std::int64_t r = 0; r < rounds; ++r) {
    pin({0});
    first.push_back(time(one));
    pin({1});
    second.push_back(time(other));
    const double alone = 0.5 * (1 / first.back() + 1 / second.back());
    const double before = run_pair(alone);
    two.push_back(time(both));
    const double after = run_pair(alone);
    ratio.push_back(1 / two.back() / alone);
    ceiling.push_back(0.5 * (before + after));
    if (std::min(before, after) > 1.88 && std::max(before, after) < 2.06) {
      steady.push_back(ratio.back());
    }
  }
  const auto [low, high] = std::minmax_element(ratio.begin(), ratio.end());
  const auto [least, most] = std::minmax_element(ceiling.begin(), ceiling.end());
  fmt::print(
      "{{\"block\": {}, \"ms_core0\": {:.4g}, \"ms_core1\": {:.4g}, \"ms_two_threads\": {:.4g}, "
      "\"ms_of_pair\": {:.4g}, \"two_over_one\": {:.3f}, \"two_range\": [{:.3f}, {:.3f}], "
      "\"pair_over_one\": {:.3f}, \"pair_range\": [{:.3f}, {:.3f}], \"rounds\": {}, \"steady\": "
      "{}, "
      "\"two_over_one_steady\": {}, \"same_bits\": {}}}\n",
      block, 1e3 * median(first), 1e3 * median(second), 1e3 * median(two), 1e3 * median(pair),
      median(ratio), *low, *high, median(ceiling), *least, *most, rounds, steady.size(),
      steady.empty() ? "null" : fmt::format("{:.3f}", median(steady)), same);
}

}  // namespace kappa
