// Landscapes of networks and formulas: what eigenvectors and filter normalisation promise.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "function/make_objective.h"
#include "kappa/error.h"
#include "report/landscape_axes.h"
#include "report/landscape_checkpoint.h"
#include "report/landscape_report.h"

namespace kappa {
namespace {

std::shared_ptr<Dataset> make_data(std::int64_t samples, std::int64_t features) {
  auto data = std::make_shared<Dataset>();
  data->x = StoredArray::zeros(ElementType::f64, {samples, features});
  data->y = StoredArray::zeros(ElementType::i64, {samples});
  Random(3).fill_normal(samples * features, static_cast<double*>(data->x.data()));
  auto* labels = static_cast<std::int64_t*>(data->y.data());
  for (std::int64_t i = 0; i < samples; ++i) labels[i] = (i * 7 + 3) % 3;
  data->num_classes = 3;
  return data;
}

std::unique_ptr<Objective> network(const std::string& layers, const NamedValues& weights = {}) {
  ObjectiveSettings settings;
  settings.dtype = DType::f64;
  return make_network_objective(layers, make_data(40, 4), "cross-entropy", "uniform", 5, weights,
                                settings);
}

std::vector<double> values(const Objective& f, const std::vector<double>& w,
                           const std::vector<std::string>& along, double reach) {
  LandscapeRequest request;
  request.along = along;
  request.ranges = {{-reach, reach}};
  request.num_points = 7;
  request.seed = 11;
  std::vector<std::string> warnings;
  return landscape(f, w, landscape_axes(f, w, request, warnings)).value;
}

// relu(c x) = c relu(x): layer i times c and layer i + 1 over c is the same function.
TEST(Landscape, FilterNormalisedIsInvariantUnderRescalingOfReluLayers) {
  const auto f = network("mlp:4-8-6-3:relu");
  const std::vector<double> w = f->parameters().start();
  const double scale[] = {50.0, 0.2, 0.1};  // their product is 1
  std::vector<double> rescaled = w;
  double bias = 1;
  for (const Parameter& p : f->parameters().list()) {
    const std::size_t layer = static_cast<std::size_t>(p.name[7] - '0');
    const bool is_weight = p.name.ends_with(".weight");
    if (is_weight) bias *= scale[layer];
    for (std::int64_t i = 0; i < num_elements(p.shape); ++i) {
      rescaled[static_cast<std::size_t>(p.offset + i)] *= is_weight ? scale[layer] : bias;
    }
  }
  ASSERT_NEAR(f->value(rescaled.data()), f->value(w.data()), 1e-13);
  for (const std::vector<std::string>& along :
       {std::vector<std::string>{"random"}, std::vector<std::string>{"random", "random"}}) {
    const std::vector<double> before = values(*f, w, along, 1),
                              after = values(*f, rescaled, along, 1);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_NEAR(after[i], before[i], 1e-11 * std::fabs(before[i]));
    }
  }
  // The test can tell: along the gradient, which is not normalised, the pictures differ.
  EXPECT_GT(std::fabs(values(*f, w, {"gradient"}, 1)[6] - values(*f, rescaled, {"gradient"}, 1)[6]),
            1e-3);
}

// (-f(-2h) + 16 f(-h) - 30 f(0) + 16 f(h) - f(2h)) / (12 h^2) = f'' + O(h^4)
double second_derivative(const std::vector<double>& f, double h) {
  return (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * h * h);
}

void expect_eigen_slices(const Objective& f, const std::vector<double>& w, double h) {
  for (const char* along : {"top", "bottom", "top:2"}) {
    LandscapeRequest request;
    request.along = {along};
    request.ranges = {{-2 * h, 2 * h}};
    request.num_points = 5;
    request.tolerance = 1e-8;
    std::vector<std::string> warnings;
    const auto axes = landscape_axes(f, w, request, warnings);
    EXPECT_TRUE(warnings.empty());
    ASSERT_TRUE(axes[0].eigenvalue.has_value());
    const double lambda = *axes[0].eigenvalue;
    const double found = second_derivative(landscape(f, w, axes).value, h);
    EXPECT_NEAR(found, lambda, 1e-6 * std::max(1.0, std::fabs(lambda))) << along;
    EXPECT_NEAR(landscape_model(f, w, axes).curvature[0][0], lambda,
                1e-9 * std::max(1.0, std::fabs(lambda)));
  }
}

TEST(Landscape, SecondDerivativeAlongAnEigenvectorIsItsEigenvalue) {
  const auto small = network("mlp:4-6-3:tanh");  // 51 parameters: all eigenvectors
  expect_eigen_slices(*small, small->parameters().start(), 0.01);
  const auto large = network("mlp:4-16-3:tanh");  // 131: Lanczos
  expect_eigen_slices(*large, large->parameters().start(), 0.01);
  const NamedValues at{{"x", Tensor::scalar(-1.2, DType::f64)},
                       {"y", Tensor::scalar(1, DType::f64)}};
  const FormulaObjective made =
      make_formula_objective("100*(y - x^2)^2 + (1 - x)^2", at, {}, nullptr, true, {});
  LandscapeRequest request;
  request.along = {"top"};
  request.ranges = {{-0.02, 0.02}};
  request.num_points = 5;
  std::vector<std::string> warnings;
  const std::vector<double> w = {-1.2, 1};
  const auto axes = landscape_axes(*made.scalar, w, request, warnings);
  // Eigenvalues of [[1330, 480], [480, 200]].
  const double lambda = 765 + std::sqrt(765.0 * 765 - (1330.0 * 200 - 480.0 * 480));
  EXPECT_NEAR(*axes[0].eigenvalue, lambda, 1e-9);
  EXPECT_NEAR(second_derivative(landscape(*made.scalar, w, axes).value, 0.01), lambda,
              1e-6 * lambda);
}

TEST(Landscape, InterpolationEndsAtBothPoints) {
  const auto f = network("mlp:4-6-3:tanh");
  const std::vector<double> w = f->parameters().start();
  std::vector<double> other = random_direction(f->dimension(), 9);
  LandscapeRequest request;
  request.to = other;
  request.to_name = "other";
  request.ranges = {{0, 1}};
  request.num_points = 3;
  std::vector<std::string> warnings;
  const std::vector<double> v = landscape(*f, w, landscape_axes(*f, w, request, warnings)).value;
  EXPECT_EQ(v[0], f->value(w.data()));
  EXPECT_NEAR(v[2], f->value(other.data()), 1e-13);
  for (std::size_t i = 0; i < w.size(); ++i) other[i] = w[i] + 0.5 * (other[i] - w[i]);
  EXPECT_NEAR(v[1], f->value(other.data()), 1e-13);
}

TEST(Landscape, DirectionsThatCannotBe) {
  const auto f = network("mlp:4-6-3:tanh");
  const std::vector<double> w = f->parameters().start();
  const auto refused = [&](const std::vector<std::string>& along) {
    LandscapeRequest request;
    request.along = along;
    std::vector<std::string> warnings;
    EXPECT_THROW((void)landscape_axes(*f, w, request, warnings), Error) << along[0];
  };
  refused({"nonsense"});
  refused({"top:0"});
  refused({"top:x"});
  refused({"top:52"});
  refused({"gradient", "gradient"});
  refused({"random:2", "random:2"});
  refused({"top", "top", "top"});
  refused({"/nowhere/v.npy"});
}

TEST(LandscapeCheckpoint, KeepsValuesAndRefusesAnotherPicture) {
  char name[] = "/tmp/kappa_landscape_XXXXXX";
  const std::string folder = mkdtemp(name);
  const std::vector<double> w = {1, 2};
  const std::vector<LandscapeAxis> axes = {{"", "", {1, 0}, {-1, 0, 1}}};
  const LandscapeCheckpoint here(folder, w, axes, 5);
  EXPECT_TRUE(here.read().empty());
  const std::vector<double> values = {1, NAN, INFINITY};
  here.write(values);
  const std::vector<double> kept = here.read();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0], 1);
  EXPECT_TRUE(std::isnan(kept[1]));
  EXPECT_TRUE(std::isinf(kept[2]));
  EXPECT_THROW((void)LandscapeCheckpoint(folder, w, axes, 6).read(), Error);  // other data
  EXPECT_THROW((void)LandscapeCheckpoint(folder, std::vector<double>{1, 3}, axes, 5).read(), Error);
  std::filesystem::remove_all(folder);
}

TEST(LandscapeReport, SaysWhatWasNotDefined) {
  const NamedValues at{{"x", Tensor::scalar(0.5, DType::f64)}};
  const FormulaObjective made = make_formula_objective("log(x)", at, {}, nullptr, true, {});
  LandscapeRequest request;
  request.ranges = {{-1, 1}};
  request.num_points = 5;  // x = -0.5, 0, 0.5, 1, 1.5
  const std::vector<double> w = {0.5};
  LandscapeReport report;
  report.objective.text = "log(x)";
  report.axes = landscape_axes(*made.scalar, w, request, report.warnings);
  report.model = landscape_model(*made.scalar, w, report.axes);
  report.grid = landscape(*made.scalar, w, report.axes);
  const Json json = to_json(report);
  EXPECT_TRUE(json["landscape"]["value"][0].is_null());
  EXPECT_TRUE(json["landscape"]["value"][1].is_null());
  EXPECT_EQ(json["landscape"]["value"][4].get<double>(), std::log(1.5));
  EXPECT_FALSE(json["warnings"].empty());
  EXPECT_NE(to_text(report, {}).find("2 of 5 values"), std::string::npos);
}

}  // namespace
}  // namespace kappa
