#include "primitives/sweep.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>

#include "program/builder.h"
#include "runtime/plan.h"
#include "transform/batch.h"
#include "transform/derivatives.h"
#include "transform/linearize.h"
#include "transform/transpose.h"

namespace kappa {
namespace {

/// The one table of tolerances; widening one needs a written reason.
struct Tolerances {
  double identity = 1e-12;     // adjoint, symmetry, order of modes: relative to the norms
  double difference = 1e-10;   // jvp against the difference quotient of order 8
  double slope = 0.1;          // what a Taylor remainder's slope may lack of 2 or 3
  double batch = 1e-13;        // kernels that sum: batched against looped; elementwise: same bits
  double accumulated = 1e-14;  // fused plans, where a kernel accumulates
  double single = 4e-6;        // f32 against f64, relative to the largest entry
} constexpr tolerances;

constexpr std::uint64_t mutation_seed = 7;

using Tensors = std::vector<Tensor>;

/// One sample of one primitive, with everything random about it drawn once.
class Subject {
 public:
  Subject(const Primitive& primitive, const Sample& sample, DType dtype)
      : primitive_(primitive), attributes_(sample.attributes), smooth_(sample.smooth) {
    // Simplification would put the original in place of what is tested.
    primitive_.simplify = nullptr;
    std::mt19937_64 random(mutation_seed);
    Builder builder;
    std::vector<Array> operands;
    for (std::size_t i = 0; i < sample.operands.size(); ++i) {
      Type type = sample.operands[i];
      if (is_floating(type.dtype)) type.dtype = dtype;
      const auto [low, high] =
          i < sample.ranges.size() ? sample.ranges[i] : std::pair<double, double>(-2, 2);
      operands.push_back(builder.input(type));
      varying_.push_back(is_floating(type.dtype));
      point_.push_back(draw(type, low, high, random));
      directions_.push_back(draw(type, -1, 1, random));
      others_.push_back(draw(type, -1, 1, random));
    }
    // A primitive without operands has no builder to lend; it is only evaluated.
    const Array result = builder.apply(primitive_, attributes_, operands);
    program_ = builder.finish(std::vector<Array>{result});
    if (is_floating(type().dtype)) weights_ = draw(type(), 0.5, 1.5, random);
    differentiable_ = smooth_ && is_floating(type().dtype) &&
                      std::find(varying_.begin(), varying_.end(), true) != varying_.end();
  }
  // The program refers to the primitive held here.
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] const Primitive& primitive() const { return primitive_; }
  [[nodiscard]] const Attributes& attributes() const { return attributes_; }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const Type& type() const { return program_.output_type(0); }
  [[nodiscard]] const std::vector<bool>& varying() const { return varying_; }
  [[nodiscard]] bool differentiable() const { return differentiable_; }
  [[nodiscard]] const Tensors& point() const { return point_; }
  [[nodiscard]] const Tensor& weights() const { return weights_; }

  [[nodiscard]] Tensors directions() const { return varying_of(directions_); }
  [[nodiscard]] Tensors other_directions() const { return varying_of(others_); }

  /// point + step * directions, in double.
  [[nodiscard]] Tensors moved(double step) const {
    Tensors result;
    for (std::size_t i = 0; i < point_.size(); ++i) {
      if (!varying_[i]) {
        result.push_back(point_[i]);
        continue;
      }
      Tensor x(point_[i].type());
      for (std::int64_t k = 0; k < x.size(); ++k) {
        x.set(k, point_[i].at(k) + step * directions_[i].at(k));
      }
      result.push_back(x);
    }
    return result;
  }

  /// sum(w * (P + P^2/2)): a scalar with a Hessian even where P is linear.
  [[nodiscard]] Program scalar() const {
    Builder builder;
    const auto inputs = add_inputs(builder, program_);
    const Array y = inline_program(builder, program_, inputs)[0];
    const Array total = sum(builder.constant(weights_) * (y + 0.5 * (y * y)));
    return builder.finish(std::vector<Array>{total});
  }

  static std::vector<Array> add_inputs(Builder& builder, const Program& program) {
    std::vector<Array> inputs;
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      inputs.push_back(builder.input(program.input_type(i)));
    }
    return inputs;
  }

