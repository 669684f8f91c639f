#include "function/coupled_blocks.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <unordered_map>

#include "base/blas.h"
#include "function/weighted_product.h"

namespace kappa {
namespace {

constexpr std::int64_t kTile = 4096;  // elements of J_b' diag(h) at a time
constexpr std::int64_t kShortestTile = 512;
constexpr double kSmallProduct = 0x1p20;  // multiplications of what gemm computes in registers
constexpr std::int64_t kShortestSmallTile = 128;
constexpr std::int64_t kTransposed = 16;  // rows at a time
constexpr std::int64_t kLongRun = 64;     // that is multiplied where it stands
constexpr std::int64_t kFew = 16;         // variables of blocks that need no library
constexpr double kMultiplicationsPerAddition = 8;

std::span<const std::int32_t> row_of(const SparsityPattern& p, std::int64_t i) {
  const auto first = static_cast<std::size_t>(p.starts[static_cast<std::size_t>(i)]);
  const auto last = static_cast<std::size_t>(p.starts[static_cast<std::size_t>(i) + 1]);
  return {p.indices.data() + first, last - first};
}

/// Rows of J_a that are multiplied at a time.
std::int64_t tile_of(std::int64_t rows, std::int64_t columns) {
  const std::int64_t tile = std::max(kShortestTile, kTile / std::max(rows, columns));
  const auto small =
      static_cast<std::int64_t>(kSmallProduct / static_cast<double>(rows * columns)) / 8 * 8;
  return small < kShortestSmallTile ? tile : std::min(tile, small);
}

std::int64_t width(const CoupledBlocks::Block& block) {
  return static_cast<std::int64_t>(block.columns.size());
}

struct Hash {
  std::size_t operator()(const std::vector<std::int32_t>& list) const {
    std::size_t hash = list.size();
    for (const std::int32_t i : list) {
      hash = (hash ^ static_cast<std::size_t>(i)) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    return hash;
  }
  std::size_t operator()(const std::tuple<std::int64_t, std::int32_t, std::int32_t>& key) const {
    const auto& [run, a, b] = key;
    return (static_cast<std::size_t>(run) * 0x9E3779B97F4A7C15ULL) ^
           ((static_cast<std::size_t>(a) << 32) + static_cast<std::size_t>(b)) *
               0xC2B2AE3D27D4EB4FULL;
  }
};

}  // namespace

// ---- what is prepared --------------------------------------------------------------------------

CoupledBlocks::CoupledBlocks(const SparsityPattern& jacobian) : size_(jacobian.rows) {
  std::unordered_map<std::vector<std::int32_t>, std::int32_t, Hash> known;
  block_of_.assign(static_cast<std::size_t>(size_), -1);
  place_in_block_.assign(static_cast<std::size_t>(size_), 0);
  std::vector<std::int32_t> columns;
  for (std::int64_t e = 0; e < size_; ++e) {
    const auto row = row_of(jacobian, e);
    if (row.empty()) continue;
    columns.assign(row.begin(), row.end());
    const auto [found, is_new] = known.emplace(columns, static_cast<std::int32_t>(blocks_.size()));
    if (is_new) blocks_.push_back({.columns = columns});
    Block& block = blocks_[static_cast<std::size_t>(found->second)];
    block_of_[static_cast<std::size_t>(e)] = found->second;
    place_in_block_[static_cast<std::size_t>(e)] = static_cast<std::int32_t>(block.rows.size());
    if (!block.rows.empty() && block.rows.back() + 1 != e) block.contiguous = false;
    block.rows.push_back(static_cast<std::int32_t>(e));
  }
  num_entries_ = jacobian.num_entries();
}

void CoupledBlocks::read_off(const UnitProducts& products) {
  num_a_run_ = products.num_a_run();
  // Products mostly of zeros are not kept.
  keep_products_ = products.num_products() * size_ <= 2 * num_entries_;
  copied_.resize(static_cast<std::size_t>(products.count()));
  memory_size_ = (keep_products_ ? products.num_products() : num_a_run_) * size_;
  for (std::size_t a = 0; a < blocks_.size(); ++a) {
    Block& block = blocks_[a];
    for (std::size_t r = 0; r < block.columns.size(); ++r) {
      const std::int32_t colour = products.colour_of(block.columns[r]);
      if (keep_products_ && block.contiguous) {
        block.places.push_back(colour * size_ + block.rows[0]);
        continue;
      }
      block.places.push_back(memory_size_);
      memory_size_ += static_cast<std::int64_t>(block.rows.size());
      copied_[static_cast<std::size_t>(colour)].emplace_back(a, r);
    }
  }
}

void CoupledBlocks::place() {
  for (Block& block : blocks_) {
    for (std::size_t r = 0; r < block.columns.size(); ++r) {
      block.places.push_back(memory_size_);
      memory_size_ += static_cast<std::int64_t>(block.rows.size());
    }
  }
}

void CoupledBlocks::couple(const SparsityPattern& h, const UnitProducts& products) {
  std::unordered_map<std::tuple<std::int64_t, std::int32_t, std::int32_t>, std::size_t, Hash> known;
  for (std::int64_t e = 0; e < size_; ++e) {
    const std::int32_t a = block_of_[static_cast<std::size_t>(e)];
    if (a < 0) continue;
    for (const std::int32_t other : row_of(h, e)) {
      const auto o = static_cast<std::size_t>(other);
      const std::int32_t b = block_of_[o];
      if (b < 0 || b > a) continue;
      const std::int64_t colour = products.colour_of(other);
      const std::int64_t run = colour / products.num_a_run();
      const auto [found, is_new] = known.emplace(std::tuple(run, a, b), couplings_.size());
      if (is_new) couplings_.push_back({.a = a, .b = b, .products = run, .runs = {}});
      Coupling& coupling = couplings_[found->second];
      const Run next{place_in_block_[static_cast<std::size_t>(e)], place_in_block_[o], 1,
                     (colour - run * products.num_a_run()) * size_ + e};
      ++coupling.count;
      if (!coupling.runs.empty()) {
        Run& last = coupling.runs.back();
        const std::int64_t stride = next.source - last.source - (last.count - 1) * last.stride;
        if (next.a == last.a + last.count && next.b == last.b + last.count &&
            (last.count == 1 || stride == last.stride)) {
          last.stride = stride;
          ++last.count;
          continue;
        }
      }
      coupling.runs.push_back(next);
    }
  }
  std::sort(couplings_.begin(), couplings_.end(), [](const Coupling& left, const Coupling& right) {
    return std::tuple(left.products, left.b, left.a) < std::tuple(right.products, right.b, right.a);
  });
  starts_.assign(static_cast<std::size_t>(products.num_runs()) + 1, couplings_.size());
  for (std::size_t c = couplings_.size(); c-- > 0;) {
    starts_[static_cast<std::size_t>(couplings_[c].products)] = c;
  }
  for (std::size_t r = starts_.size() - 1; r-- > 0;) {
    starts_[r] = std::min(starts_[r], starts_[r + 1]);
  }
  for (Coupling& coupling : couplings_) {
    Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
    const std::int64_t columns = width(a);
    const std::int64_t rows = width(blocks_[static_cast<std::size_t>(coupling.b)]);
    work_ += static_cast<double>(coupling.count) *
             (static_cast<double>(rows + columns) +
              static_cast<double>(rows * columns) / kMultiplicationsPerAddition);
    work_ += static_cast<double>(2 * rows * columns);
    coupling.in_place = std::max(rows, columns) <= kFew &&
                        std::all_of(coupling.runs.begin(), coupling.runs.end(), [](const Run& run) {
                          return run.stride == 1 && run.count >= kLongRun;
                        });
    scratch_size_ =
        std::max(scratch_size_, rows * columns + (rows + columns) * tile_of(rows, columns));
    if (coupling.in_place || a.turned >= 0) continue;
    a.turned = turned_size_;
    turned_size_ += columns * static_cast<std::int64_t>(a.rows.size());
  }
}

// ---- J -----------------------------------------------------------------------------------------

double* CoupledBlocks::products(std::int64_t run, double* memory) const {
  return keep_products_ ? memory + run * num_a_run_ * size_ : memory;
}

void CoupledBlocks::take(std::int64_t run, double* memory) const {
  const double* from = products(run, memory);
  const auto count = static_cast<std::int64_t>(copied_.size());
  const std::int64_t last = std::min(count, (run + 1) * num_a_run_);
  for (std::int64_t c = run * num_a_run_; c < last; ++c, from += size_) {
    for (const auto& [b, r] : copied_[static_cast<std::size_t>(c)]) {
      const Block& block = blocks_[static_cast<std::size_t>(b)];
      double* to = memory + block.places[static_cast<std::size_t>(r)];
      if (block.contiguous) {
        std::copy_n(from + block.rows[0], block.rows.size(), to);
      } else {
        for (const std::int32_t row : block.rows) *to++ = from[row];
      }
    }
  }
}

void CoupledBlocks::turn(const double* memory, double* turned) const {
  for (const Block& block : blocks_) {
    if (block.turned < 0) continue;
    const auto rows = static_cast<std::int64_t>(block.rows.size());
    const std::int64_t columns = width(block);
    double* to = turned + block.turned;
    for (std::int64_t first = 0; first < rows; first += kTransposed) {
      const std::int64_t last = std::min(first + kTransposed, rows);
      for (std::int64_t c = 0; c < columns; ++c) {
        const double* from = memory + block.places[static_cast<std::size_t>(c)];
        for (std::int64_t r = first; r < last; ++r) to[r * columns + c] = from[r];
      }
    }
  }
}

// ---- J' h J ------------------------------------------------------------------------------------

void CoupledBlocks::add(std::int64_t run, const double* memory, const double* turned,
                        const double* products, double* scratch, std::int64_t n,
                        double* result) const {
  for (std::size_t c = starts_[static_cast<std::size_t>(run)];
       c < starts_[static_cast<std::size_t>(run) + 1]; ++c) {
    add_coupling(couplings_[c], memory, turned, products, scratch, n, result);
  }
}

// Adds J_b' diag(h) J_a and, for two blocks, its transpose.
void CoupledBlocks::add_coupling(const Coupling& coupling, const double* memory,
                                 const double* turned, const double* products, double* scratch,
                                 std::int64_t n, double* result) const {
  const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const std::int64_t rows = width(b), columns = width(a);
  double* product = scratch;
  std::fill_n(product, rows * columns, 0.0);
  if (coupling.in_place) {
    multiply_in_place(coupling, memory, products, product);
  } else {
    multiply_tiles(coupling, memory, turned, products, product);
  }
  const bool one = coupling.a == coupling.b;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = b.columns[static_cast<std::size_t>(r)];
    for (std::int64_t c = 0; c < (one ? r + 1 : columns); ++c) {
      const std::int64_t j = a.columns[static_cast<std::size_t>(c)];
      const double value = product[r * columns + c];
      result[std::max(i, j) * n + std::min(i, j)] += i == j && !one ? 2 * value : value;
    }
  }
}

void CoupledBlocks::multiply_in_place(const Coupling& coupling, const double* memory,
                                      const double* products, double* product) const {
  const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const std::int64_t tile = tile_of(width(b), width(a));
  const double *left[kFew], *right[kFew];
  for (const Run& run : coupling.runs) {
    for (std::int64_t done = 0; done < run.count; done += tile) {
      for (std::size_t r = 0; r < b.places.size(); ++r) {
        left[r] = memory + b.places[r] + run.b + done;
      }
      for (std::size_t c = 0; c < a.places.size(); ++c) {
        right[c] = memory + a.places[c] + run.a + done;
      }
      add_weighted_product(left, width(b), products + run.source + done, right, width(a),
                           std::min(tile, run.count - done), product);
    }
  }
}

// Rows of J_a follow each other in `turned`. Those of short runs are gathered behind the weighted
// J_b'.
void CoupledBlocks::multiply_tiles(const Coupling& coupling, const double* memory,
                                   const double* turned, const double* products,
                                   double* product) const {
  const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const std::int64_t rows = width(b), columns = width(a);
  const std::int64_t tile = tile_of(rows, columns);
  double* weighted = product + rows * columns;
  double* gathered = weighted + rows * tile;
  const auto multiply = [&](std::int64_t count, const double* right) {
    gemm({rows, columns, count}, weighted, tile, right, columns, 1, product, columns);
  };
  std::int64_t filled = 0;  // of gathered
  for (const Run& run : coupling.runs) {
    for (std::int64_t done = 0; done < run.count;) {
      const std::int64_t left = run.count - done, pieces = (left + tile - 1) / tile;
      const bool in_place = filled == 0 && left >= kLongRun;
      const std::int64_t count =
          in_place ? (left + pieces - 1) / pieces : std::min(left, tile - filled);
      const double* h = products + run.source + done * run.stride;
      for (std::int64_t r = 0; r < rows; ++r) {
        const double* from = memory + b.places[static_cast<std::size_t>(r)] + run.b + done;
        double* to = weighted + r * tile + filled;
        if (run.stride == 1) {
          for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] * h[k];
        } else {
          for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] * h[k * run.stride];
        }
      }
      const double* right = turned + a.turned + (run.a + done) * columns;
      if (in_place) {
        multiply(count, right);
      } else {
        std::copy_n(right, count * columns, gathered + filled * columns);
        filled += count;
        if (filled == tile) {
          multiply(filled, gathered);
          filled = 0;
        }
      }
      done += count;
    }
  }
  if (filled > 0) multiply(filled, gathered);
}

}  // namespace kappa
