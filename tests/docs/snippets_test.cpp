// The C++ blocks of the guides docs/cpp.md, jets.md and elements.md, verbatim, and what they
// promise. check_snippets.py compares.
#include <gtest/gtest.h>
#include <kappa/elements.h>
#include <kappa/jet.h>
#include <kappa/kappa.h>

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <vector>

namespace {

// clang-format off

TEST(Guides, Arrays) {
const Eigen::VectorXd x{{1, 2, -0.5}}, v{{0.5, -1, 2}};

auto f = kappa::trace([](kappa::Array x) { return sum(x * x * x) + prod(x); }, 3);
double y = kappa::value(f, x);                       // x: Eigen::VectorXd, 3 entries
Eigen::VectorXd g = kappa::gradient(f, x);
Eigen::MatrixXd H = kappa::hessian(f, x);
Eigen::SparseMatrix<double> S = kappa::sparse_hessian(f, x);
Eigen::VectorXd Hv = kappa::hvp(f, x, v);
kappa::Analysis a = kappa::analyze(f, x);            // the record behind `kappa analyze --json`
kappa::Solution s = kappa::minimize(f, x, {.method = "newton-cg"});

const Eigen::MatrixXd expected{{6, -0.5, 2}, {-0.5, 12, 1}, {2, 1, -3}};
EXPECT_DOUBLE_EQ(y, 7.875);
EXPECT_TRUE(g.isApprox(Eigen::VectorXd{{2, 11.5, 2.75}}, 1e-14));
EXPECT_TRUE(H.isApprox(expected, 1e-14));
EXPECT_TRUE(Eigen::MatrixXd(S).isApprox(expected, 1e-14));
EXPECT_TRUE(Hv.isApprox(expected * v, 1e-14));
ASSERT_TRUE(a.eigenvalues.has_value());
EXPECT_NEAR(a.eigenvalues->all[0] + a.eigenvalues->all[1] + a.eigenvalues->all[2], 15, 1e-9);
EXPECT_LE(s.value, y);
}

TEST(Guides, ArraysInALoop) {
const std::int64_t n = 100;
Eigen::VectorXd x = Eigen::VectorXd::Constant(n, 0.5);
const auto f = kappa::trace([](kappa::Array z) { return sum(square(z) * square(z)); }, n);

Eigen::SparseMatrix<double> S;
kappa::sparse_hessian(f, x, S);                      // the pattern is found here
kappa::sparse_hessian(f, 2 * x, S);                  // the same memory again
kappa::FunctionHessian A = kappa::hvp_operator(f, x);   // products at one point, no matrix
kappa::SparsityReport cost = kappa::hessian_sparsity(f);

EXPECT_DOUBLE_EQ(S.coeff(7, 7), 12);
EXPECT_DOUBLE_EQ(A.value(), n / 16.0);
EXPECT_EQ(cost.num_entries, n);
EXPECT_EQ(cost.num_products, 0);
}

TEST(Guides, SolveASumOfElements) {
const std::vector<std::array<int, 1>> all = {{0}, {1}};
const kappa::ElementSum f(2, kappa::elements(all, [](const auto& x) { return exp(x[0]) - x[0]; }));
const Eigen::VectorXd x{{0.5, -0.5}};

kappa::Solution s = kappa::minimize(f, x);            // a sum of elements, or a traced function
kappa::Analysis a = kappa::analyze(f, s.x);
kappa::LanczosResult l = kappa::eigenvalues(f, s.x, 1);   // the largest, with its vector

EXPECT_LE(s.x.norm(), 1e-6);
EXPECT_EQ(a.eigenvalues->all.size(), 2U);
EXPECT_NEAR(l.top[0].value, 1, 1e-6);
}

TEST(Guides, Jets) {
auto f = [](const auto& x) { return 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2); };
Eigen::Vector2d x(-1.2, 1);
double          y = kappa::value(f, x);       // 24.2
Eigen::Vector2d g = kappa::gradient(f, x);    // (-215.6, -88)
Eigen::Matrix2d H = kappa::hessian(f, x);     // (1330, 480; 480, 200)
Eigen::Vector2d p = kappa::hvp(f, x, Eigen::Vector2d(1, 2));
auto            j = kappa::evaluate(f, x);    // j.value, j.gradient[i], j.hessian(i, j)

EXPECT_NEAR(y, 24.2, 1e-12);
EXPECT_TRUE(g.isApprox(Eigen::Vector2d(-215.6, -88), 1e-14));
EXPECT_TRUE(H.isApprox(Eigen::Matrix2d{{1330, 480}, {480, 200}}, 1e-14));
EXPECT_TRUE(p.isApprox(H * Eigen::Vector2d(1, 2), 1e-14));
EXPECT_EQ(j.value, y);
EXPECT_EQ(j.gradient[1], g[1]);
EXPECT_EQ(j.hessian(1, 0), H(1, 0));
}