  // One value from each of as many strata of the range, in random order: values lie apart, so that
  // no step of a difference quotient changes which is the greatest.
  static Tensor draw(const Type& type, double low, double high, std::mt19937_64& random) {
    std::uniform_real_distribution<double> place(0.35, 0.65);
    Tensor result(type);
    std::vector<std::int64_t> strata(static_cast<std::size_t>(result.size()));
    std::iota(strata.begin(), strata.end(), 0);
    std::shuffle(strata.begin(), strata.end(), random);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      const double at = static_cast<double>(strata[static_cast<std::size_t>(i)]) + place(random);
      const double x = low + (high - low) * at / static_cast<double>(result.size());
      if (type.dtype == DType::boolean) {
        result.set(i, x > (low + high) / 2);
      } else {
        // Rounded to single precision, so that f32 and f64 see the same point.
        result.set(i, type.dtype == DType::i64 ? std::floor(x) : static_cast<float>(x));
      }
    }
    return result;
  }

 private:
  [[nodiscard]] Tensors varying_of(const Tensors& all) const {
    Tensors result;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (varying_[i]) result.push_back(all[i]);
    }
    return result;
  }

  Primitive primitive_;
  Attributes attributes_;
  bool smooth_;
  bool differentiable_ = false;
  Program program_;
  std::vector<bool> varying_;
  Tensors point_, directions_, others_;
  Tensor weights_;
};

Tensors joined(Tensors a, const Tensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

double dot(const Tensors& a, const Tensors& b) {
  long double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::int64_t k = 0; k < a[i].size(); ++k) {
      sum += static_cast<long double>(a[i].at(k)) * b[i].at(k);
    }
  }
  return static_cast<double>(sum);
}

double norm(const Tensors& a) { return std::sqrt(dot(a, a)); }

double distance(const Tensors& a, const Tensors& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::int64_t k = 0; k < a[i].size(); ++k) {
      const double difference = a[i].at(k) - b[i].at(k);
      sum += difference * difference;
    }
  }
  return std::sqrt(sum);
}

