#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kappa/curvature.h"
#include "kappa/export.h"
#include "kappa/problem.h"
#include "kappa/progress.h"

namespace kappa {

/// What a function was, for reports.
struct ObjectiveSummary {
  std::string kind;                 ///< "formula", "formula-table", "mlp"
  std::string text;                 ///< the formula, layer string or file
  std::int64_t num_parameters = 0;  ///< n
  std::int64_t num_samples = 0;     ///< 0: no data
  std::string loss;                 ///< empty: none
  std::string dtype;                ///< "f64" or "f32"
};

/// Which symmetric matrix the eigenvalues belong to.
enum class CurvatureMatrix { hessian, gauss_newton, fisher };
KAPPA_EXPORT const char* to_string(CurvatureMatrix matrix);

/// A part of the parameter vector that is looked at on its own, e.g. the weights of a layer.
struct ParameterBlock {
  std::string name;         ///< for people
  std::int64_t offset = 0;  ///< of its first entry of w
  std::int64_t size = 0;    ///< its entries
};

/// Which questions analyze() asks, and how much they may cost.
struct AnalyzeOptions {
  CurvatureMatrix matrix = CurvatureMatrix::hessian;  ///< whose eigenvalues are wanted
  std::int64_t num_top = 10;                          ///< largest eigenvalues wanted
  std::int64_t num_bottom = 3;                        ///< smallest eigenvalues wanted
  double tolerance = 1e-4;           ///< of eigenpairs, see LanczosOptions::tolerance
  std::int64_t max_products = 2000;  ///< of Lanczos
  std::int64_t block_size = 1;       ///< of Lanczos
  /// Takes the dense matrix and all its eigenvalues up to this order. Default: 600 without data,
  /// 128 with (a product then costs a pass over the samples); never below 64.
  std::optional<std::int64_t> max_dense_dimension = {};
  bool density = false;              ///< estimate the spectral density
  std::int64_t density_probes = 10;  ///< see DensityOptions::num_probes
  std::int64_t density_steps = 80;   ///< see DensityOptions::num_steps
  bool trace = false;                ///< estimate the trace
  /// |g| at which the point counts as critical, relative to max(1, |f|).
  double gradient_tolerance = 1e-8;
  std::optional<double> learning_rate = {};  ///< a rate to judge
  double momentum = 0;                       ///< used with it
  std::vector<double> direction = {};        ///< empty: none
  std::vector<ParameterBlock> blocks = {};   ///< largest eigenvalue of each diagonal block
  /// Newton step and trusted radius. Costs up to 32 products and 24 values where the matrix is not
  /// dense.
  bool local_model = true;
  std::uint64_t seed = 0;          ///< of every random vector
  ProgressCallback progress = {};  ///< called within every long step; false stops there
};

/// Eigenvalues at both ends of the spectrum, or all of them where the dense matrix was taken.
struct EigenvalueLists {
  std::vector<Eigenvalue> top;     ///< descending
  std::vector<Eigenvalue> bottom;  ///< ascending
  std::vector<double> all;         ///< ascending; only where the dense matrix was taken
  double error_bound = 0;          ///< of `all`
  /// Unit eigenvectors of `all`, one after another, where the order is at most 64.
  std::vector<double> vectors;
  std::vector<double> top_vector;     ///< unit eigenvector of top[0], n entries; empty: not found
  std::vector<double> bottom_vector;  ///< the same of bottom[0]
  std::string message;  ///< one sentence on how Lanczos ended; empty for a dense matrix
};

/// The largest eigenvalue of one diagonal block of the matrix.
struct BlockCurvature {
  ParameterBlock block;   ///< which entries
  Eigenvalue lambda_max;  ///< the largest one
};

/// What an analysis took.
struct AnalysisCost {
  std::int64_t num_values = 0;     ///< of f
  std::int64_t num_gradients = 0;  ///< linearisations included
  std::int64_t num_hvps = 0;  ///< products with the Hessian or Gauss-Newton matrix, one a direction
  double seconds = 0;         ///< wall clock
  std::int64_t peak_bytes = 0;  ///< largest resident set of the process so far
};

/// Everything that was found about a function at one point: a plain record, from which terminal
/// text, JSON and pages are made. What was not asked, or does not apply, is empty.
struct Analysis {
  ObjectiveSummary objective;                ///< what was analysed
  std::vector<std::string> parameter_names;  ///< one an entry of w, up to 64 entries
  std::vector<double> point;                 ///< w, up to 64 entries

  // Scalar functions
  std::optional<double> value;                        ///< f(w)
  std::vector<double> gradient;                       ///< n entries
  double gradient_norm_2 = 0;                         ///< Euclidean
  double gradient_norm_inf = 0;                       ///< the largest magnitude
  CurvatureMatrix matrix = CurvatureMatrix::hessian;  ///< what the eigenvalues belong to
  std::vector<double> hessian;                        ///< n x n of that matrix; up to order 64
  std::optional<EigenvalueLists> eigenvalues;         ///< none for a vector function
  std::optional<Outliers> outliers;                   ///< none where no gap stands out
  std::optional<Condition> condition;                 ///< |lambda|_max / |lambda|_min
  std::optional<Condition> condition_of_mean;         ///< where the trace is known
  std::optional<TraceEstimate> trace;                 ///< where it or the density was asked for
  std::optional<SpectralDensity> density;             ///< where asked
  std::optional<CriticalPoint> critical_point;        ///< by the second-derivative test
  std::optional<SurfaceShape> shape;                  ///< of the quadratic model
  std::optional<LearningRate> learning_rate;          ///< of gradient descent on the quadratic
  std::optional<LocalModel> model;                    ///< Newton step and trusted radius
  std::optional<DirectionAnalysis> direction;         ///< where a direction was given
  std::vector<BlockCurvature> blocks;                 ///< in the order of AnalyzeOptions::blocks

  // Vector functions
  std::vector<double> outputs;          ///< F(w), m entries
  std::vector<std::string> components;  ///< their formulas, where known
  std::vector<double> jacobian;         ///< m x n row-major
  std::vector<double> singular_values;  ///< descending
  std::int64_t rank = 0;                ///< singular values above rounding

  AnalysisCost cost;                  ///< what it took
  std::vector<std::string> warnings;  ///< one sentence each
  bool interrupted = false;  ///< the progress callback said stop; what was asked later is missing
  /// Every question got its answer to the tolerance asked for.
  bool complete = true;
};

/// The curvature of `problem` at w: value, gradient, eigenvalues, and what follows from them.
///
/// Small problems take the dense matrix (n products) and all its eigenvalues; larger ones thick
/// restart Lanczos at both ends, after a check that products are repeatable and symmetric. A value,
/// gradient or product that is not finite is a warning, and what depends on it is left out. Throws
/// Error(value) for options out of range, Error(shape) where w or a direction has the wrong length,
/// Error(unsupported) for a Gauss-Newton matrix of a function that has none.
KAPPA_EXPORT Analysis analyze(const Problem& problem, std::span<const double> w,
                              const AnalyzeOptions& options = {});

}  // namespace kappa
