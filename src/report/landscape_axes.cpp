#include "report/landscape_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "data/npy.h"
#include "kappa/curvature.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr std::int64_t max_dense = 64;  // order up to which all eigenvectors are taken

double norm(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct Wanted {
  std::string kind;  // "top", "bottom", "gradient", "random", "parameter", "file"
  std::int64_t number = 1;
  std::string text;
};

Wanted parse(const std::string& text, const Objective& objective) {
  Wanted wanted{"", 1, text};
  const std::size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  for (const char* kind : {"top", "bottom", "gradient", "random"}) {
    if (word == kind) wanted.kind = kind;
  }
  if (!wanted.kind.empty() && colon != std::string::npos) {
    const char* first = text.data() + colon + 1;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, wanted.number);
    if (error != std::errc() || end != last || wanted.number < 1) {
      throw Error(ErrorKind::usage,
                  fmt::format("landscape: '{}': a number from 1 stands after the colon", text));
    }
    return wanted;
  }
  if (!wanted.kind.empty()) return wanted;
  if (text.size() > 4 && text.ends_with(".npy")) {
    wanted.kind = "file";
    return wanted;
  }
  for (std::int64_t i = 0; i < std::min<std::int64_t>(objective.dimension(), 100000); ++i) {
    if (objective.parameter_name(i) == text) return {"parameter", i, text};
  }
  throw Error(ErrorKind::name,
              fmt::format("landscape: '{}' is no direction: top, bottom, gradient or random (with "
                          ":K for the K-th), the name of a parameter, or FILE.npy",
                          text));
}

std::string nth(std::int64_t k) { return k == 1 ? "" : fmt::format(" number {}", k); }

/// Directions, each found at its first need.
class Directions {
 public:
  Directions(const Objective& objective, std::span<const double> w, const LandscapeRequest& request,
             std::vector<std::string>& warnings)
      : objective_(objective), w_(w), request_(request), warnings_(warnings) {}

  void need_eigenvectors(std::int64_t top, std::int64_t bottom) {
    const std::int64_t n = objective_.dimension();
    if (std::max(top, bottom) > n) {
      throw Error(ErrorKind::value, fmt::format("landscape: there are {} eigenvectors, number {} "
                                                "was asked for",
                                                n, std::max(top, bottom)));
    }
    linearize();
    const CurvatureOperator hessian(*linearization_);
    if (n <= max_dense) {
      spectrum_ = dense_spectrum(hessian);
      return;
    }
    LanczosOptions options;
    options.num_top = top;
    options.num_bottom = bottom;
    options.tolerance = request_.tolerance;
    options.seed = request_.seed;
    options.progress = request_.progress;
    pairs_ = lanczos(hessian, options);
    if (pairs_->status != CurvatureStatus::converged) {
      warnings_.push_back("the eigenvectors did not all reach the tolerance: " + pairs_->message);
    }
  }

  LandscapeAxis make(const Wanted& wanted) {
    LandscapeAxis axis;
    axis.kind = wanted.kind;
    if (wanted.kind == "top" || wanted.kind == "bottom") {
      eigenvector(wanted, axis);
    } else if (wanted.kind == "gradient") {
      linearize();
      axis.label = "straight downhill, against the gradient";
      axis.direction.assign(linearization_->gradient().begin(), linearization_->gradient().end());
      for (double& d : axis.direction) d = -d;
      unit(axis, "the gradient is zero here; take --along top");
    } else if (wanted.kind == "random") {
      axis.direction = random_direction(objective_.dimension(), request_.seed,
                                        static_cast<std::uint64_t>(wanted.number));
      const std::vector<Filter> filters = filters_of(objective_.parameters());
      if (objective_.num_samples() > 0 && !filters.empty()) {
        axis.kind = "random-filter-normalized";
        axis.label = "random direction" + nth(wanted.number) + ", filter-normalised";
        filter_normalize(w_, filters, axis.direction);
        if (!(norm(axis.direction) > 0)) {
          throw Error(ErrorKind::value,
                      "landscape: all weights are zero, so filter-normalised directions are too");
        }
      } else {
        axis.label = "random direction" + nth(wanted.number);
        unit(axis, "");
      }
    } else if (wanted.kind == "parameter") {
      axis.label = wanted.text;
      axis.direction.assign(w_.size(), 0.0);
      axis.direction[static_cast<std::size_t>(wanted.number)] = 1;
    } else {
      const StoredArray v = read_npy(wanted.text);
      if (v.size() != objective_.dimension()) {
        throw Error(ErrorKind::shape,
                    fmt::format("landscape: {} has {} entries, the function {} parameters",
                                wanted.text, v.size(), objective_.dimension()));
      }
      axis.label = wanted.text;
      axis.direction = v.to_doubles();
      const double length = norm(axis.direction);
      if (!(length > 0) || !std::isfinite(length)) {
        throw Error(ErrorKind::value,
                    fmt::format("landscape: {} is {}, which is no direction", wanted.text,
                                length > 0 ? "not finite" : "all zeros"));
      }
    }
    return axis;
  }