bool same_bits(const Tensors& a, const Tensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// The checks of one subject; each states one property.
class Sweep {
 public:
  Sweep(const Subject& subject, SweepReport& report) : s_(subject), report_(report) {}

  void run() {
    derivative_is_difference_quotient();
    taylor_remainders();
    hessian_identities();
    adjoint_identity();
    transpose_of_linear_operands();
    batched_is_looped();
    fused_is_unfused();
  }

 private:
  void check(bool good, const char* property, const std::string& detail) {
    ++report_.num_checks;
    if (good) return;
    report_.failures.push_back(fmt::format("[{}] {} ({}): {}", s_.primitive().name, property,
                                           s_.attributes().print(), detail));
  }

  void close(double difference, double scale, double tolerance, const char* property) {
    check(difference <= tolerance * scale, property,
          fmt::format("differs by {:.3g} of {:.3g}, allowed {:.1g}", difference, scale, tolerance));
  }

  [[nodiscard]] Tensors jvp() const {
    const Tensors both =
        evaluate(jacobian_product(s_.program(), s_.varying()), joined(s_.point(), s_.directions()));
    return {both.back()};
  }

  // Weights of the central difference quotient of order 8, over steps 1 to 4.
  void derivative_is_difference_quotient() {
    if (!s_.differentiable()) return;
    constexpr double step = 0x1p-10;
    constexpr double weights[] = {4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
    const Tensors tangent = jvp();
    Tensor quotient(s_.type());
    for (int k = 0; k < 4; ++k) {
      const Tensor ahead = evaluate(s_.program(), s_.moved((k + 1) * step))[0];
      const Tensor behind = evaluate(s_.program(), s_.moved(-(k + 1) * step))[0];
      for (std::int64_t i = 0; i < quotient.size(); ++i) {
        const double sum = k == 0 ? 0 : quotient.at(i);
        quotient.set(i, sum + weights[k] * (ahead.at(i) - behind.at(i)) / step);
      }
    }
    const double scale = norm(tangent) + 1e-3 * norm(evaluate(s_.program(), s_.point()));
    close(distance(tangent, {quotient}), scale, tolerances.difference,
          "jvp is the limit of difference quotients");
  }

  // |remainder(h)| falls as h^order: the median over neighbouring steps, since a remainder that
  // happens to change sign misleads one or two of them. What is rounding need not fall further.
  void slope(const std::function<double(double)>& remainder, std::span<const double> steps,
             double order, double rounding, const char* property) {
    std::vector<double> slopes;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
      const double coarse = remainder(steps[i]), fine = remainder(steps[i + 1]);
      if (fine <= rounding) break;
      slopes.push_back(std::log(coarse / fine) / std::log(steps[i] / steps[i + 1]));
    }
    std::sort(slopes.begin(), slopes.end());
    const double median = slopes.empty() ? order : slopes[slopes.size() / 2];
    check(median > order - tolerances.slope, property, fmt::format("slope {:.3f}", median));
  }

  void taylor_remainders() {
    if (!s_.differentiable()) return;
    const Tensors value = evaluate(s_.program(), s_.point());
    const Tensors tangent = jvp();
    const double steps[] = {0x1p-8, 0x1p-10, 0x1p-12, 0x1p-14, 0x1p-16};
    slope(
        [&](double h) {
          const Tensor moved = evaluate(s_.program(), s_.moved(h))[0];
          Tensor model(s_.type());
          for (std::int64_t i = 0; i < model.size(); ++i) {
            model.set(i, value[0].at(i) + h * tangent[0].at(i));
          }
          return distance({moved}, {model});
        },
        steps, 2, 1e-14 * (norm(value) + norm(tangent)), "Taylor remainder of the jvp");

    const Program f = s_.scalar();
    const Tensors all =
        evaluate(hessian_product(f, s_.varying()), joined(s_.point(), s_.directions()));
    const auto n = static_cast<std::ptrdiff_t>(s_.directions().size());
    const double curvature = dot({all.begin(), all.begin() + n}, s_.directions());
    const double at = all[static_cast<std::size_t>(n)].at(0);
    const double rise = dot({all.begin() + n + 1, all.end()}, s_.directions());
    const double fine_steps[] = {0x1p-8, 0x1p-9, 0x1p-10, 0x1p-11, 0x1p-12};
    const double size = std::abs(at) + std::abs(rise) + std::abs(curvature) + norm(value);
    slope(
        [&](double h) {
          const double moved = evaluate(f, s_.moved(h))[0].at(0);
          return std::abs(moved - at - h * rise - h * h / 2 * curvature);
        },
        fine_steps, 3, 1e-14 * size, "Taylor remainder with the Hessian");
  }

  void hessian_identities() {
    if (!s_.differentiable()) return;
    const Program f = s_.scalar();
    const auto n = static_cast<std::ptrdiff_t>(s_.directions().size());
    const Program product = hessian_product(f, s_.varying());
    const auto apply = [&](const Tensors& v) {
      const Tensors all = evaluate(product, joined(s_.point(), v));
      return Tensors(all.begin(), all.begin() + n);
    };
    const Tensors v = s_.directions(), u = s_.other_directions();
    const Tensors hv = apply(v), hu = apply(u);
    close(std::abs(dot(u, hv) - dot(v, hu)), norm(u) * norm(hv) + norm(v) * norm(hu),
          tolerances.identity, "Hessian is symmetric");

    // The gradient of the directional derivative, along the same direction.
    const Program forward = jacobian_product(f, s_.varying());
    Builder builder;
    const auto inputs = Subject::add_inputs(builder, forward);
    std::vector<bool> varying = s_.varying();
    varying.resize(inputs.size(), false);
    const std::vector<Array> cotangents = {Array{}, builder.scalar(1, f.output_type(0).dtype)};
    const auto gradient = pull_back(builder, forward, inputs, varying, cotangents);
    std::vector<Array> outputs;
    for (std::size_t i = 0; i < varying.size(); ++i) {
      if (!varying[i]) continue;
      outputs.push_back(gradient[i].defined() ? gradient[i] : zeros_like(inputs[i]));
    }
    const Tensors other = evaluate(builder.finish(outputs), joined(s_.point(), v));
    close(distance(hv, other), norm(hv) + norm(other), tolerances.identity,
          "forward over reverse is reverse over forward");
  }

  void adjoint_identity() {
    if (!s_.differentiable()) return;
    Builder builder;
    const auto inputs = Subject::add_inputs(builder, s_.program());
    const std::vector<Array> cotangents = {builder.constant(s_.weights())};
    const auto pulled = pull_back(builder, s_.program(), inputs, s_.varying(), cotangents);
    std::vector<Array> outputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!s_.varying()[i]) continue;
      outputs.push_back(pulled[i].defined() ? pulled[i] : zeros_like(inputs[i]));
    }
    const Tensors back = evaluate(builder.finish(outputs), s_.point());
    const Tensors tangent = jvp();
    const double scale = norm(tangent) * norm({s_.weights()}) + norm(back) * norm(s_.directions());
    close(std::abs(dot(tangent, {s_.weights()}) - dot(back, s_.directions())), scale,
          tolerances.identity, "<J v, u> = <v, J'u>");
  }

  // The transpose rule itself, in each operand the primitive claims to be linear in.
  void transpose_of_linear_operands() {
    if (!s_.primitive().transpose || !is_floating(s_.type().dtype)) return;
    for (std::size_t i = 0; i < s_.point().size(); ++i) {
      if (!s_.varying()[i]) continue;
      std::vector<bool> linear = linear_with(i);
      if (linear.empty()) continue;
      Builder builder;
      auto inputs = Subject::add_inputs(builder, s_.program());
      const Array like = inputs[i];
      inputs[i] = Array{};
      const std::vector<Array> cotangents = {builder.constant(s_.weights())};
      const Array back = transpose_linear(builder, s_.program(), inputs, cotangents)[i];
      const Program pulled =
          builder.finish(std::vector<Array>{back.defined() ? back : zeros_like(like)});
      const Tensors cotangent = evaluate(pulled, s_.point());
      // The part of the image that operand i makes: the operands linear beside it are zero.
      linear[i] = false;
      const Tensors image = evaluate(s_.program(), multiplied(linear, 0));
      const Tensors x = {s_.point()[i]};
      const double scale = norm(image) * norm({s_.weights()}) + norm(cotangent) * norm(x);
      close(std::abs(dot(image, {s_.weights()}) - dot(cotangent, x)), scale, tolerances.identity,
            "transpose in one linear operand");
    }
  }

  // The operands in which the result is jointly linear with operand i, by declaration or, where the
  // primitive has rules of its own, by trial. Empty: not linear in i.
  [[nodiscard]] std::vector<bool> linear_with(std::size_t i) const {
    const std::size_t n = s_.point().size();
    std::vector<bool> alone(n, false), declared(n, false);
    alone[i] = true;
    for (const int k : s_.primitive().linear_operands) declared[static_cast<std::size_t>(k)] = true;
    if (!s_.primitive().linear_operands.empty())
      return declared[i] ? declared : std::vector<bool>{};
    if (s_.primitive().bilinear) return i < 2 ? alone : std::vector<bool>{};
    for (const std::vector<bool>& set : {s_.varying(), alone}) {
      const Tensor once = evaluate(s_.program(), multiplied(set, 1))[0];
      const Tensor twice = evaluate(s_.program(), multiplied(set, 2))[0];
      bool linear = once.size() > 0;
      for (std::int64_t k = 0; k < once.size(); ++k) linear &= twice.at(k) == 2 * once.at(k);
      if (linear) return set;
    }
    return {};
  }

  // The point with the flagged operands multiplied.
  [[nodiscard]] Tensors multiplied(const std::vector<bool>& flags, double factor) const {
    Tensors point = s_.point();
    for (std::size_t i = 0; i < point.size(); ++i) {
      if (!flags[i]) continue;
      Tensor x(point[i].type());
      for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, factor * point[i].at(k));
      point[i] = x;
    }
    return point;
  }

  void batched_is_looped() {
    if (!s_.primitive().elementwise() && !s_.primitive().batch) return;
    constexpr std::int64_t extent = 3;
    const std::size_t n = s_.point().size();
    // All operands at once, and each alone.
    for (std::size_t which = 0; which <= (n > 1 ? n : 0); ++which) {
      std::vector<bool> flags(n, which == 0);
      if (which > 0) flags[which - 1] = true;
      Tensors stacked;
      std::vector<Tensors> rows(extent);
      for (std::size_t i = 0; i < n; ++i) {
        const Tensor& x = s_.point()[i];
        if (!flags[i]) {
          stacked.push_back(x);
          for (Tensors& row : rows) row.push_back(x);
          continue;
        }
        Type type = x.type();
        type.shape.insert(type.shape.begin(), extent);
        Tensor all(type);
        for (std::int64_t r = 0; r < extent; ++r) {
          const Tensor row = rotated(x, r);
          std::memcpy(all.data() + r * row.bytes(), row.data(),
                      static_cast<std::size_t>(row.bytes()));
          rows[static_cast<std::size_t>(r)].push_back(row);
        }
        stacked.push_back(all);
      }
      const Tensor batched = evaluate(batch(s_.program(), flags, extent), stacked)[0];
      const std::int64_t size = num_elements(s_.type().shape);
      const std::int64_t bytes = size * size_of(s_.type().dtype);
      for (std::int64_t r = 0; r < extent; ++r) {
        const Tensor looped = evaluate(s_.program(), rows[static_cast<std::size_t>(r)])[0];
        Tensor slice(s_.type());
        std::memcpy(slice.data(), batched.data() + r * bytes, static_cast<std::size_t>(bytes));
        if (s_.primitive().elementwise()) {
          check(slice == looped, "batched is looped, bit for bit", fmt::format("row {}", r));
        } else {
          close(distance({slice}, {looped}), norm({looped}), tolerances.batch, "batched is looped");
        }
      }
    }
  }

  // Another valid operand: the elements of x shifted round by r places.
  static Tensor rotated(const Tensor& x, std::int64_t r) {
    Tensor result(x.type());
    for (std::int64_t i = 0; i < x.size(); ++i) result.set(i, x.at((i + r) % x.size()));
    return result;
  }

  // Derivatives exercise more than the primitive alone. The value is left out: its sum over all
  // elements ends the fused pass in an order of its own, and what is tested is the rest.
  void fused_is_unfused() {
    if (!s_.differentiable()) {
      same_by_runtime(s_.program(), s_.point());
      return;
    }
    const Program product = hessian_product(s_.scalar(), s_.varying());
    Builder builder;
    std::vector<Array> outputs =
        inline_program(builder, product, Subject::add_inputs(builder, product));
    outputs.erase(outputs.begin() + static_cast<std::ptrdiff_t>(s_.directions().size()));
    same_by_runtime(builder.finish(outputs), joined(s_.point(), s_.directions()));
  }

  // Kernels that accumulate add their products into a sum as they are made, or sum as a pass goes:
  // another order of terms than node by node.
  void same_by_runtime(const Program& program, const Tensors& inputs) {
    const bool accumulates =
        std::any_of(program.nodes.begin(), program.nodes.end(),
                    [](const Node& node) { return node.primitive->kernel.accumulates; });
    const Tensors reference = evaluate(program, inputs);
    check(same_bits(run_plan(program, inputs, false), reference),
          "unfused plan gives the bits of the reference", "outputs differ");
    const Tensors fused = run_plan(program, inputs, true);
    if (accumulates) {
      close(distance(fused, reference), norm(reference), tolerances.accumulated,
            "fused plan gives the reference");
    } else {
      check(same_bits(fused, reference), "fused plan gives the bits of the reference",
            "outputs differ");
    }
  }

  static Tensors run_plan(const Program& program, const Tensors& inputs, bool fuse) {
    const Plan plan(program, {.fuse = fuse});
    std::vector<const void*> in;
    for (const Tensor& x : inputs) in.push_back(x.data());
    Tensors outputs;
    std::vector<void*> out;
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
      outputs.emplace_back(program.output_type(i));
      out.push_back(outputs.back().data());
    }
    const auto workspace = allocate_aligned(plan.workspace_bytes());
    plan.run(in.data(), out.data(), workspace.get());
    return outputs;
  }

  const Subject& s_;
  SweepReport& report_;
};

