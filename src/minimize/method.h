#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kappa/minimize.h"
#include "minimize/archive.h"
#include "minimize/evaluator.h"
#include "minimize/settings.h"
#include "minimize/vectors.h"

namespace kappa {

/// Where a run stands. At every step boundary value and gradient are those of w (of the last
/// mini-batch, for a stochastic method).
struct Iterate {
  Vector w;
  double value = 0;
  Vector gradient;

  explicit Iterate(std::size_t n = 0) : w(n), gradient(n) {}
  void archive(Archive& archive) { archive(w, value, gradient); }
  [[nodiscard]] bool finite() const { return std::isfinite(value) && all_finite(gradient); }
};

/// What one step did.
struct StepReport {
  /// False: nothing better was found and the iterate is as it was; the run stalls.
  bool moved = true;
  /// The step could not be made finite; the run ends there.
  bool not_finite = false;
  double step_norm = 0;
  /// The method's own documented equivalent of the gradient criterion, where it has one.
  struct Criterion {
    const char* name;
    double measured;
    double threshold;
  };
  std::optional<Criterion> critical = {};
  std::vector<Measure> measures = {};
};

/// A method under way. A step commits its result to the iterate at its very end (by swap), so that
/// a step cut short by an exception leaves the iterate as it was.
class Walker {
 public:
  virtual ~Walker() = default;
  virtual StepReport step(Evaluator& evaluator, Iterate& iterate) = 0;

  /// Where the gradient criterion holds: leaves along negative curvature if there is any, and
  /// returns whether it moved. First-order methods have nothing to look with.
  virtual std::optional<StepReport> leave_saddle(Evaluator&, Iterate&) { return {}; }

  /// Lists the state that a resumed run needs.
  virtual void archive(Archive& archive) = 0;

  /// f or its gradient was not finite: shortens the steps to come. False where that cannot help.
  virtual bool back_up() { return false; }

  /// Told once, before the first step: the length of the last step of the method before, or 0.
  virtual void warm_start(double /*step_norm*/) {}
};

/// A method: what it is, and how it starts walking.
struct Method {
  MethodInfo info;
  std::unique_ptr<Walker> (*start)(const Settings& settings);
  /// Throws Error(usage) for settings that contradict each other; may be null.
  void (*check)(const Settings& settings) = nullptr;
  /// No step raises f, so the iterate is always the best point and the driver keeps no copy.
  bool monotone = false;
  /// Runs to the floor of the arithmetic by its own criterion; the absolute gradient criterion then
  /// decides only when the caller set it.
  bool own_criterion = false;
};

/// Declares and opens the function that returns method `id`; found by cmake/make_registry.py.
#define KAPPA_METHOD(id) const Method& kappa_method_##id()

std::span<const Method* const> all_methods();

/// The method of this name, or nullptr.
const Method* find_method(std::string_view name);

template <class WalkerType>
std::unique_ptr<Walker> start_walker(const Settings& settings) {
  return std::make_unique<WalkerType>(settings);
}

}  // namespace kappa
