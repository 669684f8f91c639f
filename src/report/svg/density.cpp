#include <algorithm>
#include <cmath>

#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"

namespace kappa {

// Spectral density with a band of one standard error.
void add_density(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "density")) return;
  const Json& d = result["density"];
  const std::vector<double> lambda = numbers_or_nan(d.at("lambda")),
                            density = numbers_or_nan(d.at("density")),
                            error = numbers_or_nan(d.at("standard_error"));
  ChartSeries series{"density", 1, SeriesKind::line, {}};
  double peak = 0;
  for (std::size_t i = 0; i < std::min({lambda.size(), density.size(), error.size()}); ++i) {
    series.points.push_back(
        {lambda[i], density[i], std::max(density[i] - error[i], 0.0), density[i] + error[i]});
    if (std::isfinite(density[i])) peak = std::max(peak, density[i]);
  }
  Chart chart{"Spectral density",
              {"eigenvalue", false, {}, false, 0},
              {"density (logarithmic)", true},
              {series}};
  if (peak > 0) chart.y.domain = {peak * 1e-7, peak * 2};
  list.push_back({"density", to_svg(chart)});
}

}  // namespace kappa
