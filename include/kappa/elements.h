#pragma once
#define KAPPA_ELEMENTS

// f(x) = sum over elements e of phi(x[indices_e], data_e): functions of many variables that are
// sums of small terms, with sparse second derivatives at nearly the speed of hand-written code.
//
//   std::vector<std::array<int, 2>> pairs = ...;
//   auto f = kappa::ElementSum(n, kappa::elements(pairs, [](const auto& x) {
//     auto t = x[1] - x[0] * x[0];
//     return 100 * t * t + (1 - x[0]) * (1 - x[0]);
//   }));
//   kappa::SparseHessian hessian(f, {.triangle = kappa::Triangle::lower});   // pattern, once
//   Eigen::SparseMatrix<double> H = hessian.matrix(f, x);                    // values, at every x
//
// Everything is const and safe from several threads; results have the same bits for any number of
// threads. docs/elements.md has the details.

#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "kappa/detail/element_layout.h"
#include "kappa/error.h"
#include "kappa/jet.h"
#include "kappa/operator.h"

namespace kappa {

/// The most variables of one element. A packed Hessian of 32 has 528 entries.
inline constexpr int kMaxElementArity = 32;

/// How an evaluation runs; nothing here changes what it means, but for `projection`.
struct ElementOptions {
  int num_threads = 1;  ///< of this call, at least 1; results have the same bits for any number
  /// Of every element's own Hessian, before they are added up. Hessians only.
  Projection projection = Projection::none;
  SimdLevel simd = SimdLevel::automatic;  ///< at most what the machine has
};

namespace detail {

template <class Range>
using IndexTuple = std::remove_cvref_t<decltype(std::declval<const Range&>()[0])>;
template <class Tuple>
inline constexpr int tuple_arity = -1;
template <class I, std::size_t N>
inline constexpr int tuple_arity<std::array<I, N>> = static_cast<int>(N);
template <class X>
requires requires { X::SizeAtCompileTime; }
inline constexpr int tuple_arity<X> = X::SizeAtCompileTime;

}  // namespace detail

/// Elements of one kind, made by elements().
template <int N, class Data, class Phi>
class Term {
 public:
  static constexpr int kArity = N;  ///< variables of an element

  /// The indices as they were given.
  [[nodiscard]] const detail::TermIndices& indices() const { return indices_; }

  /// Copies indices and data. Throws Error(value) for an index below 0 or beyond 2^31 - 1,
  /// Error(shape) where there are not as many records as index tuples.
  template <class Indices, class DataRange>
  [[gnu::cold]] Term(const Indices& indices, [[maybe_unused]] const DataRange* data, Phi phi)
      : phi_(std::move(phi)) {
    indices_.arity = N;
    indices_.size = static_cast<std::int64_t>(std::size(indices));
    indices_.stride = (indices_.size + 7) / 8 * 8;
    const auto size = static_cast<std::size_t>(indices_.size);
    const auto stride = static_cast<std::size_t>(indices_.stride);
    indices_.entries.resize(static_cast<std::size_t>(N) * stride);
    // The ragged end repeats the last element; what it computes there is never read.
    for (std::size_t e = 0; e < stride && size > 0; ++e) {
      const auto& tuple = indices[std::min(e, size - 1)];
      for (int k = 0; k < N; ++k) {
        const auto index = static_cast<long long>(tuple[static_cast<std::size_t>(k)]);
        if (index < 0 || index > std::numeric_limits<std::int32_t>::max()) {
          detail::fail(ErrorKind::value, {"elements: element ", e, ", argument ", k, ": index ",
                                          index, " is no variable"});
        }
        indices_.entries[static_cast<std::size_t>(k) * stride + e] =
            static_cast<std::int32_t>(index);
      }
    }
    if constexpr (!std::is_void_v<Data>) {
      if (std::size(*data) != size) {
        detail::fail(ErrorKind::shape, {"elements: ", size, " index tuples, but ", std::size(*data),
                                        " records of data; give one for each element"});
      }
      if constexpr (detail::array_size<Data> >= 0) {
        constexpr auto kSize = static_cast<std::size_t>(detail::array_size<Data>);
        numbers_.resize(kSize * stride);
        for (std::size_t e = 0; e < stride && size > 0; ++e) {
          for (std::size_t m = 0; m < kSize; ++m) {
            numbers_[m * stride + e] = (*data)[std::min(e, size - 1)][m];
          }
        }
      } else if constexpr (std::is_same_v<Data, double>) {
        numbers_.resize(stride);
        for (std::size_t e = 0; e < stride && size > 0; ++e) {
          numbers_[e] = (*data)[std::min(e, size - 1)];
        }
      } else {
        records_.assign(std::begin(*data), std::end(*data));
      }
    }
  }

