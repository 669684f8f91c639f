// Dense Hessians through a cut of the program: against closed forms, against products with unit
// vectors, which share no code with them beyond the transforms, and at every node of many programs.
#include "function/cut_hessian.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "function/function_impl.h"
#include "function/gmm.h"

namespace kappa {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

Eigen::VectorXd generic_point(std::int64_t n, unsigned seed = 5) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0.3, 0.9);
  return Eigen::VectorXd::NullaryExpr(n, [&] { return uniform(random); });
}

Eigen::MatrixXd evaluated(const CutHessian& cut, const Eigen::VectorXd& x) {
  Eigen::MatrixXd h(x.size(), x.size());
  cut.evaluate(x.data(), h.data());
  return h;
}

Eigen::MatrixXd by_products(const Function& f, const Eigen::VectorXd& x) {
  Eigen::MatrixXd h(x.size(), x.size());
  for (Eigen::Index j = 0; j < x.size(); ++j) {
    h.col(j) = hvp(f, x, Eigen::VectorXd::Unit(x.size(), j));
  }
  return h;
}

struct Counts {
  int cuts = 0, nested = 0;
};

/// The Hessian through every cut there is, and through every two, equals the products.
Counts expect_products(const Function& f, const Eigen::VectorXd& x) {
  const Program& program = f.impl().program;
  const Eigen::MatrixXd expected = by_products(f, x);
  const auto expect = [&](const CutHessian& cut, const std::string& where) {
    const Eigen::MatrixXd h = evaluated(cut, x);
    EXPECT_EQ(h, h.transpose());
    EXPECT_LE((h - expected).norm(), 1e-12 * expected.norm()) << where << "\n"
                                                              << print(program) << h << "\n\n"
                                                              << expected;
  };
  Counts count;
  for (const NodeId node : cut_candidates(program)) {
    const std::optional<Cut> cut = cut_at(program, node);
    if (!cut) continue;
    ++count.cuts;
    const std::string where = "cut at %" + std::to_string(node);
    expect(*CutHessian::through(*cut, kNoLimit), where);
    const Program inner = multiplied(*cut);
    for (const NodeId below : cut_candidates(inner)) {
      const std::optional<NestedCut> nested = nested_cut_at(*cut, inner, below);
      if (!nested) continue;
      ++count.nested;
      expect(*CutHessian::through(*nested, kNoLimit),
             where + " and at %" + std::to_string(below) + " of\n" + print(inner));
    }
  }
  return count;
}

Counts expect_products(std::int64_t n, const std::function<Array(const Array&)>& f) {
  return expect_products(trace(f, n), generic_point(n));
}

Array indices(const Array& like, std::initializer_list<double> list) {
  return constant(like, std::vector<double>(list), {static_cast<std::int64_t>(list.size())},
                  DType::i64);
}

TEST(CutHessian, OverlappingBlocksAndIrregularCouplings) {
  // Elements of u that share variables, coupled with their neighbours.
  EXPECT_GE(expect_products(7,
                            [](const Array& x) {
                              const Array u = square(slice(x, {0}, {5})) +
                                              slice(x, {1}, {6}) * slice(x, {2}, {7});
                              return sum(sin(slice(u, {0}, {4})) * exp(slice(u, {1}, {5}))) +
                                     square(sum(square(x)));
                            })
                .cuts,
            1);
  // Coupled by a permutation, one of them twice.
  EXPECT_GE(expect_products(6,
                            [](const Array& x) {
                              const Array u = exp(x) * slice(x, {5}, {-1}, {-1});
                              return sum(u * square(gather(u, indices(x, {3, 0, 5, 1, 1, 2}))));
                            })
                .cuts,
            1);
  // All coupled with all, by rows and by columns of a matrix; some elements of u are constants.
  EXPECT_GE(expect_products(6,
                            [](const Array& x) {
                              const Array u = pad(sin(reshape(x, {2, 3})), {1, 0}, {0, 1});
                              return sum(logsumexp(u * u, {0})) + sum(logsumexp(u, {1})) * x[2];
                            })
                .cuts,
            1);
  // Two arrays of blocks meet in a product.
  EXPECT_GE(expect_products(10,
                            [](const Array& x) {
                              const Array a = reshape(slice(x, {0}, {6}), {3, 2});
                              const Array b = reshape(slice(x, {6}, {10}), {2, 2});
                              const Array u = exp(matmul(a, b));  // (3, 2)
                              return sum(log(1 + sum(u, {1}))) + prod(slice(x, {2}, {5}));
                            })
                .cuts,
            1);
}

