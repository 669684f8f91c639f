#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kappa/export.h"
#include "kappa/operator.h"
#include "kappa/progress.h"

// Questions about a symmetric operator A of order n, and what their answers mean for a function
// whose Hessian it is. Vectors are double precision; a set of k vectors is column-major n x k.
// A caller's mistake (a negative tolerance, a vector of the wrong length) throws Error(value) or
// Error(shape); a numerical outcome is a status in the result. Costs are counted in products A v.

namespace kappa {

/// How a run that takes products ended. The result is usable in every case but non_finite, where it
/// holds what was known before the first NaN or infinity.
enum class CurvatureStatus {
  converged,     ///< every question met its tolerance
  max_products,  ///< a limit of products, probes or iterations came first
  stagnated,     ///< more products cannot help: the operator's own rounding exceeds the tolerance
  stopped,       ///< the progress callback said stop
  non_finite,    ///< the operator returned NaN or infinity
};
KAPPA_EXPORT const char* to_string(CurvatureStatus status);

// ---------------------------------------------------------------------------------------------
// Operators made from operators. They keep references; the parts must outlive them.

/// A dense symmetric matrix as an operator; keeps its own copy. Only (A + A')/2 is used.
class KAPPA_EXPORT DenseOperator final : public SymmetricOperator {
 public:
  /// `matrix` is n x n; throws Error(shape) otherwise.
  DenseOperator(std::int64_t n, std::vector<double> matrix);
  [[nodiscard]] std::int64_t dimension() const override { return n_; }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override;

 private:
  std::int64_t n_;
  std::vector<double> matrix_;
};

/// scale A + shift I.
class KAPPA_EXPORT AffineOperator final : public SymmetricOperator {
 public:
  /// Keeps a reference to `a`.
  AffineOperator(const SymmetricOperator& a, double scale, double shift)
      : a_(a), scale_(scale), shift_(shift) {}
  [[nodiscard]] std::int64_t dimension() const override { return a_.dimension(); }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override;

 private:
  const SymmetricOperator& a_;
  double scale_, shift_;
};

/// A + B.
class KAPPA_EXPORT SumOperator final : public SymmetricOperator {
 public:
  /// Throws Error(shape) unless both have one order.
  SumOperator(const SymmetricOperator& a, const SymmetricOperator& b);
  [[nodiscard]] std::int64_t dimension() const override { return a_.dimension(); }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override;

 private:
  const SymmetricOperator& a_;
  const SymmetricOperator& b_;
};

/// (I - Q Q') A (I - Q Q') for orthonormal columns Q (n x k): A without those directions.
class KAPPA_EXPORT DeflatedOperator final : public SymmetricOperator {
 public:
  /// Throws Error(shape) unless the length of `q` is a multiple of n. Keeps its own copy of q.
  DeflatedOperator(const SymmetricOperator& a, std::vector<double> q);
  [[nodiscard]] std::int64_t dimension() const override { return a_.dimension(); }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override;

