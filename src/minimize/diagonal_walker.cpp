#include "minimize/diagonal_walker.h"

#include "minimize/adaptive.h"
#include "minimize/hutchinson.h"

namespace kappa {

DiagonalWalker::DiagonalWalker(const Settings& settings)
    : rate_(settings.number("learning-rate")),
      b1_(settings.number("beta1")),
      b2_(settings.number("beta2")),
      every_(settings.count("every")),
      weight_decay_(settings.number("weight-decay")),
      rate_decay_(settings.number("decay")) {}

DiagonalWalker::Observation DiagonalWalker::observe(Evaluator& evaluator, Iterate& iterate) {
  mean_.resize(iterate.w.size(), 0.0);
  Observation seen{.probed = count_ % every_ == 0,
                   .rate = decayed_rate(rate_, rate_decay_, count_, evaluator.minibatches())};
  seen.finite = observe_minibatch(evaluator, iterate, count_, CurvatureKind::hessian, 1,
                                  seen.probed ? &probe_ : nullptr);
  if (seen.finite) ++count_;
  return seen;
}

}  // namespace kappa
