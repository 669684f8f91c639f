#include "base/matrix_primitive.h"

#include <dnnl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

namespace kappa {
namespace {

// The kernel for one shape, and what it is called with.
class MatrixPrimitive {
 public:
  MatrixPrimitive(const GemmShape& s, std::int64_t lda, std::int64_t ldb, std::int64_t ldc) {
    const dnnl_dims_t a{s.rows, s.inner}, b{s.inner, s.columns}, c{s.rows, s.columns};
    const dnnl_dims_t a_strides{lda, 1}, c_strides{ldc, 1};
    const dnnl_dims_t b_strides{s.transpose_b ? 1 : ldb, s.transpose_b ? ldb : 1};
    dnnl_memory_desc_t a_desc, b_desc, c_desc;
    dnnl_matmul_desc_t product;
    dnnl_primitive_attr_t attributes = nullptr;
    dnnl_primitive_desc_t description = nullptr;
    const char* implementation = nullptr;
    // Where any of this fails, sgemm does the work.
    const bool made =
        dnnl_memory_desc_init_by_strides(&a_desc, 2, a, dnnl_f32, a_strides) == dnnl_success &&
        dnnl_memory_desc_init_by_strides(&b_desc, 2, b, dnnl_f32, b_strides) == dnnl_success &&
        dnnl_memory_desc_init_by_strides(&c_desc, 2, c, dnnl_f32, c_strides) == dnnl_success &&
        dnnl_matmul_desc_init(&product, &a_desc, &b_desc, nullptr, &c_desc) == dnnl_success &&
        dnnl_primitive_attr_create(&attributes) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) ==
            dnnl_success &&
        dnnl_primitive_desc_create(&description, &product, attributes, engine(), nullptr) ==
            dnnl_success &&
        dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &implementation) ==
            dnnl_success &&
        std::string_view(implementation).starts_with("brg") &&
        dnnl_primitive_create(&primitive_, description) == dnnl_success &&
        dnnl_memory_create(&memory_[0], &a_desc, engine(), DNNL_MEMORY_NONE) == dnnl_success &&
        dnnl_memory_create(&memory_[1], &b_desc, engine(), DNNL_MEMORY_NONE) == dnnl_success &&
        dnnl_memory_create(&memory_[2], &c_desc, engine(), DNNL_MEMORY_NONE) == dnnl_success;
    if (made) {
      const dnnl_memory_desc_t* scratch =
          dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
      usable_ =
          dnnl_memory_create(&memory_[3], scratch, engine(), DNNL_MEMORY_NONE) == dnnl_success;
      scratch_bytes_ = dnnl_memory_desc_get_size(scratch);
    }
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
  }
  ~MatrixPrimitive() {
    for (dnnl_memory_t memory : memory_) dnnl_memory_destroy(memory);
    dnnl_primitive_destroy(primitive_);
  }
  MatrixPrimitive(const MatrixPrimitive&) = delete;
  MatrixPrimitive& operator=(const MatrixPrimitive&) = delete;

  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] std::size_t scratch_bytes() const { return scratch_bytes_; }
  dnnl_status_t run(const float* a, const float* b, float* c, void* scratch) const {
    void* const handles[] = {const_cast<float*>(a), const_cast<float*>(b), c, scratch};
    const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
    dnnl_exec_arg_t arguments[4];
    for (int i = 0; i < 4; ++i) {
      dnnl_memory_set_data_handle(memory_[i], handles[i]);
      arguments[i] = {names[i], memory_[i]};
    }
    return dnnl_primitive_execute(primitive_, stream(), 4, arguments);
  }

 private:
  dnnl_primitive_t primitive_ = nullptr;
  dnnl_memory_t memory_[4] = {};
  std::size_t scratch_bytes_ = 0;
  bool usable_ = false;

  static dnnl_engine_t engine() {
    static dnnl_engine_t made = [] {
      dnnl_engine_t e = nullptr;
      dnnl_engine_create(&e, dnnl_cpu, 0);
      return e;
    }();
    return made;
  }
  static dnnl_stream_t stream() {
    thread_local struct Stream {
      dnnl_stream_t s = nullptr;
      Stream() { dnnl_stream_create(&s, engine(), dnnl_stream_default_flags); }
      ~Stream() { dnnl_stream_destroy(s); }
    } made;
    return made.s;
  }
};

}  // namespace

// By bench/matmul_bench.cpp: sgemm is the faster one for narrow results of an untransposed B.
bool wants_matrix_primitive(const GemmShape& s, float beta) {
  return beta == 0 && !s.transpose_a && s.rows >= 64 && s.inner >= 16 &&
         (s.transpose_b ? s.columns >= 64 : s.columns >= 256);
}

bool matrix_primitive(const GemmShape& s, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, float* c, std::int64_t ldc) {
  using Key = std::array<std::int64_t, 7>;
  constexpr std::size_t max_kept = 256;
  thread_local std::map<Key, std::unique_ptr<MatrixPrimitive>> kept;
  thread_local std::unique_ptr<std::byte[]> scratch;
  thread_local std::size_t scratch_bytes = 0;
  const Key key{s.rows, s.columns, s.inner, s.transpose_b ? 1 : 0, lda, ldb, ldc};
  auto found = kept.find(key);
  if (found == kept.end()) {
    if (kept.size() >= max_kept) kept.clear();
    found = kept.emplace(key, std::make_unique<MatrixPrimitive>(s, lda, ldb, ldc)).first;
  }
  const MatrixPrimitive& primitive = *found->second;
  if (!primitive.usable()) return false;
  constexpr std::size_t alignment = 64;
  if (primitive.scratch_bytes() + alignment > scratch_bytes) {
    scratch_bytes = primitive.scratch_bytes() + alignment;
    scratch = std::make_unique<std::byte[]>(scratch_bytes);
  }
  std::byte* aligned = scratch.get();
  aligned += (alignment - reinterpret_cast<std::uintptr_t>(aligned) % alignment) % alignment;
  return primitive.run(a, b, c, aligned) == dnnl_success;
}

}  // namespace kappa
