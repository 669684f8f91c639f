#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "curvature/krylov_basis.h"
#include "curvature/lanczos_plan.h"
#include "curvature/tall.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using Eigen::Index;

// Rounding is measured on a few vectors; this many times the largest is taken for its bound.
constexpr double rounding_safety = 4;
// A Ritz value beyond the wanted ones is worth telling where it is known to this part of it.
constexpr double known_part = 0.1;
// Products without news after a breakdown before the answer is believed.
constexpr std::int64_t breakdown_patience = 10;

/// The state of one run beside its basis: which Ritz pairs are wanted and how good they are.
class Run {
 public:
  Run(const SymmetricOperator& a, const LanczosOptions& options)
      : a_(a),
        options_(options),
        plan_(a.dimension(), options),
        basis_(a, plan_.basis, plan_.max_pending, options.seed) {}

  LanczosResult operator()();

 private:
  void start();
  bool step();
  void restart();
  void measure();
  void continue_after_breakdown();
  [[nodiscard]] bool finished();
  bool unchanged();  ///< are the wanted values those of the last call?
  [[nodiscard]] double threshold(double value) const;
  [[nodiscard]] double measured(Index i, bool reducible_only) const;
  [[nodiscard]] Progress progress();
  [[nodiscard]] LanczosResult result();
  double unseen(std::int64_t count, std::vector<Eigenvalue>& values,
                const std::vector<double>& vectors);
  void check_residuals(LanczosResult& r);

  const SymmetricOperator& a_;
  const LanczosOptions& options_;
  const LanczosPlan plan_;
  KrylovBasis basis_;
  RitzPairs ritz_;
  std::vector<Index> wanted_;  // into ritz_, empty while the basis is too small
  std::vector<Index> open_;    // wanted pairs that products can still improve
  CurvatureStatus status_ = CurvatureStatus::converged;
  std::int64_t num_restarts_ = 0, num_breakdowns_ = 0, num_check_products_ = 0;
  bool verified_ = false;

  std::vector<double> snapshot_;  // wanted values when doubt arose
  std::int64_t patience_ = 0;     // products still to take before they are believed
  bool chain_ = false;            // those products go along the fresh direction only
  std::int64_t num_verifications_ = 0;
  std::vector<std::pair<double, double>> history_;  // products, log of worst measure / threshold
};

/// Warm vectors are summed into as many start vectors as a block has. One Krylov space that starts
/// from the sum of five needs fewer products than a block of the five (29 against 42 where a random
/// start needs 35, docs/curvature.md): a block raises the degree five times more slowly.
void Run::start() {
  const auto n = static_cast<std::size_t>(plan_.n);
  std::vector<double> sum(n), noise(n);
  Random random(options_.seed, 1);
  for (std::int64_t b = 0; b < std::min(plan_.block, plan_.warm); ++b) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::int64_t j = b; j < plan_.warm; j += plan_.block) {
      const double* x = options_.warm_start.data() + j * plan_.n;
      const double norm = tall_norm(plan_.n, x);
      if (!std::isfinite(norm)) {
        throw Error(ErrorKind::value,
                    fmt::format("lanczos: warm_start vector {} is not finite", j));
      }
      for (std::size_t i = 0; norm > 0 && i < n; ++i) sum[i] += x[i] / norm;
    }
    // A tenth of random direction, so that no eigenvector is out of reach; it costs no products.
    const double norm = tall_norm(plan_.n, sum.data());
    random.fill_normal(plan_.n, noise.data());
    const double part = 0.1 * norm / tall_norm(plan_.n, noise.data());
    for (std::size_t i = 0; i < n; ++i) sum[i] += part * noise[i];
    basis_.add(sum);
  }
  basis_.add_random(plan_.block - basis_.pending());
}

void Run::restart() {
  // Beside the wanted pairs, two fifths of the rest of the basis: their neighbours are what makes
  // the next cycle converge fast.
  const std::int64_t e = basis_.expanded();
  const std::int64_t room = e - std::max<std::int64_t>(2 * plan_.block, 2);
  const std::int64_t kept = plan_.wanted + plan_.beyond;
  const std::int64_t target = std::clamp<std::int64_t>(kept + (2 * (plan_.basis - kept)) / 5, 1,
                                                       std::max<std::int64_t>(room, 1));
  const std::int64_t upper = plan_.top + plan_.beyond, ends = upper + plan_.bottom;
  const std::int64_t top = (target * upper + ends - 1) / ends;
  const std::int64_t bottom = target - top;
  std::vector<Index> keep;
  for (Index i = 0; i < bottom; ++i) keep.push_back(i);
  for (Index i = std::max<Index>(e - top, bottom); i < e; ++i) keep.push_back(i);
  basis_.restart(ritz_, keep);
  ritz_ = basis_.ritz();
  measure();
  ++num_restarts_;
}