  /// These elements and the kernel for a question.
  template <detail::Question q>
  [[nodiscard]] detail::TermCall call(SimdLevel level) const {
    // Beyond 16 variables the jets of 8 lanes no longer fit in the cache.
    constexpr bool kPacks = detail::is_numeric_data<Data> && N <= 16;
    detail::TermCall call;
    call.indices = &indices_;
    call.phi = &phi_;
    call.numbers = numbers_.data();
    if constexpr (!detail::is_numeric_data<Data>) {
      call.records = records_.data();
      call.record_size = sizeof(Data);
    }
    call.packs = kPacks;
    call.kernel = detail::kernel_for<q, N, Data, kPacks, Phi>(level);
    return call;
  }

 private:
  struct NoRecords {};
  Phi phi_;
  detail::TermIndices indices_;
  detail::List<double> numbers_;  ///< number m of element e at [m * stride + e]
  std::conditional_t<detail::is_numeric_data<Data>, NoRecords,
                     std::vector<std::conditional_t<std::is_void_v<Data>, char, Data>>>
      records_;
};

namespace detail {

/// The number of variables of an element, or 0 after one sentence about what is wrong.
template <class Indices>
consteval int check_indices() {
  constexpr int arity = tuple_arity<IndexTuple<Indices>>;
  static_assert(arity > 0,
                "kappa: indices must hold one std::array<int, N> for each element, so that the "
                "number of variables of an element is known to the compiler");
  static_assert(arity <= kMaxElementArity,
                "kappa: an element has at most 32 variables; split it, or use kappa::trace");
  return arity > 0 && arity <= kMaxElementArity ? arity : 0;
}
inline auto no_elements() {
  const std::array<std::array<int, 1>, 0> none = {};
  return Term<1, void, NoElement>(none, static_cast<const int*>(nullptr), NoElement());
}

}  // namespace detail

/// The elements phi(x[indices[0]]), phi(x[indices[1]]), ...
///
/// indices: a vector, span or array of std::array<int, N>, N <= 32. phi: called with N jets,
/// returns a jet; see docs/elements.md for what control flow costs.
template <class Indices, class Phi>
auto elements(const Indices& indices, Phi phi) {
  constexpr int arity = detail::check_indices<Indices>();
  if constexpr (arity > 0) {
    if constexpr (detail::check_phi<arity, void, Phi>()) {
      return Term<arity, void, Phi>(indices, static_cast<const int*>(nullptr), std::move(phi));
    } else {
      return detail::no_elements();
    }
  } else {
    return detail::no_elements();
  }
}

/// The elements phi(x[indices[e]], data[e]).
///
/// data: one record for each element. A double or a std::array<double, M> is evaluated in SIMD
/// lanes (phi sees a number-like value, or M of them); records of any other type are handed over as
/// they are and their elements evaluated one at a time.
template <class Indices, class DataRange, class Phi>
auto elements(const Indices& indices, const DataRange& data, Phi phi) {
  constexpr int arity = detail::check_indices<Indices>();
  using Data = std::remove_cvref_t<decltype(data[0])>;
  if constexpr (arity > 0) {
    if constexpr (detail::check_phi<arity, Data, Phi>()) {
      return Term<arity, Data, Phi>(indices, &data, std::move(phi));
    } else {
      return detail::no_elements();
    }
  } else {
    return detail::no_elements();
  }
}

/// Which entries of the Hessian a SparseHessian holds.
enum class Triangle { full, lower, upper };
/// The indices begin, begin + 1, ..., end - 1.
struct IndexRange {
  std::int32_t begin = 0;  ///< the first
  std::int32_t end = -1;   ///< one past the last; -1 stands for n
};
/// The part of the Hessian that a SparseHessian holds.
struct HessianLayout {
  Triangle triangle = Triangle::full;  ///< the diagonal is in all three
  bool diagonal_only = false;          ///< H_ii alone, one for each variable of an element
  /// A block H(rows, cols), e.g. d2f / dstate dparameter. Its indices start at 0. With blocks the
  /// triangle must be full.
  IndexRange rows = {};
  IndexRange cols = {};  ///< of that block
};

/// The pattern of a Hessian, or of a part of it, and the way every element entry takes into it.
/// Built once from the indices alone; good for that ElementSum and its copies.
///
/// Cost: linear in the entries of the element Hessians. 1e6 elements of 2 variables: about 0.3 s.
class SparseHessian {
 public:
  /// Of the ElementSum f, the part that `layout` names.
  template <class Sum>
  explicit SparseHessian(const Sum& f, const HessianLayout& layout = {})
      : SparseHessian(f.layout(), f.term_indices(), layout) {}

