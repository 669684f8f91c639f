#pragma once

// The More-Garbow-Hillstrom problems (TOMS 7, 1981), generic in their scalar. Each adds the squares
// of its residuals; formulas are those of the paper.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace mgh {

/// Adds up squares: `add(r)` for each residual.
template <class T>
struct Squares {
  T sum = 0;
  void operator()(const T& r) { sum += r * r; }
};
template <class X>
using ScalarOfVector = std::remove_cvref_t<decltype(std::declval<const X&>()[0])>;

/// 1/2 where x < 0, else 0.
template <class T>
T half_turn(const T& x) {
  if constexpr (requires { where(x < 0, x, x); }) {
    return where(x < 0, T(0.5), T(0));
  } else {
    return x < 0 ? T(0.5) : T(0);
  }
}

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
  const T theta = atan(x[1] / x[0]) / (2 * M_PI) + half_turn(x[0]);
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
  add(0 * x[0] - 1);
  for (int i = 2; i < 20; ++i) add((i - 1) * sum - 1);
  add(0 * x[0] - 1);
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

/// A problem at its start with what is known there: value, gradient and all eigenvalues of the
/// Hessian, from the multi-precision reference of tests/mgh/make_formulas.py, which was checked
/// against the original Fortran (TOMS 566).
struct Instance {
  int number = 0;
  std::string name;
  std::vector<double> start, gradient, eigenvalues;
  double value = 0;
};

inline std::vector<Instance> instances() {
  std::ifstream file(KAPPA_SOURCE_DIR "/tests/mgh/formulas.json");
  std::vector<Instance> list;
  for (const auto& entry : nlohmann::ordered_json::parse(file)) {
    Instance made{entry["number"], entry["name"]};
    for (const auto& [name, value] : entry["point"].items()) {
      if (value.is_array()) {
        made.start = value.get<std::vector<double>>();
      } else {
        made.start.push_back(value);
      }
    }
    made.value = entry["value"];
    made.gradient = entry["gradient"].get<std::vector<double>>();
    made.eigenvalues = entry["eigenvalues"].get<std::vector<double>>();
    list.push_back(std::move(made));
  }
  return list;
}

/// Calls visit_problem(problem) with the problem of a number; false where there is none.
template <class Visit>
bool visit(int number, const Visit& visit_problem) {
  switch (number) {
    case 1: visit_problem(Rosenbrock()); return true;
    case 2: visit_problem(FreudensteinRoth()); return true;
    case 3: visit_problem(PowellBadlyScaled()); return true;
    case 4: visit_problem(BrownBadlyScaled()); return true;
    case 5: visit_problem(Beale()); return true;
    case 6: visit_problem(JennrichSampson()); return true;
    case 7: visit_problem(HelicalValley()); return true;
    case 8: visit_problem(Bard()); return true;
    case 9: visit_problem(Gaussian()); return true;
    case 10: visit_problem(Meyer()); return true;
    case 11: visit_problem(Gulf()); return true;
    case 12: visit_problem(Box()); return true;
    case 13: visit_problem(PowellSingular()); return true;
    case 14: visit_problem(Wood()); return true;
    case 15: visit_problem(KowalikOsborne()); return true;
    case 16: visit_problem(BrownDennis()); return true;
    case 17: visit_problem(Osborne1()); return true;
    case 18: visit_problem(Biggs()); return true;
    case 19: visit_problem(Osborne2()); return true;
    case 20: visit_problem(Watson()); return true;
    case 21: visit_problem(Rosenbrock()); return true;
    case 22: visit_problem(PowellSingular()); return true;
    case 23: visit_problem(PenaltyI()); return true;
    case 24: visit_problem(PenaltyII()); return true;
    case 25: visit_problem(VariablyDimensioned()); return true;
    case 26: visit_problem(Trigonometric()); return true;
    case 27: visit_problem(BrownAlmostLinear()); return true;
    case 28: visit_problem(DiscreteBoundaryValue()); return true;
    case 29: visit_problem(DiscreteIntegral()); return true;
    case 30: visit_problem(BroydenTridiagonal()); return true;
    case 31: visit_problem(BroydenBanded()); return true;
    case 32: visit_problem(LinearFullRank()); return true;
    case 33: visit_problem(LinearRank1()); return true;
    case 34: visit_problem(LinearRank1Zeros()); return true;
    case 35: visit_problem(Chebyquad()); return true;
    default: return false;
  }
}

}  // namespace mgh