  /// How far a picture along d reaches where nobody says: to twice the extremum of the quadratic
  /// model, or to where it doubles f, and no further than w is long.
  double reach(const LandscapeAxis& axis) const {
    const double size = std::max(1.0, norm(w_));
    if (axis.kind != "top" && axis.kind != "bottom" && axis.kind != "gradient") {
      const bool own_length = axis.kind == "file" || axis.kind == "random-filter-normalized";
      return own_length ? 1 : size;
    }
    std::vector<double> product(w_.size());
    linearization_->hessian_product(1, axis.direction.data(), product.data());
    const double curvature = std::fabs(dot(axis.direction, product));
    const double slope = std::fabs(dot(axis.direction, linearization_->gradient()));
    const double doubling = std::sqrt(2 * std::fabs(linearization_->value()) / curvature);
    const double reach = std::max(2 * slope / curvature, std::min(doubling, size));
    return reach > 0 && std::isfinite(reach) ? std::min(reach, 10 * size) : size;
  }

 private:
  void linearize() {
    if (!linearization_) linearization_ = objective_.linearize(w_.data());
  }

  void unit(LandscapeAxis& axis, const char* otherwise) {
    const double length = norm(axis.direction);
    if (!(length > 0) || !std::isfinite(length)) {
      throw Error(ErrorKind::value,
                  fmt::format("landscape: {}", length > 0 || length == 0
                                                   ? otherwise
                                                   : "the gradient is not finite at this point"));
    }
    for (double& d : axis.direction) d /= length;
  }

  void eigenvector(const Wanted& wanted, LandscapeAxis& axis) {
    const auto n = static_cast<std::size_t>(objective_.dimension());
    const auto k = static_cast<std::size_t>(wanted.number - 1);
    const bool top = wanted.kind == "top";
    const double* from = nullptr;
    if (spectrum_) {
      if (spectrum_->values.size() < n || !std::isfinite(spectrum_->values[0])) none();
      const std::size_t column = top ? n - 1 - k : k;
      axis.eigenvalue = spectrum_->values[column];
      from = spectrum_->vectors.data() + column * n;
    } else {
      const std::vector<Eigenvalue>& values = top ? pairs_->top : pairs_->bottom;
      if (k >= values.size()) none();
      axis.eigenvalue = values[k].value;
      from = (top ? pairs_->top_vectors : pairs_->bottom_vectors).data() + k * n;
    }
    axis.direction.assign(from, from + n);
    // Of its two ends the one that leads downhill.
    if (dot(axis.direction, linearization_->gradient()) > 0) {
      for (double& d : axis.direction) d = -d;
    }
    axis.label = fmt::format("{} eigenvector{}", top ? "the steepest" : "the flattest or lowest",
                             nth(wanted.number));
  }

  [[noreturn]] static void none() {
    throw Error(ErrorKind::value,
                "landscape: no eigenvector was found at this point (the Hessian is not finite, or "
                "the search was stopped); take --along random or gradient");
  }

  const Objective& objective_;
  std::span<const double> w_;
  const LandscapeRequest& request_;
  std::vector<std::string>& warnings_;
  std::unique_ptr<Linearization> linearization_;
  std::optional<Spectrum> spectrum_;
  std::optional<LanczosResult> pairs_;
};

std::vector<std::string> chosen(const Objective& objective) {
  const std::int64_t n = objective.dimension();
  if (n == 1) return {objective.parameter_name(0)};
  if (n == 2) return {objective.parameter_name(0), objective.parameter_name(1)};
  const bool network = objective.num_samples() > 0 && !filters_of(objective.parameters()).empty();
  return network ? std::vector<std::string>{"random", "random"}
                 : std::vector<std::string>{"top", "bottom"};
}