// The f32 kernel on the same numbers.
void single_is_double(const Primitive& primitive, const Sample& sample, SweepReport& report) {
  const Subject wide(primitive, sample, DType::f64), narrow(primitive, sample, DType::f32);
  if (!is_floating(wide.type().dtype)) return;
  const Tensors expected = evaluate(wide.program(), wide.point());
  const Tensors got = evaluate(narrow.program(), narrow.point());
  ++report.num_checks;
  double largest = 0, worst = 0;
  for (std::int64_t i = 0; i < expected[0].size(); ++i) {
    largest = std::max(largest, std::abs(expected[0].at(i)));
    worst = std::max(worst, std::abs(expected[0].at(i) - got[0].at(i)));
  }
  if (worst > tolerances.single * largest) {
    report.failures.push_back(fmt::format("[{}] f32 against f64: differs by {:.3g} of {:.3g}",
                                          primitive.name, worst, largest));
  }
}

// Arguments whose squares are in range, so that a derivative fails for no other reason than its
// own.
constexpr double special_values[] = {0.0,      -0.0,   1.0,     -1.0,     0.5,       -3.0, 0x1p-60,
                                     -0x1p-60, 0x1p60, -0x1p60, INFINITY, -INFINITY, NAN};

// Where a finite value has no derivative, or an infinite one of no sign.
bool derivative_may_fail(const Primitive& primitive, std::span<const double> at,
                         std::size_t operand) {
  if (primitive.name == "atan2") return at[0] == 0 && at[1] == 0;  // no angle at the origin
  if (primitive.name == "pow") return operand == 1 && at[0] < 0;   // finite at integers alone
  return false;
}

