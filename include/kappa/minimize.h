#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kappa/export.h"
#include "kappa/problem.h"
#include "kappa/progress.h"

namespace kappa {

/// One setting of a method (`--option NAME=VALUE`): what help prints and what a value is checked
/// against before any work.
struct OptionInfo {
  std::string name;          ///< as after --option
  std::string text;          ///< one line for help
  double default_value = 0;  ///< for a choice: the index of the default in `choices`
  double lower = -std::numeric_limits<double>::infinity();  ///< values below are refused
  double upper = std::numeric_limits<double>::infinity();   ///< values above are refused
  std::vector<std::string> choices = {};  ///< not empty: the value is one of these words
};

/// What a method is and needs; one record per method, from which help and docs are written.
struct MethodInfo {
  std::string name;                 ///< as after --method
  std::string text;                 ///< one line for help
  bool needs_residuals = false;     ///< only sums of squares (num_residuals() > 0)
  bool needs_gauss_newton = false;  ///< only where Linearization::has_gauss_newton()
  bool uses_hessian = false;        ///< asks for Hessian products or the dense Hessian
  bool stochastic = false;          ///< walks on mini-batches of the samples
  std::int64_t max_dimension = 0;   ///< refuses more parameters (dense matrices); 0: any number
  std::int64_t default_max_iterations = 10000;  ///< where MinimizeOptions names none
  std::vector<OptionInfo> options = {};         ///< its settings
};

/// All methods, sorted by name. `auto` is not among them: it stands for one of them.
KAPPA_EXPORT std::vector<MethodInfo> minimize_methods();

/// How a run ended. Only `converged` is a claim about the point, and it is made only where a
/// gradient criterion (see StopReason::criterion) holds at it.
enum class MinimizeStatus {
  converged,
  max_iterations,
  max_seconds,
  stalled,
  diverged,
  interrupted
};

/// Returns the status as it stands in JSON, e.g. "max_iterations".
KAPPA_EXPORT const char* to_string(MinimizeStatus status);

/// Why the run ended: the inequality `measured` against `threshold` that decided.
struct StopReason {
  /// The name of the inequality that ended the run:
  /// - gradient_tolerance (converged): max_i |g_i| <= threshold.
  /// - relative_offset (converged): |P_J r| <= threshold |r|, P_J the projection on the range of J
  ///   (Bates & Watts 1981); least squares. 1e-11 on the way, 1e-6 where no step gains any more.
  /// - newton_decrement (converged): g' H^-1 g / 2 <= threshold = 32 eps |f| with H positive
  ///   definite: the best decrease left is below the rounding of f.
  /// - max_iterations, max_evaluations, max_epochs (max_iterations).
  /// - max_seconds (max_seconds).
  /// - value_tolerance (stalled): |f_k - f_{k+1}| <= threshold * max(|f_k|, |f_{k+1}|).
  /// - step_tolerance (stalled): |w_{k+1} - w_k| <= threshold * |w_{k+1}|.
  /// - no_decrease (stalled): the method finds no further decrease; measured is max_i |g_i|.
  /// - rising_iterations (diverged): f rose `threshold` times in a row, and by 10 |f(start)|
  ///   above f(start); threshold is max_rising_iterations, with momentum b divided by 1 - b.
  /// - value_floor (diverged): f <= threshold; unbounded below.
  /// - not_finite (diverged): f or its gradient is NaN or infinite and backing up failed.
  /// - stop_requested (interrupted): a callback returned false.
  std::string criterion;
  double measured = 0;   ///< left of the inequality
  double threshold = 0;  ///< right of it
  std::string text;      ///< one sentence for people
};

/// A further number of an iteration, e.g. {"radius", 0.5}.
struct Measure {
  std::string name;  ///< as in the table and in JSON
  double value = 0;  ///< at this iteration
};

/// One line of the table of iterations. Iteration 0 is the start. A stochastic method writes one
/// record an epoch; its value and gradient norm are means over that epoch's mini-batches.
struct IterationRecord {
  std::int64_t iteration = 0;          ///< steps so far; mini-batches of a stochastic method
  std::int32_t stage = 0;              ///< which of the comma-separated methods
  double value = 0;                    ///< f
  double gradient_norm = 0;            ///< Euclidean
  double gradient_norm_inf = 0;        ///< max_i |g_i|
  double step_norm = 0;                ///< |w_k - w_{k-1}|
  double seconds = 0;                  ///< since the start of the run
  double gradient_equivalents = 0;     ///< work so far, see EvaluationCounts
  std::vector<Measure> measures = {};  ///< of the method
};

/// Evaluations so far and the seconds spent in each kind.
struct EvaluationCounts {
  std::int64_t num_values = 0;          ///< of f alone
  std::int64_t num_gradients = 0;       ///< linearizations included
  std::int64_t num_hvps = 0;            ///< Hessian and Gauss-Newton products, one per direction
  std::int64_t num_hessians = 0;        ///< dense Hessians
  std::int64_t num_residuals = 0;       ///< of r alone
  std::int64_t num_jacobians = 0;       ///< of r, with r
  std::int64_t num_factorizations = 0;  ///< of dense or sparse matrices
  double value_seconds = 0;             ///< in num_values
  double gradient_seconds = 0;          ///< in num_gradients
  double hvp_seconds = 0;               ///< in num_hvps
  double hessian_seconds = 0;           ///< in num_hessians
  double residual_seconds = 0;          ///< in num_residuals
  double jacobian_seconds = 0;          ///< in num_jacobians
  double factorization_seconds = 0;     ///< in num_factorizations
  /// Work in units of one gradient on all samples: value 1/3, gradient 1, product 2 (matrix
  /// products of a dense layer: 1, 3 and 6), each times the share of the samples it saw. A Jacobian
  /// or dense Hessian counts min(m, n) or n products.
  double gradient_equivalents = 0;
};

/// Called after every recorded iteration with the point and the gradient there; false stops.
using IterationCallback = std::function<bool(const IterationRecord&, std::span<const double> w,
                                             std::span<const double> gradient)>;

/// When, beside a plateau, one of several methods gives way to the next.
enum class SwitchRule {
  plateau,  ///< not otherwise
  /// Once every plateau_window records the quadratic model is tried: at most 10 steps of conjugate
  /// gradients on H s = -g, all samples. The next method takes over when
  ///   f(w) - f(w + s) >= (model's decrease) / 4   and
  ///   (f(w) - f(w + s)) / work of the trial > (decrease of f) / work, over the window,
  /// work in gradient-equivalents: the model is right, and gains more for the same work.
  model
};

/// One method gave way to the next.
struct MethodSwitch {
  std::int64_t iteration = 0;  ///< the last of the old method
  std::string from;            ///< the old method's name
  std::string to;              ///< the new one's
  std::string reason;          ///< one sentence for people
};

/// Settings of a run. Every limit and tolerance is off at 0; a negative one is refused.
struct MinimizeOptions {
  /// A method's name, several joined by commas (run one after the other), or "auto".
  std::string method = "auto";
  /// Settings of the methods, e.g. {"learning-rate", "0.1"}; "adam.learning-rate" reaches only
  /// adam.
  std::vector<std::pair<std::string, std::string>> method_options = {};

