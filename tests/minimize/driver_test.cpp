// What the driver promises whatever the method: refusals before work, truthful endings, limits.

#include <gtest/gtest.h>

#include <cmath>

#include "kappa/error.h"
#include "kappa/minimize.h"
#include "minimize/problems.h"

namespace kappa {
namespace {

using test::GenericProblem;
using test::Quadratic;
using test::Vector;

/// A plain function of one variable with its derivatives.
class OneVariable final : public test::FunctionProblem {
 public:
  using F = double (*)(double);
  OneVariable(F f, F g, F h) : f_(f), g_(g), h_(h) {}
  std::int64_t dimension() const override { return 1; }
  double evaluate(const double* w, double* g) const override {
    g[0] = g_(w[0]);
    return f_(w[0]);
  }
  void product(const double* w, const double* d, double* p) const override {
    p[0] = h_(w[0]) * d[0];
  }

 private:
  F f_, g_, h_;
};

std::vector<std::string> general_methods() {
  std::vector<std::string> names;
  for (const MethodInfo& info : minimize_methods()) {
    if (!info.needs_residuals && !info.needs_gauss_newton && !info.stochastic) {
      names.push_back(info.name);
    }
  }
  return names;
}

ErrorKind kind_of(const Problem& problem, const MinimizeOptions& options) {
  try {
    check_minimize_options(problem, options);
  } catch (const Error& error) {
    EXPECT_STRNE(error.what(), "");
    return error.kind();
  }
  ADD_FAILURE() << "accepted";
  return ErrorKind::data;
}

TEST(Driver, BadSettingsAreRefusedBeforeWork) {
  const Quadratic problem({1, 2});
  EXPECT_EQ(kind_of(problem, {.method = "gradient"}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = ""}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd,"}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "lm"}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .gradient_tolerance = -1e-3}), ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .max_iterations = -1}), ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .gradient_tolerance = NAN}), ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .method_options = {{"rate", "1"}}}),
            ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .method_options = {{"learning-rate", "-1"}}}),
            ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .method_options = {{"learning-rate", "1x"}}}),
            ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .method_options = {{"step", "fixed"}}}),
            ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .method_options = {{"step", "long"}}}),
            ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "sgd", .minibatch = 4}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "lbfgs", .method_options = {{"memory", "2.5"}}}),
            ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd,hessian-free"}), ErrorKind::usage);
  EXPECT_EQ(kind_of(problem, {.method = "gd,lbfgs", .method_options = {{"lbfgs.memory", "1e300"}}}),
            ErrorKind::value);
  EXPECT_EQ(kind_of(problem, {.method = "gd", .resume = true}), ErrorKind::usage);
  EXPECT_THROW(minimize(problem, Vector{1}, {}), Error);
}

TEST(Driver, OptionsReachTheMethodTheyName) {
  const Quadratic problem({1, 2});
  const MinimizeResult result = minimize(
      problem, Vector{1, 1},
      {.method = "gd,lbfgs", .method_options = {{"gd.learning-rate", "0.1"}, {"memory", "3"}}});
  const auto& used = result.used_options;
  EXPECT_NE(std::find(used.begin(), used.end(),
                      std::pair<std::string, std::string>("gd.learning-rate", "0.1")),
            used.end());
  EXPECT_NE(
      std::find(used.begin(), used.end(), std::pair<std::string, std::string>("lbfgs.memory", "3")),
      used.end());
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_EQ(result.methods, (std::vector<std::string>{"gd", "lbfgs"}));
}

TEST(Driver, AutoSaysWhatItChose) {
  EXPECT_EQ(minimize(test::rosenbrock(), Vector{-1.2, 1}).methods.at(0), "lm");
  const MinimizeResult result = minimize(Quadratic({1, 2}), Vector{1, 1});
  EXPECT_EQ(result.methods.at(0), "trust-region");
  EXPECT_FALSE(result.method_reason.empty());
}

TEST(Driver, OptimalStartTakesNoStep) {
  const Quadratic problem({1, 2});
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(problem, Vector{0, 0}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    EXPECT_EQ(result.num_iterations, 0) << method;
  }
}

