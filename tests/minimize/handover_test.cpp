// Several methods one after the other: when one gives way to the next, and that it is said.

#include "minimize/handover.h"

#include <gtest/gtest.h>

#include <cmath>

#include "minimize/problems.h"

namespace kappa {
namespace {

using test::Vector;

TEST(Handover, RuleNeedsARightModelAndAGainPerWork) {
  const ModelTrial good{.predicted = 1, .actual = 0.9, .work = 10};
  EXPECT_TRUE(good.predicts_better(0.08));
  EXPECT_FALSE(good.predicts_better(0.1));
  EXPECT_FALSE((ModelTrial{.predicted = 1, .actual = 0.2, .work = 1}.predicts_better(0.01)));
  EXPECT_FALSE((ModelTrial{.predicted = 0, .actual = 0, .work = 1}.predicts_better(-1)));
  EXPECT_FALSE((ModelTrial{.predicted = 1, .actual = NAN, .work = 1}.predicts_better(0)));
}

// On a quadratic the model is exact: predicted and actual agree, and ten products are 20 gradient-
// equivalents, beside the gradient and a value.
TEST(Handover, TrialOnAQuadratic) {
  Vector spectrum(50);
  for (std::size_t i = 0; i < spectrum.size(); ++i) spectrum[i] = 1 + double(i);
  const test::Quadratic problem(spectrum);
  const MinimizeOptions options;
  Evaluator evaluator(problem, options);
  Iterate iterate(50);
  iterate.w.assign(50, 0.1);
  const ModelTrial trial = try_model(evaluator, iterate);
  EXPECT_GT(trial.predicted, 0);
  EXPECT_NEAR(trial.actual, trial.predicted, 1e-12 * trial.predicted);
  EXPECT_LE(trial.work, 1 + 20 + 1.0 / 3 + 1e-12);
}

TEST(Handover, ModelTakesOverFromASlowMethod) {
  Vector spectrum{1, 1e4};
  const test::Quadratic problem(spectrum);
  MinimizeOptions options{.method = "gd,newton-cg",
                          .method_options = {{"gd.learning-rate", "1e-4"}},
                          .plateau = 0,
                          .switch_rule = SwitchRule::model};
  const MinimizeResult result = minimize(problem, Vector{1, 1}, options);
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  ASSERT_EQ(result.switches.size(), 1U);
  EXPECT_EQ(result.switches[0].from, "gd");
  EXPECT_EQ(result.switches[0].to, "newton-cg");
  EXPECT_NE(result.switches[0].reason.find("quadratic model"), std::string::npos);
  EXPECT_LT(result.num_iterations, 50);
  // Without the rule, and without a plateau, the first method goes on to its limit.
  options.switch_rule = SwitchRule::plateau;
  options.max_iterations = 500;
  EXPECT_TRUE(minimize(problem, Vector{1, 1}, options).switches.empty());
}

TEST(Handover, StochasticMethodTriesTheModelOnAllSamples) {
  const test::LogisticRegression problem(500, 10, 1e-3);
  const MinimizeResult result = minimize(problem, Vector(10, 0.0),
                                         {.method = "sgd,newton-cg",
                                          .method_options = {{"learning-rate", "0.01"}},
                                          .max_epochs = 100,
                                          .plateau = 0,
                                          .switch_rule = SwitchRule::model,
                                          .minibatch = 50});
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  ASSERT_EQ(result.switches.size(), 1U);
  EXPECT_LT(result.switches[0].iteration, 1000);
}

}  // namespace
}  // namespace kappa