 private:
  const SymmetricOperator& a_;
  std::vector<double> q_;
};

// ---------------------------------------------------------------------------------------------
// Is it the operator it claims to be?

/// What check_operator() saw.
struct OperatorCheck {
  bool deterministic = false;  ///< the same vector twice gave the same bits
  bool finite = false;         ///< no NaN or infinity came back
  bool symmetric = false;      ///< symmetry_error <= tolerance
  /// |<u, A v> - <v, A u>| / (|u| |A v| + |v| |A u|) for two random vectors; 0 for a zero operator.
  double symmetry_error = 0;
  double tolerance = 0;           ///< as given
  std::int64_t num_products = 0;  ///< taken
  /// Whether A may be trusted in all three respects.
  [[nodiscard]] bool passed() const { return deterministic && finite && symmetric; }
  std::string message;  ///< one sentence: what is wrong, or that nothing is
};

/// Applies A to random u twice and to v once: are the bits repeatable, is A symmetric?
/// Cost: 3 products. The default tolerance leaves room for single precision inside the operator.
KAPPA_EXPORT OperatorCheck check_operator(const SymmetricOperator& a, std::uint64_t seed = 0,
                                          double tolerance = 1e-5);

// ---------------------------------------------------------------------------------------------
// Eigenvalues

/// One eigenvalue, with how far to trust it.
struct Eigenvalue {
  double value = 0;  ///< the Rayleigh quotient v'Av
  /// |A v - value v| for the unit vector v: some eigenvalue lies within this distance.
  double residual = 0;
  /// Bound on |value - eigenvalue|: the residual, or residual^2 / gap where a gap to the rest of
  /// the spectrum is seen (Parlett, The Symmetric Eigenvalue Problem, 4.5 and 11.7), plus
  /// the operator's own rounding.
  double error_bound = 0;
  bool converged = false;  ///< to what was asked for
};

/// What lanczos stops on: the residual |A v - value v|, or the error bound of the value, which is
/// about the residual squared and needs about half the products (vectors are then rough).
enum class LanczosCriterion { residual, error_bound };

/// Products spent at the end on residuals. The basis knows them to double rounding for the products
/// it was given; what an operator in single precision rounds in a product it cannot see.
enum class ResidualCheck {
  none,
  one,  ///< recompute the largest pair: what it shows beyond the known residual is added to all
  all,  ///< recompute every pair, one product each
};

/// What lanczos() looks for, how exactly, and what it may cost.
struct LanczosOptions {
  std::int64_t num_top = 1;     ///< largest eigenvalues wanted; cut to n
  std::int64_t num_bottom = 0;  ///< smallest (most negative) eigenvalues wanted; cut to n
  /// A pair is converged when measure <= tolerance * max(|value|, tolerance_floor * |A|), the
  /// measure being the criterion's and |A| the largest |Ritz value| seen.
  double tolerance = 1e-4;
  /// Keeps values near zero from asking for a residual below the operator's rounding.
  double tolerance_floor = 1e-2;
  LanczosCriterion criterion = LanczosCriterion::residual;  ///< what `tolerance` bounds
  /// Directions a product step takes at once. 1 needs the fewest products; b > 1 is worth it where
  /// a block costs less than 1/1.3 of b single products (docs/curvature.md has measurements), and
  /// finds multiplicities up to b in one sweep.
  std::int64_t block_size = 1;
  /// Columns of the basis, 0 for max(2 (num_top + num_bottom) + 20, 60); at most n.
  std::int64_t max_basis = 0;
  std::int64_t max_products = 2000;  ///< taken in all
  std::uint64_t seed = 0;            ///< of start vectors and of those after a breakdown
  /// Approximate eigenvectors (n x k) whose sum starts the run, e.g. from a subsample, an earlier
  /// point, or just the gradient; need not be orthonormal.
  std::vector<double> warm_start = {};
  /// Eigenvalues below the wanted top ones that are to be known as well, but only to an error bound
  /// of beyond_tolerance times their value (the same floor): much cheaper than converged ones. They
  /// come in LanczosResult::below_top.
  std::int64_t num_beyond = 0;
  double beyond_tolerance = 0.02;  ///< relative, see num_beyond
  /// Fresh random directions continued for this many products after convergence, to find an
  /// eigenvalue that the first start vector missed (a further copy of a repeated one). 0: only
  /// after a breakdown, where it is needed.
  std::int64_t verification_products = 0;
  ResidualCheck residual_check = ResidualCheck::one;  ///< costs up to num_top + num_bottom products
  bool vectors = true;                                ///< return the eigenvectors
  ProgressCallback progress = {};                     ///< called now and then; false stops
};

/// The eigenpairs that lanczos() found, and how it ended.
struct LanczosResult {
  CurvatureStatus status = CurvatureStatus::converged;  ///< how it ended
  std::vector<Eigenvalue> top;                          ///< descending
  std::vector<Eigenvalue> bottom;                       ///< ascending
  /// Ritz values that follow `top`, descending, as far as their error bounds are at most a tenth of
  /// them: what the basis knows of eigenvalues beyond the wanted.
  std::vector<Eigenvalue> below_top;
  std::vector<double> top_vectors;     ///< n x top.size(), orthonormal
  std::vector<double> bottom_vectors;  ///< n x bottom.size(), orthonormal
  std::int64_t num_pairs = 0;       ///< distinct pairs in both lists: they overlap where n is small
  std::int64_t num_products = 0;    ///< taken in all
  std::int64_t num_restarts = 0;    ///< of the basis
  std::int64_t num_breakdowns = 0;  ///< invariant subspaces met, continued at random
  std::int64_t basis_size = 0;      ///< columns allowed
  std::int64_t block_size = 0;      ///< directions a step
  double norm = 0;                  ///< estimate of |A| from below: the largest |Ritz value| seen
  /// The operator's own rounding as measured (asymmetry of the projected operator, residual check):
  /// accuracy beyond it is not to be had.
  double noise = 0;
  bool verified = false;  ///< a verification pass found nothing new, or the whole space was spanned
  std::string message;    ///< one sentence on the outcome
};

/// Extreme eigenpairs of A, both ends from one Krylov space: thick-restart block Lanczos with full
/// orthogonalisation (Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000; band form after Ruhe
/// 1979).
///
/// The residuals are true: the basis satisfies A V = V H + Q C with the products as they came back,
/// H not made symmetric, so |A x - theta x| = |(H y - theta y, C y)| for x = V y to double
/// rounding, whatever the operator's own precision; what a restart discards is added on. Breakdown
/// (identity, low rank, invariant subspaces) continues with fresh random directions. Block size 1
/// sees one copy of a repeated eigenvalue until rounding or a restart brings the next; block_size
/// or verification_products finds them. Memory: 8 n (max_basis + block) bytes. Work besides
/// products: about 4 n m flops a product for a basis of m columns, the basis read twice.
KAPPA_EXPORT LanczosResult lanczos(const SymmetricOperator& a, const LanczosOptions& options = {});

/// Bytes that lanczos holds at its largest, beside the operator's own.
KAPPA_EXPORT std::int64_t lanczos_bytes(std::int64_t n, const LanczosOptions& options);

/// (n_+, n_-, n_0): how many eigenvalues are positive, negative, zero.
struct Inertia {
  std::int64_t positive = 0;  ///< n_+
  std::int64_t negative = 0;  ///< n_-
  std::int64_t zero = 0;      ///< n_0
};

/// All eigenpairs of a dense matrix.
struct Spectrum {
  CurvatureStatus status = CurvatureStatus::converged;  ///< how it ended
  std::vector<double> values;                           ///< all n, ascending
  std::vector<double> vectors;                          ///< n x n, column j belongs to values[j]
  /// Bound on the error of every value: n eps |A| + asymmetry (Weyl).
  double error_bound = 0;
  /// |A - A'|_F / 2 of the products as they came back.
  double asymmetry = 0;
  Inertia inertia;                ///< |value| <= error_bound counts as zero
  std::int64_t num_products = 0;  ///< n; 0 for a matrix given
};

/// Every eigenvalue and eigenvector, from the dense matrix of n products. Memory 24 n^2 bytes, work
/// 9 n^3 flops. Throws Error(resource) for n > max_dimension.
KAPPA_EXPORT Spectrum dense_spectrum(const SymmetricOperator& a, std::int64_t max_dimension = 10000,
                                     const ProgressCallback& progress = {});
/// The same of a dense n x n matrix.
KAPPA_EXPORT Spectrum dense_spectrum(std::int64_t n, std::span<const double> matrix);

// ---------------------------------------------------------------------------------------------
// Estimates from random probes

/// How density() spends its products.
struct DensityOptions {
  std::int64_t num_probes = 10;  ///< random vectors; errors fall as 1 / sqrt of it
  std::int64_t num_steps = 80;   ///< Lanczos steps a probe; cut to n
  std::int64_t num_points = 0;   ///< grid points, 0: enough for 2 a sigma, at least 256
  double sigma = 0;              ///< width of the Gaussians, 0: (lambda_max - lambda_min) / 100
  std::int64_t max_basis_bytes = std::int64_t{2} << 30;  ///< fewer probes at once beyond this
  std::uint64_t seed = 0;                                ///< of the random vectors
  ProgressCallback progress = {};                        ///< called now and then; false stops
};

/// phi(t) = (1/n) sum_i N(t; lambda_i, sigma^2), estimated.
struct SpectralDensity {
  CurvatureStatus status = CurvatureStatus::converged;  ///< how it ended
  std::vector<double> lambda;                           ///< grid, ascending, equally spaced
  std::vector<double> density;         ///< integrates to 1 (trapezoidal rule on the grid)
  std::vector<double> standard_error;  ///< over probes; empty for one probe
  double sigma = 0;                    ///< width of the Gaussians used
  std::int64_t num_probes = 0;         ///< fewer than asked for where it was stopped
  std::int64_t num_steps = 0;          ///< fewer than asked for where n is small
  /// Gauss quadrature nodes t of each probe, one after another: sum weight f(t) / num_probes
  /// estimates trace f(A) / n.
  std::vector<double> nodes;
  std::vector<double> weights;            ///< one a node; those of a probe sum to 1
  std::vector<std::int64_t> probe_sizes;  ///< nodes of each probe (fewer than num_steps: breakdown)
  double trace = 0;                       ///< of A, free of charge
  double trace_standard_error = 0;        ///< of that
  std::int64_t num_products = 0;          ///< taken
};

/// Spectral density by stochastic Lanczos quadrature (Lin, Saad, Yang, SIAM Review 58, 2016; Ubaru,
/// Chen, Saad 2017), random normal probes in lockstep, full orthogonalisation (no ghost copies).
/// Features narrower than sigma or than the spacing of nodes are smeared. Cost: num_probes *
/// num_steps products; memory 8 n num_steps bytes for each probe at once.
KAPPA_EXPORT SpectralDensity density(const SymmetricOperator& a,
                                     const DensityOptions& options = {});

enum class TraceMethod {
  hutchinson,      ///< mean of z' A z over random signs z
  hutch_plus_plus  ///< trace of A on a sketched subspace exactly, Hutchinson on the rest
};

/// How trace() draws its probes and when it stops.
struct TraceOptions {
  TraceMethod method = TraceMethod::hutchinson;  ///< of the estimate
  double tolerance = 0.01;                       ///< stop at standard_error <= tolerance * |value|
  std::int64_t min_probes = 10;                  ///< before the standard error is believed
  /// Hutch++: beside the sketch.
  std::int64_t max_probes = 1000;
  std::int64_t block_size = 8;     ///< probes a product step
  std::int64_t sketch_size = 16;   ///< Hutch++: columns of the sketch, cut to n
  std::uint64_t seed = 0;          ///< of the random vectors
  ProgressCallback progress = {};  ///< called now and then; false stops
};

/// tr A as it was estimated, with its standard error.
struct TraceEstimate {
  CurvatureStatus status = CurvatureStatus::converged;  ///< how it ended
  double value = 0;                                     ///< of tr A
  double standard_error = 0;      ///< sample standard deviation / sqrt(num_probes)
  std::int64_t num_probes = 0;    ///< averaged
  std::int64_t num_products = 0;  ///< taken
};

/// tr A (Hutchinson 1990; Meyer, Musco, Musco, Woodruff, Hutch++, SOSA 2021). Stops on the standard
/// error of the mean, never on the change of a running mean. Variance of a probe:
/// 2 sum_{i != j} A_ij^2. Cost: num_probes products, and 2 sketch_size for Hutch++.
KAPPA_EXPORT TraceEstimate trace(const SymmetricOperator& a, const TraceOptions& options = {});

/// How diagonal() draws its probes.
struct DiagonalOptions {
  std::int64_t num_probes = 100;   ///< random sign vectors
  std::int64_t block_size = 8;     ///< probes a product step
  std::uint64_t seed = 0;          ///< of the random vectors
  ProgressCallback progress = {};  ///< called now and then; false stops
};

/// diag A as it was estimated, with a standard error an entry.
struct DiagonalEstimate {
  CurvatureStatus status = CurvatureStatus::converged;  ///< how it ended
  std::vector<double> value;                            ///< n
  std::vector<double> standard_error;                   ///< n; empty for one probe
  std::int64_t num_probes = 0;                          ///< averaged
  std::int64_t num_products = 0;                        ///< taken
};

/// diag A as the mean of z .* (A z) over random signs z (Bekas, Kokiopoulou, Saad, Appl. Numer.
/// Math. 57, 2007). Variance of a probe at entry i: sum_{j != i} A_ij^2; exact for diagonal A.
KAPPA_EXPORT DiagonalEstimate diagonal(const SymmetricOperator& a,
                                       const DiagonalOptions& options = {});

// ---------------------------------------------------------------------------------------------
// Linear systems

enum class SolveMethod { cg, minres };
enum class SolveStatus {
  converged,           ///< |b - (A + damping I) x| <= tolerance |b|
  negative_curvature,  ///< a direction d with d'(A + damping I)d <= 0 was met; x is the step before
  max_iterations,
  stagnated,  ///< the residual stopped falling (rounding, or b has a part in the null space)
  stopped,
  non_finite,
};
KAPPA_EXPORT const char* to_string(SolveStatus status);

/// How (A + damping I) x = b is solved.
struct SolveOptions {
  /// CG for positive definite A; MINRES where A may be indefinite.
  SolveMethod method = SolveMethod::cg;
  double damping = 0;                  ///< added to the diagonal of A
  double tolerance = 1e-8;             ///< of the residual, relative to |b|
  std::int64_t max_iterations = 1000;  ///< a product each
  /// Stop at a direction of nonpositive curvature. CG always does; MINRES can go on past it.
  bool stop_at_negative_curvature = true;
  ProgressCallback progress = {};  ///< called now and then; false stops
};

/// The solution x, or the best one so far, and how the solver ended.
struct SolveResult {
  SolveStatus status = SolveStatus::converged;  ///< how it ended
  std::vector<double> x;                        ///< n entries
  double residual = 0;             ///< |b - (A + damping I) x| / |b|, by the recurrence
  std::vector<double> direction;   ///< of nonpositive curvature, where one was met
  double direction_curvature = 0;  ///< d'(A + damping I)d / d'd of it
  std::int64_t num_products = 0;   ///< taken
};

/// x = (A + damping I)^{-1} b by conjugate gradients (Hestenes and Stiefel 1952) or MINRES (Paige
/// and Saunders 1975; negative curvature after Liu and Roosta, SIAM J. Optim. 32, 2022).
KAPPA_EXPORT SolveResult inverse_product(const SymmetricOperator& a, std::span<const double> b,
                                         const SolveOptions& options = {});

// ---------------------------------------------------------------------------------------------
// What is known of a spectrum, and what follows from it

/// Eigenvalues as far as they are known, with bounds on their errors: the common input of the
/// questions below. Made from a dense spectrum or from Lanczos.
struct KnownSpectrum {
  std::int64_t dimension = 0;        ///< n
  bool complete = false;             ///< `values` are all n of them
  std::vector<double> values;        ///< ascending, without repeats of one pair
  std::vector<double> error_bounds;  ///< of `values`, in their order
  std::int64_t num_top = 0;          ///< so many of the last values are the largest of the spectrum
  std::int64_t num_bottom = 0;       ///< so many of the first values are the smallest
  std::vector<double> vectors;       ///< n x values.size(), or empty
  double norm = 0;                   ///< largest |value| seen
  /// Bound on the rounding of a Rayleigh quotient. Every value is one, so a value above it proves a
  /// positive eigenvalue and one below its negative a negative, converged or not.
  double rounding = 0;
};
KAPPA_EXPORT KnownSpectrum known(const Spectrum& spectrum);
/// Keeps unconverged values too: their error bounds say what they are worth.
KAPPA_EXPORT KnownSpectrum known(const LanczosResult& result, std::int64_t dimension);

/// The condition number |lambda|_max / |lambda|_min over the nonzero eigenvalues.
struct Condition {
  /// Infinity where every known eigenvalue is zero but the operator is not; NaN for A = 0.
  double number = 0;
  double lambda_max = 0;            ///< the eigenvalue of largest magnitude used
  double lambda_min = 0;            ///< the eigenvalue of smallest magnitude used
  std::int64_t null_dimension = 0;  ///< known eigenvalues that are zero within their bounds
  bool lower_bound = false;         ///< the spectrum is not complete: the true number is no smaller
  std::string definition;           ///< in words, with what it leaves out
};

/// kappa = max |lambda| / min |lambda| over the eigenvalues that are not zero within their bounds
/// (or null_tolerance * |A|, whichever is larger); the null space is reported apart.
KAPPA_EXPORT Condition condition(const KnownSpectrum& spectrum, double null_tolerance = 1e-12);

/// lambda_max over the mean eigenvalue trace / n: how uneven the curvature is, where the smallest
/// eigenvalues cannot be resolved (Le Cun, Kanter, Solla 1991 look at lambda_max in this way).
KAPPA_EXPORT Condition condition_of_mean(double lambda_max, double trace, std::int64_t dimension);

/// When a gap between eigenvalues counts.
struct OutlierOptions {
  double significance = 0.01;  ///< chance of a false alarm, all gaps together
  /// A gap closer than this matters to nobody, however regular the eigenvalues below it are.
  double least_ratio = 1.2;
};

/// Large eigenvalues set apart from the rest by a gap.
struct Outliers {
  std::int64_t count = 0;  ///< largest eigenvalues before the gap
  double last = 0;         ///< the smallest outlier
  double next = 0;         ///< the eigenvalue after the gap
  double p_value = 0;      ///< chance of such a gap among eigenvalues that have no outliers
};

/// The gap behind the k-th of the m largest eigenvalues, if one stands out.
///
/// With z_j = j ln(lambda_j / lambda_{j+1}), which keeps its size along a tail lambda_j ~ j^-a
/// whatever a (Renyi 1953; Pisarenko and Sornette, Eur. Phys. J. Special Topics 205, 2012, test
/// outliers with it), and the spacings of a symmetric random matrix following Wigner's surmise,
/// P(z > x mean) = exp(-pi x^2 / 4), z^2 is exponential, and
///
///   p_k = (1 + z_k^2 / sum_{j=k+1}^{k+r} z_j^2)^-r
///
/// is the chance of z_k beside the r spacings below it, r = 10 or as many as are known, at least 4.
/// The k of least p_k is reported where p_k times the number of gaps tried is at most
/// `significance`. Error bounds count against the gap: it is narrowed by them, the spacings below
/// widened. Eigenvalues that do not repel each other (independent terms of a sum) show such a gap
/// by chance more often, in up to one of three cases where their tail is heavy.
///
/// `descending` holds the largest eigenvalues, none missing between them. Cost: none.
KAPPA_EXPORT std::optional<Outliers> outliers(std::span<const Eigenvalue> descending,
                                              const OutlierOptions& options = {});

enum class CriticalKind { minimum, maximum, saddle, degenerate, undecided, not_critical };
KAPPA_EXPORT const char* to_string(CriticalKind kind);

/// What kind of critical point this is, by the signs of the eigenvalues.
struct CriticalPoint {
  CriticalKind kind = CriticalKind::undecided;  ///< by the second-derivative test
  std::int64_t index = 0;                       ///< negative eigenvalues
  bool index_lower_bound = false;               ///< there may be more of them than were looked for
  double gradient_norm = 0;                     ///< as given
  double gradient_tolerance = 0;                ///< as given
  std::string evidence;                         ///< a sentence with the numbers it rests on
};

/// The second-derivative test. With |g| <= gradient_tolerance: minimum where lambda_min exceeds its
/// error bound, maximum where -lambda_max does, saddle where both signs are certain, degenerate
/// where an extreme eigenvalue is zero within a bound that is itself negligible (1e-6 |A|): the
/// test is then inconclusive whatever the precision; undecided where a larger bound hides the sign
/// or an end was not computed.
KAPPA_EXPORT CriticalPoint critical_point(const KnownSpectrum& spectrum, double gradient_norm,
                                          double gradient_tolerance);

/// What the graph of the quadratic looks like.
enum class SurfaceShape {
  bowl,    ///< every eigenvalue > 0
  dome,    ///< every eigenvalue < 0
  trough,  ///< every eigenvalue >= 0, some zero: a flat-bottomed valley
  ridge,   ///< every eigenvalue <= 0, some zero
  saddle,  ///< both signs
  flat,    ///< every eigenvalue zero
};
KAPPA_EXPORT const char* to_string(SurfaceShape shape);

/// The name of the quadratic's shape; none where an end is unknown or its sign hidden by a bound
/// that is not negligible.
KAPPA_EXPORT std::optional<SurfaceShape> shape(const KnownSpectrum& spectrum);

// ---------------------------------------------------------------------------------------------
// Learning rates

/// A learning rate to judge, and by what.
struct LearningRateOptions {
  std::optional<double> given = {};  ///< a rate to judge
  double given_momentum = 0;         ///< heavy-ball momentum used with it
  double growth_factor = 10;      ///< "diverges" is said when a component has grown by this factor
  double null_tolerance = 1e-12;  ///< eigenvalues below it times |A| count as zero
};

/// What lambda means for a step of length alpha: each component shrinks by |1 - alpha lambda|.
struct DirectionRate {
  double eigenvalue = 0;   ///< lambda
  double ideal_rate = 0;   ///< 1/lambda: one step to the extremum; infinite for lambda = 0
  double contraction = 0;  ///< |1 - alpha lambda| at `LearningRate::reference_rate`
};

/// The best fixed heavy-ball step of a positive definite quadratic.
struct MomentumAdvice {
  double learning_rate = 0;  ///< (2 / (sqrt(lambda_1) + sqrt(lambda_n)))^2
  double momentum = 0;       ///< ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^2
  double rate = 0;           ///< sqrt(momentum), a step
};

/// What a given learning rate does on the quadratic.
struct GivenRate {
  double learning_rate = 0;        ///< as given
  double momentum = 0;             ///< as given
  bool stable = false;             ///< no known positive eigenvalue makes it grow
  double contraction_worst = 0;    ///< largest factor a step over known directions
  std::int64_t num_diverging = 0;  ///< directions with lambda > limit
  std::int64_t num_escaping = 0;   ///< directions with lambda < 0: any rate moves away along them
  /// Steps until the fastest diverging component has grown by growth_factor.
  std::optional<std::int64_t> steps_to_divergence;
  std::string sentence;  ///< e.g. "diverges along 3 directions, the first within 12 steps"
};

/// Learning rates that follow from the spectrum.
struct LearningRate {
  std::optional<double> stability_limit;           ///< 2 / lambda_max; none unless lambda_max > 0
  std::optional<double> fastest_fixed;             ///< 2 / (lambda_min + lambda_max), all positive
  std::optional<double> gradient_descent_rate;     ///< (kappa - 1) / (kappa + 1), at fastest_fixed
  std::optional<std::int64_t> iterations_to_1e_6;  ///< ceil(ln 1e-6 / ln rate), of |w - w*|
  std::optional<MomentumAdvice> momentum;          ///< positive definite only
  std::optional<double> curvature_along_gradient;  ///< g'Ag / g'g
  std::optional<double> steepest_descent_step;     ///< g'g / g'Ag; none (a warning) if g'Ag <= 0
  double reference_rate = 0;  ///< `given`, else fastest_fixed, else half of stability_limit
  std::vector<DirectionRate> directions;  ///< descending
  std::optional<GivenRate> given;         ///< what LearningRateOptions::given does
  std::vector<std::string> warnings;      ///< one sentence each
};

/// Rates of gradient descent w <- w - alpha g on the quadratic with this Hessian. fastest_fixed,
/// momentum and what follows need lambda_min, known and positive.
/// `gradient_curvature` is g'Ag and `gradient_norm` |g|, where known (one product, see direction).
/// Source: Polyak, USSR Comp. Math. 4, 1964; Goh, Distill 2017; Goodfellow et al., Deep
/// Learning 4.3.
KAPPA_EXPORT LearningRate learning_rate(const KnownSpectrum& spectrum,
                                        const LearningRateOptions& options = {},
                                        std::optional<double> gradient_norm = {},
                                        std::optional<double> gradient_curvature = {});

// ---------------------------------------------------------------------------------------------
// Directions and the local model

/// Curvature along a direction d, and which eigenvectors d is made of.
struct DirectionAnalysis {
  /// A d has neither NaN nor infinity.
  bool finite = true;
  double norm = 0;          ///< |d|
  double curvature = 0;     ///< d'Ad / d'd; 0 for d = 0
  double quadratic = 0;     ///< d'Ad
  double product_norm = 0;  ///< |A d|
  /// (v_i'd)^2 / d'd for each known eigenvector, in the order of KnownSpectrum::values.
  std::vector<double> weights;
  double remainder = 1;  ///< fraction of |d|^2 outside the known eigenvectors
};

/// Curvature along d, and which eigenvectors d is made of. Cost: 1 product.
KAPPA_EXPORT DirectionAnalysis direction(const SymmetricOperator& a, std::span<const double> d,
                                         const KnownSpectrum& spectrum = {});

/// How far the quadratic model is tried, and what that may cost.
struct LocalModelOptions {
  /// Trust ends where |f(w+ts) - q(ts)| > ratio max(|q(ts) - f|, |t^2 s'As| / 2). At t = 1, 0.25 is
  /// the boundary at which trust-region methods grow the radius (Conn, Gould, Toint, Trust-Region
  /// Methods, 6.1); the second term keeps t = 2, where q(ts) = f, from ending it.
  double trusted_ratio = 0.25;
  std::int64_t max_values = 60;    ///< function values spent on the radius
  SolveOptions solve = {};         ///< for the Newton step where the spectrum is not complete
  ProgressCallback progress = {};  ///< called now and then; false stops
};

/// The step that the quadratic model proposes, and how far the model holds along it.
struct LocalModel {
  bool finite = true;           ///< a usable step was found
  std::vector<double> step;     ///< Newton step s, or the modified one
  bool modified = false;        ///< A is not positive definite on g: s is not -A^{-1} g
  std::string method;           ///< how s was made, in words
  double newton_step_norm = 0;  ///< |s|
  /// sqrt(g'A^{-1}g) (Boyd and Vandenberghe 9.5.1); for a modified step, sqrt(-g's).
  double newton_decrement = 0;
  double predicted_decrease = 0;  ///< f - q(s) = -(g's + s'As/2)
  double actual_decrease = 0;     ///< f - f(w + s)
  /// Largest |t s| found (t by doubling or halving from 1, then bisected to 10 %) at which the
  /// model holds to trusted_ratio; infinity where it held to t = 2^20, none for a zero gradient.
  std::optional<double> trusted_radius;
  std::int64_t num_products = 0;  ///< taken
  std::int64_t num_values = 0;    ///< taken
};

/// q(s) = f + g's + s'As/2 against the function. `value_at(s)` returns f(w + s). With a complete
/// spectrum the step is -sum_i v_i (v_i'g) / |lambda_i| over the nonzero eigenvalues, which is the
/// Newton step where A is positive definite; else CG on A s = -g, which stops at negative
/// curvature. Cost: one product (and CG's), at most max_values + 1 function values.
KAPPA_EXPORT LocalModel local_model(const SymmetricOperator& a, double value,
                                    std::span<const double> gradient,
                                    const std::function<double(std::span<const double>)>& value_at,
                                    const KnownSpectrum& spectrum = {},
                                    const LocalModelOptions& options = {});

}  // namespace kappa
