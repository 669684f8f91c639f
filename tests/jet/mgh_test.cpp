// The More-Garbow-Hillstrom problems (TOMS 7, 1981) as jets: value, gradient and the extreme
// eigenvalues of the Hessian at the published starts, against data/mgh-values.csv.
//
// Each problem adds the squares of its residuals; formulas are those of the paper (data/mgh.md).
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "kappa/jet.h"

namespace {

/// Adds up squares: `add(r)` for each residual.
template <class T>
struct Squares {
  T sum = 0;
  void operator()(const T& r) { sum += r * r; }
};
template <class X>
using ScalarOfVector = std::remove_cvref_t<decltype(std::declval<const X&>()[0])>;

// A problem is residuals(x, n, add), 0-based; KAPPA_T names the scalar.
#define PROBLEM(name)                                                   \
  struct name {                                                         \
    template <class X>                                                  \
    auto operator()(const X& x) const {                                 \
      Squares<ScalarOfVector<X>> add;                                   \
      residuals<ScalarOfVector<X>>(x, X::size(), add);                  \
      return add.sum;                                                   \
    }                                                                   \
    template <class T, class X, class Add>                              \
    void residuals(const X& x, [[maybe_unused]] int n, Add& add) const; \
  };                                                                    \
  template <class T, class X, class Add>                                \
  void name::residuals(const X& x, [[maybe_unused]] int n, Add& add) const

PROBLEM(Rosenbrock) {
  for (int i = 0; i < n; i += 2) {
    add(10 * (x[i + 1] - x[i] * x[i]));
    add(1 - x[i]);
  }
}
PROBLEM(FreudensteinRoth) {
  add(-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]);
  add(-29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]);
}
PROBLEM(PowellBadlyScaled) {
  add(1e4 * x[0] * x[1] - 1);
  add(exp(-x[0]) + exp(-x[1]) - 1.0001);
}
PROBLEM(BrownBadlyScaled) {
  add(x[0] - 1e6);
  add(x[1] - 2e-6);
  add(x[0] * x[1] - 2);
}
PROBLEM(Beale) {
  const double y[] = {1.5, 2.25, 2.625};
  for (int i = 1; i <= 3; ++i) add(y[i - 1] - x[0] * (1 - pow(x[1], i)));
}
PROBLEM(JennrichSampson) {
  for (int i = 1; i <= 10; ++i) add(2 + 2 * i - (exp(i * x[0]) + exp(i * x[1])));
}
PROBLEM(HelicalValley) {
  T theta = atan(x[1] / x[0]) / (2 * M_PI);
  if (x[0] < 0) theta += 0.5;
  add(10 * (x[2] - 10 * theta));
  add(10 * (sqrt(x[0] * x[0] + x[1] * x[1]) - 1));
  add(x[2]);
}
PROBLEM(Bard) {
  const double y[] = {0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39,
                      0.37, 0.58, 0.73, 0.96, 1.34, 2.1,  4.39};
  for (int i = 1; i <= 15; ++i) {
    const double u = i;
    const double v = 16 - i;
    const double w = std::min(u, v);
    add(y[i - 1] - (x[0] + u / (v * x[1] + w * x[2])));
  }
}
PROBLEM(Gaussian) {
  const double y[] = {0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242,  0.3521, 0.3989,
                      0.3521, 0.242,  0.1295, 0.054, 0.0175, 0.0044, 0.0009};
  for (int i = 1; i <= 15; ++i) {
    const double t = (8.0 - i) / 2;
    add(x[0] * exp(-x[1] * pow(t - x[2], 2) / 2) - y[i - 1]);
  }
}
PROBLEM(Meyer) {
  const double y[] = {34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744,
                      8261,  7030,  6005,  5147,  4427,  3820,  3307,  2872};
  for (int i = 1; i <= 16; ++i) add(x[0] * exp(x[1] / (45 + 5 * i + x[2])) - y[i - 1]);
}
PROBLEM(Gulf) {
  for (int i = 1; i <= 99; ++i) {
    const double t = i / 100.0;
    const double y = 25 + std::pow(-50 * std::log(t), 2.0 / 3);
    add(exp(-pow(abs(y - x[1]), x[2]) / x[0]) - t);
  }
}
PROBLEM(Box) {
  for (int i = 1; i <= 10; ++i) {
    const double t = i / 10.0;
    add(exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (std::exp(-t) - std::exp(-10 * t)));
  }
}
PROBLEM(PowellSingular) {
  for (int i = 0; i < n; i += 4) {
    add(x[i] + 10 * x[i + 1]);
    add(std::sqrt(5.0) * (x[i + 2] - x[i + 3]));
    add(pow(x[i + 1] - 2 * x[i + 2], 2));
    add(std::sqrt(10.0) * pow(x[i] - x[i + 3], 2));
  }
}
PROBLEM(Wood) {
  add(10 * (x[1] - x[0] * x[0]));
  add(1 - x[0]);
  add(std::sqrt(90.0) * (x[3] - x[2] * x[2]));
  add(1 - x[2]);
  add(std::sqrt(10.0) * (x[1] + x[3] - 2));
  add((x[1] - x[3]) / std::sqrt(10.0));
}
PROBLEM(KowalikOsborne) {
  const double y[] = {0.1957, 0.1947, 0.1735, 0.16,   0.0844, 0.0627,
                      0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
  const double u[] = {4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625};
  for (int i = 0; i < 11; ++i) {
    add(y[i] - x[0] * (u[i] * u[i] + u[i] * x[1]) / (u[i] * u[i] + u[i] * x[2] + x[3]));
  }
}
PROBLEM(BrownDennis) {
  for (int i = 1; i <= 20; ++i) {
    const double t = i / 5.0;
    add(pow(x[0] + t * x[1] - std::exp(t), 2) + pow(x[2] + x[3] * std::sin(t) - std::cos(t), 2));
  }
}
PROBLEM(Osborne1) {
  const double y[] = {0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85,  0.818, 0.784, 0.751,
                      0.718, 0.685, 0.658, 0.628, 0.603, 0.58,  0.558, 0.538, 0.522, 0.506, 0.49,
                      0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42,  0.414, 0.411, 0.406};
  for (int i = 0; i < 33; ++i) {
    const double t = 10.0 * i;
    add(y[i] - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4])));
  }
}
PROBLEM(Biggs) {
  for (int i = 1; i <= 13; ++i) {
    const double t = i / 10.0;
    const double y = std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
    add(x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y);
  }
}
PROBLEM(Osborne2) {
  const double y[] = {1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746,
                      0.679, 0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649,
                      0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.5,   0.423, 0.395,
                      0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653,
                      0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739,
                      0.71,  0.729, 0.72,  0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054};
  for (int i = 0; i < 65; ++i) {
    const double t = i / 10.0;
    T model = x[0] * exp(-t * x[4]);
    for (int k = 0; k < 3; ++k) model += x[1 + k] * exp(-pow(t - x[8 + k], 2) * x[5 + k]);
    add(y[i] - model);
  }
}
PROBLEM(Watson) {
  for (int i = 1; i <= 29; ++i) {
    const double t = i / 29.0;
    T slope = 0;
    T sum = 0;
    for (int j = 1; j <= n; ++j) {
      if (j > 1) slope += (j - 1) * x[j - 1] * std::pow(t, j - 2);
      sum += x[j - 1] * std::pow(t, j - 1);
    }
    add(slope - sum * sum - 1);
  }
  add(x[0]);
  add(x[1] - x[0] * x[0] - 1);
}
PROBLEM(PenaltyI) {
  T sum = -0.25;
  for (int i = 0; i < n; ++i) {
    add(std::sqrt(1e-5) * (x[i] - 1));
    sum += x[i] * x[i];
  }
  add(sum);
}
PROBLEM(PenaltyII) {
  const double a = std::sqrt(1e-5);
  add(x[0] - 0.2);
  T sum = -1;
  for (int i = 1; i <= n; ++i) {
    sum += (n - i + 1) * x[i - 1] * x[i - 1];
    if (i == 1) continue;
    const double y = std::exp(i / 10.0) + std::exp((i - 1) / 10.0);
    add(a * (exp(x[i - 1] / 10) + exp(x[i - 2] / 10) - y));
    add(a * (exp(x[i - 1] / 10) - std::exp(-0.1)));
  }
  add(sum);
}
PROBLEM(VariablyDimensioned) {
  T s = 0;
  for (int j = 1; j <= n; ++j) {
    add(x[j - 1] - 1);
    s += j * (x[j - 1] - 1);
  }
  add(s);
  add(s * s);
}
PROBLEM(Trigonometric) {
  T sum = n;
  for (int j = 0; j < n; ++j) sum -= cos(x[j]);
  for (int i = 1; i <= n; ++i) add(sum + i * (1 - cos(x[i - 1])) - sin(x[i - 1]));
}
PROBLEM(BrownAlmostLinear) {
  T sum = -(n + 1);
  T product = 1;
  for (int j = 0; j < n; ++j) {
    sum += x[j];
    product *= x[j];
  }
  for (int i = 0; i + 1 < n; ++i) add(x[i] + sum);
  add(product - 1);
}
PROBLEM(DiscreteBoundaryValue) {
  const double h = 1.0 / (n + 1);
  for (int i = 1; i <= n; ++i) {
    T r = 2 * x[i - 1] + h * h * pow(x[i - 1] + i * h + 1, 3) / 2;
    if (i > 1) r -= x[i - 2];
    if (i < n) r -= x[i];
    add(r);
  }
}
PROBLEM(DiscreteIntegral) {
  const double h = 1.0 / (n + 1);
  for (int i = 1; i <= n; ++i) {
    const double ti = i * h;
    T low = 0;
    T high = 0;
    for (int j = 1; j <= n; ++j) {
      const double t = j * h;
      const T cube = pow(x[j - 1] + t + 1, 3);
      if (j <= i) {
        low += t * cube;
      } else {
        high += (1 - t) * cube;
      }
    }
    add(x[i - 1] + h * ((1 - ti) * low + ti * high) / 2);
  }
}
PROBLEM(BroydenTridiagonal) {
  for (int i = 0; i < n; ++i) {
    T r = (3 - 2 * x[i]) * x[i] + 1;
    if (i > 0) r -= x[i - 1];
    if (i + 1 < n) r -= 2 * x[i + 1];
    add(r);
  }
}
PROBLEM(BroydenBanded) {
  for (int i = 0; i < n; ++i) {
    T r = x[i] * (2 + 5 * x[i] * x[i]) + 1;
    for (int j = std::max(0, i - 5); j <= std::min(n - 1, i + 1); ++j) {
      if (j != i) r -= x[j] * (1 + x[j]);
    }
    add(r);
  }
}
PROBLEM(LinearFullRank) {
  constexpr int m = 20;
  T sum = 0;
  for (int j = 0; j < n; ++j) sum += x[j];
  for (int i = 0; i < m; ++i) add(i < n ? x[i] - 2.0 / m * sum - 1 : -2.0 / m * sum - 1);
}
PROBLEM(LinearRank1) {
  T sum = 0;
  for (int j = 1; j <= n; ++j) sum += j * x[j - 1];
  for (int i = 1; i <= 20; ++i) add(i * sum - 1);
}
PROBLEM(LinearRank1Zeros) {
  T sum = 0;
  for (int j = 2; j < n; ++j) sum += j * x[j - 1];
  add(T(-1));
  for (int i = 2; i < 20; ++i) add((i - 1) * sum - 1);
  add(T(-1));
}
PROBLEM(Chebyquad) {
  constexpr int kMax = 10;
  T sums[kMax];
  for (T& s : sums) s = 0;
  for (int j = 0; j < n; ++j) {
    const T y = 2 * x[j] - 1;
    T before = 1;
    T now = y;
    for (int i = 0; i < n; ++i) {
      sums[i] += now;
      const T next = 2 * y * now - before;
      before = now;
      now = next;
    }
  }
  for (int i = 1; i <= n; ++i) {
    const double integral = i % 2 == 1 ? 0 : -1.0 / (double(i) * i - 1);
    add(sums[i - 1] / n - integral);
  }
}