/// Takes one product step. False: a limit was met or the operator is not finite.
bool Run::step() {
  std::int64_t count = std::min(plan_.block, basis_.pending());
  if (chain_) count = 1;
  if (basis_.num_products() + count > options_.max_products) {
    count = options_.max_products - basis_.num_products();
    if (count <= 0) {
      status_ = CurvatureStatus::max_products;
      return false;
    }
  }
  if (basis_.expanded() + count > plan_.basis) {
    restart();
    count = std::min(count, plan_.basis - basis_.expanded());
  }
  if (chain_) {
    basis_.bring_last_forward();
  } else if (count < basis_.pending()) {
    const std::vector<Index>& aims = open_.empty() ? wanted_ : open_;
    if (!aims.empty()) {
      Eigen::MatrixXd targets(ritz_.vectors.rows(), static_cast<Index>(aims.size()));
      for (std::size_t j = 0; j < aims.size(); ++j) {
        targets.col(static_cast<Index>(j)) = ritz_.vectors.col(aims[j]);
      }
      basis_.aim(targets);
    }
  }
  if (!basis_.expand(count)) {
    status_ = CurvatureStatus::non_finite;
    return false;
  }
  patience_ -= count;
  ritz_ = basis_.ritz();
  measure();
  return true;
}

double Run::threshold(double value) const {
  return options_.tolerance * std::max(std::fabs(value), options_.tolerance_floor * basis_.norm());
}

double Run::measured(Index i, bool reducible_only) const {
  if (options_.criterion == LanczosCriterion::residual) {
    return reducible_only ? ritz_.reducible(i) : ritz_.residual(i);
  }
  const double bound = ritz_.error_bound(i);
  return reducible_only ? std::max(bound - ritz_.irreducible(i), 0.0) : bound;
}

void Run::measure() {
  wanted_.clear();
  open_.clear();
  const Index e = ritz_.values.size();
  if (e < plan_.wanted + plan_.beyond) return;
  for (Index i = 0; i < plan_.bottom; ++i) wanted_.push_back(i);
  for (Index i = std::max<Index>(e - plan_.top, plan_.bottom); i < e; ++i) wanted_.push_back(i);
  for (const Index i : wanted_) {
    // Below a part of its own rounding there is nothing left to gain from an operator.
    const double goal = std::max(threshold(ritz_.values(i)), 0.1 * basis_.noise());
    if (measured(i, true) > goal) open_.push_back(i);
  }
  for (Index i = e - plan_.top - 1; i >= e - plan_.top - plan_.beyond; --i) {
    const double scale =
        std::max(std::fabs(ritz_.values(i)), options_.tolerance_floor * basis_.norm());
    const double goal = std::max(options_.beyond_tolerance * scale, 0.1 * basis_.noise());
    if (ritz_.error_bound(i) - ritz_.irreducible(i) > goal) open_.push_back(i);
  }
}

bool Run::unchanged() {
  std::vector<double> now;
  for (const Index i : wanted_) now.push_back(ritz_.values(i));
  bool same = now.size() == snapshot_.size();
  for (std::size_t j = 0; same && j < now.size(); ++j) {
    same = std::fabs(now[j] - snapshot_[j]) <= 2 * threshold(now[j]);
  }
  snapshot_ = std::move(now);
  return same;
}

/// The basis is invariant: its pairs are exact, but of the rest of the space nothing is known (the
/// other copies of a repeated eigenvalue are there). Goes on with fresh directions.
void Run::continue_after_breakdown() {
  ++num_breakdowns_;
  basis_.add_random(plan_.block);
  patience_ = breakdown_patience;
  chain_ = false;
}

