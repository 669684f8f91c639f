#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "kappa/analysis.h"
#include "kappa/error.h"
#include "report/peak_memory.h"

namespace kappa {
namespace {

constexpr std::int64_t max_shown = 64;  // order up to which vectors and matrices are kept

double norm_2(std::span<const double> v) {
  // Scaled, so that entries beyond the square root of the range neither overflow nor vanish.
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::fabs(x));
  if (largest == 0 || !std::isfinite(largest)) return largest;
  double sum = 0;
  for (const double x : v) sum += (x / largest) * (x / largest);
  return largest * std::sqrt(sum);
}

bool all_finite(std::span<const double> v) {
  return std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
}

/// Counts products, and can restrict them to a block of the parameters.
class CountedOperator final : public SymmetricOperator {
 public:
  CountedOperator(const SymmetricOperator& a, std::int64_t& count) : a_(a), count_(count) {}
  [[nodiscard]] std::int64_t dimension() const override { return a_.dimension(); }
  void apply(std::int64_t k, const double* directions, double* products) const override {
    count_ += k;
    a_.apply(k, directions, products);
  }

 private:
  const SymmetricOperator& a_;
  std::int64_t& count_;
};

/// P' A P, P the columns of the identity that belong to a block: the diagonal block of A.
class BlockOperator final : public SymmetricOperator {
 public:
  BlockOperator(const SymmetricOperator& a, const ParameterBlock& block) : a_(a), block_(block) {}
  [[nodiscard]] std::int64_t dimension() const override { return block_.size; }
  void apply(std::int64_t k, const double* directions, double* products) const override {
    const auto n = static_cast<std::size_t>(a_.dimension());
    const auto offset = static_cast<std::size_t>(block_.offset);
    const auto size = static_cast<std::size_t>(block_.size);
    std::vector<double> padded(n * static_cast<std::size_t>(k)), result(padded.size());
    for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
      std::copy_n(directions + j * size, size, padded.data() + j * n + offset);
    }
    a_.apply(k, padded.data(), result.data());
    for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
      std::copy_n(result.data() + j * n + offset, size, products + j * size);
    }
  }

 private:
  const SymmetricOperator& a_;
  const ParameterBlock& block_;
};

/// One analysis: each question is a member that reads what those before it found.
class Run {
 public:
  Run(const Problem& problem, std::span<const double> w, const AnalyzeOptions& options)
      : problem_(problem), w_(w.begin(), w.end()), options_(options), n_(problem.dimension()) {
    check();
  }

  Analysis run() {
    const auto start = std::chrono::steady_clock::now();
    progress_ = [this](const Progress& p) {
      if (options_.progress && !options_.progress(p)) result_.interrupted = true;
      return !result_.interrupted;
    };
    result_.objective.num_parameters = n_;
    result_.objective.num_samples = problem_.num_samples();
    result_.matrix = options_.matrix;
    if (n_ <= max_shown) {
      result_.point = w_;
      for (std::int64_t i = 0; i < n_; ++i) {
        result_.parameter_names.push_back(problem_.parameter_name(i));
      }
    }
    report("value and gradient");
    if (linearize()) {
      const CurvatureOperator raw(*linearization_, options_.matrix == CurvatureMatrix::hessian
                                                       ? CurvatureOperator::Kind::hessian
                                                       : CurvatureOperator::Kind::gauss_newton);
      const CountedOperator counted(raw, result_.cost.num_hvps);
      if (is_dense()) {
        dense(counted);
      } else {
        extremes(counted);
      }
    }
    if (result_.interrupted) {
      warn("stopped before the end: this is what was known by then");
      result_.complete = false;
    }
    result_.cost.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result_.cost.peak_bytes = peak_resident_bytes();
    return std::move(result_);
  }

 private:
  void check() const {
    const auto require = [](bool holds, const char* what) {
      if (!holds) throw Error(ErrorKind::value, fmt::format("analyze: {}", what));
    };
    if (static_cast<std::int64_t>(w_.size()) != n_) {
      throw Error(ErrorKind::shape,
                  fmt::format("analyze: the point has {} entries, the function {} "
                              "parameters",
                              w_.size(), n_));
    }
    if (!options_.direction.empty() && static_cast<std::int64_t>(options_.direction.size()) != n_) {
      throw Error(ErrorKind::shape,
                  fmt::format("analyze: the direction has {} entries, the function {} parameters",
                              options_.direction.size(), n_));
    }
    require(options_.num_top >= 0 && options_.num_bottom >= 0 &&
                options_.num_top + options_.num_bottom > 0,
            "ask for at least one eigenvalue at the top or the bottom");
    require(options_.tolerance > 0 && options_.tolerance < 1, "the tolerance must be in (0, 1)");
    require(options_.density_probes > 0, "the density needs at least 1 probe");
    require(options_.density_steps > 1, "the density needs at least 2 steps");
    require(options_.gradient_tolerance >= 0, "the gradient tolerance must be >= 0");
    for (const ParameterBlock& b : options_.blocks) {
      require(b.offset >= 0 && b.size > 0 && b.offset + b.size <= n_, "a block is out of range");
    }
  }