TEST(Driver, OneVariable) {
  const OneVariable cosh([](double x) { return std::cosh(x - 1); },
                         [](double x) { return std::sinh(x - 1); },
                         [](double x) { return std::cosh(x - 1); });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(cosh, Vector{2.5}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    EXPECT_NEAR(result.w[0], 1, 1e-7) << method;
  }
}

// Tolerance 0 is off: the run goes on to its limit or to where nothing can be gained.
TEST(Driver, DisabledTolerance) {
  const Quadratic problem({1, 2});
  const MinimizeResult result = minimize(problem, Vector{1, 1},
                                         {.method = "gd",
                                          .method_options = {{"learning-rate", "0.4"}},
                                          .max_iterations = 300,
                                          .gradient_tolerance = 0});
  EXPECT_EQ(result.num_iterations, 300);
  EXPECT_EQ(result.status, MinimizeStatus::max_iterations);
}

// log(x) - x-like walls: NaN left of 0. Every method must walk around and end at the minimum 1.
TEST(Driver, BacksUpFromWhereTheFunctionIsNotDefined) {
  const OneVariable barrier([](double x) { return x - std::log(x); },
                            [](double x) { return x > 0 ? 1 - 1 / x : NAN; },
                            [](double x) { return x > 0 ? 1 / (x * x) : NAN; });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(barrier, Vector{30}, {.method = method});
    EXPECT_TRUE(std::isfinite(result.value)) << method;
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method << " " << result.reason.text;
    EXPECT_NEAR(result.w[0], 1, 1e-6) << method;
  }
}

TEST(Driver, NanAtTheStart) {
  const OneVariable nan([](double) { return double(NAN); }, [](double) { return double(NAN); },
                        [](double) { return double(NAN); });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(nan, Vector{1}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::diverged) << method;
    EXPECT_EQ(result.reason.criterion, "not_finite") << method;
    EXPECT_FALSE(result.usable) << method;
  }
}

// NaN everywhere but at the start: the start comes back.
TEST(Driver, NanAroundTheStart) {
  const OneVariable island([](double x) { return x == 1 ? 1.0 : NAN; },
                           [](double x) { return x == 1 ? 1.0 : NAN; },
                           [](double x) { return x == 1 ? 1.0 : NAN; });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(island, Vector{1}, {.method = method});
    EXPECT_NE(result.status, MinimizeStatus::converged) << method;
    EXPECT_EQ(result.value, 1) << method;
    EXPECT_EQ(result.w[0], 1) << method;
  }
}

TEST(Driver, UnboundedBelow) {
  const OneVariable cubic([](double x) { return -x * x * x - x; },
                          [](double x) { return -3 * x * x - 1; }, [](double x) { return -6 * x; });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result =
        minimize(cubic, Vector{1}, {.method = method, .max_iterations = 2000});
    EXPECT_NE(result.status, MinimizeStatus::converged) << method;
    EXPECT_TRUE(std::isfinite(result.value)) << method;
    EXPECT_LT(result.value, -2) << method;
  }
}

// A function whose gradient lies (wrong sign) defeats any line search: stalled, not converged.
TEST(Driver, WrongGradientStalls) {
  const OneVariable lying([](double x) { return x * x; }, [](double x) { return -2 * x; },
                          [](double) { return 2.0; });
  for (const char* method : {"lbfgs", "trust-region", "newton-cg"}) {
    const MinimizeResult result = minimize(lying, Vector{1}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::stalled) << method;
    EXPECT_EQ(result.value, 1) << method;
  }
}

// x^2 - y^2 + y^4/4 from its saddle: gradient 0, yet methods that see curvature leave for -1.
TEST(Driver, SecondOrderMethodsLeaveASaddle) {
  const GenericProblem saddle(2, []<class T>(const std::vector<T>& x) {
    return x[0] * x[0] - x[1] * x[1] + 0.25 * x[1] * x[1] * x[1] * x[1];
  });
  for (const std::string& method : general_methods()) {
    const MinimizeResult result = minimize(saddle, Vector{0, 0}, {.method = method});
    EXPECT_EQ(result.status, MinimizeStatus::converged) << method;
    if (method == "trust-region" || method == "newton-cg" || method == "newton" ||
        method == "cubic" || method == "saddle-free") {
      EXPECT_NEAR(result.value, -1, 1e-12) << method;
    } else {
      EXPECT_EQ(result.value, 0) << method;
    }
  }
}

