#include "curvature/tall_storage.h"

#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace kappa {

TallStorage::TallStorage(std::int64_t size) {
  constexpr std::size_t large_page = std::size_t{2} << 20;
  constexpr std::size_t cache_line = 64;
  std::size_t bytes = static_cast<std::size_t>(size) * sizeof(double);
  const std::size_t alignment = bytes >= large_page ? large_page : cache_line;
  bytes = (bytes / alignment + 1) * alignment;
  data_.reset(static_cast<double*>(std::aligned_alloc(alignment, bytes)));
  if (data_ == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (alignment == large_page) madvise(data_.get(), bytes, MADV_HUGEPAGE);  // a hint: may fail
#endif
}

void TallStorage::Free::operator()(double* p) const { std::free(p); }

}  // namespace kappa