  [[nodiscard]] bool is_dense() const {
    const std::int64_t limit =
        options_.max_dense_dimension.value_or(problem_.num_samples() > 0 ? 128 : 600);
    return n_ <= std::max(limit, max_shown);
  }

  void warn(std::string text) { result_.warnings.push_back(std::move(text)); }
  void report(const char* task) { progress_({task, 0, 0, ""}); }

  /// Value, gradient and what products share. False where there is nothing to go on with.
  bool linearize() {
    linearization_ = problem_.linearize(w_.data());
    const double value = linearization_->value();
    const std::span<const double> gradient = linearization_->gradient();
    ++result_.cost.num_values;
    ++result_.cost.num_gradients;
    result_.value = value;
    result_.gradient.assign(gradient.begin(), gradient.end());
    result_.gradient_norm_2 = norm_2(gradient);
    result_.gradient_norm_inf = 0;
    for (const double g : gradient) {
      result_.gradient_norm_inf =
          std::isnan(g) ? g : std::max(result_.gradient_norm_inf, std::fabs(g));
      if (std::isnan(g)) break;
    }
    if (!std::isfinite(value)) {
      warn(fmt::format("the value at this point is {}; nothing more can be said here", value));
    } else if (!all_finite(gradient)) {
      const auto at = std::find_if(gradient.begin(), gradient.end(),
                                   [](double g) { return !std::isfinite(g); });
      const auto index = static_cast<std::int64_t>(at - gradient.begin());
      result_.gradient_norm_2 = std::numeric_limits<double>::quiet_NaN();
      warn(
          fmt::format("the gradient is not finite (entry {} is {}): the function has no derivative "
                      "at this point",
                      problem_.parameter_name(index), *at));
    } else {
      return true;
    }
    result_.complete = false;
    return false;
  }

  // ---- the dense matrix ----------------------------------------------------------------------