struct Row {
  std::string name, from;
  std::vector<double> numbers;  // by column: no, -, n, m, f0, ginf0, eig0_min, eig0_max, ...
  std::vector<double> x0;
};

/// A line of the table; names and points stand in quotes.
Row read_row(const std::string& line) {
  Row row;
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  row.name = fields.at(1);
  row.from = fields.at(12);
  for (std::size_t i = 0; i < 12; ++i) row.numbers.push_back(i == 1 ? 0 : std::stod(fields[i]));
  std::istringstream point(fields.at(13));
  for (double v; point >> v;) row.x0.push_back(v);
  return row;
}

template <int N, class F>
void check(const F& f, const Row& row) {
  ASSERT_EQ(row.x0.size(), std::size_t(N));
  const Eigen::Matrix<double, N, 1> x =
      Eigen::Map<const Eigen::Matrix<double, N, 1>>(row.x0.data());
  const auto near = [](double got, double expected, double scale, double tolerance,
                       const char* what) { EXPECT_NEAR(got, expected, tolerance * scale) << what; };
  // No. 26 subtracts ten cosines from 10 to reach residuals of 0.02, which costs three digits.
  near(kappa::value(f, x), row.numbers[4], std::abs(row.numbers[4]), 1e-12, "value");
  const Eigen::Matrix<double, N, 1> g = kappa::gradient(f, x);
  near(g.template lpNorm<Eigen::Infinity>(), row.numbers[5], row.numbers[5], 1e-11, "gradient");
  const Eigen::Matrix<double, N, N> h = kappa::hessian(f, x);
  const Eigen::VectorXd lambda =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(Eigen::MatrixXd(h)).eigenvalues();
  // The reference is TOMS 566's analytic Hessian, or Richardson differences of complex-step
  // gradients, which are good to about 1e-8 of the largest eigenvalue (mgh.md, check 2).
  const double scale = std::max(std::abs(row.numbers[6]), std::abs(row.numbers[7]));
  const double tolerance = row.from == "566" ? 1e-10 : 1e-8;
  near(lambda[0], row.numbers[6], scale, tolerance, "smallest eigenvalue");
  near(lambda[N - 1], row.numbers[7], scale, tolerance, "largest eigenvalue");
}