namespace functor {
struct Residual {
  template <class T> bool operator()(const T* const line, const T* const rate, T* r) const;
};
auto f = kappa::half_squared_norm<2, 2, 1>(Residual{});   // 2 residuals; blocks of 2 and 1
Eigen::Matrix3d H = kappa::hessian(f, Eigen::Vector3d(1, 2, 0.7));

template <class T> bool Residual::operator()(const T* const line, const T* const rate, T* r) const {
  r[0] = line[0] * rate[0];
  r[1] = line[1] - rate[0];
  return true;
}
}  // namespace functor

// f = (a c)^2/2 + (b - c)^2/2 at (1, 2, 0.7).
TEST(Guides, JetsOfAFunctor) {
EXPECT_TRUE(functor::H.isApprox(Eigen::Matrix3d{{0.49, 0, 1.4}, {0, 1, -1}, {1.4, -1, 2}}, 1e-14));
}

template <class Sum>
void parts(const Sum& f, const std::vector<double>& x_values) {
const int n = 4, p = 2;
const Eigen::Map<const Eigen::VectorXd> point(x_values.data(), 6);
const auto size = static_cast<std::size_t>(kappa::SparseHessian(f, {.triangle = kappa::Triangle::lower}).num_nonzeros());
std::vector<std::int32_t> row(size), col(size);
std::vector<double> values(size), gradient(6);
Eigen::SparseMatrix<double> H =
    kappa::SparseHessian(f, {.triangle = kappa::Triangle::lower}).matrix(f, point);
const std::span<const double> x(x_values);

kappa::SparseHessian lower(f, {.triangle = kappa::Triangle::lower});
auto starts = lower.column_starts(), rows = lower.row_indices();   // compressed columns, ascending
lower.coordinates(row, col);                         // or coordinates
lower.values(f, x, values);                          // std::span<double>, in that order
double y = lower.evaluate(f, x, values, gradient);   // value, gradient and Hessian in one pass

kappa::SparseHessian diagonal(f, {.diagonal_only = true});
kappa::SparseHessian mixed(f, {.rows = {0, n}, .cols = {n, n + p}});   // d2f / dstate dparameter

EXPECT_DOUBLE_EQ(y, 1.5);
EXPECT_DOUBLE_EQ(gradient[3], 3);
EXPECT_EQ(starts.size(), 7U);
EXPECT_EQ(rows[0], 0);
EXPECT_EQ(row[0], 0);
EXPECT_EQ(col[0], 0);
EXPECT_DOUBLE_EQ(values[0], 23);
EXPECT_EQ(diagonal.num_nonzeros(), 6);
EXPECT_EQ(mixed.rows(), n);
EXPECT_EQ(mixed.cols(), p);

lower.update(H, f, point);                           // the values of an Eigen matrix
EXPECT_DOUBLE_EQ(H.coeff(0, 0), 23);
}

TEST(Guides, Elements) {
const std::int64_t num_variables = 6;
const std::vector<std::array<int, 1>> pins = {{0}};
const Eigen::VectorXd x{{0, 0, 0, 2, 0, 0}}, v{{0, 0, 0, 1, 1, 0}};

std::vector<std::array<int, 6>> springs = {{0, 1, 2, 3, 4, 5}};      // the variables of each element
std::vector<std::array<double, 2>> material = {{3, 1}};  // stiffness, rest length
kappa::ElementSum f(num_variables,
    kappa::elements(springs, material, [](const auto& x, const auto& m) {
      auto a = x[0] - x[3], b = x[1] - x[4], c = x[2] - x[5];
      auto stretch = sqrt(a * a + b * b + c * c) - m[1];
      return 0.5 * m[0] * stretch * stretch;
    }),
    kappa::elements(pins, [](const auto& x) { return 10 * x[0] * x[0]; }));   // another kind

double                      y = kappa::value(f, x);
Eigen::VectorXd             g = kappa::gradient(f, x);
Eigen::SparseMatrix<double> H = kappa::sparse_hessian(f, x);
Eigen::VectorXd             p = kappa::hvp(f, x, v);       // no matrix
auto                        A = kappa::hvp_operator(f, x); // a kappa::SymmetricOperator

EXPECT_DOUBLE_EQ(y, 1.5);
EXPECT_DOUBLE_EQ(g[3], 3);
EXPECT_DOUBLE_EQ(H.coeff(3, 3), 3);       // along the spring k, across it k (1 - L/d)
EXPECT_DOUBLE_EQ(H.coeff(4, 4), 1.5);
EXPECT_DOUBLE_EQ(H.coeff(0, 0), 23);
EXPECT_TRUE(p.isApprox(H * v, 1e-14));
EXPECT_EQ(A.dimension(), 6);

const std::vector<double> at(x.data(), x.data() + 6);
parts(f, at);
}

// clang-format on

}  // namespace
