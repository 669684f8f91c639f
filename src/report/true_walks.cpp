#include "report/true_walks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kappa/minimize.h"

namespace kappa {
namespace {

constexpr int num_steps = 60;

/// v <- momentum v - rate g(w), w <- w + v; without momentum, gradient descent.
void walk(const Problem& problem, std::span<const double> start, double rate, double momentum,
          double far, Json& json) {
  std::vector<double> w(start.begin(), start.end()), speed(w.size()), gradient(w.size());
  Json points = Json::array(), values = Json::array();
  for (int k = 0; k <= num_steps; ++k) {
    const double value = problem.gradient(w.data(), gradient.data());
    if (!std::isfinite(value)) break;
    points.push_back(w);
    values.push_back(value);
    double distance = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      speed[i] = momentum * speed[i] - rate * gradient[i];
      w[i] += speed[i];
      distance = std::max(distance, std::fabs(w[i] - start[i]));
    }
    if (!(distance < far)) break;
  }
  json["points"] = std::move(points);
  json["value"] = std::move(values);
}

void newton(const Problem& problem, std::span<const double> start, Json& json) {
  Json points = Json::array(), values = Json::array();
  MinimizeOptions options;
  options.method = "newton";
  options.max_iterations = num_steps;
  options.on_iteration = [&](const IterationRecord& record, std::span<const double> w,
                             std::span<const double>) {
    points.push_back(std::vector<double>(w.begin(), w.end()));
    values.push_back(record.value);
    return true;
  };
  (void)minimize(problem, start, options);
  json["points"] = std::move(points);
  json["value"] = std::move(values);
}

}  // namespace

Json true_walks(const Problem& problem, std::span<const double> w, const Analysis& a,
                double radius) {
  Json walks = Json::array();
  if (!(a.gradient_norm_2 > 0) || !a.learning_rate) return walks;
  const LearningRate& known = *a.learning_rate;
  const double whole = known.stability_limit ? *known.stability_limit : radius / a.gradient_norm_2;
  std::vector<double> rates;
  for (const double share : {0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.95, 1.1}) {
    rates.push_back(share * whole);
  }
  if (known.given) rates.push_back(known.given->learning_rate);
  std::sort(rates.begin(), rates.end());
  const double momentum = known.momentum ? known.momentum->momentum : 0.9;
  for (const double beta : {0.0, momentum}) {
    for (const double rate : rates) {
      Json entry;
      entry["method"] = beta > 0 ? "momentum" : "gradient descent";
      entry["learning_rate"] = rate;
      entry["momentum"] = beta;
      walk(problem, w, rate, beta, 1e3 * radius, entry);
      walks.push_back(std::move(entry));
    }
  }
  Json entry;
  entry["method"] = "Newton";
  newton(problem, w, entry);
  walks.push_back(std::move(entry));
  return walks;
}

}  // namespace kappa