  /// n, or the length of the range `rows`.
  [[nodiscard]] std::int64_t rows() const { return num_rows_; }
  /// n, or the length of the range `cols`.
  [[nodiscard]] std::int64_t cols() const {
    return static_cast<std::int64_t>(column_starts_.size()) - 1;
  }
  /// Entries of the pattern; some may be zero at a point.
  [[nodiscard]] std::int64_t num_nonzeros() const {
    return static_cast<std::int64_t>(row_indices_.size());
  }
  /// Compressed columns: rows of column j are row_indices()[column_starts()[j] ..], ascending.
  [[nodiscard]] std::span<const std::int32_t> column_starts() const {
    return {column_starts_.data(), column_starts_.size()};
  }
  /// The row of each value, num_nonzeros() entries.
  [[nodiscard]] std::span<const std::int32_t> row_indices() const {
    return {row_indices_.data(), row_indices_.size()};
  }

  /// Coordinates of the values, for solvers that take triplets: num_nonzeros() entries each.
  void coordinates(std::span<std::int32_t> row, std::span<std::int32_t> col) const {
    detail::check_size("SparseHessian::coordinates", "row", row.size(), num_nonzeros());
    detail::check_size("SparseHessian::coordinates", "col", col.size(), num_nonzeros());
    for (std::size_t k = 0; k < row.size(); ++k) row[k] = row_indices_[k];
    for (std::size_t j = 0; j + 1 < column_starts_.size(); ++j) {
      for (auto k = column_starts_[j]; k < column_starts_[j + 1]; ++k) {
        col[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(j);
      }
    }
  }

  /// Writes the values at x, in the order of row_indices(), into the caller's memory.
  template <class Sum>
  void values(const Sum& f, std::span<const double> x, std::span<double> out,
              const ElementOptions& options = {}) const {
    evaluate(f, x, out, {}, options);
  }

  /// Value, gradient (n entries) and Hessian values in one pass; an empty span is not written.
  /// Returns f(x).
  template <class Sum>
  double evaluate(const Sum& f, std::span<const double> x, std::span<double> values,
                  std::span<double> gradient, const ElementOptions& options = {}) const {
    detail::check_size("SparseHessian", "values", values.size(), num_nonzeros());
    if (f.layout() != layout_) {
      throw Error(ErrorKind::usage,
                  "SparseHessian: made for another ElementSum; construct one from this function");
    }
    return f.assemble_hessian(plan_, x, values, gradient, options);
  }

  /// The Hessian at x as an Eigen matrix.
  template <class Sum>
  Eigen::SparseMatrix<double> matrix(const Sum& f, const Eigen::Ref<const Eigen::VectorXd>& x,
                                     const ElementOptions& options = {}) const {
    Eigen::SparseMatrix<double> h(num_rows_, cols());
    h.resizeNonZeros(num_nonzeros());
    fill_pattern(h.outerIndexPtr(), h.innerIndexPtr());
    update(h, f, x, options);
    return h;
  }

  /// Overwrites the values of a matrix that matrix() made.
  template <class Sum>
  void update(Eigen::SparseMatrix<double>& h, const Sum& f,
              const Eigen::Ref<const Eigen::VectorXd>& x,
              const ElementOptions& options = {}) const {
    check_matrix(h.rows(), h.cols(), h.isCompressed() ? h.outerIndexPtr()[h.outerSize()] : -1);
    values(f, {x.data(), static_cast<std::size_t>(x.size())}, {h.valuePtr(), row_indices_.size()},
           options);
  }

 private:
  [[gnu::cold]] SparseHessian(std::shared_ptr<const detail::ElementLayout> layout,
                              std::span<const detail::TermIndices* const> terms,
                              const HessianLayout& wanted);

  void fill_pattern(std::int32_t* starts, std::int32_t* rows) const {
    std::memcpy(starts, column_starts_.data(), column_starts_.size() * sizeof(std::int32_t));
    if (row_indices_.empty()) return;
    std::memcpy(rows, row_indices_.data(), row_indices_.size() * sizeof(std::int32_t));
  }
  void check_matrix(std::int64_t rows_given, std::int64_t cols_given,
                    std::int64_t entries_given) const {
    if (rows_given == rows() && cols_given == cols() && entries_given == num_nonzeros()) return;
    detail::fail(ErrorKind::shape,
                 {"SparseHessian::update: the matrix is ", rows_given, " x ", cols_given,
                  entries_given < 0 ? ", not compressed" : " with ",
                  entries_given < 0 ? detail::Word("") : entries_given,
                  entries_given < 0 ? "" : " entries", ", expected a compressed ", rows(), " x ",
                  cols(), " with ", num_nonzeros(), " entries; start from matrix()"});
  }

  std::shared_ptr<const detail::ElementLayout> layout_;
  std::int64_t num_rows_ = 0;
  detail::List<std::int32_t> column_starts_;
  detail::List<std::int32_t> row_indices_;
  detail::AssemblyPlan plan_;
};

/// f(x) = sum over kinds and elements of phi(x[indices_e], data_e).
///
/// An immutable value: construction checks every index and cuts the elements into chunks, the rest
/// is const. Throws Error(value) for an index outside 0..n-1, naming term, element and argument.
template <class... Terms>
class ElementSum {
 public:
  /// n, and the kinds of elements, each made by elements().
  explicit ElementSum(std::int64_t num_variables, Terms... terms)
      : shared_(std::make_shared<Shared>(num_variables, std::move(terms)...)) {}

