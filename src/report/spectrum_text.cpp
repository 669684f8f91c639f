#include "report/spectrum_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/analysis_text.h"

namespace kappa {
namespace {

std::vector<double> eigenvector(const Analysis& a, std::size_t i) {
  const auto size = static_cast<std::size_t>(a.objective.num_parameters);
  const auto first = a.eigenvalues->vectors.begin() + static_cast<std::ptrdiff_t>(i * size);
  std::vector<double> v(first, first + static_cast<std::ptrdiff_t>(size));
  // A sign that reads well: the largest entry is positive; rounding residue becomes 0.
  const auto largest = std::max_element(
      v.begin(), v.end(), [](double x, double y) { return std::fabs(x) < std::fabs(y) - 1e-12; });
  const double sign = *largest < 0 ? -1 : 1;
  for (double& x : v) x = std::fabs(x) < 1e-12 ? 0 : sign * x;
  return v;
}

double zeroed(double value, double bound) { return std::fabs(value) <= bound ? 0 : value; }

void write_pairs(Text& text, const char* what, const std::vector<Eigenvalue>& pairs) {
  if (pairs.empty()) return;
  std::size_t width = 0;
  std::vector<std::string> values;
  for (const Eigenvalue& e : pairs) {
    values.push_back(number_within(e.value, e.error_bound));
    width = std::max(width, values.back().size());
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    text.line(fmt::format("{:<9}{:>{}}  +- {:.1e}{}", i == 0 ? what : "", values[i], width,
                          pairs[i].error_bound, pairs[i].converged ? "" : "  not converged"));
  }
}

void write_inertia(Text& text, const Analysis& a) {
  const std::int64_t n = a.objective.num_parameters;
  const EigenvalueLists& lists = *a.eigenvalues;
  if (lists.all.empty()) return;
  std::int64_t up = 0, down = 0;
  for (const double value : lists.all) {
    if (value > lists.error_bound) ++up;
    if (value < -lists.error_bound) ++down;
  }
  const std::int64_t flat = n - up - down;
  std::string kind;
  if (up == n) kind = "positive definite";
  if (down == n) kind = "negative definite";
  if (up > 0 && down > 0) kind = "indefinite";
  if (down == 0 && flat > 0) kind = up > 0 ? "positive semidefinite" : "zero";
  if (up == 0 && down > 0 && flat > 0) kind = "negative semidefinite";
  text.line(fmt::format("{} positive, {} negative, {} zero: {}", up, down, flat, kind));
}

}  // namespace

void write_eigenvalues(Text& text, const Analysis& a) {
  if (!a.eigenvalues) return;
  const EigenvalueLists& lists = *a.eigenvalues;
  text.label("Eigenvalues");
  if (!lists.all.empty() && a.objective.num_parameters <= few_parameters) {
    std::size_t width = 0;
    std::vector<std::string> values;
    for (std::size_t i = lists.all.size(); i-- > 0;) {
      values.push_back(number_within(zeroed(lists.all[i], lists.error_bound), lists.error_bound));
      width = std::max(width, values.back().size());
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      text.line(fmt::format("{:>{}}   along {}", values[i], width,
                            direction_text(eigenvector(a, values.size() - 1 - i))));
    }
    text.line(lists.error_bound > 0 ? fmt::format("each right to {:.1g}", lists.error_bound)
                                    : "exact");
  } else {
    write_pairs(text, "largest", lists.top);
    write_pairs(text, "smallest", lists.bottom);
    if (!lists.all.empty()) {
      text.line(
          fmt::format("all {} known, each right to {:.1g}", lists.all.size(), lists.error_bound));
    }
  }
  write_inertia(text, a);
  if (a.outliers) {
    const Outliers& o = *a.outliers;
    text.meaning(
        fmt::format("{}, then a gap ({} to {}): these few directions set the limits of "
                    "the learning rate",
                    counted(o.count, "outlier"), number(o.last), number(o.next)));
  }
}

void write_blocks(Text& text, const Analysis& a) {
  if (a.blocks.empty()) return;
  text.label("Per parameter");
  std::size_t width = 4;
  for (const BlockCurvature& b : a.blocks) width = std::max(width, b.block.name.size());
  width = std::min<std::size_t>(width, 28);
  text.line(fmt::format("{:<{}}  {:>10}  largest eigenvalue", "", width, "entries"));
  const BlockCurvature* sharpest = &a.blocks[0];
  for (const BlockCurvature& b : a.blocks) {
    text.line(fmt::format("{:<{}}  {:>10}  {} +- {:.1e}", b.block.name.substr(0, width), width,
                          b.block.size, number_within(b.lambda_max.value, b.lambda_max.error_bound),
                          b.lambda_max.error_bound));
    if (b.lambda_max.value > sharpest->lambda_max.value) sharpest = &b;
  }
  text.meaning(fmt::format("{} is the sharpest: on its own it allows a learning rate of {}",
                           sharpest->block.name, number(2 / sharpest->lambda_max.value)));
}

void write_shape(Text& text, const Analysis& a) {
  if (!a.eigenvalues) return;
  const bool one_end = a.eigenvalues->all.empty() && a.eigenvalues->bottom.empty();
  if (!a.shape && one_end) return;  // not asked for
  text.label("Shape");
  if (!a.shape) {
    text.words("not decided: an end of the spectrum is unknown or too uncertain");
    text.meaning("ask for --bottom 1 or more, or a smaller --tolerance");
    return;
  }
  const bool vectors = a.eigenvalues && !a.eigenvalues->vectors.empty() &&
                       a.objective.num_parameters <= few_parameters;
  const std::size_t last = a.eigenvalues->all.empty() ? 0 : a.eigenvalues->all.size() - 1;
  const std::string top = vectors ? " along " + direction_text(eigenvector(a, last)) : "";
  const std::string bottom = vectors ? " along " + direction_text(eigenvector(a, 0)) : "";
  switch (*a.shape) {
    case SurfaceShape::bowl:
      text.words("bowl: f curves up in every direction");
      text.meaning("the quadratic model has one minimiser, and Newton's step goes there");
      break;
    case SurfaceShape::dome:
      text.words("dome: f curves down in every direction");
      text.meaning("there is no minimum to model here; follow -g, it gets steeper");
      break;
    case SurfaceShape::trough:
      text.words(vectors ? fmt::format("trough: f curves up{}, and is flat{}", top, bottom)
                         : "trough: f curves up in some directions and is flat in others");
      text.meaning(
          "no single minimiser: moving along the flat directions changes nothing to second "
          "order");
      break;
    case SurfaceShape::ridge:
      text.words(vectors ? fmt::format("ridge: f curves down{}, and is flat{}", bottom, top)
                         : "ridge: f curves down in some directions and is flat in others");
      text.meaning("no minimum to model here; follow -g");
      break;
    case SurfaceShape::saddle:
      text.words(vectors ? fmt::format("saddle: f curves up{}, down{}", top, bottom)
                         : "saddle: f curves up in some directions and down in others");
      text.meaning(
          "Newton's step would climb along the directions that curve down; use a method that "
          "knows (trust-region, newton-cg), or gradient descent, which leaves saddles");
      break;
    case SurfaceShape::flat:
      text.words("flat: no curvature at all");
      text.meaning("f is linear to second order: only the gradient says where to go");
      break;
  }
}

void write_trace(Text& text, const Analysis& a) {
  const std::int64_t n = a.objective.num_parameters;
  if (!a.trace) return;
  text.label("Trace");
  const TraceEstimate& t = *a.trace;
  text.words(t.num_probes == 0
                 ? fmt::format("{}, mean eigenvalue {}", number(t.value),
                               number(t.value / static_cast<double>(n)))
                 : fmt::format("{} +- {:.1g} ({}), mean eigenvalue {:.3g}",
                               number_within(t.value, t.standard_error), t.standard_error,
                               counted(t.num_probes, "probe"), t.value / static_cast<double>(n)));
}

std::string sparkline(const std::vector<double>& values, std::size_t width, bool symbols) {
  static const char* const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const char* const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
  if (values.empty()) return "";
  const double most = *std::max_element(values.begin(), values.end());
  std::string out;
  width = std::min(width, values.size());
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t first = i * values.size() / width;
    const std::size_t last = std::max(first + 1, (i + 1) * values.size() / width);
    double height = 0;  // the largest in the column, so that a single outlier is seen
    for (std::size_t j = first; j < last; ++j) height = std::max(height, values[j]);
    const double share = most > 0 ? height / most : 0;
    const auto level = static_cast<std::size_t>(std::ceil(std::clamp(share, 0.0, 1.0) * 8));
    out += (symbols ? blocks : ascii)[level];
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

void write_density(Text& text, const Analysis& a) {
  if (!a.density || a.density->lambda.empty()) return;
  const SpectralDensity& d = *a.density;
  text.label("Density");
  const auto [low, high] = std::minmax_element(d.lambda.begin(), d.lambda.end());
  const std::string left = number(*low), right = number(*high);
  // Logarithmic over six decades: the bulk at zero would hide everything else.
  const double most = *std::max_element(d.density.begin(), d.density.end());
  std::vector<double> heights;
  for (const double value : d.density) {
    heights.push_back(most > 0 && value > 0 ? std::max(0.0, 1 + std::log10(value / most) / 6) : 0);
  }
  text.line(sparkline(heights, 60, text.style().symbols));
  text.line(fmt::format("{:<30}{:>30}", fmt::format("{:.3g}", *low), fmt::format("{:.3g}", *high)));
  double near_zero = 0;
  for (std::size_t i = 0; i + 1 < d.lambda.size(); ++i) {
    if (std::fabs(d.lambda[i]) <= 0.01 * std::max(std::fabs(*low), std::fabs(*high))) {
      near_zero += (d.lambda[i + 1] - d.lambda[i]) * d.density[i];
    }
  }
  text.words(fmt::format("height logarithmic over 6 decades; {} of {} steps, smoothed by {:.2g}",
                         counted(d.num_probes, "probe"), d.num_steps, d.sigma));
  text.meaning(
      fmt::format("about {:.0f} % of all directions are flat (within 1 % of the largest "
                  "curvature around zero)",
                  100 * std::min(near_zero, 1.0)));
}

}  // namespace kappa
