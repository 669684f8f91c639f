#include "function/cut_hessian.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <type_traits>
#include <utility>

#include "kappa/error.h"
#include "program/builder.h"
#include "transform/split.h"

namespace kappa {
namespace {

// Entries of J and h_uu beyond those of H itself: 128 MB of each.
constexpr std::int64_t kMaxEntries = std::int64_t{1} << 24;
constexpr double kMultiplicationsPerAddition = 8;
// A cut that is not clearly cheaper is not worth a second way of doing the same.
constexpr double kWorthwhile = 0.6;
constexpr std::size_t kMaxAttempts = 4;     // cuts whose patterns are found
constexpr std::size_t kMaxNodes = 1 << 14;  // of programs taken apart, all together

std::int64_t round_up(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// The rows of both.
SparsityPattern stacked(SparsityPattern top, const SparsityPattern& below) {
  const std::int64_t shift = top.num_entries();
  top.indices.insert(top.indices.end(), below.indices.begin(), below.indices.end());
  for (std::size_t i = 1; i < below.starts.size(); ++i) {
    top.starts.push_back(below.starts[i] + shift);
  }
  top.rows += below.rows;
  return top;
}

/// One row for each block, which has the columns of all its rows.
SparsityPattern rows_of(const CoupledBlocks& blocks, std::int64_t columns) {
  SparsityPattern pattern{.rows = 0, .columns = columns, .starts = {0}, .indices = {}};
  for (const CoupledBlocks::Block& block : blocks.blocks()) {
    pattern.indices.insert(pattern.indices.end(), block.columns.begin(), block.columns.end());
    pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
    ++pattern.rows;
  }
  return pattern;
}

/// The entries of either, of matrices of the same size.
SparsityPattern united(const SparsityPattern& a, const SparsityPattern& b) {
  SparsityPattern pattern{.rows = a.rows, .columns = a.columns, .starts = {0}, .indices = {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.rows); ++i) {
    std::set_union(a.indices.begin() + a.starts[i], a.indices.begin() + a.starts[i + 1],
                   b.indices.begin() + b.starts[i], b.indices.begin() + b.starts[i + 1],
                   std::back_inserter(pattern.indices));
    pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
  }
  return pattern;
}

/// The upper triangle from the lower one, by rows.
void mirror(std::int64_t n, double* h) {
  constexpr std::int64_t width = 32;  // rows whose lines are read and written together
  for (std::int64_t first = 0; first < n; first += width) {
    const std::int64_t last = std::min(first + width, n);
    for (std::int64_t j = 0; j < last; ++j) {
      for (std::int64_t i = std::max(first, j + 1); i < last; ++i) h[j * n + i] = h[i * n + j];
    }
  }
}

}  // namespace

double work_of(const Program& program) {
  double total = 0;
  for (const Node& node : program.nodes) {
    if (is_input(node) || is_constant(node) || node.primitive->kernel.view) continue;
    double work = static_cast<double>(num_elements(node.type.shape));
    if (node.primitive->elementwise()) {
      work *= node.primitive->kernel.element_cost;
    } else {
      std::vector<Type> types;
      for (const NodeId id : node.operands) {
        types.push_back(program.nodes[static_cast<std::size_t>(id)].type);
        work = std::max(work, static_cast<double>(num_elements(types.back().shape)));
      }
      if (node.primitive->kernel.flops) {
        work += node.primitive->kernel.flops(node.attributes, types, node.type) /
                (2 * kMultiplicationsPerAddition);
      }
    }
    total += work;
  }
  return total;
}

// ---- what is prepared --------------------------------------------------------------------------

std::optional<CutHessian> CutHessian::through(const Cut& cut, double limit) {
  return make(cut, nullptr, products_of(cut), limit);
}

std::optional<CutHessian> CutHessian::through(const NestedCut& cut, double limit) {
  return make(cut.first, &cut, products_of(cut), limit);
}

std::optional<CutHessian> CutHessian::make(const Cut& first, const NestedCut* nested,
                                           const Program& products, double limit) {
  const Cut& last = nested ? nested->second : first;
  CutHessian made;
  made.n_ = num_elements(first.inner.input_type(0).shape);
  made.size_ = num_elements(first.inner.output_type(0).shape);
  const std::int64_t max_entries = kMaxEntries + made.n_ * made.n_;
  const auto pattern_of = [&](const Program& program) {
    return jacobian_pattern(program, max_entries);
  };
  std::vector<bool> directions(products.inputs.size(), true);
  directions[0] = false;
  const Split parts = split(products, directions, products.outputs.size());
  const auto part = [&](std::initializer_list<std::size_t> outputs) {
    return prune(parts.apply, std::vector<std::size_t>(outputs));
  };
  const Program by_x = part({0, 1}), by_u = part({2}), alone = part({3});
  const auto is_too_much = [&] { return made.work_ >= limit; };
  const auto add_products = [&](const UnitProducts& of, const Program& program) {
    made.work_ += static_cast<double>(of.count()) * work_of(program);
  };

  // J or C, and M or its last term: the columns of a colour share no row of either. As many
  // products as the longest row has entries are needed at least.
  made.work_ = work_of(parts.setup);
  const double longest = std::max(0.0, limit - made.work_) / std::max(1.0, work_of(by_x));
  const std::int64_t last_size = num_elements(last.inner.output_type(0).shape);
  const auto inner_entries = static_cast<std::int64_t>(
      std::min(static_cast<double>(last_size) * longest, static_cast<double>(max_entries)));
  CoupledBlocks inner(jacobian_pattern(last.inner, inner_entries));
  const SparsityPattern curvature = symmetric_part(pattern_of(last.inner_gradient));
  made.inner_.colour(stacked(curvature, rows_of(inner, made.n_)));
  made.curvature_.read(curvature, made.inner_);
  add_products(made.inner_, by_x);
  if (is_too_much()) return std::nullopt;
  made.inner_.arrange(by_x);
  inner.read_off(made.inner_);

  SparsityPattern direct = symmetric_part(pattern_of(first.direct_gradient));
  if (nested) direct = united(direct, symmetric_part(pattern_of(nested->second.direct_gradient)));
  made.direct_.colour(direct);
  made.straight_.read(direct, made.direct_);
  add_products(made.direct_, alone);
  if (is_too_much()) return std::nullopt;
  made.direct_.arrange(alone);

  const SparsityPattern outer = symmetric_part(pattern_of(first.outer_gradient));
  made.outer_.colour(outer);
  add_products(made.outer_, by_u);
  if (is_too_much()) return std::nullopt;
  made.outer_.arrange(by_u);

  std::shared_ptr<Second> second;
  if (nested) {
    second = std::make_shared<Second>();
    second->size = last_size;
    const Program by_c = part({4}), by_t = part({5}), by_y = part({6});
    const SparsityPattern g = pattern_of(nested->by_c), d = pattern_of(nested->by_x);
    const SparsityPattern h = symmetric_part(pattern_of(nested->second.outer_gradient));
    second->by_c.colour(g);
    second->by_x.colour(d);
    second->outer.colour(h);
    add_products(second->by_c, by_c);
    add_products(second->by_x, by_y);
    add_products(second->outer, by_t);
    if (is_too_much()) return std::nullopt;
    second->by_c.arrange(by_c);
    second->by_x.arrange(by_y);
    second->outer.arrange(by_t);
    if ((second->by_c.num_products() + second->by_x.num_products()) * made.size_ > max_entries) {
      return std::nullopt;
    }
    inner.couple(h, second->outer);
    made.blocks_.emplace(pattern_of(first.inner));
    made.blocks_->couple(outer, made.outer_);
    made.blocks_->place();
    second->rule.emplace(*made.blocks_, ChainRule::Factor{g, second->by_c}, inner,
                         ChainRule::Factor{d, second->by_x});
    made.work_ += inner.work() + second->rule->work();
    second->blocks = std::move(inner);
    second->by_c.compile(by_c, 4);
    second->by_x.compile(by_y, 5);
    second->outer.compile(by_t, 4);
    made.second_ = second;
  } else {
    inner.couple(outer, made.outer_);
    made.blocks_ = std::move(inner);
  }
  made.work_ += made.blocks_->work();
  if (is_too_much()) return std::nullopt;

  made.setup_ = std::make_shared<const PooledPlan>(parts.setup);
  for (std::size_t i = 0; i < parts.num_residuals; ++i) {
    made.residual_bytes_.push_back(num_bytes(parts.setup.output_type(i)));
  }
  made.inner_.compile(by_x, 1);
  made.outer_.compile(by_u, 2);
  made.direct_.compile(alone, 3);
  return made;
}

std::optional<CutHessian> CutHessian::find(const Program& scalar, double work) {
  std::optional<CutHessian> best;
  double limit = kWorthwhile * work;
  std::size_t nodes = 0;
  // From the end backwards: what follows the cut is then short, and what it couples few.
  const auto search = [&](const Program& program, const auto& cut_there) {
    std::vector<NodeId> candidates = cut_candidates(program);
    std::reverse(candidates.begin(), candidates.end());
    std::size_t attempts = 0;
    using Found = std::decay_t<decltype(cut_there(NodeId{0}))>;
    Found found;
    for (const NodeId node : candidates) {
      nodes += program.nodes.size();
      if (nodes > kMaxNodes || attempts == kMaxAttempts) break;
      const Found cut = cut_there(node);
      if (!cut) continue;
      ++attempts;
      try {
        if (std::optional<CutHessian> candidate = through(*cut, limit)) {
          limit = candidate->work();
          best = std::move(candidate);
          found = cut;
        }
      } catch (const Error& error) {  // a pattern beyond what would be stored
        if (error.kind() != ErrorKind::resource) throw;
      }
    }
    return found;
  };
  const std::optional<Cut> first =
      search(scalar, [&](NodeId node) { return cut_at(scalar, node); });
  if (!first) return std::nullopt;
  const Program inner = multiplied(*first);
  search(inner, [&](NodeId node) { return nested_cut_at(*first, inner, node); });
  return best;
}

// ---- evaluation --------------------------------------------------------------------------------

void CutHessian::evaluate(const double* x, double* result) const {
  // One buffer for all that is between, kept for the next call: fresh pages cost more than what is
  // computed on them.
  std::int64_t bytes = 0;
  const auto place = [&](std::int64_t doubles) {
    return std::exchange(bytes, bytes + round_up(8 * doubles));
  };
  std::vector<std::int64_t> residual_places;
  for (const std::int64_t size : residual_bytes_) {
    residual_places.push_back(std::exchange(bytes, bytes + round_up(size)));
  }
  const Second* second = second_.get();
  const CoupledBlocks& last = second ? *second->blocks : *blocks_;  // of what is read off products
  const std::int64_t jacobian_place = place(blocks_->memory_size());
  const std::int64_t outer_place = place(outer_.num_a_run() * size_);
  const std::int64_t inner_place = place(inner_.num_products() * n_);
  const std::int64_t direct_place = place(direct_.num_products() * n_);
  const std::int64_t turned_place = place(std::max(blocks_->turned_size(), last.turned_size()));
  std::int64_t c_place = 0, g_place = 0, h_place = 0, d_place = 0;
  if (second) {
    c_place = place(last.memory_size());
    g_place = place(second->by_c.num_products() * size_);
    d_place = place(second->by_x.num_products() * size_);
    h_place = place(second->outer.num_a_run() * second->size);
  }
  const std::int64_t scratch_place = place(std::max(blocks_->scratch_size(), last.scratch_size()));
  std::shared_ptr<std::byte[]> buffer = setup_->take_buffer(bytes);
  const auto at = [&](std::int64_t offset) {
    return reinterpret_cast<double*>(buffer.get() + offset);
  };

  std::vector<const void*> inputs(second ? 6 : 4);
  inputs[0] = x;
  std::vector<void*> residuals;
  for (const std::int64_t offset : residual_places) {
    residuals.push_back(buffer.get() + offset);
    inputs.push_back(residuals.back());
  }
  setup_->run({x}, residuals);
  const auto run = [&](const UnitProducts& products, std::int64_t which,
                       const std::vector<void*>& outputs) { products.run(which, inputs, outputs); };
  double* const jacobian = at(jacobian_place);
  double* const of_last = second ? at(c_place) : jacobian;
  for (std::int64_t k = 0; k < inner_.num_runs(); ++k) {
    run(inner_, k, {last.products(k, of_last), at(inner_place) + k * inner_.num_a_run() * n_});
    last.take(k, of_last);
  }
  for (std::int64_t k = 0; k < direct_.num_runs(); ++k) {
    run(direct_, k, {at(direct_place) + k * direct_.num_a_run() * n_});
  }

  // The lower triangle, by rows.
  for (std::int64_t i = 0; i < n_; ++i) std::fill_n(result + i * n_, i + 1, 0.0);
  curvature_.add(at(inner_place), n_, result);
  straight_.add(at(direct_place), n_, result);
  if (second) {
    last.turn(of_last, at(turned_place));
    for (std::int64_t k = 0; k < second->outer.num_runs(); ++k) {
      run(second->outer, k, {at(h_place)});
      last.add(k, of_last, at(turned_place), at(h_place), at(scratch_place), n_, result);
    }
    for (std::int64_t k = 0; k < second->by_c.num_runs(); ++k) {
      run(second->by_c, k, {at(g_place) + k * second->by_c.num_a_run() * size_});
    }
    for (std::int64_t k = 0; k < second->by_x.num_runs(); ++k) {
      run(second->by_x, k, {at(d_place) + k * second->by_x.num_a_run() * size_});
    }
    for (std::size_t b = 0; b < blocks_->blocks().size(); ++b) {
      second->rule->write(b, at(g_place), of_last, at(d_place), jacobian);
      CoupledBlocks::turn(blocks_->blocks()[b], jacobian, at(turned_place));
    }
  } else {
    blocks_->turn(jacobian, at(turned_place));
  }
  for (std::int64_t k = 0; k < outer_.num_runs(); ++k) {
    run(outer_, k, {at(outer_place)});
    blocks_->add(k, jacobian, at(turned_place), at(outer_place), at(scratch_place), n_, result);
  }
  mirror(n_, result);
  setup_->give_buffer(std::move(buffer));
}

}  // namespace kappa