  /// n, the number of variables.
  [[nodiscard]] std::int64_t dimension() const { return shared_->layout->num_variables(); }
  /// Elements of all kinds.
  [[nodiscard]] std::int64_t num_elements() const {
    std::int64_t count = 0;
    for (const auto* indices : term_indices()) count += indices->size;
    return count;
  }

  /// f(x), summed in a fixed order.
  [[nodiscard]] double value(std::span<const double> x, const ElementOptions& options = {}) const {
    return run<detail::Question::value>("value", x, options, [](detail::Evaluation&) {});
  }

  /// Writes the gradient, n entries, and returns f(x).
  double gradient(std::span<const double> x, std::span<double> gradient,
                  const ElementOptions& options = {}) const {
    return run<detail::Question::gradient>("gradient", x, options, [&](detail::Evaluation& e) {
      detail::check_size("gradient", "gradient", gradient.size(), dimension());
      e.gradient = gradient.data();
    });
  }

  /// product = H(x) v without the Hessian: first-order jets along v, about four gradients.
  void hvp(std::span<const double> x, std::span<const double> v, std::span<double> product,
           const ElementOptions& options = {}) const {
    run<detail::Question::product>("hvp", x, options, [&](detail::Evaluation& e) {
      detail::check_size("hvp", "v", v.size(), dimension());
      detail::check_size("hvp", "product", product.size(), dimension());
      e.v = v.data();
      e.values = false;
      e.gradient = product.data();
    });
  }

  /// The full pattern and its plan, built at the first call and kept.
  [[nodiscard]] const SparseHessian& full_hessian() const {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->full == nullptr) shared_->full = new SparseHessian(*this);
    return *shared_->full;
  }

