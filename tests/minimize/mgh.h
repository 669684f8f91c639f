#pragma once

#include <memory>
#include <string>
#include <vector>

#include "minimize/problems.h"

namespace kappa::test {

/// One instance of More, Garbow & Hillstrom, ACM TOMS 7(1) 1981: f = sum r_i^2.
struct MghProblem {
  int number;
  std::string name;
  std::shared_ptr<ResidualProblem> problem;
  Vector start;
  Vector minima;  ///< published minimal values; 0 is a zero residual
};

namespace mgh {

template <class R>
void add(std::vector<MghProblem>& all, int number, const std::string& name, int m, Vector start,
         Vector minima, R r) {
  const auto n = static_cast<std::int64_t>(start.size());
  all.push_back({number, name, std::make_shared<ResidualProblem>(n, m, r), start, minima});
}

inline const Vector kBard = {0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39,
                             0.37, 0.58, 0.73, 0.96, 1.34, 2.1,  4.39};
inline const Vector kGaussian = {0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242,  0.3521, 0.3989,
                                 0.3521, 0.242,  0.1295, 0.054, 0.0175, 0.0044, 0.0009};
inline const Vector kMeyer = {34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744,
                              8261,  7030,  6005,  5147,  4427,  3820,  3307,  2872};
inline const Vector kKowalik = {0.1957, 0.1947, 0.1735, 0.16,   0.0844, 0.0627,
                                0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
inline const Vector kKowalikU = {4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625};
inline const Vector kOsborne1 = {0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85,  0.818,
                                 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.58,  0.558,
                                 0.538, 0.522, 0.506, 0.49,  0.478, 0.467, 0.457, 0.448, 0.438,
                                 0.431, 0.424, 0.42,  0.414, 0.411, 0.406};
inline const Vector kOsborne2 = {
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
    0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
    0.612, 0.558, 0.533, 0.495, 0.5,   0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
    0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
    0.597, 0.625, 0.739, 0.71,  0.729, 0.72,  0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054};

inline auto watson = []<class T>(const std::vector<T>& x) {
  std::vector<T> r;
  for (int i = 1; i <= 29; ++i) {
    const double t = i / 29.0;
    T slope = 0.0, sum = 0.0;
    double power = 1;
    for (std::size_t j = 0; j < x.size(); ++j) {
      sum = sum + power * x[j];
      if (j > 0) slope = slope + (static_cast<double>(j) * power / t) * x[j];
      power *= t;
    }
    r.push_back(slope - sum * sum - 1.0);
  }
  r.push_back(x[0]);
  r.push_back(x[1] - x[0] * x[0] - 1.0);
  return r;
};

inline auto rosenbrock_pairs = []<class T>(const std::vector<T>& x) {
  std::vector<T> r;
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    r.push_back(10.0 * (x[i + 1] - x[i] * x[i]));
    r.push_back(1.0 - x[i]);
  }
  return r;
};

inline auto powell_blocks = []<class T>(const std::vector<T>& x) {
  std::vector<T> r;
  for (std::size_t i = 0; i + 3 < x.size(); i += 4) {
    r.push_back(x[i] + 10.0 * x[i + 1]);
    r.push_back(std::sqrt(5.0) * (x[i + 2] - x[i + 3]));
    r.push_back(square(x[i + 1] - 2.0 * x[i + 2]));
    r.push_back(std::sqrt(10.0) * square(x[i] - x[i + 3]));
  }
  return r;
};

inline auto penalty_1 = []<class T>(const std::vector<T>& x) {
  std::vector<T> r;
  T sum = -0.25;
  for (const T& v : x) {
    r.push_back(std::sqrt(1e-5) * (v - 1.0));
    sum = sum + v * v;
  }
  r.push_back(sum);
  return r;
};

inline auto penalty_2 = []<class T>(const std::vector<T>& x) {
  const auto n = static_cast<double>(x.size());
  const double a = std::sqrt(1e-5);
  std::vector<T> r{x[0] - 0.2};
  T sum = n * x[0] * x[0] - 1.0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    const double y =
        std::exp((static_cast<double>(i) + 1) / 10) + std::exp(static_cast<double>(i) / 10);
    r.push_back(a * (exp(x[i] / 10.0) + exp(x[i - 1] / 10.0) - y));
    sum = sum + (n - static_cast<double>(i)) * x[i] * x[i];
  }
  for (std::size_t i = 1; i < x.size(); ++i) {
    r.push_back(a * (exp(x[i] / 10.0) - std::exp(-0.1)));
  }
  r.push_back(sum);
  return r;
};

inline auto chebyquad = []<class T>(const std::vector<T>& x) {
  const std::size_t n = x.size();
  std::vector<T> r(n, T(0.0));
  for (const T& v : x) {
    const T z = 2.0 * v - 1.0;
    T before = 1.0, now = z;
    for (std::size_t i = 0; i < n; ++i) {
      r[i] = r[i] + now / static_cast<double>(n);
      const T next = 2.0 * z * now - before;
      before = now;
      now = next;
    }
  }
  for (std::size_t i = 1; i < n; i += 2) {
    const double k = static_cast<double>(i + 1);
    r[i] = r[i] + 1.0 / (k * k - 1);
  }
  return r;
};

}  // namespace mgh

