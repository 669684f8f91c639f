#include "minimize/least_squares_walker.h"

namespace kappa {

StepReport LeastSquaresWalker::step(Evaluator& evaluator, Iterate& iterate) {
  if (!model_.finite) model_.linearize(evaluator, iterate.w, scale_);
  if (!model_.finite) return {.not_finite = true};
  if (model_.residual_norm == 0) return stalled();
  return improve(evaluator, iterate);
}

void LeastSquaresWalker::archive(Archive& archive) {
  archive(scale_);
  if (archive.reading()) model_.finite = false;
}

Vector LeastSquaresWalker::displaced(const Vector& w, double t, const Eigen::VectorXd& y) const {
  Vector result(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double d = scale_[i];
    result[i] = w[i] + (d > 0 ? t * y(static_cast<Eigen::Index>(i)) / d : 0);
  }
  return result;
}

StepReport LeastSquaresWalker::stalled() const {
  return {.moved = false, .critical = offset_criterion(model_, true)};
}

LeastSquaresWalker::Candidate LeastSquaresWalker::linearize(Evaluator& evaluator,
                                                            const Vector& w) const {
  Candidate candidate{.model = {}, .scale = scale_};
  candidate.model.linearize(evaluator, w, candidate.scale);
  return candidate;
}

StepReport LeastSquaresWalker::commit(Evaluator& evaluator, Candidate&& candidate, const Vector& w,
                                      Iterate& iterate) {
  const double length = distance(w, iterate.w);
  model_ = std::move(candidate.model);
  scale_ = std::move(candidate.scale);
  iterate.w = w;
  // f = scale |r|^2
  const double s = evaluator.problem().residual_scale();
  iterate.value = s * model_.residual_norm * model_.residual_norm;
  iterate.gradient.resize(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) {
    iterate.gradient[i] = 2 * s * model_.gradient(static_cast<Eigen::Index>(i));
  }
  return {.step_norm = length, .critical = offset_criterion(model_, false)};
}

}  // namespace kappa