bool check_row(const Row& row) {
  const auto n = static_cast<int>(row.numbers[2]);
  switch (static_cast<int>(row.numbers[0])) {
    case 1: check<2>(Rosenbrock(), row); return true;
    case 2: check<2>(FreudensteinRoth(), row); return true;
    case 3: check<2>(PowellBadlyScaled(), row); return true;
    case 4: check<2>(BrownBadlyScaled(), row); return true;
    case 5: check<2>(Beale(), row); return true;
    case 6: check<2>(JennrichSampson(), row); return true;
    case 7: check<3>(HelicalValley(), row); return true;
    case 8: check<3>(Bard(), row); return true;
    case 9: check<3>(Gaussian(), row); return true;
    case 10: check<3>(Meyer(), row); return true;
    case 11: check<3>(Gulf(), row); return true;
    case 12: check<3>(Box(), row); return true;
    case 13: check<4>(PowellSingular(), row); return true;
    case 14: check<4>(Wood(), row); return true;
    case 15: check<4>(KowalikOsborne(), row); return true;
    case 16: check<4>(BrownDennis(), row); return true;
    case 17: check<5>(Osborne1(), row); return true;
    case 18: check<6>(Biggs(), row); return true;
    case 19: check<11>(Osborne2(), row); return true;
    case 20:
      if (n == 6) check<6>(Watson(), row);
      if (n == 9) check<9>(Watson(), row);
      if (n == 12) check<12>(Watson(), row);
      return true;
    case 21: check<10>(Rosenbrock(), row); return true;
    case 22: check<12>(PowellSingular(), row); return true;
    case 23:
      if (n == 4) check<4>(PenaltyI(), row);
      if (n == 10) check<10>(PenaltyI(), row);
      return true;
    case 24:
      if (n == 4) check<4>(PenaltyII(), row);
      if (n == 10) check<10>(PenaltyII(), row);
      return true;
    case 25: check<10>(VariablyDimensioned(), row); return true;
    case 26: check<10>(Trigonometric(), row); return true;
    case 27: check<10>(BrownAlmostLinear(), row); return true;
    case 28: check<10>(DiscreteBoundaryValue(), row); return true;
    case 29: check<10>(DiscreteIntegral(), row); return true;
    case 30: check<10>(BroydenTridiagonal(), row); return true;
    case 31: check<10>(BroydenBanded(), row); return true;
    case 32: check<10>(LinearFullRank(), row); return true;
    case 33: check<10>(LinearRank1(), row); return true;
    case 34: check<10>(LinearRank1Zeros(), row); return true;
    case 35:
      if (n == 7) check<7>(Chebyquad(), row);
      if (n == 8) check<8>(Chebyquad(), row);
      if (n == 9) check<9>(Chebyquad(), row);
      if (n == 10) check<10>(Chebyquad(), row);
      return true;
    default: return false;
  }
}

TEST(Mgh, ValueGradientAndHessianAtTheStarts) {
  const char* folder = std::getenv("KAPPA_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  std::ifstream table(std::string(folder) + "/mgh-values.csv");
  ASSERT_TRUE(table) << folder << "/mgh-values.csv";
  std::string line;
  std::getline(table, line);
  int count = 0;
  while (std::getline(table, line)) {
    const Row row = read_row(line);
    SCOPED_TRACE(row.name);
    ASSERT_TRUE(check_row(row));
    ++count;
  }
  EXPECT_EQ(count, 42);
}

}  // namespace
