#pragma once

#include "minimize/least_squares.h"

namespace kappa {

/// What the methods for sums of squares share: the residuals linearised where they stand, in
/// variables scaled by D, the largest column norms of J so far.
class LeastSquaresWalker : public Walker {
 public:
  StepReport step(Evaluator& evaluator, Iterate& iterate) final;
  void archive(Archive& archive) override;

 protected:
  /// A step from where model_ is that of the iterate and |r| > 0.
  virtual StepReport improve(Evaluator& evaluator, Iterate& iterate) = 0;

  /// w + t D^-1 y; a column of J that was always 0 moves nothing.
  [[nodiscard]] Vector displaced(const Vector& w, double t, const Eigen::VectorXd& y) const;
  /// The report of a method that found nothing better.
  [[nodiscard]] StepReport stalled() const;

  struct Candidate {
    LeastSquaresModel model;
    Vector scale;
  };
  [[nodiscard]] Candidate linearize(Evaluator& evaluator, const Vector& w) const;
  /// Goes to w with its finite candidate; the report lacks what the method measures.
  StepReport commit(Evaluator& evaluator, Candidate&& candidate, const Vector& w, Iterate& iterate);

  Vector scale_;
  LeastSquaresModel model_;
  Eigen::VectorXd residuals_;
};

}  // namespace kappa
