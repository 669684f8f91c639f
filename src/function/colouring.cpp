#include "function/colouring.h"

#include <algorithm>
#include <numeric>

namespace kappa {
namespace {

using Order = std::vector<std::int32_t>;

std::vector<std::int64_t> row_lengths(const SparsityPattern& p) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(p.rows));
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = p.starts[i + 1] - p.starts[i];
  return lengths;
}

/// How many of the longest rows to take one by one: least d + (length of the longest row left).
std::int64_t num_peeled(std::vector<std::int64_t> lengths) {
  // A band needs about as many colours as its longest row; only rows well above that matter.
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  std::int64_t best = 0;
  for (std::size_t d = 0; d < lengths.size(); ++d) {
    const auto cost = static_cast<std::int64_t>(d) + lengths[d];
    // Strictly better by two: one product saved is not worth another kind of product.
    if (cost + 1 < best + lengths[static_cast<std::size_t>(best)]) {
      best = static_cast<std::int64_t>(d);
    }
    if (static_cast<std::int64_t>(d) > lengths[0]) break;
  }
  return best;
}

std::vector<bool> longest_rows(const SparsityPattern& p) {
  const std::vector<std::int64_t> lengths = row_lengths(p);
  std::vector<bool> peeled(lengths.size(), false);
  const std::int64_t count = lengths.empty() ? 0 : num_peeled(lengths);
  if (count > 0) {
    Order order(lengths.size());
    std::iota(order.begin(), order.end(), 0);
    const auto longer = [&](std::int32_t a, std::int32_t b) {
      const std::int64_t la = lengths[static_cast<std::size_t>(a)];
      const std::int64_t lb = lengths[static_cast<std::size_t>(b)];
      return la != lb ? la > lb : a < b;
    };
    std::nth_element(order.begin(), order.begin() + count, order.end(), longer);
    for (std::int64_t k = 0; k < count; ++k) {
      peeled[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = true;
    }
  }
  return peeled;
}

Order natural_order(std::int64_t n) {
  Order order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Order largest_first(const std::vector<std::int64_t>& degree) {
  Order order = natural_order(static_cast<std::int64_t>(degree.size()));
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return degree[static_cast<std::size_t>(a)] > degree[static_cast<std::size_t>(b)];
  });
  return order;
}

/// The vertex of least degree in what is left goes last (Matula and Beck 1983), in linear time.
Order smallest_last(const SparsityPattern& graph, std::vector<std::int64_t> degree) {
  const auto n = static_cast<std::size_t>(graph.rows);
  const std::int64_t highest = n == 0 ? 0 : *std::max_element(degree.begin(), degree.end());
  std::vector<Order> buckets(static_cast<std::size_t>(highest) + 1);
  for (std::size_t v = 0; v < n; ++v) {
    buckets[static_cast<std::size_t>(degree[v])].push_back(static_cast<std::int32_t>(v));
  }
  std::vector<bool> removed(n, false);
  Order order(n);
  std::size_t least = 0;
  for (std::size_t place = n; place-- > 0;) {
    while (true) {
      while (buckets[least].empty()) ++least;
      const std::int32_t v = buckets[least].back();
      buckets[least].pop_back();
      const auto at = static_cast<std::size_t>(v);
      // A vertex stands in a bucket for every degree it had; only the last one counts.
      if (removed[at] || degree[at] != static_cast<std::int64_t>(least)) continue;
      removed[at] = true;
      order[place] = v;
      for (const std::int32_t w : graph.row(v)) {
        const auto to = static_cast<std::size_t>(w);
        if (removed[to]) continue;
        const std::int64_t lower = --degree[to];
        buckets[static_cast<std::size_t>(lower)].push_back(w);
        least = std::min(least, static_cast<std::size_t>(lower));
      }
      break;
    }
  }
  return order;
}

/// The smallest colour not marked with `stamp`.
std::int32_t first_free(std::vector<std::int32_t>& marks, std::int32_t stamp) {
  std::size_t c = 0;
  while (c < marks.size() && marks[c] == stamp) ++c;
  if (c == marks.size()) marks.push_back(-1);
  return static_cast<std::int32_t>(c);
}

