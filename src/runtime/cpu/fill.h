#pragma once

#include <cstdint>

namespace kappa {

/// Writes the same element `count` times: what a broadcast reads.
void fill_elements(std::uint64_t* target, std::int64_t count, std::uint64_t value);
void fill_elements(double* target, std::int64_t count, double value);
void fill_elements(std::uint32_t* target, std::int64_t count, std::uint32_t value);

}  // namespace kappa