bool Run::finished() {
  const bool settled = !wanted_.empty() && open_.empty();
  if (basis_.pending() == 0) {
    if (basis_.expanded() == plan_.n) {
      verified_ = true;
      return true;
    }
    // A fresh start that broke down in its turn without news confirms what was there.
    const bool news = !unchanged() || !settled;
    if (!news && num_breakdowns_ > 0) {
      verified_ = true;
      return true;
    }
    if (basis_.expanded() + plan_.block > plan_.basis) restart();
    continue_after_breakdown();
    return false;
  }
  if (!chain_ && basis_.pending() < plan_.block) {
    basis_.add_random(plan_.block - basis_.pending());  // in place of deflated ones
  }
  if (!settled || patience_ > 0) {
    if (patience_ <= 0) chain_ = false;
    return false;
  }
  const bool doubted = num_breakdowns_ > 0 || num_verifications_ > 0;
  if (doubted) {
    if (unchanged()) {
      verified_ = true;
      return true;
    }
    if (num_verifications_ == 0) {
      patience_ = breakdown_patience;
      return false;
    }
  }
  if (options_.verification_products == 0 || num_verifications_ == LanczosPlan::max_verifications ||
      basis_.columns() >= plan_.n) {
    return true;
  }
  unchanged();  // takes the snapshot
  basis_.add_random(1);
  ++num_verifications_;
  chain_ = true;
  patience_ = options_.verification_products;
  return false;
}

/// How far along, by extrapolating the logarithm of the worst measure.
Progress Run::progress() {
  Progress p{"eigenvalues", basis_.num_products(), 0, ""};
  if (wanted_.empty()) return p;
  double worst = -1;
  for (const Index i : wanted_) {
    worst = std::max(worst, std::log10(measured(i, false) / threshold(ritz_.values(i)) + 1e-300));
  }
  history_.emplace_back(static_cast<double>(p.done), worst);
  const auto& then = history_[history_.size() / 2];
  const double speed = (then.second - worst) / (static_cast<double>(p.done) - then.first);
  if (speed > 0) {
    const double left =
        std::max(worst, 0.0) / speed + static_cast<double>(std::max<std::int64_t>(patience_, 0));
    p.total = std::min(options_.max_products,
                       p.done + static_cast<std::int64_t>(std::min(std::ceil(left), 1e9)));
  }
  const std::int64_t all = plan_.wanted + plan_.beyond;
  p.detail = fmt::format("{} of {} converged", all - static_cast<std::int64_t>(open_.size()), all);
  return p;
}

LanczosResult Run::operator()() {
  start();
  while (step()) {
    if (options_.progress && !options_.progress(progress())) {
      status_ = CurvatureStatus::stopped;
      break;
    }
    if (finished()) break;
  }
  return result();
}

/// Compares the residuals of the first `count` of `vectors` with |A x - value x| recomputed, and
/// returns the largest part that the basis had not seen.
double Run::unseen(std::int64_t count, std::vector<Eigenvalue>& values,
                   const std::vector<double>& vectors) {
  std::vector<double> products(static_cast<std::size_t>(count * plan_.n));
  a_.apply(count, vectors.data(), products.data());
  num_check_products_ += count;
  double worst = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    Eigenvalue& pair = values[static_cast<std::size_t>(j)];
    const Eigen::Map<const Eigen::VectorXd> x(vectors.data() + j * plan_.n, plan_.n);
    const Eigen::Map<const Eigen::VectorXd> ax(products.data() + j * plan_.n, plan_.n);
    const double residual = (ax - pair.value * x).stableNorm();
    const double hidden =
        std::sqrt(std::max(residual * residual - pair.residual * pair.residual, 0.0));
    worst = std::max(worst, hidden);
    if (options_.residual_check == ResidualCheck::all) {
      pair.residual = residual;
    }
  }
  return worst;
}