/// Colours for the vertices that are not peeled, in this order.
Colouring greedy_star(const SparsityPattern& graph, const std::vector<bool>& peeled,
                      const Order& order) {
  Colouring result{std::vector<std::int32_t>(static_cast<std::size_t>(graph.rows), -1)};
  std::vector<std::int32_t>& colour = result.colour;
  std::vector<std::int32_t> marks;
  for (const std::int32_t v : order) {
    if (peeled[static_cast<std::size_t>(v)]) continue;
    const auto forbid = [&](std::int32_t c) { marks[static_cast<std::size_t>(c)] = v; };
    for (const std::int32_t w : graph.row(v)) {
      if (w == v || peeled[static_cast<std::size_t>(w)]) continue;
      const std::int32_t own = colour[static_cast<std::size_t>(w)];
      if (own >= 0) forbid(own);
      for (const std::int32_t x : graph.row(w)) {
        const std::int32_t other = colour[static_cast<std::size_t>(x)];
        if (x != v && other >= 0 && (own < 0 || other < own)) forbid(other);
      }
    }
    const std::int32_t chosen = first_free(marks, v);
    colour[static_cast<std::size_t>(v)] = chosen;
    result.count = std::max(result.count, chosen + 1);
  }
  return result;
}

Colouring greedy_columns(const SparsityPattern& rows, const SparsityPattern& columns,
                         const std::vector<bool>& row_taken, const Order& order) {
  Colouring result{std::vector<std::int32_t>(static_cast<std::size_t>(rows.columns), -1)};
  std::vector<std::int32_t> marks;
  for (const std::int32_t v : order) {
    bool needed = false;
    for (const std::int32_t i : columns.row(v)) {
      if (!row_taken[static_cast<std::size_t>(i)]) continue;
      needed = true;
      for (const std::int32_t w : rows.row(i)) {
        const std::int32_t c = result.colour[static_cast<std::size_t>(w)];
        if (c >= 0) marks[static_cast<std::size_t>(c)] = v;
      }
    }
    if (!needed) continue;
    const std::int32_t chosen = first_free(marks, v);
    result.colour[static_cast<std::size_t>(v)] = chosen;
    result.count = std::max(result.count, chosen + 1);
  }
  return result;
}

/// The best colouring of the natural, the largest-first and the smallest-last ordering; `bound` is
/// a number of colours that is good enough to stop at.
template <class Greedy, class SmallestLast>
Colouring best_of_orderings(const std::vector<std::int64_t>& degree, std::int64_t bound,
                            const Greedy& greedy, const SmallestLast& smallest_last_order) {
  Colouring best = greedy(natural_order(static_cast<std::int64_t>(degree.size())));
  if (best.count <= bound) return best;
  Colouring next = greedy(largest_first(degree));
  if (next.count < best.count) best = std::move(next);
  if (best.count <= bound) return best;
  next = greedy(smallest_last_order());
  if (next.count < best.count) best = std::move(next);
  return best;
}

}  // namespace

Colouring star_colouring(const SparsityPattern& symmetric) {
  const std::vector<bool> peeled = longest_rows(symmetric);
  const std::vector<std::int64_t> degree = row_lengths(symmetric);
  std::int64_t longest = 0;
  for (std::size_t v = 0; v < degree.size(); ++v) {
    if (!peeled[v]) longest = std::max(longest, degree[v]);
  }
  Colouring result = best_of_orderings(
      degree, longest, [&](const Order& order) { return greedy_star(symmetric, peeled, order); },
      [&] { return smallest_last(symmetric, degree); });
  for (std::size_t v = 0; v < peeled.size(); ++v) {
    if (!peeled[v]) continue;
    result.colour[v] = result.count++;
    ++result.num_dense;
  }
  return result;
}

std::vector<bool> short_rows(const SparsityPattern& pattern) {
  std::vector<bool> taken = longest_rows(pattern);
  taken.flip();
  return taken;
}

Colouring column_colouring(const SparsityPattern& pattern, const std::vector<bool>& row_taken) {
  const SparsityPattern columns = transpose(pattern);
  const std::vector<std::int64_t> degree = row_lengths(columns);
  std::int64_t longest = 0;
  for (std::int64_t i = 0; i < pattern.rows; ++i) {
    if (row_taken[static_cast<std::size_t>(i)]) {
      longest = std::max(longest, static_cast<std::int64_t>(pattern.row(i).size()));
    }
  }
  const auto greedy = [&](const Order& order) {
    return greedy_columns(pattern, columns, row_taken, order);
  };
  return best_of_orderings(degree, longest, greedy, [&] {
    Order order = largest_first(degree);
    std::reverse(order.begin(), order.end());
    return order;
  });
}

}  // namespace kappa
