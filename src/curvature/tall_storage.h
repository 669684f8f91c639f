#pragma once

#include <cstdint>
#include <memory>

namespace kappa {

/// Uninitialised room for `size` doubles, page by page as it is touched, in large pages where the
/// system has them: a basis of hundreds of megabytes is read in every step.
class TallStorage {
 public:
  explicit TallStorage(std::int64_t size);
  [[nodiscard]] double* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(double* p) const;
  };
  std::unique_ptr<double, Free> data_;
};

}  // namespace kappa
