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

#include "kappa/detail/assembly.h"
#include "kappa/detail/dispatch.h"
#include "kappa/detail/list.h"
#include "kappa/error.h"
#include "kappa/jet.h"
#include "kappa/operator.h"

namespace kappa {

/// The most variables of one element. A packed Hessian of 32 has 528 entries.
inline constexpr int kMaxElementArity = 32;

/// How an evaluation runs; nothing here changes what it means, but for `projection`.
struct ElementOptions {
  int num_threads = 1;
  /// Of every element's own Hessian, before they are added up. Hessians only.
  Projection projection = Projection::none;
  SimdLevel simd = SimdLevel::automatic;
};

namespace detail {

/// The index side of one kind of elements: what the assembly needs, free of types.
struct TermIndices {
  int arity = 0;
  std::int64_t size = 0;
  std::int64_t stride = 0;     ///< size rounded up to a multiple of 8
  List<std::int32_t> entries;  ///< variable k of element e at [k * stride + e]
  [[nodiscard]] std::int32_t at(int k, std::int64_t e) const {
    return entries[static_cast<std::size_t>(k * stride + e)];
  }
};

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
  static constexpr int kArity = N;

  /// The indices as they were given.
  [[nodiscard]] const detail::TermIndices& indices() const { return indices_; }

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
          throw Error(ErrorKind::value, detail::sentence({"elements: element ", e, ", argument ", k,
                                                          ": index ", index, " is no variable"}));
        }
        indices_.entries[static_cast<std::size_t>(k) * stride + e] =
            static_cast<std::int32_t>(index);
      }
    }
    if constexpr (!std::is_void_v<Data>) {
      if (std::size(*data) != size) {
        throw Error(ErrorKind::shape,
                    detail::sentence({"elements: ", size, " index tuples, but ", std::size(*data),
                                      " records of data; give one for each element"}));
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

  /// Evaluates elements [first, first + count) on the calling thread. `variables` of neighbouring
  /// elements are neighbours where the bits of `consecutive` say so.
  template <detail::Question q>
  void run(std::int64_t first, int count, std::uint64_t consecutive, const double* x,
           const double* v, const detail::ElementOutputs& out, SimdLevel level) const {
    detail::ElementRange<Data> range;
    range.indices = indices_.entries.data() + first;
    range.stride = static_cast<std::ptrdiff_t>(indices_.stride);
    range.consecutive = consecutive;
    range.count = count;
    if (!numbers_.empty()) range.numbers = numbers_.data() + first;
    if constexpr (!detail::is_numeric_data<Data>) range.records = records_.data() + first;
    // Beyond 16 variables the jets of 8 lanes no longer fit in the cache.
    constexpr bool kPacks = detail::is_numeric_data<Data> && N <= 16;
    if constexpr (kPacks) range.count = (count + 7) / 8 * 8;
    detail::run_kernel<q, N, Data, kPacks>(phi_, range, x, v, out, level);
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
  std::int32_t begin = 0;
  std::int32_t end = -1;  ///< one past the last; -1 stands for n
};
/// The part of the Hessian that a SparseHessian holds.
struct HessianLayout {
  Triangle triangle = Triangle::full;
  bool diagonal_only = false;
  /// A block H(rows, cols), e.g. d2f / dstate dparameter. Its indices start at 0. With blocks the
  /// triangle must be full.
  IndexRange rows = {};
  IndexRange cols = {};
};

namespace detail {

/// The type-free part of an ElementSum: indices cut into chunks, and the plan of the gradient.
class ElementLayout {
 public:
  [[gnu::cold]] ElementLayout(std::int64_t num_variables, std::span<const TermIndices* const> terms)
      : num_variables_(num_variables) {
    if (num_variables < 0 || num_variables > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::resource,
                  sentence({"ElementSum: ", num_variables, " variables; at most 2147483647"}));
    }
    std::int64_t num_entries = 0;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      check(*terms[t], t);
      cut(*terms[t], static_cast<int>(t));
      num_entries += terms[t]->size * terms[t]->arity * (terms[t]->arity + 1) / 2;
    }
    if (num_entries >= static_cast<std::int64_t>(kNone) - 1) {
      throw Error(ErrorKind::resource,
                  sentence({"ElementSum: ", num_entries,
                            " entries of element Hessians; at most 4294967293 in one sum"}));
    }
    build_gradient(terms);
  }

  [[nodiscard]] std::int64_t num_variables() const { return num_variables_; }
  [[nodiscard]] const List<Chunk>& chunks() const { return chunks_; }
  [[nodiscard]] const AssemblyPlan& gradient_plan() const { return gradient_plan_; }
  [[nodiscard]] bool touches_all() const { return touches_all_; }

  /// Entries of element Hessians that a chunk holds: what a thread's buffer must have room for.
  static constexpr int kChunkEntries = 12288;
  static int chunk_size(int arity) {
    return std::clamp(kChunkEntries / (arity * (arity + 1) / 2) / 8 * 8, 16, 4096);
  }

 private:
  [[gnu::cold]] void check(const TermIndices& term, std::size_t t) const {
    for (int k = 0; k < term.arity; ++k) {
      for (std::int64_t e = 0; e < term.size; ++e) {
        if (term.at(k, e) >= num_variables_) {
          throw Error(ErrorKind::value,
                      sentence({"ElementSum: term ", t, ", element ", e, ", argument ", k,
                                ": index ", term.at(k, e), " is outside 0..", num_variables_ - 1}));
        }
      }
    }
  }

  [[gnu::cold]] void cut(const TermIndices& term, int t) {
    const int size = chunk_size(term.arity);
    for (std::int64_t first = 0; first < term.size; first += size) {
      Chunk chunk{t, static_cast<int>(std::min<std::int64_t>(size, term.size - first)), first};
      const std::int64_t padded = (chunk.count + 7) / 8 * 8;
      for (int k = 0; k < term.arity; ++k) {
        bool yes = chunk.count == padded;
        for (std::int64_t e = first + 1; yes && e < first + chunk.count; ++e) {
          yes = term.at(k, e) == term.at(k, e - 1) + 1;
        }
        if (yes) chunk.consecutive |= std::uint64_t{1} << k;
      }
      chunks_.push_back(chunk);
    }
  }

  [[gnu::cold]] void build_gradient(std::span<const TermIndices* const> terms) {
    Destinations identity;
    identity.first.resize(static_cast<std::size_t>(num_variables_));
    List<char> touched(identity.first.size(), 0);
    for (std::size_t i = 0; i < identity.first.size(); ++i) {
      identity.first[i] = static_cast<std::uint32_t>(i);
    }
    gradient_plan_ = AssemblyPlan(
        chunks_.size(), identity, [&](std::size_t c, List<AssemblyPlan::Entry>& entries) {
          const Chunk& chunk = chunks_[c];
          const TermIndices& term = *terms[static_cast<std::size_t>(chunk.term)];
          const int stride = (chunk.count + 7) / 8 * 8;
          for (int k = 0; k < term.arity; ++k) {
            for (int e = 0; e < chunk.count; ++e) {
              const auto i = static_cast<std::uint32_t>(term.at(k, chunk.first + e));
              touched[i] = 1;
              entries.push_back({static_cast<std::uint32_t>(k * stride + e), i});
            }
          }
        });
    for (const char yes : touched) touches_all_ = touches_all_ && yes != 0;
  }

  std::int64_t num_variables_ = 0;
  List<Chunk> chunks_;
  AssemblyPlan gradient_plan_;
  bool touches_all_ = true;
};

[[gnu::cold, gnu::noinline]] inline void check_size(const char* call, const char* name,
                                                    std::size_t size, std::int64_t expected) {
  if (static_cast<std::int64_t>(size) != expected) {
    throw Error(ErrorKind::shape,
                sentence({call, ": ", name, " has ", size, " entries, expected ", expected}));
  }
}

}  // namespace detail

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

  [[nodiscard]] std::int64_t rows() const { return num_rows_; }
  [[nodiscard]] std::int64_t cols() const {
    return static_cast<std::int64_t>(column_starts_.size()) - 1;
  }
  [[nodiscard]] std::int64_t num_nonzeros() const {
    return static_cast<std::int64_t>(row_indices_.size());
  }
  /// Compressed columns: rows of column j are row_indices()[column_starts()[j] ..], ascending.
  [[nodiscard]] std::span<const std::int32_t> column_starts() const {
    return {column_starts_.data(), column_starts_.size()};
  }
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
    throw Error(ErrorKind::shape,
                detail::sentence({"SparseHessian::update: the matrix is ", rows_given, " x ",
                                  cols_given, entries_given < 0 ? ", not compressed" : " with ",
                                  entries_given < 0 ? detail::Word("") : entries_given,
                                  entries_given < 0 ? "" : " entries", ", expected a compressed ",
                                  rows(), " x ", cols(), " with ", num_nonzeros(),
                                  " entries; start from matrix()"}));
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
  [[nodiscard]] std::int64_t num_elements() const {
    std::int64_t count = 0;
    for (const auto* indices : term_indices()) count += indices->size;
    return count;
  }

  /// f(x), summed in a fixed order.
  [[nodiscard]] double value(std::span<const double> x, const ElementOptions& options = {}) const {
    check_point("value", x);
    detail::List<double> sums;
    sums.resize(shared_->layout->chunks().size());
    for_chunks<detail::Question::value>(
        x, {}, options, [](int) { return std::size_t{0}; },
        [&](std::size_t c, const Chunk& chunk, const detail::ElementOutputs& out) {
          sums[c] = sum_values(out.value, chunk.count);
        });
    return pairwise_sum(sums.data(), sums.size());
  }

  /// Writes the gradient, n entries, and returns f(x).
  double gradient(std::span<const double> x, std::span<double> gradient,
                  const ElementOptions& options = {}) const {
    check_point("gradient", x);
    detail::check_size("gradient", "gradient", gradient.size(), dimension());
    return assemble_vector<detail::Question::gradient>(x, {}, gradient, options);
  }

  /// product = H(x) v without the Hessian: first-order jets along v, about four gradients.
  void hvp(std::span<const double> x, std::span<const double> v, std::span<double> product,
           const ElementOptions& options = {}) const {
    check_point("hvp", x);
    detail::check_size("hvp", "v", v.size(), dimension());
    detail::check_size("hvp", "product", product.size(), dimension());
    assemble_vector<detail::Question::product>(x, v, product, options);
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
    check_point("check_finite", x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!std::isfinite(x[i])) {
        throw Error(ErrorKind::value,
                    detail::sentence({"x[", i, "] is ", x[i], "; the point must be finite"}));
      }
    }
    for_chunks<detail::Question::value>(
        x, {}, {}, [](int) { return std::size_t{0}; },
        [&](std::size_t, const Chunk& chunk, const detail::ElementOutputs& out) {
          for (int e = 0; e < chunk.count; ++e) {
            if (!std::isfinite(out.value[e])) throw_not_finite(chunk, e, out.value[e], x);
          }
        });
  }

  /// For SparseHessian.
  [[nodiscard]] const std::shared_ptr<const detail::ElementLayout>& layout() const {
    return shared_->layout;
  }
  [[nodiscard]] std::span<const detail::TermIndices* const> term_indices() const {
    return shared_->indices;
  }
  double assemble_hessian(const detail::AssemblyPlan& plan, std::span<const double> x,
                          std::span<double> values, std::span<double> gradient,
                          const ElementOptions& options) const {
    check_point("sparse_hessian", x);
    if (!gradient.empty()) {
      detail::check_size("SparseHessian", "gradient", gradient.size(), dimension());
      if (!shared_->layout->touches_all()) {
        for (double& g : gradient) g = 0;
      }
    }
    const bool with_gradient = !gradient.empty();
    const detail::AssemblyPlan& gradient_plan = shared_->layout->gradient_plan();
    const detail::BufferPool::Loan partials = plan.take_partials();
    const detail::BufferPool::Loan gradient_partials = gradient_plan.take_partials(with_gradient);
    detail::List<double> sums;
    sums.resize(shared_->layout->chunks().size());
    for_chunks<detail::Question::hessian>(
        x, {}, options,
        [&](int arity) {
          return static_cast<std::size_t>((with_gradient ? arity : 0) + arity * (arity + 1) / 2);
        },
        [&](std::size_t c, const Chunk& chunk, const detail::ElementOutputs& out) {
          sums[c] = sum_values(out.value, chunk.count);
          plan.pull(c, out.hessian, values.data(), partials.data());
          if (with_gradient) {
            gradient_plan.pull(c, out.gradient, gradient.data(), gradient_partials.data());
          }
        },
        with_gradient);
    plan.reduce(partials.data(), values.data(), options.num_threads);
    if (with_gradient) {
      gradient_plan.reduce(gradient_partials.data(), gradient.data(), options.num_threads);
    }
    return pairwise_sum(sums.data(), sums.size());
  }

 private:
  using Chunk = detail::Chunk;

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

  void check_point(const char* call, std::span<const double> x) const {
    detail::check_size(call, "x", x.size(), dimension());
  }

  /// Evaluates every chunk into a buffer of its thread, of one value and `entries(arity)` numbers
  /// for each element, and hands it to consume(chunk number, chunk, outputs).
  template <detail::Question q, class Entries, class Consume>
  void for_chunks(std::span<const double> x, std::span<const double> v,
                  const ElementOptions& options, const Entries& entries, const Consume& consume,
                  bool with_gradient = true) const {
    if (options.num_threads < 1) {
      throw Error(ErrorKind::usage, detail::sentence({"num_threads is ", options.num_threads,
                                                      ", expected 1 or more"}));
    }
    const SimdLevel level = detail::simd_level(options.simd);
    std::size_t buffer_size = 0;
    for (const auto* term : term_indices()) {
      const auto stride = static_cast<std::size_t>(
          (std::min<std::int64_t>(detail::ElementLayout::chunk_size(term->arity), term->size) + 7) /
          8 * 8);
      buffer_size = std::max(buffer_size, (1 + entries(term->arity)) * stride);
    }
    const auto& chunks = shared_->layout->chunks();
    detail::parallel_for(static_cast<std::int64_t>(chunks.size()), options.num_threads, [&] {
      return [&, buffer = detail::Buffer(buffer_size)](std::int64_t i) {
        const auto c = static_cast<std::size_t>(i);
        const Chunk& chunk = chunks[c];
        visit(chunk.term, [&](const auto& term) {
          detail::ElementOutputs out;
          out.stride = (chunk.count + 7) / 8 * 8;
          out.projection = options.projection;
          double* next = buffer.data();
          if constexpr (q != detail::Question::product) {
            out.value = next;
            next += out.stride;
          }
          if (q != detail::Question::value && with_gradient) {
            out.gradient = next;
            next += out.stride * std::remove_cvref_t<decltype(term)>::kArity;
          }
          if constexpr (q == detail::Question::hessian) out.hessian = next;
          term.template run<q>(chunk.first, chunk.count, chunk.consecutive, x.data(), v.data(), out,
                               level);
          consume(c, chunk, out);
        });
      };
    });
  }

  template <detail::Question q>
  double assemble_vector(std::span<const double> x, std::span<const double> v,
                         std::span<double> result, const ElementOptions& options) const {
    const detail::AssemblyPlan& plan = shared_->layout->gradient_plan();
    if (!shared_->layout->touches_all()) {
      for (double& g : result) g = 0;
    }
    const detail::BufferPool::Loan partials = plan.take_partials();
    detail::List<double> sums;
    sums.resize(shared_->layout->chunks().size());
    for_chunks<q>(
        x, v, options, [](int arity) { return static_cast<std::size_t>(arity); },
        [&](std::size_t c, const Chunk& chunk, const detail::ElementOutputs& out) {
          if constexpr (q == detail::Question::gradient) {
            sums[c] = sum_values(out.value, chunk.count);
          }
          plan.pull(c, out.gradient, result.data(), partials.data());
        });
    plan.reduce(partials.data(), result.data(), options.num_threads);
    return pairwise_sum(sums.data(), sums.size());
  }

  template <class Visitor>
  void visit(int index, const Visitor& visitor) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((static_cast<int>(I) == index ? visitor(std::get<I>(shared_->terms)) : void()), ...);
    }
    (std::index_sequence_for<Terms...>());
  }

  /// Eight sums side by side: a fixed order that compilers may vectorise.
  static double sum_values(const double* values, int count) {
    double lanes[8] = {};
    int e = 0;
    for (; e + 8 <= count; e += 8) {
      for (int l = 0; l < 8; ++l) lanes[l] += values[e + l];
    }
    for (; e < count; ++e) lanes[e % 8] += values[e];
    return pairwise_sum(lanes, 8);
  }
  static double pairwise_sum(const double* values, std::size_t count) {
    if (count < 8) {
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += values[i];
      return sum;
    }
    return pairwise_sum(values, count / 2) + pairwise_sum(values + count / 2, count - count / 2);
  }

  [[noreturn]] void throw_not_finite(const Chunk& chunk, int e, double value,
                                     std::span<const double> x) const {
    const detail::TermIndices& term = *term_indices()[static_cast<std::size_t>(chunk.term)];
    std::string message = detail::sentence(
        {"term ", chunk.term, ", element ", chunk.first + e, " is ", value, " at"});
    for (int k = 0; k < term.arity; ++k) {
      const std::int32_t i = term.at(k, chunk.first + e);
      message +=
          detail::sentence({k == 0 ? " x[" : ", x[", i, "] = ", x[static_cast<std::size_t>(i)]});
    }
    throw Error(ErrorKind::value, message += "; start where the function is finite");
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
    throw Error(ErrorKind::value, detail::sentence({"SparseHessian: ", name, " ", range.begin, "..",
                                                    range.end, " is no range within 0..", n}));
  };
  check_range("rows", rows);
  check_range("cols", cols);
  const bool block = rows.begin != 0 || rows.end != n || cols.begin != 0 || cols.end != n;
  if (block && wanted.triangle != Triangle::full) {
    throw Error(ErrorKind::usage,
                "SparseHessian: a block of rows and columns has no triangle; leave it full");
  }
  // Entry (r, c), r >= c, of the symmetric matrix: is it wanted as (r, c), and as (c, r)?
  const auto as_lower = [&](std::int32_t r, std::int32_t c) {
    return (r == c || (wanted.triangle != Triangle::upper && !wanted.diagonal_only)) &&
           r >= rows.begin && r < rows.end && c >= cols.begin && c < cols.end;
  };
  const auto as_upper = [&](std::int32_t r, std::int32_t c) {
    return r != c && wanted.triangle != Triangle::lower && !wanted.diagonal_only &&
           c >= rows.begin && c < rows.end && r >= cols.begin && r < cols.end;
  };
  const auto for_entries = [&](const detail::TermIndices& term, const auto& body) {
    for (int a = 0, k = 0; a < term.arity; ++a) {
      for (int b = 0; b <= a; ++b, ++k) {
        for (std::int64_t e = 0; e < term.size; ++e) {
          const std::int32_t i = term.at(a, e);
          const std::int32_t j = term.at(b, e);
          body(k, e, std::max(i, j), std::min(i, j), a != b && i == j);
        }
      }
    }
  };

  // The lower triangle, column by column: count, fill, sort, drop duplicates.
  detail::List<std::size_t> start(static_cast<std::size_t>(n) + 1, 0);
  for (const auto* term : terms) {
    for_entries(*term, [&](int, std::int64_t, std::int32_t r, std::int32_t c, bool) {
      if (as_lower(r, c) || as_upper(r, c)) ++start[static_cast<std::size_t>(c) + 1];
    });
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) start[c + 1] += start[c];
  detail::List<std::uint32_t> row;
  row.resize(start.back());
  {
    detail::List<std::size_t> next = start;
    for (const auto* term : terms) {
      for_entries(*term, [&](int, std::int64_t, std::int32_t r, std::int32_t c, bool) {
        if (as_lower(r, c) || as_upper(r, c))
          row[next[static_cast<std::size_t>(c)]++] = static_cast<std::uint32_t>(r);
      });
    }
  }
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
  const auto for_outputs = [&](const auto& body) {
    for (std::int32_t c = 0; c < n; ++c) {
      for (std::size_t s = start[static_cast<std::size_t>(c)];
           s < start[static_cast<std::size_t>(c) + 1]; ++s) {
        const auto r = static_cast<std::int32_t>(row[s]);
        if (as_lower(r, c)) body(s, r - rows.begin, c - cols.begin);
        if (as_upper(r, c)) body(s, c - rows.begin, r - cols.begin);
      }
    }
  };
  std::size_t num_outputs = 0;
  for_outputs([&](std::size_t, std::int32_t, std::int32_t c) {
    ++column_starts_[static_cast<std::size_t>(c) + 1];
    ++num_outputs;
  });
  if (num_outputs > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error(ErrorKind::resource,
                detail::sentence({"SparseHessian: ", num_outputs, " entries; at most 2147483647"}));
  }
  for (std::size_t c = 1; c < column_starts_.size(); ++c)
    column_starts_[c] += column_starts_[c - 1];
  row_indices_.resize(num_outputs);
  detail::Destinations destinations;
  destinations.first.assign(kept, kNone);
  {
    detail::List<std::int32_t> next = column_starts_;
    for_outputs([&](std::size_t s, std::int32_t r, std::int32_t c) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(c)]++);
      row_indices_[at] = r;
      if (destinations.first[s] == kNone) {
        destinations.first[s] = static_cast<std::uint32_t>(at);
      } else {
        if (destinations.second.empty()) destinations.second.assign(kept, kNone);
        destinations.second[s] = static_cast<std::uint32_t>(at);
      }
    });
  }

  // Where every entry of every element goes.
  const auto& chunks = layout_->chunks();
  plan_ = detail::AssemblyPlan(
      chunks.size(), destinations,
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
              if (!as_lower(r, c) && !as_upper(r, c)) continue;
              const std::uint32_t* begin = row.data() + start[static_cast<std::size_t>(c)];
              const std::uint32_t* end = row.data() + start[static_cast<std::size_t>(c) + 1];
              const auto slot = static_cast<std::uint32_t>(
                  std::lower_bound(begin, end, static_cast<std::uint32_t>(r)) - row.data());
              const auto position = static_cast<std::uint32_t>(k * stride + e);
              entries.push_back({position, slot});
              // A variable that stands twice in an element: H_ab and H_ba fall on one entry.
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