// u depends on x beside c, through it, and both ways; h couples elements of u, ψ those of c.
TEST(CutHessian, OfNestedCutsIsThatOfProducts) {
  // Rows of C in pairs, some of them empty; g_c with strides and a permutation.
  EXPECT_GE(expect_products(
                8,
                [](const Array& x) {
                  const Array c = pad(sin(slice(x, {0}, {4})) * slice(x, {4}, {8}), {1}, {1});
                  const Array m = reshape(c, {3, 2});
                  const Array u = sum(exp(m), {1}) * prod(m, {1}) + square(slice(x, {5}, {8}));
                  return sum(square(logsumexp(u, {0}))) + sum(exp(u)) + square(x[2] * x[7]);
                })
                .nested,
            1);
  EXPECT_GE(
      expect_products(9,
                      [](const Array& x) {
                        const Array c = exp(reshape(x, {3, 3}));
                        const Array u = sum(transpose(c) * gather(c, indices(x, {2, 0, 1})), {1});
                        return sum(u * square(gather(u, indices(x, {1, 1, 0}))));
                      })
          .nested,
      1);
  // Rows of c innermost: entries of C and g_c stand apart.
  const Eigen::VectorXd points = generic_point(70 * 3, 8);
  const std::vector<double> list(points.data(), points.data() + points.size());
  EXPECT_GE(expect_products(12,
                            [&](const Array& x) {
                              const Array w = reshape(x, {3, 4});
                              const Array c = matmul(constant(x, list, {70, 3}), w);
                              const Array u = sum(reshape(square(c), {70, 2, 2}), {2});
                              return sum(logsumexp(u, {1}));
                            })
                .nested,
            1);
}

gmm::Problem mixture(std::int64_t d, std::int64_t k, std::int64_t n) {
  gmm::Problem p{.D = d, .K = k, .N = n, .gamma = 0.7, .m = 2};
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (std::int64_t i = 0; i < k * (1 + 2 * d + d * (d - 1) / 2); ++i) {
    p.parameters.push_back(0.5 * normal(random));
  }
  for (std::int64_t i = 0; i < n * d; ++i) p.points.push_back(normal(random));
  return p;
}

/// From the formula in gmm.h, differentiated by hand: with s_i = softmax_k(u_ik), u_k quadratic in
/// its own variables (α_k, μ_k, q_k, l_k),
/// H = Σ_i Σ_k s_ik (∇²u_ik + ∇u_ik ∇u_ik') - Σ_i m_i m_i' + ..., m_i = Σ_k s_ik ∇u_ik.
Eigen::MatrixXd mixture_by_hand(const gmm::Problem& p) {
  using Eigen::MatrixXd;
  using Eigen::VectorXd;
  const auto D = p.D, K = p.K, N = p.N, width = D + p.num_lower(), n = p.num_parameters();
  const auto at = [&](std::int64_t i) { return p.parameters[static_cast<std::size_t>(i)]; };
  const auto mean = [&](std::int64_t k, std::int64_t j) { return K + k * D + j; };
  const auto factor = [&](std::int64_t k, std::int64_t i, std::int64_t j) {
    return K + K * D + k * width + gmm::factor_place(p, i, j);
  };
  MatrixXd h = MatrixXd::Zero(n, n);
  VectorXd weights(K);
  for (std::int64_t k = 0; k < K; ++k) weights[k] = std::exp(at(k));
  weights /= weights.sum();
  h.topLeftCorner(K, K) -=
      double(N) * (MatrixXd(weights.asDiagonal()) - weights * weights.transpose());
  for (std::int64_t k = 0; k < K; ++k) {
    for (std::int64_t i = 0; i < D; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        const std::int64_t q = factor(k, i, j);
        h(q, q) += p.gamma * p.gamma * (i == j ? 2 * std::exp(2 * at(q)) : 1);
      }
    }
  }
  for (std::int64_t s = 0; s < N; ++s) {
    VectorXd u(K);
    std::vector<VectorXd> slopes;
    std::vector<MatrixXd> curvatures;
    for (std::int64_t k = 0; k < K; ++k) {
      VectorXd slope = VectorXd::Zero(n);
      MatrixXd curvature = MatrixXd::Zero(n, n);
      u[k] = at(k);
      slope[k] = 1;
      for (std::int64_t i = 0; i < D; ++i) {
        // y = Σ_j Q_ij (x_j - μ_j), its derivatives, and those of q_i - y²/2.
        double y = 0;
        VectorXd dy = VectorXd::Zero(n);
        MatrixXd ddy = MatrixXd::Zero(n, n);
        for (std::int64_t j = 0; j <= i; ++j) {
          const std::int64_t q = factor(k, i, j), m = mean(k, j);
          const double entry = i == j ? std::exp(at(q)) : at(q),
                       slope_of_entry = i == j ? entry : 1;
          const double c = p.points[static_cast<std::size_t>(s * D + j)] - at(m);
          y += entry * c;
          dy[m] -= entry;
          dy[q] += slope_of_entry * c;
          ddy(q, m) -= slope_of_entry;
          ddy(m, q) -= slope_of_entry;
          if (i == j) ddy(q, q) += entry * c;
        }
        const std::int64_t q = factor(k, i, i);
        u[k] += at(q) - y * y / 2;
        slope[q] += 1;
        slope -= y * dy;
        curvature -= dy * dy.transpose() + y * ddy;
      }
      slopes.push_back(slope);
      curvatures.push_back(curvature);
    }
    VectorXd share = (u.array() - u.maxCoeff()).exp();
    share /= share.sum();
    VectorXd average = VectorXd::Zero(n);
    for (std::int64_t k = 0; k < K; ++k) {
      const auto c = static_cast<std::size_t>(k);
      h += share[k] * (curvatures[c] + slopes[c] * slopes[c].transpose());
      average += share[k] * slopes[c];
    }
    h -= average * average.transpose();
  }
  return h;
}

