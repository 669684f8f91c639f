#include "base/blas.h"

#include <dlfcn.h>
#include <dnnl.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>

#include "base/matrix_primitive.h"
#include "base/small_gemm.h"
#include "kappa/error.h"

namespace kappa {
namespace {

// cblas.h's enumerators; the header is not needed for a library loaded at run time.
constexpr int row_major = 101, no_transpose = 111, transposed = 112;

struct OpenBlas {
  using Dgemm = void (*)(int, int, int, int, int, int, double, const double*, int, const double*,
                         int, double, double*, int);
  Dgemm dgemm = nullptr;
  std::string problem;
};

/// An environment variable for the lifetime of the object, where it is not set and `value` not
/// null.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value)
      : name_(value != nullptr && std::getenv(name) == nullptr ? name : nullptr) {
    if (name_ != nullptr) setenv(name_, value, 0);
  }
  ~ScopedVariable() {
    if (name_ != nullptr) unsetenv(name_);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

OpenBlas load_openblas() {
  OpenBlas blas;
  // A host program that already uses the library keeps its settings.
  const bool mine = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD) == nullptr;
  // OpenBLAS starts its threads while it is loaded. Kappa's own threads call it, so it needs none.
  const ScopedVariable threads("OPENBLAS_NUM_THREADS", mine ? "1" : nullptr);
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    blas.problem = reason != nullptr ? reason : "unknown reason";
    return blas;
  }
  blas.dgemm = reinterpret_cast<OpenBlas::Dgemm>(dlsym(library, "cblas_dgemm"));
  auto* set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  if (blas.dgemm == nullptr) blas.problem = "it lacks cblas_dgemm";
  if (mine && set_threads != nullptr) set_threads(1);
  return blas;
}

const OpenBlas& openblas() {
  static const OpenBlas blas = load_openblas();
  if (!blas.problem.empty()) {
    throw Error(ErrorKind::resource, "matrix product: cannot load libopenblas.so.0 (" +
                                         blas.problem +
                                         "); install the package libopenblas0-pthread");
  }
  return blas;
}

// oneDNN spreads a product over OpenMP threads. The limit is a property of the calling thread, so
// that lowering it for the call disturbs nobody. libgomp comes with libdnnl and is looked up rather
// than linked, so that a oneDNN built without OpenMP serves as well.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : saved_(get_ != nullptr ? get_() : 1) {
    if (saved_ != 1) set_(1);
  }
  ~OneOpenMpThread() {
    if (saved_ != 1) set_(saved_);
  }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  static inline const auto get_ =
      reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  static inline const auto set_ =
      reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  int saved_;
};

// Vectors are bound by memory, whoever multiplies them; of small matrices a library mostly sees its
// own overhead. The limits are measured (bench/matmul_bench.cpp).
bool is_small(const GemmShape& s, double limit) {
  return static_cast<double>(s.rows) * static_cast<double>(s.columns) *
             static_cast<double>(s.inner) <=
         limit;
}
// Small and wide enough for blocks in registers, which then beat the libraries' own.
bool is_block(const GemmShape& s, double limit) {
  return is_small(s, limit) && std::min({s.rows, s.columns, s.inner}) >= 4;
}
// Short sums, or few columns, leave a library's packing nothing to pay for.
bool is_thin(const GemmShape& s) {
  return std::min(s.rows, s.columns) >= 4 && s.inner >= 2 && std::min(s.columns, s.inner) <= 16;
}
bool is_vector(const GemmShape& s) { return s.rows == 1 || s.columns == 1; }

void check_extents(const GemmShape& s, std::int64_t lda, std::int64_t ldb, std::int64_t ldc) {
  if (std::max({s.rows, s.columns, s.inner, lda, ldb, ldc}) > std::numeric_limits<int>::max()) {
    throw Error(ErrorKind::resource,
                "matrix product: an extent exceeds 2^31 - 1; split the product");
  }
}

}  // namespace

void gemm(const GemmShape& s, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
          double beta, double* c, std::int64_t ldc) {
  if (is_vector(s) || is_small(s, 8000) || is_block(s, 0x1p20) || is_thin(s) || is_few_dots(s)) {
    return small_gemm(s, a, lda, b, ldb, beta, c, ldc);
  }
  check_extents(s, lda, ldb, ldc);
  const auto n = [](std::int64_t x) { return static_cast<int>(x); };
  openblas().dgemm(row_major, s.transpose_a ? transposed : no_transpose,
                   s.transpose_b ? transposed : no_transpose, n(s.rows), n(s.columns), n(s.inner),
                   1.0, a, n(lda), b, n(ldb), beta, c, n(ldc));
}

void gemm(const GemmShape& s, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          float beta, float* c, std::int64_t ldc) {
  if (is_small(s, 8000) || is_block(s, 0x1p18) || is_few_dots(s)) {
    return small_gemm(s, a, lda, b, ldb, beta, c, ldc);
  }
  check_extents(s, lda, ldb, ldc);
  const OneOpenMpThread one_thread;
  if (wants_matrix_primitive(s, beta) && matrix_primitive(s, a, lda, b, ldb, c, ldc)) return;
  const dnnl_status_t status =
      dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.rows, s.columns, s.inner,
                 1.0F, a, lda, b, ldb, beta, c, ldc);
  if (status != dnnl_success) {
    throw Error(ErrorKind::resource, "matrix product: oneDNN failed with status " +
                                         std::to_string(static_cast<int>(status)));
  }
}

}  // namespace kappa
