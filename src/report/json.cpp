#include "report/json.h"

#include <algorithm>
#include <cmath>

#include "kappa/version.h"

namespace kappa {
namespace {

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Lists of numbers and small records stand on one line.
bool fits_on_a_line(const Json& json) {
  const bool plain =
      std::none_of(json.begin(), json.end(), [](const Json& item) { return item.is_structured(); });
  return plain && (json.is_array() || json.size() <= 6);
}

void append(const Json& json, std::size_t indent, std::string& out) {
  if (!json.is_structured() || json.empty()) {
    out += text_of(json);
    return;
  }
  const bool flat = fits_on_a_line(json);
  std::string pad;
  if (!flat) pad.append(1, '\n').append(indent + 2, ' ');
  out += json.is_array() ? '[' : '{';
  bool first = true;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (!first) out += flat ? ", " : ",";
    first = false;
    out += pad;
    if (json.is_object()) out += text_of(item.key()) + ": ";
    append(item.value(), indent + 2, out);
  }
  if (!flat) out.append(1, '\n').append(indent, ' ');
  out += json.is_array() ? ']' : '}';
}

}  // namespace

std::string dump(const Json& json) {
  std::string out;
  append(json, 0, out);
  out += '\n';
  return out;
}

bool replace_non_finite(Json& json) {
  if (json.is_number_float()) {
    if (std::isfinite(json.get<double>())) return false;
    json = nullptr;
    return true;
  }
  bool any = false;
  if (json.is_structured()) {
    for (Json& item : json) any = replace_non_finite(item) || any;
  }
  return any;
}

Json to_json(const ObjectiveSummary& objective) {
  Json json;
  json["kind"] = objective.kind;
  json["text"] = objective.text;
  json["num_parameters"] = objective.num_parameters;
  json["num_samples"] = objective.num_samples;
  json["loss"] = objective.loss.empty() ? Json(nullptr) : Json(objective.loss);
  json["dtype"] = objective.dtype;
  return json;
}

Json to_json(const CriticalPoint& point) {
  Json json;
  json["kind"] = to_string(point.kind);
  json["index"] = point.index;
  json["index_is_lower_bound"] = point.index_lower_bound;
  json["gradient_norm"] = point.gradient_norm;
  json["gradient_tolerance"] = point.gradient_tolerance;
  json["evidence"] = point.evidence;
  return json;
}

}  // namespace kappa