  std::optional<std::int64_t> max_iterations = {};  ///< default: the method's
  double max_seconds = 0;                           ///< wall clock, all sessions
  std::int64_t max_evaluations = 0;                 ///< values + gradients + products
  double max_epochs = 0;  ///< passes over the samples, stochastic methods (0: 10)
  std::optional<double> gradient_tolerance = {};  ///< default 1e-8; least squares see docs
  double value_tolerance = 0;                     ///< see StopReason::criterion
  double step_tolerance = 0;                      ///< see StopReason::criterion
  std::int64_t max_rising_iterations = 10;        ///< see StopReason::criterion
  /// Of several methods, one gives way to the next when it stalls or is through, when f fell by
  /// less than this share of |f| over its last `plateau_window` records (3 for a stochastic
  /// method), or as `switch_rule` says.
  double plateau = 0.01;
  std::int64_t plateau_window = 10;              ///< records
  SwitchRule switch_rule = SwitchRule::plateau;  ///< of several methods
  double value_floor = -1e100;                   ///< f below it counts as unbounded
  std::int64_t minibatch = 0;  ///< samples a mini-batch (0: 128, or all where there are fewer)
  std::uint64_t seed = 0;      ///< of mini-batches and random vectors

  /// Largest Hessian eigenvalue every so many iterations (measures lambda_max and, for methods with
  /// a learning rate, stability_limit = 2 / learning rate).
  std::int64_t track_curvature_every = 0;

