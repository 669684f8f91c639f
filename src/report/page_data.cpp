#include "report/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "report/json_numbers.h"

namespace kappa {
namespace {

constexpr std::size_t most_iterations = 8000;  // of all runs of a page, about 300 bytes each
constexpr std::size_t most_points = 8000;      // of all walks
constexpr std::size_t most_lines = 4000;       // places on a line
constexpr std::size_t most_side = 150;         // places on an axis of a grid

std::vector<std::size_t> every_kth(std::size_t count, std::size_t most) {
  std::vector<std::size_t> kept;
  const std::size_t stride = count <= most ? 1 : (count - 1 + most - 2) / (most - 1);
  for (std::size_t i = 0; i < count; i += stride) kept.push_back(i);
  if (!kept.empty() && kept.back() + 1 != count) kept.push_back(count - 1);
  return kept;
}

void keep(Json& list, const std::vector<std::size_t>& indices) {
  Json out = Json::array();
  for (const std::size_t i : indices) {
    if (i < list.size()) out.push_back(std::move(list[i]));
  }
  list = std::move(out);
}

class Thinning {
 public:
  explicit Thinning(std::vector<std::string>& said) : said_(said) {}

  void iterations(Json& run, std::size_t most) {
    if (!has(run, "iterations") || !run["iterations"].is_array()) return;
    Json& list = run["iterations"];
    const std::size_t count = list.size();
    if (count <= most) return;
    std::set<std::size_t> kept{0, count - 1};
    const std::size_t stretch = (count + most / 4 - 1) / (most / 4);
    for (std::size_t first = 0; first < count; first += stretch) {
      const std::size_t last = std::min(count, first + stretch) - 1;
      std::size_t low = first, high = first;
      for (std::size_t i = first; i <= last; ++i) {
        const double v = number_or_nan(list[i], "value");
        if (v < number_or_nan(list[low], "value")) low = i;
        if (v > number_or_nan(list[high], "value")) high = i;
      }
      kept.insert({first, last, low, high});
    }
    keep(list, {kept.begin(), kept.end()});
    say(text_or(run, "method", "the run") + ": iterations", list.size(), count);
  }

  void walk(Json& run, std::size_t most) {
    if (!has(run, "coordinates")) return;
    const std::size_t count = run["coordinates"].size();
    if (count <= most) return;
    const std::vector<std::size_t> kept = every_kth(count, most);
    for (const char* key : {"coordinates", "iteration", "value"}) {
      if (has(run, key)) keep(run[key], kept);
    }
    say(text_or(run, "method", "the walk") + ": points of the walk", kept.size(), count);
  }

  // x and y are the axes of the rows of `value`.
  void grid(Json& x, Json& y, Json& value) {
    const std::size_t before = x.size() * y.size();
    const std::vector<std::size_t> columns = every_kth(x.size(), most_side);
    const std::vector<std::size_t> rows = every_kth(y.size(), most_side);
    if (columns.size() == x.size() && rows.size() == y.size()) return;
    keep(x, columns);
    keep(y, rows);
    keep(value, rows);
    for (Json& row : value) keep(row, columns);
    say("places of the plane", columns.size() * rows.size(), before);
  }

  void landscape(Json& scape) {
    if (!has(scape, "axes") || !has(scape, "value")) return;
    Json& axes = scape["axes"];
    if (axes.size() == 2) {
      grid(axes[0]["t"], axes[1]["t"], scape["value"]);
    } else if (scape["value"].size() > most_lines) {
      const std::size_t count = scape["value"].size();
      const std::vector<std::size_t> kept = every_kth(count, most_lines);
      keep(axes[0]["t"], kept);
      keep(scape["value"], kept);
      say("places of the line", kept.size(), count);
    }
  }

 private:
  void say(const std::string& what, std::size_t kept, std::size_t count) {
    said_.push_back(
        fmt::format("{}: this page carries {} of {}; the JSON file has all", what, kept, count));
  }

  std::vector<std::string>& said_;
};

}  // namespace

Json page_data(const Json& result) {
  Json page = result;
  if (has(page, "results") && page["results"].is_array()) {
    for (Json& part : page["results"]) part = page_data(part);
    return page;
  }
  std::vector<std::string> said;
  Thinning thin(said);
  if (has(page, "runs") && page["runs"].is_array()) {
    const std::size_t share = std::max<std::size_t>(most_iterations / page["runs"].size(), 100);
    for (Json& run : page["runs"]) thin.iterations(run, share);
  }
  thin.iterations(page, most_iterations);
  if (has(page, "paths")) {
    Json& paths = page["paths"];
    if (has(paths, "runs")) {
      const std::size_t share = std::max<std::size_t>(most_points / paths["runs"].size(), 100);
      for (Json& run : paths["runs"]) thin.walk(run, share);
    }
    if (has(paths, "plane")) {
      thin.grid(paths["plane"]["x"], paths["plane"]["y"], paths["plane"]["value"]);
    }
  }
  if (has(page, "landscape")) thin.landscape(page["landscape"]);
  if (!said.empty()) page["page"]["thinned"] = said;
  return page;
}

}  // namespace kappa