TEST(Driver, StopCallbackInterrupts) {
  MinimizeOptions options{.method = "gd", .method_options = {{"learning-rate", "1e-3"}}};
  options.on_iteration = [](const IterationRecord& r, std::span<const double>,
                            std::span<const double>) { return r.iteration < 7; };
  const MinimizeResult result = minimize(Quadratic({1, 2}), Vector{1, 1}, options);
  EXPECT_EQ(result.status, MinimizeStatus::interrupted);
  EXPECT_EQ(result.num_iterations, 7);
  EXPECT_TRUE(result.usable);
}

TEST(Driver, LimitsHold) {
  const Quadratic problem({1e-6, 1});
  MinimizeOptions options{.method = "gd", .method_options = {{"learning-rate", "1e-3"}}};
  options.max_iterations = 0;  // off
  options.max_seconds = 0.05;
  MinimizeResult result = minimize(problem, Vector{1, 1}, options);
  EXPECT_EQ(result.status, MinimizeStatus::max_seconds);
  EXPECT_GE(result.seconds, 0.05);
  options.max_seconds = 0;
  options.max_evaluations = 55;
  result = minimize(problem, Vector{1, 1}, options);
  EXPECT_EQ(result.reason.criterion, "max_evaluations");
  EXPECT_EQ(result.counts.num_gradients, 55);
}

TEST(Driver, RecordsAreThinnedNotDropped) {
  const MinimizeResult result = minimize(Quadratic({1e-6, 1}), Vector{1, 1},
                                         {.method = "gd",
                                          .method_options = {{"learning-rate", "1e-3"}},
                                          .max_iterations = 1000,
                                          .max_records = 100});
  EXPECT_LE(result.iterations.size(), 101u);
  EXPECT_GE(result.iterations.size(), 50u);
  EXPECT_EQ(result.iterations.front().iteration, 0);
  for (std::size_t i = 1; i < result.iterations.size(); ++i) {
    EXPECT_GT(result.iterations[i].iteration, result.iterations[i - 1].iteration);
  }
}

TEST(Driver, SgdLearnsAndCountsEpochs) {
  const test::LogisticRegression problem(1000, 10, 1e-3);
  const Vector start(10, 0.0);
  const double best = minimize(problem, start, {.method = "lbfgs"}).value;
  const MinimizeResult result =
      minimize(problem, start,
               {.method = "sgd",
                .method_options = {{"learning-rate", "0.5"}, {"decay", "0.2"}},
                .max_epochs = 30,
                .minibatch = 64});
  EXPECT_EQ(result.num_epochs, 30);
  EXPECT_EQ(result.num_iterations, 30 * 16);
  EXPECT_EQ(result.reason.criterion, "max_epochs");
  EXPECT_EQ(result.iterations.size(), 31u);
  EXPECT_LT(result.value, 1.02 * best);
  EXPECT_EQ(result.value, problem.value(result.w.data()));
}

TEST(Driver, SgdOverflowBacksUp) {
  const test::LogisticRegression problem(200, 5, 1.0);
  const MinimizeResult result = minimize(problem, Vector(5, 1.0),
                                         {.method = "sgd",
                                          .method_options = {{"learning-rate", "1e4"}},
                                          .max_epochs = 40,
                                          .minibatch = 10});
  EXPECT_TRUE(std::isfinite(result.value));
}

TEST(Driver, HybridSwitchesOnAPlateau) {
  const test::LogisticRegression problem(500, 10, 1e-3);
  const MinimizeResult result = minimize(
      problem, Vector(10, 0.0),
      {.method = "sgd,lbfgs", .method_options = {{"learning-rate", "0.1"}}, .minibatch = 50});
  EXPECT_EQ(result.status, MinimizeStatus::converged);
  EXPECT_EQ(result.iterations.front().stage, 0);
  EXPECT_EQ(result.iterations.back().stage, 1);
  EXPECT_LE(result.gradient_norm_inf, 1e-8);
}

}  // namespace
}  // namespace kappa