/// Makes the residuals answer for the operator's own rounding too.
void Run::check_residuals(LanczosResult& r) {
  const bool in_time =
      status_ != CurvatureStatus::non_finite && status_ != CurvatureStatus::stopped;
  if (options_.residual_check == ResidualCheck::none || !in_time) return;
  const bool all = options_.residual_check == ResidualCheck::all;
  const auto top = static_cast<std::int64_t>(r.top.size());
  const auto bottom = static_cast<std::int64_t>(r.bottom.size());
  const std::int64_t cost = all ? top + bottom : 1;
  if (basis_.num_products() + cost > options_.max_products) return;
  double hidden = 0;
  if (all) {
    if (top > 0) hidden = unseen(top, r.top, r.top_vectors);
    if (bottom > 0) hidden = std::max(hidden, unseen(bottom, r.bottom, r.bottom_vectors));
  } else {
    const bool at_top =
        bottom == 0 || (top > 0 && std::fabs(r.top[0].value) >= std::fabs(r.bottom[0].value));
    hidden = at_top ? unseen(1, r.top, r.top_vectors) : unseen(1, r.bottom, r.bottom_vectors);
  }
  if (!std::isfinite(hidden)) return;
  r.noise = std::max(r.noise, rounding_safety * hidden);
  for (auto* values : {&r.top, &r.bottom}) {
    for (Eigenvalue& pair : *values) {
      if (!all) pair.residual = std::hypot(pair.residual, hidden);
      pair.error_bound += rounding_safety * hidden;
      const double measure =
          options_.criterion == LanczosCriterion::residual ? pair.residual : pair.error_bound;
      pair.converged = measure <= threshold(pair.value);
    }
  }
}

LanczosResult Run::result() {
  LanczosResult r;
  r.num_restarts = num_restarts_;
  r.num_breakdowns = num_breakdowns_;
  r.basis_size = plan_.basis;
  r.block_size = plan_.block;
  r.norm = basis_.norm();
  r.noise = rounding_safety * basis_.noise();
  r.verified = verified_;
  const Index e = ritz_.values.size();
  const Index top = std::min<Index>(plan_.top, e), bottom = std::min<Index>(plan_.bottom, e);
  auto pair = [&](Index i) {
    return Eigenvalue{ritz_.values(i), ritz_.residual(i), ritz_.error_bound(i),
                      measured(i, false) <= threshold(ritz_.values(i))};
  };
  auto vectors = [&](Index count, auto index) {
    Eigen::MatrixXd y(e, count);
    for (Index j = 0; j < count; ++j) y.col(j) = ritz_.vectors.col(index(j));
    std::vector<double> out(static_cast<std::size_t>(plan_.n * count));
    basis_.combine(y, out.data());
    return out;
  };
  auto from_top = [&](Index j) { return e - 1 - j; };
  auto from_bottom = [](Index j) { return j; };
  for (Index j = 0; j < top; ++j) r.top.push_back(pair(from_top(j)));
  for (Index j = 0; j < bottom; ++j) r.bottom.push_back(pair(from_bottom(j)));
  for (Index j = top; j < e - bottom; ++j) {
    const Eigenvalue next = pair(from_top(j));
    if (next.error_bound > known_part * std::fabs(next.value)) break;
    r.below_top.push_back(next);
  }
  const bool usable = e > 0 && basis_.expanded() == e;
  if (usable && (options_.vectors || options_.residual_check != ResidualCheck::none)) {
    r.top_vectors = vectors(top, from_top);
    r.bottom_vectors = vectors(bottom, from_bottom);
    check_residuals(r);
    if (!options_.vectors) {
      r.top_vectors.clear();
      r.bottom_vectors.clear();
    }
  }
  std::int64_t num_converged = 0;
  for (const auto* values : {&r.top, &r.bottom}) {
    for (const Eigenvalue& v : *values) num_converged += v.converged ? 1 : 0;
  }
  const std::int64_t asked = plan_.top + plan_.bottom;
  if (status_ == CurvatureStatus::converged && num_converged < asked) {
    status_ = CurvatureStatus::stagnated;
  }
  r.status = status_;
  r.num_pairs = std::min<std::int64_t>(e, top + bottom);
  r.num_products = basis_.num_products() + num_check_products_;
  r.message = fmt::format("{} of {} eigenvalues converged in {} products", num_converged, asked,
                          r.num_products);
  switch (status_) {
    case CurvatureStatus::converged: break;
    case CurvatureStatus::max_products: r.message += ", the limit"; break;
    case CurvatureStatus::stagnated:
      r.message += fmt::format("; the operator's rounding ({:.1e} of its norm) allows no more",
                               r.norm > 0 ? r.noise / r.norm : 0.0);
      break;
    case CurvatureStatus::stopped: r.message += "; stopped by the caller"; break;
    case CurvatureStatus::non_finite: r.message += "; a product was NaN or infinite"; break;
  }
  return r;
}

}  // namespace

LanczosResult lanczos(const SymmetricOperator& a, const LanczosOptions& options) {
  return Run(a, options)();
}

}  // namespace kappa