TEST(CutHessian, OfAMixtureIsTheOneByHand) {
  // Blocks of 21 variables share panels, in several tiles; those of 45 fill more than one each.
  for (const auto& [d, k, n] : {std::array{1, 2, 3}, std::array{2, 4, 70}, std::array{3, 5, 600},
                                std::array{5, 2, 600}, std::array{8, 3, 130}}) {
    const gmm::Problem p = mixture(d, k, n);
    const Eigen::VectorXd x =
        Eigen::Map<const Eigen::VectorXd>(p.parameters.data(), p.num_parameters());
    const Eigen::MatrixXd expected = mixture_by_hand(p);
    const Function f = gmm::traced(p);
    const Counts counts = expect_products(f, x);
    EXPECT_GE(counts.cuts, 1);
    EXPECT_GE(counts.nested, 1);
    const auto cut = CutHessian::find(f.impl().program, kNoLimit);
    ASSERT_TRUE(cut);
    EXPECT_LE((evaluated(*cut, x) - expected).norm(), 1e-13 * expected.norm());
    EXPECT_LE((hessian(f, x) - expected).norm(), 1e-13 * expected.norm());
  }
}

// Softmax regression, classes innermost: the blocks of u are strided. H couples classes k and l by
// X' diag(p_k (δ_kl - p_l)) X.
TEST(CutHessian, OfSoftmaxRegressionIsTheOneByHand) {
  constexpr std::int64_t N = 150, P = 7, K = 4;
  const Eigen::MatrixXd points =
      Eigen::Map<const Eigen::MatrixXd>(generic_point(N * P, 8).data(), N, P);
  std::vector<double> rows(static_cast<std::size_t>(N * P));
  Eigen::Map<Eigen::Matrix<double, N, P, Eigen::RowMajor>>(rows.data()) = points;
  const Function f = trace(
      [&](const Array& w) {
        return sum(
            logsumexp(matmul(constant(w, rows, {N, P}), transpose(reshape(w, {K, P}))), {1}));
      },
      K * P);
  const Eigen::VectorXd x = generic_point(K * P);
  const Eigen::Map<const Eigen::Matrix<double, K, P, Eigen::RowMajor>> w(x.data());
  Eigen::MatrixXd share = (points * w.transpose()).array().exp();
  share.array().colwise() /= share.array().rowwise().sum().eval();
  Eigen::MatrixXd expected(K * P, K * P);
  for (std::int64_t k = 0; k < K; ++k) {
    for (std::int64_t l = 0; l < K; ++l) {
      const Eigen::VectorXd h = share.col(k).array() * ((k == l ? 1 : 0) - share.col(l).array());
      expected.block(k * P, l * P, P, P) = points.transpose() * h.asDiagonal() * points;
    }
  }
  EXPECT_GE(expect_products(f, x).cuts, 1);
  const auto cut = CutHessian::find(f.impl().program, kNoLimit);
  ASSERT_TRUE(cut);
  EXPECT_LE((evaluated(*cut, x) - expected).norm(), 1e-13 * expected.norm());
}

TEST(CutHessian, IsChosenWhereBlocksAreSmallAlone) {
  const gmm::Problem p = mixture(2, 10, 500);
  const Function of_mixture = gmm::traced(p);
  const CutHessian* cut = of_mixture.impl().cut_hessian();
  ASSERT_NE(cut, nullptr);
  // 10 components, 10 weights. Each of the 2 squared distances depends on 4 of the 6 variables of a
  // component and has a curvature of its own; a log-likelihood depends on 2 of them and on 3
  // variables beside.
  EXPECT_TRUE(cut->nested());
  EXPECT_EQ(cut->num_products(), 10 + 10 + 4 + 1 + 2 + 3);

  // Every score depends on every variable: products with unit vectors are the best there is.
  constexpr std::int64_t n = 60;
  std::vector<double> entries(2 * n * n);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = std::sin(1.0 + double(i));
  const Function dense = trace(
      [&](const Array& y) {
        return logsumexp(matmul(constant(y, entries, {2 * n, n}), y)) + square(sum(square(y)));
      },
      n);
  EXPECT_EQ(dense.impl().cut_hessian(), nullptr);

  const Function small = trace([](const Array& x) { return sum(exp(x)) * sum(sin(x)); }, 5);
  EXPECT_EQ(small.impl().cut_hessian(), nullptr);
}

}  // namespace
}  // namespace kappa