/// All 42 instances of shared/data/mgh.md.
inline std::vector<MghProblem> mgh_problems() {
  using namespace mgh;
  std::vector<MghProblem> all;
  add(all, 1, "Rosenbrock", 2, {-1.2, 1}, {0}, rosenbrock_pairs);
  add(all, 2, "Freudenstein-Roth", 2, {0.5, -2}, {0, 48.9842536792},
      []<class T>(const std::vector<T>& x) {
        return std::vector<T>{-13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1],
                              -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1]};
      });
  add(all, 3, "Powell badly scaled", 2, {0, 1}, {0}, []<class T>(const std::vector<T>& x) {
    return std::vector<T>{1e4 * x[0] * x[1] - 1.0, exp(-x[0]) + exp(-x[1]) - 1.0001};
  });
  add(all, 4, "Brown badly scaled", 3, {1, 1}, {0}, []<class T>(const std::vector<T>& x) {
    return std::vector<T>{x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0};
  });
  add(all, 5, "Beale", 3, {1, 1}, {0}, []<class T>(const std::vector<T>& x) {
    std::vector<T> r;
    T power = 1.0;
    for (const double y : {1.5, 2.25, 2.625}) {
      power = power * x[1];
      r.push_back(y - x[0] * (1.0 - power));
    }
    return r;
  });
  add(all, 6, "Jennrich-Sampson", 10, {0.3, 0.4}, {124.362182356},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 10; ++i) {
          r.push_back(2.0 + 2.0 * i - (exp(double(i) * x[0]) + exp(double(i) * x[1])));
        }
        return r;
      });
  add(all, 7, "Helical valley", 3, {-1, 0, 0}, {0}, []<class T>(const std::vector<T>& x) {
    const double pi = std::acos(-1.0), x1 = real(x[0]);
    T theta = x1 == 0 ? T(std::copysign(0.25, real(x[1]))) : atan(x[1] / x[0]) / (2 * pi);
    if (x1 < 0) theta = theta + 0.5;
    return std::vector<T>{10.0 * (x[2] - 10.0 * theta),
                          10.0 * (sqrt(x[0] * x[0] + x[1] * x[1]) - 1.0), x[2]};
  });
  add(all, 8, "Bard", 15, {1, 1, 1}, {0.00821487730658, 17.4286},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 15; ++i) {
          const double u = i, v = 16 - i, w = std::min(u, v);
          r.push_back(kBard[std::size_t(i - 1)] - (x[0] + u / (v * x[1] + w * x[2])));
        }
        return r;
      });
  add(all, 9, "Gaussian", 15, {0.4, 1, 0}, {1.12793276962e-08},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 15; ++i) {
          const double t = (8 - i) / 2.0;
          r.push_back(x[0] * exp(-x[1] * square(t - x[2]) / 2.0) - kGaussian[std::size_t(i - 1)]);
        }
        return r;
      });
  add(all, 10, "Meyer", 16, {0.02, 4000, 250}, {87.9458551702},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 16; ++i) {
          r.push_back(x[0] * exp(x[1] / (45.0 + 5.0 * i + x[2])) - kMeyer[std::size_t(i - 1)]);
        }
        return r;
      });
  add(all, 11, "Gulf R&D", 99, {5, 2.5, 0.15}, {0}, []<class T>(const std::vector<T>& x) {
    std::vector<T> r;
    for (int i = 1; i <= 99; ++i) {
      const double t = i / 100.0, y = 25 + std::pow(-50 * std::log(t), 2.0 / 3);
      T d = y - x[1];
      if (real(d) < 0) d = -d;
      r.push_back(exp(-(pow(d, x[2]) / x[0])) - t);
    }
    return r;
  });
  add(all, 12, "Box 3-D", 10, {0, 10, 20}, {0}, []<class T>(const std::vector<T>& x) {
    std::vector<T> r;
    for (int i = 1; i <= 10; ++i) {
      const double t = i / 10.0;
      r.push_back(exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (std::exp(-t) - std::exp(-10 * t)));
    }
    return r;
  });
  add(all, 13, "Powell singular", 4, {3, -1, 0, 1}, {0}, powell_blocks);
  add(all, 14, "Wood", 6, {-3, -1, -3, -1}, {0}, []<class T>(const std::vector<T>& x) {
    return std::vector<T>{10.0 * (x[1] - x[0] * x[0]),
                          1.0 - x[0],
                          std::sqrt(90.0) * (x[3] - x[2] * x[2]),
                          1.0 - x[2],
                          std::sqrt(10.0) * (x[1] + x[3] - 2.0),
                          (x[1] - x[3]) / std::sqrt(10.0)};
  });
  add(all, 15, "Kowalik-Osborne", 11, {0.25, 0.39, 0.415, 0.39}, {0.000307505603849, 1.02734e-3},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (std::size_t i = 0; i < 11; ++i) {
          const double u = kKowalikU[i];
          r.push_back(kKowalik[i] - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3]));
        }
        return r;
      });
  add(all, 16, "Brown-Dennis", 20, {25, 5, -5, -1}, {85822.2016264},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 20; ++i) {
          const double t = i / 5.0;
          r.push_back(square(x[0] + t * x[1] - std::exp(t)) +
                      square(x[2] + x[3] * std::sin(t) - std::cos(t)));
        }
        return r;
      });
  add(all, 17, "Osborne 1", 33, {0.5, 1.5, -1, 0.01, 0.02}, {5.46489469748e-05},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (std::size_t i = 0; i < 33; ++i) {
          const double t = 10.0 * static_cast<double>(i);
          r.push_back(kOsborne1[i] - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4])));
        }
        return r;
      });
  add(all, 18, "Biggs EXP6", 13, {1, 2, 1, 1, 1, 1}, {5.65565e-3, 0},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (int i = 1; i <= 13; ++i) {
          const double t = i / 10.0;
          const double y = std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
          r.push_back(x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y);
        }
        return r;
      });
  add(all, 19, "Osborne 2", 65, {1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5},
      {0.0401377362935}, []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (std::size_t i = 0; i < 65; ++i) {
          const double t = static_cast<double>(i) / 10;
          r.push_back(kOsborne2[i] - (x[0] * exp(-t * x[4]) + x[1] * exp(-square(t - x[8]) * x[5]) +
                                      x[2] * exp(-square(t - x[9]) * x[6]) +
                                      x[3] * exp(-square(t - x[10]) * x[7])));
        }
        return r;
      });
  add(all, 20, "Watson n=6", 31, Vector(6), {0.00228767005355}, watson);
  add(all, 20, "Watson n=9", 31, Vector(9), {1.3997601381e-06}, watson);
  add(all, 20, "Watson n=12", 31, Vector(12), {4.72238110154e-10}, watson);
  add(all, 21, "Extended Rosenbrock n=10", 10, {-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1}, {0},
      rosenbrock_pairs);
  add(all, 22, "Extended Powell singular n=12", 12, {3, -1, 0, 1, 3, -1, 0, 1, 3, -1, 0, 1}, {0},
      powell_blocks);
  add(all, 23, "Penalty I n=4", 5, {1, 2, 3, 4}, {2.2499775009e-05}, penalty_1);
  add(all, 23, "Penalty I n=10", 11, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {7.08765146709e-05},
      penalty_1);
  add(all, 24, "Penalty II n=4", 8, Vector(4, 0.5), {9.37629300736e-06}, penalty_2);
  add(all, 24, "Penalty II n=10", 20, Vector(10, 0.5), {0.000293660537457}, penalty_2);
  const auto series = [](int n, auto f) {
    Vector x;
    for (int j = 1; j <= n; ++j) x.push_back(f(j));
    return x;
  };
  add(all, 25, "Variably dimensioned n=10", 12, series(10, [](int j) { return 1 - j / 10.0; }), {0},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = 0.0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          r.push_back(x[j] - 1.0);
          sum = sum + (static_cast<double>(j) + 1) * (x[j] - 1.0);
        }
        r.push_back(sum);
        r.push_back(sum * sum);
        return r;
      });
  add(all, 26, "Trigonometric n=10", 10, Vector(10, 0.1), {0, 2.79505612188e-05},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = static_cast<double>(x.size());
        for (const T& v : x) sum = sum - cos(v);
        for (std::size_t i = 0; i < x.size(); ++i) {
          r.push_back(sum + (static_cast<double>(i) + 1) * (1.0 - cos(x[i])) - sin(x[i]));
        }
        return r;
      });
  add(all, 27, "Brown almost-linear n=10", 10, Vector(10, 0.5), {0, 1},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = -(static_cast<double>(x.size()) + 1), product = 1.0;
        for (const T& v : x) {
          sum = sum + v;
          product = product * v;
        }
        for (std::size_t i = 0; i + 1 < x.size(); ++i) r.push_back(x[i] + sum);
        r.push_back(product - 1.0);
        return r;
      });
  const auto boundary = series(10, [](int j) { return j / 11.0 * (j / 11.0 - 1); });
  add(all, 28, "Discrete boundary value n=10", 10, boundary, {0},
      []<class T>(const std::vector<T>& x) {
        const std::size_t n = x.size();
        const double h = 1.0 / (static_cast<double>(n) + 1);
        std::vector<T> r;
        for (std::size_t i = 0; i < n; ++i) {
          const T c = x[i] + (static_cast<double>(i) + 1) * h + 1.0;
          T v = 2.0 * x[i] + h * h / 2 * (c * c * c);
          if (i > 0) v = v - x[i - 1];
          if (i + 1 < n) v = v - x[i + 1];
          r.push_back(v);
        }
        return r;
      });
  add(all, 29, "Discrete integral equation n=10", 10, boundary, {0},
      []<class T>(const std::vector<T>& x) {
        const std::size_t n = x.size();
        const double h = 1.0 / (static_cast<double>(n) + 1);
        std::vector<T> r;
        for (std::size_t i = 0; i < n; ++i) {
          const double ti = (static_cast<double>(i) + 1) * h;
          T sum = 0.0;
          for (std::size_t j = 0; j < n; ++j) {
            const double tj = (static_cast<double>(j) + 1) * h;
            const T c = x[j] + tj + 1.0;
            sum = sum + (j <= i ? (1 - ti) * tj : ti * (1 - tj)) * (c * c * c);
          }
          r.push_back(x[i] + h / 2 * sum);
        }
        return r;
      });
  add(all, 30, "Broyden tridiagonal n=10", 10, Vector(10, -1), {0},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (std::size_t i = 0; i < x.size(); ++i) {
          T v = (3.0 - 2.0 * x[i]) * x[i] + 1.0;
          if (i > 0) v = v - x[i - 1];
          if (i + 1 < x.size()) v = v - 2.0 * x[i + 1];
          r.push_back(v);
        }
        return r;
      });
  add(all, 31, "Broyden banded n=10", 10, Vector(10, -1), {0},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        for (std::size_t i = 0; i < x.size(); ++i) {
          T v = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0;
          for (std::size_t j = i < 5 ? 0 : i - 5; j <= std::min(i + 1, x.size() - 1); ++j) {
            if (j != i) v = v - x[j] * (1.0 + x[j]);
          }
          r.push_back(v);
        }
        return r;
      });
  add(all, 32, "Linear full rank n=10", 20, Vector(10, 1), {10},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = 0.0;
        for (const T& v : x) sum = sum + v;
        for (std::size_t i = 0; i < 20; ++i) {
          r.push_back((i < x.size() ? x[i] : T(0.0)) - 0.1 * sum - 1.0);
        }
        return r;
      });
  add(all, 33, "Linear rank 1 n=10", 20, Vector(10, 1), {190.0 / 41},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = 0.0;
        for (std::size_t j = 0; j < x.size(); ++j) sum = sum + (static_cast<double>(j) + 1) * x[j];
        for (int i = 1; i <= 20; ++i) r.push_back(double(i) * sum - 1.0);
        return r;
      });
  add(all, 34, "Linear rank 1, zero columns and rows n=10", 20, Vector(10, 1), {227.0 / 37},
      []<class T>(const std::vector<T>& x) {
        std::vector<T> r;
        T sum = 0.0;
        for (std::size_t j = 1; j + 1 < x.size(); ++j) {
          sum = sum + (static_cast<double>(j) + 1) * x[j];
        }
        for (int i = 1; i <= 20; ++i) {
          r.push_back(i == 1 || i == 20 ? T(-1.0) : double(i - 1) * sum - 1.0);
        }
        return r;
      });
  const Vector chebyquad_minima = {0, 0.00351687372568, 0, 0.00650395480088};
  for (int n = 7; n <= 10; ++n) {
    add(all, 35, "Chebyquad n=" + std::to_string(n), n,
        series(n, [n](int j) { return j / (n + 1.0); }),
        {chebyquad_minima[static_cast<std::size_t>(n - 7)]}, chebyquad);
  }
  return all;
}

}  // namespace kappa::test