  void dense(const SymmetricOperator& counted) {
    const auto n = static_cast<std::size_t>(n_);
    std::vector<double> matrix(n * n);
    if (options_.matrix == CurvatureMatrix::hessian) {
      problem_.hessian(w_.data(), matrix.data());
      result_.cost.num_hvps += n_;
    } else {
      std::vector<double> identity(n * n);
      for (std::size_t i = 0; i < n; ++i) identity[i * n + i] = 1;
      counted.apply(n_, identity.data(), matrix.data());
    }
    if (!all_finite(matrix)) {
      const auto at =
          std::find_if(matrix.begin(), matrix.end(), [](double h) { return !std::isfinite(h); });
      const auto index = static_cast<std::int64_t>(at - matrix.begin());
      warn(fmt::format(
          "the {} is not finite (entry {}, {} is {}): the second derivative does not "
          "exist at this point",
          name(), problem_.parameter_name(index / n_), problem_.parameter_name(index % n_), *at));
      result_.complete = false;
      return;
    }
    const Spectrum spectrum = dense_spectrum(n_, matrix);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        matrix[i * n + j] = matrix[j * n + i] = (matrix[i * n + j] + matrix[j * n + i]) / 2;
      }
    }
    const DenseOperator a(n_, matrix);
    EigenvalueLists lists;
    lists.all = spectrum.values;
    lists.error_bound = spectrum.error_bound;
    if (n_ <= max_shown) lists.vectors = spectrum.vectors;
    const auto column = [&](std::size_t i) {
      return std::vector<double>(
          spectrum.vectors.begin() + static_cast<std::ptrdiff_t>(i * n),
          spectrum.vectors.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    };
    lists.top_vector = column(n - 1);
    lists.bottom_vector = column(0);
    std::vector<double> product(n);
    const auto pair = [&](std::size_t i) {
      const double* v = spectrum.vectors.data() + i * n;
      a.apply(1, v, product.data());
      for (std::size_t j = 0; j < n; ++j) product[j] -= spectrum.values[i] * v[j];
      return Eigenvalue{spectrum.values[i], norm_2(product), spectrum.error_bound, true};
    };
    const auto count = [&](std::int64_t k) { return static_cast<std::size_t>(std::min(k, n_)); };
    for (std::size_t i = 0; i < count(options_.num_top); ++i) lists.top.push_back(pair(n - 1 - i));
    for (std::size_t i = 0; i < count(options_.num_bottom); ++i) lists.bottom.push_back(pair(i));
    result_.eigenvalues = std::move(lists);
    // The lower half is the other end of the spectrum, or its null space.
    std::vector<Eigenvalue> largest;
    for (std::size_t i = 0; i < std::min<std::size_t>(n / 2, 64); ++i) {
      largest.push_back({spectrum.values[n - 1 - i], 0, spectrum.error_bound, true});
    }
    result_.outliers = outliers(largest);

    KnownSpectrum known_all = known(spectrum);
    if (options_.trace || options_.density) {
      TraceEstimate exact;
      exact.value = std::accumulate(spectrum.values.begin(), spectrum.values.end(), 0.0);
      result_.trace = exact;
    }
    if (n_ <= max_shown) result_.hessian = std::move(matrix);
    finish(a, known_all);
  }

  // ---- products only -------------------------------------------------------------------------

  void extremes(const SymmetricOperator& a) {
    // Three products against hundreds; where only a few eigenvalues are asked for, they would
    // count.
    if (options_.num_bottom > 0 || options_.density) {
      report("check of the products");
      const OperatorCheck check = check_operator(a, options_.seed);
      if (!check.passed()) warn(fmt::format("the {}: {}", name(), check.message));
      if (!check.finite) {
        result_.complete = false;
        return;
      }
    }
    LanczosOptions lanczos_options;
    lanczos_options.num_top = options_.num_top;
    lanczos_options.num_bottom = options_.num_bottom;
    // What lies below ten classes' outliers shows that they are outliers. Who asks for fewer wants
    // them at the least cost.
    if (options_.num_top >= 10) lanczos_options.num_beyond = 8;
    lanczos_options.tolerance = options_.tolerance;
    lanczos_options.max_products = options_.max_products;
    lanczos_options.block_size = options_.block_size;
    lanczos_options.seed = options_.seed;
    lanczos_options.progress = progress_;
    const LanczosResult pairs = lanczos(a, lanczos_options);
    EigenvalueLists lists;
    lists.top = pairs.top;
    lists.bottom = pairs.bottom;
    lists.message = pairs.message;
    const auto first = [&](const std::vector<double>& vectors) {
      return vectors.empty() ? vectors : std::vector<double>(vectors.begin(), vectors.begin() + n_);
    };
    lists.top_vector = first(pairs.top_vectors);
    lists.bottom_vector = first(pairs.bottom_vectors);
    const auto converged = [](const std::vector<Eigenvalue>& list) {
      return std::count_if(list.begin(), list.end(),
                           [](const Eigenvalue& e) { return e.converged; });
    };
    const auto total = static_cast<std::int64_t>(lists.top.size() + lists.bottom.size());
    const std::int64_t done = converged(lists.top) + converged(lists.bottom);
    if (done < total) {
      result_.complete = false;
      warn(
          fmt::format("{} of {} eigenvalues did not reach the tolerance {:g} in {} products; their "
                      "error bounds say what they are worth",
                      total - done, total, options_.tolerance, pairs.num_products));
    }
    result_.eigenvalues = std::move(lists);
    std::vector<Eigenvalue> largest = pairs.top;
    largest.insert(largest.end(), pairs.below_top.begin(), pairs.below_top.end());
    result_.outliers = outliers(largest);
    finish(a, known(pairs, n_));
  }

  // ---- what follows from a spectrum ----------------------------------------------------------

  void finish(const SymmetricOperator& a, const KnownSpectrum& spectrum) {
    if (spectrum.num_bottom > 0) result_.condition = condition(spectrum);
    const double tolerance = options_.gradient_tolerance * std::max(1.0, std::fabs(*result_.value));
    if (options_.matrix == CurvatureMatrix::hessian) {
      result_.critical_point = critical_point(spectrum, result_.gradient_norm_2, tolerance);
    }
    result_.shape = kappa::shape(spectrum);
    rates(a, spectrum);
    if (!options_.direction.empty() && go_on("direction")) {
      result_.direction = kappa::direction(a, options_.direction, spectrum);
    }
    if (options_.local_model && result_.gradient_norm_2 > 0 && go_on("local model")) {
      model(a, spectrum);
    }
    if (options_.trace && !result_.trace && go_on("trace")) {
      TraceOptions trace_options;
      trace_options.seed = options_.seed;
      trace_options.progress = progress_;
      result_.trace = kappa::trace(a, trace_options);
      settle(result_.trace->status, "the trace");
    }
    if (options_.density && go_on("density")) {
      DensityOptions density_options;
      density_options.num_probes = options_.density_probes;
      density_options.num_steps = options_.density_steps;
      density_options.seed = options_.seed;
      density_options.progress = progress_;
      result_.density = density(a, density_options);
      settle(result_.density->status, "the density");
      if (!result_.trace && !options_.trace && result_.density->num_products > 0 &&
          result_.density->status == CurvatureStatus::converged) {
        TraceEstimate trace_of_density;  // comes with the density
        trace_of_density.value = result_.density->trace;
        trace_of_density.standard_error = result_.density->trace_standard_error;
        trace_of_density.num_probes = result_.density->num_probes;
        result_.trace = trace_of_density;
      }
    }
    if (result_.trace && !spectrum.complete && spectrum.num_top > 0) {
      result_.condition_of_mean =
          kappa::condition_of_mean(spectrum.values.back(), result_.trace->value, n_);
    }
    for (const ParameterBlock& block : options_.blocks) {
      if (!go_on("largest eigenvalue of each parameter")) break;
      per_block(a, block);
    }
  }

  void rates(const SymmetricOperator& a, const KnownSpectrum& spectrum) {
    LearningRateOptions rate_options;
    rate_options.given = options_.learning_rate;
    rate_options.given_momentum = options_.momentum;
    std::optional<double> gradient_curvature;
    if (result_.gradient_norm_2 > 0 && go_on("curvature along the gradient")) {
      const DirectionAnalysis along = kappa::direction(a, result_.gradient);
      if (along.finite) gradient_curvature = along.quadratic;
    }
    result_.learning_rate =
        kappa::learning_rate(spectrum, rate_options, result_.gradient_norm_2, gradient_curvature);
    for (const std::string& text : result_.learning_rate->warnings) warn(text);
  }

  void model(const SymmetricOperator& a, const KnownSpectrum& spectrum) {
    LocalModelOptions model_options;
    model_options.progress = progress_;
    if (!spectrum.complete) {
      // Enough for a step worth comparing; the answer is a length and a ratio, not the minimiser.
      model_options.max_values = problem_.num_samples() > 0 ? 24 : 60;
      model_options.solve.max_iterations = 32;
      model_options.solve.tolerance = 0.01;
    }
    std::vector<double> moved(w_.size());
    const auto value_at = [&](std::span<const double> step) {
      for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = w_[i] + step[i];
      return problem_.value(moved.data());
    };
    LocalModel model =
        local_model(a, *result_.value, result_.gradient, value_at, spectrum, model_options);
    result_.cost.num_values += model.num_values;
    if (model.finite) result_.model = std::move(model);
  }

  void per_block(const SymmetricOperator& a, const ParameterBlock& block) {
    const BlockOperator part(a, block);
    LanczosOptions lanczos_options;
    lanczos_options.num_top = 1;
    lanczos_options.tolerance = options_.tolerance;
    lanczos_options.max_products = options_.max_products;
    lanczos_options.seed = options_.seed;
    lanczos_options.vectors = false;
    lanczos_options.progress = [&](const Progress& p) {
      Progress named = p;
      named.task = block.name;
      return progress_(named);
    };
    const LanczosResult pairs = lanczos(part, lanczos_options);
    if (pairs.top.empty()) return;
    result_.blocks.push_back({block, pairs.top[0]});
    if (!pairs.top[0].converged) {
      result_.complete = false;
      warn(fmt::format("{}: the largest eigenvalue did not reach the tolerance", block.name));
    }
  }

  /// Between two questions: tells progress, and whether to go on.
  bool go_on(const char* task) {
    if (!result_.interrupted) report(task);
    return !result_.interrupted;
  }

  void settle(CurvatureStatus status, const char* what) {
    if (status == CurvatureStatus::converged) return;
    if (status == CurvatureStatus::non_finite) warn(fmt::format("{} met a NaN or infinity", what));
    if (status == CurvatureStatus::max_products) {
      warn(fmt::format("{} did not reach its tolerance; its standard error says what it is worth",
                       what));
    }
    if (status != CurvatureStatus::max_products) result_.complete = false;
  }

  [[nodiscard]] const char* name() const {
    return options_.matrix == CurvatureMatrix::hessian        ? "Hessian"
           : options_.matrix == CurvatureMatrix::gauss_newton ? "Gauss-Newton matrix"
                                                              : "Fisher matrix";
  }

  const Problem& problem_;
  std::vector<double> w_;
  const AnalyzeOptions& options_;
  std::int64_t n_;
  ProgressCallback progress_;
  std::unique_ptr<Linearization> linearization_;
  Analysis result_;
};

}  // namespace

const char* to_string(CurvatureMatrix matrix) {
  switch (matrix) {
    case CurvatureMatrix::hessian: return "hessian";
    case CurvatureMatrix::gauss_newton: return "ggn";
    case CurvatureMatrix::fisher: return "fisher";
  }
  return "unknown";
}

Analysis analyze(const Problem& problem, std::span<const double> w, const AnalyzeOptions& options) {
  return Run(problem, w, options).run();
}

}  // namespace kappa