double single_value(const Program& program, std::span<const double> at, std::size_t output) {
  Tensors inputs;
  for (std::size_t i = 0; i < at.size(); ++i) {
    inputs.push_back(Tensor::scalar(at[i], program.input_type(i).dtype));
  }
  return evaluate(program, inputs)[output].at(0);
}

// Elementwise: NaN gives NaN, f32 fails where f64 does, and a derivative fails only with its value.
void special_values_agree(const Primitive& primitive, SweepReport& report) {
  if (!primitive.elementwise()) return;
  const std::vector<Sample> samples = primitive.samples();
  Sample sample = samples[0];
  for (Type& type : sample.operands) type.shape = {};
  const Subject wide(primitive, sample, DType::f64), narrow(primitive, sample, DType::f32);
  const auto& varying = wide.varying();
  if (!is_floating(wide.type().dtype) ||
      std::find(varying.begin(), varying.end(), true) == varying.end()) {
    return;
  }
  const auto check = [&](bool good, const char* property, const std::string& detail) {
    ++report.num_checks;
    if (!good)
      report.failures.push_back(fmt::format("[{}] {}: {}", primitive.name, property, detail));
  };
  const std::size_t n = sample.operands.size();
  std::vector<Program> tangents;  // by each operand alone
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<bool> alone(n, false);
    alone[i] = varying[i];
    tangents.push_back(jacobian_product(wide.program(), alone));
  }
  const std::size_t num_values = std::size(special_values);
  std::size_t num_points = 1;
  for (std::size_t i = 0; i < n; ++i) num_points *= num_values;
  for (std::size_t index = 0; index < num_points; ++index) {
    std::vector<double> at;
    for (std::size_t rest = index, i = 0; i < n; ++i, rest /= num_values) {
      at.push_back(special_values[rest % num_values]);
    }
    const std::string text = fmt::format("at ({})", fmt::join(at, ", "));
    const double value = single_value(wide.program(), at, 0);
    const double narrow_value = single_value(narrow.program(), at, 0);
    const auto rounded = static_cast<double>(static_cast<float>(value));
    const bool agree =
        std::isfinite(rounded) && std::isfinite(narrow_value)
            ? std::abs(narrow_value - rounded) <= tolerances.single * std::abs(rounded) + 1e-37
        : std::isnan(value) ? std::isnan(narrow_value)
                            : narrow_value == rounded;
    check(agree, "f32 at special values",
          fmt::format("{}: {} against {}", text, narrow_value, value));
    const bool all_nan = std::all_of(at.begin(), at.end(), [](double x) { return std::isnan(x); });
    if (all_nan) check(std::isnan(value), "NaN gives NaN", fmt::format("gives {}", value));
    if (!std::isfinite(value) ||
        !std::all_of(at.begin(), at.end(), [](double x) { return std::isfinite(x); })) {
      continue;
    }
    std::vector<double> inputs = at;
    inputs.push_back(1);
    for (std::size_t i = 0; i < n; ++i) {
      if (!varying[i] || derivative_may_fail(primitive, at, i)) continue;
      check(!std::isnan(single_value(tangents[i], inputs, 1)),
            "derivative fails only with its value", fmt::format("{}, operand {}", text, i));
    }
  }
}

