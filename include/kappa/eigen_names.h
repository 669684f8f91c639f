#pragma once

// The types of Eigen that Kappa takes and gives, named without Eigen's headers: <Eigen/SparseCore>
// takes longer to compile than all of Kappa's declarations. Who makes or reads such a vector or
// matrix includes Eigen, before or after; who passes std::span needs none of it.

// Compilers quote these lines where a type is used that nobody has defined.
// clang-format off
namespace Eigen {
template <class, int, int, int, int, int> class Matrix;  // incomplete? #include <Eigen/Core>
template <class, int, class> class Ref;                  // incomplete? #include <Eigen/Core>
template <int> class InnerStride;                        // incomplete? #include <Eigen/Core>
template <class, int, class> class SparseMatrix;         // incomplete? #include <Eigen/SparseCore>
}  // namespace Eigen
// clang-format on

namespace kappa {

/// Eigen::VectorXd. Eigen's own declarations hold the defaults, so every argument is spelt out.
using VectorXd = Eigen::Matrix<double, -1, 1, 0, -1, 1>;
/// Eigen::MatrixXd, by columns.
using MatrixXd = Eigen::Matrix<double, -1, -1, 0, -1, -1>;
/// Eigen::SparseMatrix<double>, compressed columns.
using SparseMatrixXd = Eigen::SparseMatrix<double, 0, int>;
/// Eigen::Ref<const Eigen::VectorXd>: vectors, columns and maps as they lie, without a copy; other
/// expressions are evaluated into one.
using ConstVectorRef = Eigen::Ref<const VectorXd, 0, Eigen::InnerStride<1>>;

}  // namespace kappa
