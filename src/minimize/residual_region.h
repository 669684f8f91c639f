#pragma once

#include "minimize/least_squares_walker.h"

namespace kappa {

/// What the trust-region methods for sums of squares share: trials of |r + J s| over
/// |D s| <= radius, D the largest column norms of J so far, until one lowers |r|^2; where the
/// decrease is below its rounding, until one lowers the relative offset, which still resolves the
/// last digits. A method says which s, and how the radius follows.
class ResidualRegion : public LeastSquaresWalker {
 public:
  explicit ResidualRegion(const Settings& settings) : factor_(settings.number("factor")) {}
  void archive(Archive& archive) final;

 protected:
  struct Proposal {
    Eigen::VectorXd y;     ///< D s
    double predicted = 0;  ///< decrease of |r|^2 in the model
    double damping = 0;    ///< multiplier of the boundary, where the method knows it
  };
  struct Outcome {
    double before = 0, after = 0;  ///< |r|^2; after is infinite where a residual is not finite
    double ratio = 0;              ///< actual over predicted decrease; -inf likewise
    double length = 0;             ///< |D s|
    bool accepted = false;
  };
  /// Called at every new point, before it is asked for steps.
  virtual void prepare(const LeastSquaresModel& model) = 0;
  virtual Proposal propose(const LeastSquaresModel& model, double radius) = 0;
  virtual double next_radius(double radius, const Proposal& tried, const Outcome& outcome) = 0;

 private:
  StepReport improve(Evaluator& evaluator, Iterate& iterate) final;

  double factor_, radius_ = 0;
};

/// The option that all of them have.
OptionInfo radius_factor_option();

}  // namespace kappa