  /// Throws Error(value) with the first element that is not finite at x, its variables and their
  /// values: for a start where f is NaN.
  void check_finite(std::span<const double> x) const {
    run<detail::Question::value>("check_finite", x, {}, [&](detail::Evaluation& e) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isfinite(x[i])) continue;
        detail::fail(ErrorKind::value, {"x[", i, "] is ", x[i], "; the point must be finite"});
      }
      e.check_finite = true;
    });
  }

  /// For SparseHessian.
  [[nodiscard]] const std::shared_ptr<const detail::ElementLayout>& layout() const {
    return shared_->layout;
  }
  /// The indices of each kind, for SparseHessian.
  [[nodiscard]] std::span<const detail::TermIndices* const> term_indices() const {
    return shared_->indices;
  }
  /// f(x), with the values of the Hessian where `plan` puts them and, unless that span is empty,
  /// the gradient: what SparseHessian::evaluate does.
  double assemble_hessian(const detail::AssemblyPlan& plan, std::span<const double> x,
                          std::span<double> values, std::span<double> gradient,
                          const ElementOptions& options) const {
    return run<detail::Question::hessian>("sparse_hessian", x, options, [&](detail::Evaluation& e) {
      if (!gradient.empty()) {
        detail::check_size("SparseHessian", "gradient", gradient.size(), dimension());
        e.gradient = gradient.data();
      }
      e.hessian_plan = &plan;
      e.hessian = values.data();
      e.projection = options.projection;
    });
  }

 private:
  /// What copies share.
  struct Shared {
    [[gnu::cold]] explicit Shared(std::int64_t num_variables, Terms... given)
        : terms(std::move(given)...),
          indices(std::apply(
              [](const auto&... term) {
                return std::array<const detail::TermIndices*, sizeof...(Terms)>{&term.indices()...};
              },
              terms)),
          layout(new detail::ElementLayout(num_variables, indices)) {}
    ~Shared() { delete full; }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    std::tuple<Terms...> terms;
    std::array<const detail::TermIndices*, sizeof...(Terms)> indices;
    std::shared_ptr<const detail::ElementLayout> layout;  // `full` keeps it too
    std::mutex mutex;
    const SparseHessian* full = nullptr;
  };

  /// Evaluates what `ask` adds to the value.
  template <detail::Question q, class Ask>
  double run(const char* call, std::span<const double> x, const ElementOptions& options,
             const Ask& ask) const {
    detail::check_size(call, "x", x.size(), dimension());
    const SimdLevel level = detail::simd_level(options.simd);
    const auto terms = std::apply(
        [level](const auto&... term) {
          return std::array<detail::TermCall, sizeof...(Terms)>{term.template call<q>(level)...};
        },
        shared_->terms);
    detail::Evaluation evaluation{.layout = *shared_->layout, .terms = terms};
    evaluation.x = x.data();
    evaluation.num_threads = options.num_threads;
    ask(evaluation);
    return evaluation.run();
  }

  std::shared_ptr<Shared> shared_;
};

// ---- the same questions as of every other function, with Eigen ---------------------------------

namespace detail {
inline std::span<const double> span_of(const Eigen::Ref<const Eigen::VectorXd>& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}
}  // namespace detail

/// f(x).
template <class... Terms>
double value(const ElementSum<Terms...>& f, const Eigen::Ref<const Eigen::VectorXd>& x,
             const ElementOptions& options = {}) {
  return f.value(detail::span_of(x), options);
}
/// The gradient at x, n entries.
template <class... Terms>
Eigen::VectorXd gradient(const ElementSum<Terms...>& f, const Eigen::Ref<const Eigen::VectorXd>& x,
                         const ElementOptions& options = {}) {
  Eigen::VectorXd g(f.dimension());
  f.gradient(detail::span_of(x), {g.data(), static_cast<std::size_t>(g.size())}, options);
  return g;
}
/// H(x) v, n entries.
template <class... Terms>
Eigen::VectorXd hvp(const ElementSum<Terms...>& f, const Eigen::Ref<const Eigen::VectorXd>& x,
                    const Eigen::Ref<const Eigen::VectorXd>& v,
                    const ElementOptions& options = {}) {
  Eigen::VectorXd product(f.dimension());
  f.hvp(detail::span_of(x), detail::span_of(v),
        {product.data(), static_cast<std::size_t>(product.size())}, options);
  return product;
}
/// H(x), both triangles. The pattern is found at the first call and kept in f.
template <class... Terms>
Eigen::SparseMatrix<double> sparse_hessian(const ElementSum<Terms...>& f,
                                           const Eigen::Ref<const Eigen::VectorXd>& x,
                                           const ElementOptions& options = {}) {
  return f.full_hessian().matrix(f, x, options);
}

