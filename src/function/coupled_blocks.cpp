#include "function/coupled_blocks.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include "base/blas.h"
#include "function/panel_product.h"
#include "function/weighted_product.h"
#include "hwy/cache_control.h"

namespace kappa {
namespace {

constexpr std::int64_t kTile = 4096;  // elements of J_b' diag(h) at a time
constexpr std::int64_t kShortestTile = 512;
constexpr double kSmallProduct = 0x1p20;  // multiplications of what gemm computes in registers
constexpr std::int64_t kShortestSmallTile = 128;
constexpr std::int64_t kTransposed = 16;  // rows at a time
constexpr std::int64_t kLine = 8;         // of a cache
constexpr std::int64_t kLongRun = 64;     // that is multiplied where it stands
// Variables of blocks that are multiplied where they stand: with others, with themselves.
constexpr std::int64_t kFew = 16, kFewAlone = 24;
// Elements of their rows at a time.
constexpr std::int64_t kPieceElements = 4096, kShortestPiece = 256;
constexpr double kMultiplicationsPerAddition = 8;

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
    const auto row = jacobian.row(e);
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
  const bool all_turned = std::all_of(couplings_.begin(), couplings_.end(),
                                      [](const Coupling& coupling) { return coupling.stacked; });
  std::int64_t next = 0;
  for (Block& block : blocks_) {
    if (all_turned) next = 0;
    for (std::size_t r = 0; r < block.columns.size(); ++r) {
      block.places.push_back(next);
      next += static_cast<std::int64_t>(block.rows.size());
    }
    memory_size_ = std::max(memory_size_, next);
  }
}

void CoupledBlocks::couple(const SparsityPattern& h, const UnitProducts& products) {
  std::unordered_map<std::tuple<std::int64_t, std::int32_t, std::int32_t>, std::size_t, Hash> known;
  for (std::int64_t e = 0; e < size_; ++e) {
    const std::int32_t a = block_of_[static_cast<std::size_t>(e)];
    if (a < 0) continue;
    for (const std::int32_t other : h.row(e)) {
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
  for (Coupling& coupling : couplings_) {
    Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
    const std::int64_t columns = width(a);
    const std::int64_t rows = width(blocks_[static_cast<std::size_t>(coupling.b)]);
    work_ += static_cast<double>(coupling.count) *
             (static_cast<double>(rows + columns) +
              static_cast<double>(rows * columns) / kMultiplicationsPerAddition);
    work_ += static_cast<double>(2 * rows * columns);
    const auto is_long = [](const Run& run) { return run.count >= kLongRun; };
    coupling.in_place =
        std::max(rows, columns) <= (coupling.a == coupling.b ? kFewAlone : kFew) &&
        std::all_of(coupling.runs.begin(), coupling.runs.end(),
                    [&](const Run& run) { return run.stride == 1 && is_long(run); });
    coupling.stacked = !coupling.in_place && coupling.runs.size() == 1 && is_long(coupling.runs[0]);
    scratch_size_ =
        std::max(scratch_size_, rows * columns + (rows + columns) * tile_of(rows, columns));
    if (coupling.stacked) {
      const std::int64_t groups = num_groups(rows) * kGroupWidth;
      scratch_size_ = std::max(scratch_size_, groups * (kPanelWidth + coupling.runs[0].count) +
                                                  kPanelWidth * (kPanelHeight + 1));
    }
    if (coupling.in_place) continue;
    const auto turn = [&](Block& block) {
      if (block.turned >= 0) return;
      block.turned = turned_size_;
      turned_size_ += width(block) * static_cast<std::int64_t>(block.rows.size());
    };
    turn(a);
    if (coupling.stacked) turn(blocks_[static_cast<std::size_t>(coupling.b)]);
  }
  // Vectors are read to their end.
  if (turned_size_ > 0) turned_size_ += kPanelWidth;
  make_tasks(products.num_runs());
}

void CoupledBlocks::make_tasks(std::int64_t num_runs) {
  starts_.assign(static_cast<std::size_t>(num_runs) + 1, 0);
  for (std::size_t c = 0; c < couplings_.size(); ++c) {
    const Coupling& next = couplings_[c];
    const auto belongs = [&](const Coupling& first) {
      return ((first.stacked && next.stacked) || (first.in_place && next.in_place)) &&
             first.products == next.products && first.b == next.b && first.runs.size() == 1 &&
             next.runs.size() == 1 && first.runs[0].b == next.runs[0].b &&
             first.runs[0].count == next.runs[0].count;
    };
    if (!tasks_.empty() && belongs(couplings_[tasks_.back().first])) {
      tasks_.back().last = c + 1;
    } else {
      tasks_.push_back({c, c + 1});
    }
    starts_[static_cast<std::size_t>(next.products) + 1] = tasks_.size();
  }
  for (std::size_t r = 1; r < starts_.size(); ++r)
    starts_[r] = std::max(starts_[r], starts_[r - 1]);
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

void CoupledBlocks::turn(const Block& block, const double* memory, double* turned) {
  if (block.turned < 0) return;
  const auto rows = static_cast<std::int64_t>(block.rows.size());
  const std::int64_t columns = width(block);
  double* to = turned + block.turned;
  for (std::int64_t first = 0; first < rows; first += kTransposed) {
    const std::int64_t last = std::min(first + kTransposed, rows);
    for (std::int64_t c = 0; c < columns; ++c) {
      const double* from = memory + block.places[static_cast<std::size_t>(c)];
      // What the next rows go to is fetched meanwhile.
      const double* ahead = to + (first + kTransposed) * columns + c * kTransposed;
      for (std::int64_t r = 0; r < kTransposed; r += kLine) hwy::Prefetch(ahead + r);
      for (std::int64_t r = first; r < last; ++r) to[r * columns + c] = from[r];
    }
  }
}

// ---- J' h J ------------------------------------------------------------------------------------

void CoupledBlocks::add(std::int64_t run, const double* memory, const double* turned,
                        const double* products, double* scratch, std::int64_t n,
                        double* result) const {
  for (std::size_t t = starts_[static_cast<std::size_t>(run)];
       t < starts_[static_cast<std::size_t>(run) + 1]; ++t) {
    const Coupling& first = couplings_[tasks_[t].first];
    if (first.stacked) {
      add_stack(tasks_[t], turned, products, scratch, n, result);
    } else if (first.in_place) {
      add_in_place(tasks_[t], memory, products, scratch, n, result);
    } else {
      multiply_tiles(first, memory, turned, products, scratch);
      add_product(first, scratch, n, result);
    }
  }
}

// J_b' times diag(h) J_a for all a of the task side by side, a panel of columns at a time.
void CoupledBlocks::add_stack(const Task& task, const double* turned, const double* products,
                              double* scratch, std::int64_t n, double* result) const {
  const Coupling& head = couplings_[task.first];
  const Block& b = blocks_[static_cast<std::size_t>(head.b)];
  const std::int64_t rows = width(b), groups = num_groups(rows), length = head.runs[0].count;
  double* packed = scratch;
  double* panel = packed + groups * kGroupWidth * length;
  double* c = panel + kPanelWidth * (kPanelHeight + 1);
  for (std::int64_t k = 0; k < length; k += kPanelHeight) {
    pack_groups(turned + b.turned + (head.runs[0].b + k) * rows, rows,
                std::min(kPanelHeight, length - k), packed + k * groups * kGroupWidth);
  }
  std::fill_n(panel, kPanelWidth * (kPanelHeight + 1), 0.0);

  std::size_t next = task.first;  // coupling whose columns come next, and the first of them
  std::int64_t column = 0;
  while (next < task.last) {
    std::array<PanelPiece, kPanelWidth> pieces;
    std::array<std::pair<std::size_t, std::int64_t>, kPanelWidth> origin;
    std::size_t num_pieces = 0;
    for (std::int64_t filled = 0; filled < kPanelWidth && next < task.last;) {
      const Coupling& coupling = couplings_[next];
      const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
      const Run& run = coupling.runs[0];
      const std::int64_t count = std::min(kPanelWidth - filled, width(a) - column);
      pieces[num_pieces] = {turned + a.turned + run.a * width(a) + column,
                            width(a),
                            products + run.source,
                            run.stride,
                            filled,
                            count};
      origin[num_pieces++] = {next, column};
      filled += count;
      column += count;
      if (column == width(a)) {
        ++next;
        column = 0;
      }
    }
    // Of a block with itself, the lower triangle.
    const auto [only, first_column] = origin[0];
    const bool triangle = num_pieces == 1 && couplings_[only].a == couplings_[only].b;
    const std::int64_t first = triangle ? first_column / kGroupWidth : 0;
    // Where the sums go is fetched while they are made.
    for (std::size_t p = 0; p < num_pieces; ++p) {
      const Block& a = blocks_[static_cast<std::size_t>(couplings_[origin[p].first].a)];
      for (std::int64_t q = 0; q < pieces[p].count; ++q) {
        const std::int64_t j = a.columns[static_cast<std::size_t>(origin[p].second + q)];
        for (std::int64_t r = 0; r < rows; r += kLine) {
          const std::int64_t i = b.columns[static_cast<std::size_t>(r)];
          hwy::Prefetch(result + std::max(i, j) * n + std::min(i, j));
        }
      }
    }
    for (std::int64_t k = 0; k < length; k += kPanelHeight) {
      const std::int64_t height = std::min(kPanelHeight, length - k);
      pack_panel(pieces.data(), static_cast<std::int64_t>(num_pieces), height, panel);
      multiply_panel(packed + k * groups * kGroupWidth, first, groups, panel, height, k > 0, c);
      for (std::size_t p = 0; p < num_pieces; ++p) {
        pieces[p].rows += height * pieces[p].stride;
        pieces[p].weights += height * pieces[p].weight_stride;
      }
    }
    for (std::size_t p = 0; p < num_pieces; ++p) {
      const Coupling& coupling = couplings_[origin[p].first];
      const Block& a = blocks_[static_cast<std::size_t>(coupling.a)];
      const bool one = coupling.a == coupling.b;
      for (std::int64_t q = 0; q < pieces[p].count; ++q) {
        const std::int64_t at = origin[p].second + q;
        add_entries(b, one ? at : 0, a.columns[static_cast<std::size_t>(at)], one,
                    c + pieces[p].place + q, kPanelWidth, n, result);
      }
    }
  }
}

// Adds values of rows [first, width) of a block in column j of n x n `result`, on its lower
// triangle. An entry of the diagonal stands for two where they couple `one` block with another.
void CoupledBlocks::add_entries(const Block& block, std::int64_t first, std::int64_t j, bool one,
                                const double* values, std::int64_t stride, std::int64_t n,
                                double* result) {
  const auto last = static_cast<std::int64_t>(block.columns.size());
  const std::int32_t* rows = block.columns.data();
  std::int64_t r = first;
  double* row = result + j * n;
  for (; r < last && rows[r] < j; ++r) row[rows[r]] += values[r * stride];
  if (r < last && rows[r] == j) {
    row[j] += (one ? 1 : 2) * values[r * stride];
    ++r;
  }
  for (; r < last; ++r) result[rows[r] * n + j] += values[r * stride];
}

// Adds J_b' diag(h) J_a and, for two blocks, its transpose.
void CoupledBlocks::add_product(const Coupling& coupling, const double* product, std::int64_t n,
                                double* result) const {
  const Block& b = blocks_[static_cast<std::size_t>(coupling.b)];
  const std::vector<std::int32_t>& columns = blocks_[static_cast<std::size_t>(coupling.a)].columns;
  const bool one = coupling.a == coupling.b;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    add_entries(b, one ? static_cast<std::int64_t>(c) : 0, columns[c], one, product + c,
                static_cast<std::int64_t>(columns.size()), n, result);
  }
}

// J_b' diag(h) J_a for all a of the task. Rows are multiplied in pieces that fit a first-level
// cache, where that of J_b stays meanwhile.
void CoupledBlocks::add_in_place(const Task& task, const double* memory, const double* products,
                                 double* scratch, std::int64_t n, double* result) const {
  const Block& b = blocks_[static_cast<std::size_t>(couplings_[task.first].b)];
  std::int64_t widest = 0, size = 0;
  for (std::size_t c = task.first; c < task.last; ++c) {
    const std::int64_t columns = width(blocks_[static_cast<std::size_t>(couplings_[c].a)]);
    widest = std::max(widest, columns);
    size += width(b) * columns * kSumLanes;
  }
  std::fill_n(scratch, size, 0.0);
  const std::int64_t piece =
      std::max(kShortestPiece, kPieceElements / (width(b) + widest) / kLine * kLine);
  const std::size_t num_runs = couplings_[task.first].runs.size();
  for (std::size_t which = 0; which < num_runs; ++which) {
    const std::int64_t count = couplings_[task.first].runs[which].count;
    for (std::int64_t first = 0; first < count; first += piece) {
      const std::int64_t last = std::min(first + piece, count);
      double* sums = scratch;
      for (std::size_t c = task.first; c < task.last; ++c) {
        const Run& run = couplings_[c].runs[which];
        const Block& a = blocks_[static_cast<std::size_t>(couplings_[c].a)];
        const double *left[kFewAlone], *right[kFewAlone];
        for (std::size_t r = 0; r < b.places.size(); ++r) left[r] = memory + b.places[r] + run.b;
        for (std::size_t q = 0; q < a.places.size(); ++q) right[q] = memory + a.places[q] + run.a;
        add_weighted_product(left, width(b), products + run.source, right, width(a), first, last,
                             couplings_[c].a == couplings_[c].b, sums);
        sums += width(b) * width(a) * kSumLanes;
      }
    }
  }
  double* sums = scratch;
  for (std::size_t c = task.first; c < task.last; ++c) {
    const std::int64_t entries =
        width(b) * width(blocks_[static_cast<std::size_t>(couplings_[c].a)]);
    add_lanes(entries, sums);
    add_product(couplings_[c], sums, n, result);
    sums += entries * kSumLanes;
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
  std::fill_n(product, rows * columns, 0.0);
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
