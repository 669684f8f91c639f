// More-Garbow-Hillstrom: 42 instances against the minima published by the authors (TOMS 7(1) 1981).

#include "minimize/mgh.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "kappa/minimize.h"

namespace kappa {
namespace {

// Values at the starts from shared/data/mgh-values.csv (Fortran originals, TOMS 566, where it has
// them): the problems are typed right before anything is claimed of a method.
TEST(Mgh, StartValues) {
  const test::Vector expected = {24.2,
                                 400.5,
                                 1.13526171734838,
                                 999998000003,
                                 14.203125,
                                 4171.30616196049,
                                 2500,
                                 41.681695861678,
                                 3.88810699116688e-06,
                                 1693607809.43615,
                                 12.1107058255695,
                                 1031.1538106094,
                                 215,
                                 19192,
                                 0.00531317227210854,
                                 7926693.33699743,
                                 0.87902629354464,
                                 0.77907007565597,
                                 2.09341951421206,
                                 30,
                                 30,
                                 30,
                                 121,
                                 645,
                                 885.06264,
                                 148032.56535,
                                 2.34000880546302,
                                 162.652776565967,
                                 2198551.1625,
                                 0.00707575946622284,
                                 273.248047828674,
                                 0.000788519101264823,
                                 0.0634168415794527,
                                 21,
                                 360,
                                 50,
                                 8658670,
                                 4067996,
                                 0.0337706384637188,
                                 0.0386176982859303,
                                 0.028882980288226,
                                 0.0337632654628801};
  const auto problems = test::mgh_problems();
  ASSERT_EQ(problems.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(problems[i].problem->value(problems[i].start.data()), expected[i],
                1e-13 * std::fabs(expected[i]) + 1e-15)
        << problems[i].name;
  }
}

// Relative to the published value, or to the value at the start where that is 0.
bool reaches_minimum(const test::MghProblem& p, double value) {
  const double start = p.problem->value(p.start.data());
  for (const double f : p.minima) {
    if (f > 0 ? std::fabs(value - f) <= 1e-4 * f : value <= 1e-12 * std::max(1.0, start)) {
      return true;
    }
  }
  return false;
}

class MghMethod : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(MghMethod, ReachesPublishedMinima) {
  const auto [method, least] = GetParam();
  int reached = 0;
  for (const auto& p : test::mgh_problems()) {
    const MinimizeResult result = minimize(*p.problem, p.start, {.method = method});
    const bool good = reaches_minimum(p, result.value);
    reached += good;
    EXPECT_TRUE(std::isfinite(result.value)) << p.name;
    EXPECT_LE(result.value, result.start_value) << p.name;
    // A claim of success must stand on a small gradient, whatever was reached.
    if (result.status == MinimizeStatus::converged) {
      EXPECT_LE(result.reason.measured, result.reason.threshold) << p.name;
    }
    if (std::getenv("KAPPA_TABLE") != nullptr || (!good && least == 42)) {
      std::printf("%-14s %2d %-32s %s f=%.9g |g|=%.2g it=%ld v=%ld g=%ld %s %s %.2g/%.2g\n", method,
                  p.number, p.name.c_str(), good ? "ok" : "--", result.value,
                  result.gradient_norm_inf, static_cast<long>(result.num_iterations),
                  static_cast<long>(result.counts.num_values),
                  static_cast<long>(result.counts.num_gradients), to_string(result.status),
                  result.reason.criterion.c_str(), result.reason.measured, result.reason.threshold);
    }
  }
  EXPECT_GE(reached, least);
}

INSTANTIATE_TEST_SUITE_P(Methods, MghMethod,
                         testing::Values(std::pair{"trust-region", 42}, std::pair{"newton-cg", 38},
                                         std::pair{"bfgs", 36}, std::pair{"lm", 36},
                                         std::pair{"lbfgs", 36}),
                         [](const auto& instance) {
                           std::string name = instance.param.first;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// --- the table of docs/mgh.md -------------------------------------------------------------------

enum class Outcome { minimum, elsewhere, no_claim };

struct Cell {
  Outcome outcome = Outcome::no_claim;
  double work = 0;
  std::string text;
};

// Whether the point is critical, from derivatives taken here and not from what the run said of
// itself: the gradient is small, or a Newton or Gauss-Newton step from it gains nothing that
// counts.
bool is_critical(const test::ResidualProblem& problem, const test::Vector& w) {
  const auto n = problem.dimension(), m = problem.num_residuals();
  Eigen::VectorXd gradient(n), residuals(m);
  const double f = problem.gradient(w.data(), gradient.data());
  if (gradient.cwiseAbs().maxCoeff() <= 1e-8) return true;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> jacobian(m, n);
  problem.residual_jacobian(w.data(), residuals.data(), jacobian.data());
  const Eigen::MatrixXd columns = jacobian.colwise().normalized();
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(columns);
  const Eigen::VectorXd projected = qr.householderQ().transpose() * residuals;
  if (projected.head(qr.rank()).norm() <= 1.1e-6 * residuals.norm()) return true;
  Eigen::MatrixXd hessian(n, n);
  problem.hessian(w.data(), hessian.data());
  const double decrement = 0.5 * gradient.dot(hessian.fullPivLu().solve(gradient));
  return decrement >= 0 && decrement <= 1e-13 * std::fabs(f);
}

std::string short_number(double x) {
  char text[32];
  if (x < 9.95) {
    std::snprintf(text, sizeof text, "%.1f", x);
  } else if (x < 9999.5) {
    std::snprintf(text, sizeof text, "%.0f", x);
  } else {
    std::snprintf(text, sizeof text, "%.0fk", x / 1000);
  }
  return text;
}

Cell race(const test::MghProblem& p, const MethodInfo& method) {
  MinimizeOptions options{.method = method.name, .max_evaluations = 10000};
  if (method.stochastic) options.max_evaluations = 3000;
  const MinimizeResult result = minimize(*p.problem, p.start, options);
  Cell cell{.work = result.counts.gradient_equivalents};
  const bool claims = result.status == MinimizeStatus::converged;
  if (claims) {
    EXPECT_TRUE(is_critical(*p.problem, result.w))
        << method.name << " on " << p.name << ": " << result.reason.criterion << " "
        << result.reason.measured << " f=" << result.value;
  }
  if (reaches_minimum(p, result.value)) {
    cell.outcome = Outcome::minimum;
    cell.text = short_number(cell.work);
  } else if (claims) {
    cell.outcome = Outcome::elsewhere;
    cell.text = "(" + short_number(cell.work) + ")";
  } else {
    cell.text = "-";
  }
  return cell;
}

std::string mgh_document() {
  const auto problems = test::mgh_problems();
  const auto methods = minimize_methods();
  std::map<std::string, std::vector<Cell>> cells;
  for (const MethodInfo& method : methods) {
    for (const auto& p : problems) cells[method.name].push_back(race(p, method));
  }
  const auto count = [&](const std::string& method, Outcome outcome) {
    const auto& row = cells[method];
    return std::count_if(row.begin(), row.end(),
                         [&](const Cell& c) { return c.outcome == outcome; });
  };
  EXPECT_EQ(count("trust-region", Outcome::minimum), 42);
  for (const char* name : {"bfgs", "lbfgs", "lm"}) {
    EXPECT_GE(count(name, Outcome::minimum), 36) << name;
  }
  std::ostringstream out;
  out << "# Every method on the problems of Moré, Garbow and Hillstrom\n\n"
         "Generated by `KAPPA_LONG=1 KAPPA_WRITE_DOCS=1 test_minimize "
         "--gtest_filter='MghTable.*'`; the ctest\n`minimize.mgh_table` (label `long`) finds it "
         "out of date.\n\n"
         "42 instances of ACM TOMS 7(1), 1981, from the authors' starts, every method with its "
         "default settings;\nfirst-order methods of networks (marked *) run on all of f here, at "
         "their default rate. A run ends\nwhere it converges, stalls, or after 10000 evaluations "
         "(* 3000).\n\n"
         "| method | reaches a published minimum | another critical point | no claim | median work "
         "|\n| --- | --- | --- | --- | --- |\n";
  std::vector<MethodInfo> ranked = methods;
  std::stable_sort(ranked.begin(), ranked.end(), [&](const MethodInfo& a, const MethodInfo& b) {
    return count(a.name, Outcome::minimum) > count(b.name, Outcome::minimum);
  });
  for (const MethodInfo& m : ranked) {
    std::vector<double> work;
    for (const Cell& c : cells[m.name]) {
      if (c.outcome == Outcome::minimum) work.push_back(c.work);
    }
    std::sort(work.begin(), work.end());
    out << "| " << m.name << (m.stochastic ? "*" : "") << " | " << count(m.name, Outcome::minimum)
        << " | " << count(m.name, Outcome::elsewhere) << " | " << count(m.name, Outcome::no_claim)
        << " | " << (work.empty() ? "-" : short_number(work[work.size() / 2])) << " |\n";
  }
  out << "\nWork is in gradient-equivalents (a gradient 1, a value 1/3, a Hessian product 2, a "
         "dense Hessian 2n,\na Jacobian 2 min(m, n)); the median is over the minima reached. No "
         "run "
         "claims success at a point that\nis not critical: the test takes derivatives there "
         "itself.\n\n"
         "Below, a number is the work to a published minimum, in parentheses to another critical "
         "point; - is no\nclaim.\n";
  for (std::size_t first = 0; first < ranked.size(); first += 8) {
    const std::size_t last = std::min(first + 8, ranked.size());
    out << "\n| problem |";
    for (std::size_t i = first; i < last; ++i) out << " " << ranked[i].name << " |";
    out << "\n| --- |";
    for (std::size_t i = first; i < last; ++i) out << " --- |";
    for (std::size_t k = 0; k < problems.size(); ++k) {
      out << "\n| " << problems[k].number << " " << problems[k].name << " |";
      for (std::size_t i = first; i < last; ++i)
        out << " " << cells[ranked[i].name][k].text << " |";
    }
    out << "\n";
  }
  return out.str();
}

std::vector<std::string> table_cells(const std::string& text) {
  std::vector<std::string> cells;
  std::istringstream stream(text);
  for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(cell);
  return cells;
}

// Another processor's exp and log end in other last bits, and a few evaluations more or less.
bool same_cell(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const bool numbers = a.find_first_not_of(" ().k0123456789") == std::string::npos &&
                       b.find_first_not_of(" ().k0123456789") == std::string::npos;
  const auto value = [](std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '('), text.end());
    return std::atof(text.c_str()) * (text.find('k') != std::string::npos ? 1000 : 1);
  };
  return numbers && (a.find('(') == b.find('(')) &&
         std::fabs(value(a) - value(b)) <= 1 + 0.25 * std::max(value(a), value(b));
}

TEST(MghTable, StandsInTheDocs) {
  if (std::getenv("KAPPA_LONG") == nullptr) GTEST_SKIP() << "set KAPPA_LONG=1";
  const std::string path = std::string(KAPPA_SOURCE_DIR) + "/docs/mgh.md";
  const std::string text = mgh_document();
  if (std::getenv("KAPPA_WRITE_DOCS") != nullptr) std::ofstream(path) << text;
  std::stringstream standing;
  standing << std::ifstream(path).rdbuf();
  const auto now = table_cells(text), then = table_cells(standing.str());
  ASSERT_EQ(now.size(), then.size()) << path << " is not what the program says; write it anew";
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_TRUE(same_cell(now[i], then[i]))
        << "now '" << now[i] << "', in " << path << " '" << then[i] << "'";
  }
}

}  // namespace
}  // namespace kappa