std::vector<Wanted> wanted_axes(const Objective& objective, const LandscapeRequest& request) {
  std::vector<std::string> texts = request.along;
  if (texts.empty() && request.to.empty()) texts = chosen(objective);
  const std::size_t count = texts.size() + (request.to.empty() ? 0 : 1);
  if (count > 2) {
    throw Error(ErrorKind::usage,
                fmt::format("landscape: {} directions; a picture has one or two", count));
  }
  std::vector<Wanted> list;
  std::map<std::string, std::int64_t> used;
  for (const std::string& text : texts) {
    Wanted wanted = parse(text, objective);
    if (wanted.kind != "parameter" && wanted.kind != "file") {
      const bool counted = wanted.kind != "gradient" && text.find(':') == std::string::npos;
      if (counted) wanted.number = used[wanted.kind] + 1;
      used[wanted.kind] = wanted.number;
    }
    list.push_back(wanted);
  }
  if (list.size() == 2 && list[0].kind == list[1].kind && list[0].number == list[1].number &&
      (list[0].kind != "file" || list[0].text == list[1].text)) {
    throw Error(ErrorKind::usage,
                fmt::format("landscape: both axes are {}; a plane needs two", list[0].text));
  }
  return list;
}

}  // namespace

std::vector<Filter> filters_of(const Parameters& parameters) {
  std::vector<Filter> filters;
  for (const Parameter& p : parameters.list()) {
    if (!p.varies || p.shape.size() < 2 || p.shape[0] == 0) continue;
    const std::int64_t size = num_elements(p.shape) / p.shape[0];
    for (std::int64_t row = 0; row < p.shape[0]; ++row) {
      filters.push_back({p.offset + row * size, size});
    }
  }
  return filters;
}

std::vector<double> point_from(const Parameters& parameters, const NamedValues& named,
                               const std::string& where) {
  std::vector<double> w = parameters.start();
  for (const auto& [name, value] : named) {
    const auto& list = parameters.list();
    if (std::none_of(list.begin(), list.end(),
                     [&, known = &name](const Parameter& p) { return p.name == *known; })) {
      throw Error(ErrorKind::name, fmt::format("{}: there is no parameter {}", where, name));
    }
  }
  for (const Parameter& p : parameters.list()) {
    if (!p.varies) continue;
    const auto found = std::find_if(named.begin(), named.end(),
                                    [&](const auto& one) { return one.first == p.name; });
    if (found == named.end()) {
      throw Error(ErrorKind::name, fmt::format("{}: no value for parameter {}", where, p.name));
    }
    if (found->second.shape() != p.shape) {
      throw Error(ErrorKind::shape,
                  fmt::format("{}: {} has another shape than the parameter", where, p.name));
    }
    for (std::int64_t i = 0; i < num_elements(p.shape); ++i) {
      w[static_cast<std::size_t>(p.offset + i)] = found->second.at(i);
    }
  }
  return w;
}

std::vector<LandscapeAxis> landscape_axes(const Objective& objective, std::span<const double> w,
                                          const LandscapeRequest& request,
                                          std::vector<std::string>& warnings) {
  const std::vector<Wanted> wanted = wanted_axes(objective, request);
  std::vector<LandscapeAxis> axes;
  if (!request.to.empty()) {
    LandscapeAxis axis{
        "interpolation", "from the point (0) to " + request.to_name + " (1)", request.to, {}};
    for (std::size_t i = 0; i < w.size(); ++i) axis.direction[i] -= w[i];
    if (!(norm(axis.direction) > 0)) {
      throw Error(ErrorKind::value,
                  fmt::format("landscape: {} is the same point, so there is no line between them",
                              request.to_name));
    }
    axes.push_back(std::move(axis));
  }
  Directions directions(objective, w, request, warnings);
  std::int64_t top = 0, bottom = 0;
  for (const Wanted& one : wanted) {
    if (one.kind == "top") top = std::max(top, one.number);
    if (one.kind == "bottom") bottom = std::max(bottom, one.number);
  }
  if (top + bottom > 0) directions.need_eigenvectors(top, bottom);
  for (const Wanted& one : wanted) axes.push_back(directions.make(one));

  const bool data = objective.num_samples() > 0;
  std::int64_t points = request.num_points;
  if (points == 0) points = axes.size() == 1 ? (data ? 51 : 101) : (data ? 25 : 51);
  for (std::size_t a = 0; a < axes.size(); ++a) {
    std::pair<double, double> range;
    if (!request.ranges.empty()) {
      range = request.ranges[std::min(a, request.ranges.size() - 1)];
    } else if (axes[a].kind == "interpolation") {
      range = {-0.25, 1.25};
    } else {
      const double reach = directions.reach(axes[a]);
      range = {-reach, reach};
    }
    const auto last = static_cast<double>(std::max<std::int64_t>(points - 1, 1));
    for (std::int64_t i = 0; i < points; ++i) {
      // Exact at both ends, and 0 in the middle of a symmetric range.
      axes[a].t.push_back(
          (range.first * (last - static_cast<double>(i)) + range.second * static_cast<double>(i)) /
          last);
    }
  }
  return axes;
}

}  // namespace kappa