// Elementwise primitives on shapes with no, one and many elements.
std::vector<Sample> with_other_sizes(const Primitive& primitive) {
  if (!primitive.samples) return {};
  std::vector<Sample> samples = primitive.samples();
  if (!primitive.elementwise() || samples.empty()) return samples;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{2, 0, 3}, Shape{67}}) {
    Sample sample = samples[0];
    for (Type& type : sample.operands) type.shape = shape;
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace

std::string SweepReport::text() const {
  std::string all;
  for (const std::string& line : failures) all += line + "\n";
  return all;
}

SweepReport sweep(const Primitive& primitive) {
  SweepReport report;
  for (const Sample& sample : with_other_sizes(primitive)) {
    const Subject subject(primitive, sample, DType::f64);
    Sweep(subject, report).run();
    single_is_double(primitive, sample, report);
  }
  special_values_agree(primitive, report);
  return report;
}

namespace {

constexpr double mutation = 1 + 1e-6;

bool has_tangent_rule(const Primitive& primitive) {
  return primitive.jvp || primitive.bilinear || !primitive.linear_operands.empty();
}

Array scaled(const Array& x) { return x.defined() && is_floating(x.dtype()) ? mutation * x : x; }

/// The tangent by the original's rule, whatever its form, times `mutation`.
Primitive with_scaled_tangent(const Primitive& original) {
  const auto plain = std::make_shared<Primitive>(original);
  plain->simplify = nullptr;
  Primitive mutant = original;
  mutant.linear_operands = {};
  mutant.bilinear = false;
  mutant.jvp = [plain](const Call& call, std::span<const Array> tangents) {
    Builder builder;
    std::vector<Array> inputs;
    for (const Array& x : call.operands) inputs.push_back(builder.input(x.node().type));
    const Array result = builder.apply(*plain, call.attributes, inputs);
    const Program program = builder.finish(std::vector<Array>{result});
    return scaled(linearize(*call.result.builder(), program, call.operands, tangents).tangents[0]);
  };
  return mutant;
}

Primitive with_scaled_transpose(const Primitive& original) {
  Primitive mutant = original;
  mutant.transpose = [rule = original.transpose](const Call& call, int index,
                                                 const Array& cotangent) {
    return scaled(rule(call, index, cotangent));
  };
  return mutant;
}

Primitive with_scaled_batch(const Primitive& original) {
  Primitive mutant = original;
  mutant.batch = [rule = original.batch](const Call& call, const std::vector<bool>& batched,
                                         std::int64_t extent) {
    return scaled(rule(call, batched, extent));
  };
  return mutant;
}

bool has_floating_result(const Primitive& primitive) {
  for (const Sample& sample : primitive.samples()) {
    if (is_floating(primitive.infer(sample.attributes, sample.operands).dtype)) return true;
  }
  return false;
}

class PrimitiveTest : public testing::TestWithParam<const Primitive*> {};

TEST_P(PrimitiveTest, Sweep) {
  const SweepReport report = sweep(*GetParam());
  EXPECT_TRUE(report.ok()) << report.text();
  // A primitive without operands has nothing to draw.
  if (GetParam()->num_operands != 0) {
    EXPECT_GT(report.num_checks, 0);
  }
}

// The sweep itself: every rule, scaled by 1 + 1e-6, is found out.
TEST_P(PrimitiveTest, MutationIsFound) {
  const Primitive& primitive = *GetParam();
  if (has_tangent_rule(primitive)) {
    EXPECT_FALSE(sweep(with_scaled_tangent(primitive)).ok()) << "tangent rule";
  }
  if (primitive.transpose) {
    EXPECT_FALSE(sweep(with_scaled_transpose(primitive)).ok()) << "transpose rule";
  }
  if (primitive.batch && has_floating_result(primitive)) {
    EXPECT_FALSE(sweep(with_scaled_batch(primitive)).ok()) << "batch rule";
  }
}

INSTANTIATE_TEST_SUITE_P(All, PrimitiveTest,
                         testing::ValuesIn(all_primitives().begin(), all_primitives().end()),
                         [](const auto& each) { return each.param->name; });

TEST(Registry, EveryPrimitiveSaysWhatItIs) {
  for (const Primitive* primitive : all_primitives()) {
    SCOPED_TRACE(primitive->name);
    EXPECT_FALSE(primitive->doc.empty());
    EXPECT_TRUE(primitive->infer);
    if (primitive->num_operands != 0) {
      EXPECT_TRUE(primitive->samples && !primitive->samples().empty());
    }
    const Kernel& kernel = primitive->kernel;
    EXPECT_TRUE(kernel.tile || kernel.view || kernel.run);
    EXPECT_EQ(find_primitive(primitive->name), primitive);
  }
}

}  // namespace
}  // namespace kappa