/// H(x) as a symmetric operator, for eigenvalues and iterative solvers. Keeps copies of f (cheap,
/// it is shared) and x.
template <class... Terms>
class ElementHessianOperator final : public SymmetricOperator {
 public:
  /// Throws Error(shape) where x does not have f.dimension() entries.
  ElementHessianOperator(ElementSum<Terms...> f, std::span<const double> x,
                         const ElementOptions& options = {})
      : f_(std::move(f)), x_(x.begin(), x.end()), options_(options) {
    detail::check_size("hvp_operator", "x", x.size(), f_.dimension());
  }
  [[nodiscard]] std::int64_t dimension() const override { return f_.dimension(); }
  void apply(std::int64_t num_directions, const double* directions,
             double* products) const override {
    const auto n = static_cast<std::size_t>(dimension());
    for (std::int64_t j = 0; j < num_directions; ++j) {
      const auto offset = static_cast<std::ptrdiff_t>(n) * j;
      f_.hvp(x_, {directions + offset, n}, {products + offset, n}, options_);
    }
  }

 private:
  ElementSum<Terms...> f_;
  std::vector<double> x_;
  ElementOptions options_;
};
template <class... Terms>
ElementHessianOperator<Terms...> hvp_operator(const ElementSum<Terms...>& f,
                                              const Eigen::Ref<const Eigen::VectorXd>& x,
                                              const ElementOptions& options = {}) {
  return ElementHessianOperator<Terms...>(f, detail::span_of(x), options);
}

// ---- the pattern -------------------------------------------------------------------------------

