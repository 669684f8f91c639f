// What the page is made of: the JSON inside a script element, and pictures of the function itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "function/make_objective.h"
#include "report/html.h"
#include "report/page_data.h"
#include "report/slices.h"

namespace kappa {
namespace {

TEST(JsonForScript, NoTextEndsTheElement) {
  Json json;
  json["</script><!--&\u2028\u2029"] = "<b>\u2028 \xe2\x80\xa6";
  const std::string text = json_for_script(json);
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(text.find("\u2028"), std::string::npos);
  EXPECT_EQ(text.find("\u2029"), std::string::npos);
  EXPECT_NE(text.find("\xe2\x80\xa6"), std::string::npos);  // a neighbour stays as it is
  EXPECT_EQ(Json::parse(text), json);
}

TEST(Slices, SecondDifferenceAlongAnEigenvectorIsItsEigenvalue) {
  // Every slice of it is a parabola.
  const NamedValues at{{"x", Tensor::scalar(0.3, DType::f64)},
                       {"y", Tensor::scalar(-0.7, DType::f64)},
                       {"z", Tensor::scalar(0.4, DType::f64)}};
  const FormulaObjective made =
      make_formula_objective("3*x^2 + 2*x*y + y^2 - z^2/2", at, {}, nullptr, true, {});
  const Problem& problem = *made.scalar;
  const std::vector<double> w = {0.3, -0.7, 0.4};
  const Analysis analysis = analyze(problem, w);
  const Json lines = slices_json(problem, w, analysis)["lines"];
  int eigenvectors = 0;
  for (const Json& line : lines) {
    const auto t = line["t"].get<std::vector<double>>();
    const auto f = line["value"].get<std::vector<double>>();
    ASSERT_EQ(t.size(), 41U);
    EXPECT_EQ(f[20], *analysis.value);
    const double h = t[30] - t[20];
    const double curvature = (f[30] - 2 * f[20] + f[10]) / (h * h);
    EXPECT_NEAR((f[30] - f[10]) / (2 * h), line["slope"].get<double>(), 1e-6);
    if (line.contains("curvature")) {
      EXPECT_NEAR(curvature, line["curvature"].get<double>(), 1e-6) << line["label"];
    }
    // The eigenvalues of [[6, 2], [2, 2]] are 4 +- sqrt(8); the third is -1.
    if (line["kind"] == "top") {
      EXPECT_NEAR(curvature, 4 + std::sqrt(8.0), 1e-6);
    }
    if (line["kind"] == "bottom") {
      EXPECT_NEAR(curvature, -1, 1e-6);
    }
    eigenvectors += line["kind"] == "top" || line["kind"] == "bottom";
  }
  EXPECT_EQ(eigenvectors, 2);
}

TEST(PageData, ManyLongRunsStayBelowSixMegabytes) {
  Json result;
  result["kappa"] = "0";
  result["objective"]["text"] = "f";
  for (int k = 0; k < 24; ++k) {
    Json run;
    run["method"] = fmt::format("m{}", k);
    run["iterations"] = Json::array();
    for (int i = 0; i < 4000; ++i) {
      const double value = i == 1777 ? -5.123456789012345 : 1.0 / (i + 1.123456789);
      run["iterations"].push_back({{"iteration", i},
                                   {"value", value},
                                   {"gradient_norm", value / 3},
                                   {"step_norm", value / 7},
                                   {"seconds", i * 1e-3 / 3},
                                   {"stage", 0},
                                   {"gradient_equivalents", i * 4.0 / 3},
                                   {"learning_rate", 1 / 3.0},
                                   {"curvature", value / 9}});
    }
    result["runs"].push_back(std::move(run));
  }
  Json axis;
  axis["t"] = std::vector<double>(400, 1 / 3.0);
  result["landscape"]["axes"] = {axis, axis};
  result["landscape"]["value"] =
      std::vector<std::vector<double>>(400, std::vector<double>(400, 1 / 3.0));
  const Json page = page_data(result);
  EXPECT_LT(page.dump().size(), 6000000U);
  EXPECT_EQ(page["page"]["thinned"].size(), 25U);
  const Json& kept = page["runs"][5]["iterations"];
  EXPECT_EQ(kept.front()["iteration"], 0);
  EXPECT_EQ(kept.back()["iteration"], 3999);
  bool lowest = false;
  for (const Json& it : kept) lowest = lowest || it["iteration"] == 1777;
  EXPECT_TRUE(lowest);
  const Json& scape = page["landscape"];
  EXPECT_EQ(scape["value"].size(), scape["axes"][1]["t"].size());
  EXPECT_EQ(scape["value"][3].size(), scape["axes"][0]["t"].size());
  EXPECT_EQ(page_data(page)["runs"], page["runs"]);  // nothing left to thin
}

}  // namespace
}  // namespace kappa