  std::string checkpoint_directory = {};         ///< empty: no checkpoints
  double checkpoint_every_seconds = 5;           ///< 0: not by time
  std::int64_t checkpoint_every_iterations = 0;  ///< 0: not by iterations
  bool resume = false;  ///< continue from the checkpoint there; from the start where there is none

  std::int64_t max_records = 100000;    ///< the table is thinned to every 2nd, 4th, ... beyond this
  IterationCallback on_iteration = {};  ///< false stops
  ProgressCallback progress = {};       ///< called now and then; false stops
};

/// The end of a run: the best finite point met and the account of how it was reached.
struct MinimizeResult {
  std::vector<std::string> methods;                                ///< as used (auto resolved)
  std::string method_reason;                                       ///< why, where auto chose
  std::vector<std::pair<std::string, std::string>> given_options;  ///< as in MinimizeOptions
  std::vector<std::pair<std::string, std::string>> used_options;   ///< all, defaults included
  MinimizeStatus status = MinimizeStatus::stalled;                 ///< how it ended
  bool usable = false;           ///< the point is finite and no worse than the start
  StopReason reason;             ///< and why
  double start_value = 0;        ///< f(start)
  double value = 0;              ///< f(w)
  std::vector<double> w;         ///< the best finite point met
  std::vector<double> gradient;  ///< at w
  /// Euclidean
  double gradient_norm = 0;
  double gradient_norm_inf = 0;             ///< max_i |g_i|
  std::int64_t num_iterations = 0;          ///< of all methods
  double num_epochs = 0;                    ///< passes over the samples
  double seconds = 0;                       ///< over all sessions of a resumed run
  EvaluationCounts counts;                  ///< what it took
  std::vector<IterationRecord> iterations;  ///< thinned beyond max_records
  std::vector<MethodSwitch> switches;       ///< of several methods
  std::vector<std::string> warnings;        ///< one sentence each
};

/// Walks from `start` towards a minimum of f.
///
/// Cost: what the method asks of the problem; the driver itself keeps two vectors of n. The result
/// is a function of problem, start, options and seed alone (limits in seconds excepted), so a
/// resumed run ends with the same bits. Throws Error(usage) for an unknown method or option or a
/// method that cannot take the problem, Error(value) for a setting out of its range, Error(shape)
/// where start does not have dimension() entries, Error(data) for a damaged or foreign checkpoint.
KAPPA_EXPORT MinimizeResult minimize(const Problem& problem, std::span<const double> start,
                                     const MinimizeOptions& options = {});

/// Throws what minimize() would throw for these options, and does nothing else.
KAPPA_EXPORT void check_minimize_options(const Problem& problem, const MinimizeOptions& options);

/// Uncertainty of a least-squares fit with m residuals and n parameters at w.
///
///   s^2 = RSS / (m - n),   covariance = s^2 (J'J)^-1,   J = d r / d w
///
/// by a QR factorisation of J with its columns scaled to norm 1 (the error in standard errors grows
/// with the condition number of the scaled J, not with its square). Cost: one Jacobian, O(m n^2).
struct StandardErrors {
  std::vector<double> standard_errors;  ///< n; NaN where the data do not determine the parameter
  std::vector<double> correlations;     ///< n x n row-major; NaN in rows of undetermined parameters
  /// RSS
  double residual_sum_of_squares = 0;
  double residual_standard_deviation = 0;  ///< s; NaN for m <= n
  std::int64_t degrees_of_freedom = 0;     ///< m - rank
  std::int64_t rank = 0;                   ///< of the scaled J
  double condition = 0;  ///< of J'J, largest over smallest eigenvalue; infinite below full rank
  double scaled_condition = 0;            ///< the same after scaling the columns of J to norm 1
  std::vector<std::string> undetermined;  ///< names of the parameters in the null space of J
};

/// Throws Error(unsupported) unless problem.num_residuals() > 0.
KAPPA_EXPORT StandardErrors standard_errors(const Problem& problem, std::span<const double> w);

}  // namespace kappa