inline SparseHessian::SparseHessian(std::shared_ptr<const detail::ElementLayout> layout,
                                    std::span<const detail::TermIndices* const> terms,
                                    const HessianLayout& wanted)
    : layout_(std::move(layout)) {
  using detail::kNone;
  const auto n = static_cast<std::int32_t>(layout_->num_variables());
  const auto whole = [n](IndexRange r) { return r.end == -1 ? IndexRange{r.begin, n} : r; };
  const IndexRange rows = whole(wanted.rows);
  const IndexRange cols = whole(wanted.cols);
  const auto check_range = [n](const char* name, IndexRange range) {
    if (range.begin >= 0 && range.end >= range.begin && range.end <= n) return;
    detail::fail(ErrorKind::value, {"SparseHessian: ", name, " ", range.begin, "..", range.end,
                                    " is no range within 0..", n});
  };
  check_range("rows", rows);
  check_range("cols", cols);
  const bool block = rows.begin != 0 || rows.end != n || cols.begin != 0 || cols.end != n;
  if (block && wanted.triangle != Triangle::full) {
    throw Error(ErrorKind::usage,
                "SparseHessian: a block of rows and columns has no triangle; leave it full");
  }
  // Entry (r, c), r >= c, of the symmetric matrix: 1 where it is wanted as (r, c), 2 as (c, r).
  struct Wanted {
    IndexRange rows, cols;
    bool lower, upper;  // beside the diagonal
    [[gnu::noinline]] int operator()(std::int32_t r, std::int32_t c) const {
      const auto inside = [this](std::int32_t row, std::int32_t col) {
        return row >= rows.begin && row < rows.end && col >= cols.begin && col < cols.end;
      };
      return ((r == c || lower) && inside(r, c) ? 1 : 0) |
             (r != c && upper && inside(c, r) ? 2 : 0);
    }
  };
  const Wanted which{rows, cols, wanted.triangle != Triangle::upper && !wanted.diagonal_only,
                     wanted.triangle != Triangle::lower && !wanted.diagonal_only};

  // The lower triangle, column by column: count, fill, sort, drop duplicates.
  detail::List<std::size_t> start(static_cast<std::size_t>(n) + 1, 0);
  detail::List<std::size_t> next;
  detail::List<std::uint32_t> row;
  for (const bool fill : {false, true}) {
    for (const detail::TermIndices* term : terms) {
      for (int a = 0; a < term->arity; ++a) {
        for (int b = 0; b <= a; ++b) {
          for (std::int64_t e = 0; e < term->size; ++e) {
            const std::int32_t r = std::max(term->at(a, e), term->at(b, e));
            const std::int32_t c = std::min(term->at(a, e), term->at(b, e));
            if (which(r, c) == 0) continue;
            if (fill) {
              row[next[static_cast<std::size_t>(c)]++] = static_cast<std::uint32_t>(r);
            } else {
              ++start[static_cast<std::size_t>(c) + 1];
            }
          }
        }
      }
    }
    if (fill) break;
    for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) start[c + 1] += start[c];
    next = start;
    row.resize(start.back());
  }
  next = {};
  std::size_t kept = 0;
  for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) {
    const std::size_t begin = start[c];
    const std::size_t end = start[c + 1];
    std::sort(row.data() + begin, row.data() + end);
    start[c] = kept;
    for (std::size_t s = begin; s < end; ++s) {
      if (s == begin || row[s] != row[kept - 1]) row[kept++] = row[s];
    }
  }
  start[static_cast<std::size_t>(n)] = kept;
  row.resize(kept);
  row.shrink_to_fit();

  // The wanted matrix. Lower columns in ascending order give every column its rows ascending.
  num_rows_ = rows.end - rows.begin;
  column_starts_.assign(static_cast<std::size_t>(cols.end - cols.begin) + 1, 0);
  detail::Destinations destinations;
  detail::List<std::int32_t> next_row;
  for (const bool fill : {false, true}) {
    std::size_t num_outputs = 0;
    for (std::int32_t c = 0; c < n; ++c) {
      for (std::size_t s = start[static_cast<std::size_t>(c)];
           s < start[static_cast<std::size_t>(c) + 1]; ++s) {
        const auto r = static_cast<std::int32_t>(row[s]);
        const int as = which(r, c);
        for (const bool upper : {false, true}) {
          if ((as & (upper ? 2 : 1)) == 0) continue;
          ++num_outputs;
          const auto j = static_cast<std::size_t>((upper ? r : c) - cols.begin);
          if (!fill) {
            ++column_starts_[j + 1];
            continue;
          }
          const std::int32_t at = next_row[j]++;
          row_indices_[static_cast<std::size_t>(at)] = (upper ? c : r) - rows.begin;
          detail::List<std::uint32_t>& place =
              destinations.first[s] == kNone ? destinations.first : destinations.second;
          if (place.empty()) place.assign(kept, kNone);
          place[s] = static_cast<std::uint32_t>(at);
        }
      }
    }
    if (fill) break;
    if (num_outputs > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      detail::fail(ErrorKind::resource,
                   {"SparseHessian: ", num_outputs, " entries; at most 2147483647"});
    }
    for (std::size_t c = 1; c < column_starts_.size(); ++c) {
      column_starts_[c] += column_starts_[c - 1];
    }
    next_row = column_starts_;
    row_indices_.resize(num_outputs);
    destinations.first.assign(kept, kNone);
  }
  next_row = {};

  // Where every entry of every element goes.
  const auto& chunks = layout_->chunks();
  plan_.build(chunks.size(), destinations,
              [&](std::size_t chunk_number, detail::List<detail::AssemblyPlan::Entry>& entries) {
                const detail::Chunk& chunk = chunks[chunk_number];
                const detail::TermIndices& term = *terms[static_cast<std::size_t>(chunk.term)];
                const int stride = (chunk.count + 7) / 8 * 8;
                for (int a = 0, k = 0; a < term.arity; ++a) {
                  for (int b = 0; b <= a; ++b, ++k) {
                    for (int e = 0; e < chunk.count; ++e) {
                      const std::int32_t i = term.at(a, chunk.first + e);
                      const std::int32_t j = term.at(b, chunk.first + e);
                      const std::int32_t r = std::max(i, j);
                      const std::int32_t c = std::min(i, j);
                      if (which(r, c) == 0) continue;
                      const std::uint32_t* begin = row.data() + start[static_cast<std::size_t>(c)];
                      const std::uint32_t* end =
                          row.data() + start[static_cast<std::size_t>(c) + 1];
                      const auto slot = static_cast<std::uint32_t>(
                          std::lower_bound(begin, end, static_cast<std::uint32_t>(r)) - row.data());
                      const auto position = static_cast<std::uint32_t>(k * stride + e);
                      entries.push_back({position, slot});
                      // A variable that stands twice in an element: H_ab and H_ba fall on one
                      // entry.
                      if (a != b && i == j) entries.push_back({position, slot});
                    }
                  }
                }
              });
}

}  // namespace kappa

#ifdef KAPPA_SOLVE
#include "kappa/detail/solve_elements.h"
#endif
