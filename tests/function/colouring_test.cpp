#include "function/colouring.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace kappa {
namespace {

/// The symmetric pattern with a full diagonal and these pairs.
SparsityPattern graph(std::int32_t n,
                      const std::vector<std::pair<std::int32_t, std::int32_t>>& edges) {
  std::vector<std::set<std::int32_t>> rows(static_cast<std::size_t>(n));
  for (std::int32_t i = 0; i < n; ++i) rows[static_cast<std::size_t>(i)].insert(i);
  for (const auto& [a, b] : edges) {
    rows[static_cast<std::size_t>(a)].insert(b);
    rows[static_cast<std::size_t>(b)].insert(a);
  }
  SparsityPattern pattern{n, n, {0}, {}};
  for (const auto& row : rows) {
    pattern.indices.insert(pattern.indices.end(), row.begin(), row.end());
    pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
  }
  return pattern;
}

bool has(const SparsityPattern& p, std::int32_t i, std::int32_t j) {
  return std::binary_search(p.indices.begin() + p.starts[static_cast<std::size_t>(i)],
                            p.indices.begin() + p.starts[static_cast<std::size_t>(i) + 1], j);
}

/// Of every H_ij and H_ji one can be read off: its column is the only one of its colour in its row.
void expect_readable(const SparsityPattern& p, const Colouring& colouring) {
  const auto alone = [&](std::int32_t i, std::int32_t j) {
    for (auto k = p.starts[static_cast<std::size_t>(i)];
         k < p.starts[static_cast<std::size_t>(i) + 1]; ++k) {
      const std::int32_t other = p.indices[static_cast<std::size_t>(k)];
      if (other != j && colouring.colour[static_cast<std::size_t>(other)] ==
                            colouring.colour[static_cast<std::size_t>(j)]) {
        return false;
      }
    }
    return true;
  };
  for (std::int32_t i = 0; i < p.rows; ++i) {
    for (std::int32_t j = 0; j <= i; ++j) {
      if (has(p, i, j)) {
        EXPECT_TRUE(alone(i, j) || alone(j, i)) << i << ", " << j;
      }
    }
  }
  for (const std::int32_t c : colouring.colour) {
    EXPECT_GE(c, 0);
    EXPECT_LT(c, colouring.count);
  }
}

TEST(Colouring, BandTakesItsWidth) {
  std::vector<std::pair<std::int32_t, std::int32_t>> edges;
  for (std::int32_t i = 0; i + 1 < 50; ++i) edges.emplace_back(i, i + 1);
  const SparsityPattern band = graph(50, edges);
  const Colouring colouring = star_colouring(band);
  EXPECT_EQ(colouring.count, 3);
  EXPECT_EQ(colouring.num_dense, 0);
  expect_readable(band, colouring);
}

TEST(Colouring, ArrowIsPeeled) {
  std::vector<std::pair<std::int32_t, std::int32_t>> edges;
  for (std::int32_t i = 1; i < 60; ++i) edges.emplace_back(0, i);
  for (std::int32_t i = 1; i + 1 < 60; ++i) edges.emplace_back(i, i + 1);
  const SparsityPattern arrow = graph(60, edges);
  const Colouring colouring = star_colouring(arrow);
  EXPECT_EQ(colouring.num_dense, 1);
  EXPECT_LE(colouring.count, 4);
  expect_readable(arrow, colouring);
}

TEST(Colouring, RandomGraphsCanBeReadOff) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 20; ++trial) {
    std::uniform_int_distribution<std::int32_t> vertex(0, 39);
    std::vector<std::pair<std::int32_t, std::int32_t>> edges;
    for (int e = 0; e < 20 + 8 * trial; ++e) edges.emplace_back(vertex(random), vertex(random));
    const SparsityPattern pattern = graph(40, edges);
    expect_readable(pattern, star_colouring(pattern));
  }
}

}  // namespace
}  // namespace kappa
