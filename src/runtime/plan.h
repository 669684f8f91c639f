#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "program/program.h"

namespace kappa {

struct PlanOptions {
  /// Fuse elementwise work and accumulate matrix products in place. Off: one step a node, for
  /// tests.
  bool fuse = true;
};

/// An executable program: immutable, shareable between threads.
///
/// Elementwise work is fused into passes over tiles that fit the first-level cache, buffers have
/// fixed places in one arena, and matrix products and other library work write where their readers
/// look. Running allocates nothing. The same inputs give the same bits on every run and thread.
class Plan {
 public:
  explicit Plan(Program program, const PlanOptions& options = {});
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  [[nodiscard]] const Program& program() const;
  /// Bytes of workspace that `run` needs; one workspace a thread.
  [[nodiscard]] std::int64_t workspace_bytes() const;
  /// Floating-point operations of one run.
  [[nodiscard]] double flops() const;

  /// Inputs and outputs are contiguous arrays of the program's types; an input that no step reads
  /// may be null. Outputs do not overlap inputs. `workspace` is aligned to 64 bytes.
  void run(const void* const* inputs, void* const* outputs, void* workspace) const;

  /// The steps as text, for debugging and for tests that count them.
  [[nodiscard]] std::string describe() const;
  /// As run; the seconds that each step takes are added to `seconds` (num_steps() entries).
  void run_timed(const void* const* inputs, void* const* outputs, void* workspace,
                 double* seconds) const;
  [[nodiscard]] std::size_t num_steps() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace kappa
