#include "report/json_numbers.h"
#include "report/svg/chart.h"
#include "report/svg/pictures.h"

namespace kappa {

void add_singular_values(const Json& result, std::vector<Picture>& list) {
  if (!has(result, "singular_values")) return;
  const std::vector<double> values = numbers_or_nan(result["singular_values"]);
  ChartSeries series{
      "singular value", 1, values.size() <= 128 ? SeriesKind::bars : SeriesKind::line, {}};
  double last = 0;
  for (const double value : values) series.points.push_back({++last, value});
  Chart chart{"Singular values of the Jacobian",
              {"number", false, {{0.3, last + 0.7}}, true},
              {"singular value"},
              {series}};
  list.push_back({"singular-values", to_svg(chart)});
}

}  // namespace kappa
