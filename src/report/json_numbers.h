#pragma once

#include <limits>
#include <string>
#include <vector>

#include "report/json.h"

namespace kappa {

/// A number, or NaN for null and what is missing.
inline double number_or_nan(const Json& json) {
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}
inline double number_or_nan(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) ? number_or_nan(json[key])
                                                : std::numeric_limits<double>::quiet_NaN();
}
inline std::vector<double> numbers_or_nan(const Json& json) {
  std::vector<double> list;
  list.reserve(json.size());
  for (const Json& item : json) list.push_back(number_or_nan(item));
  return list;
}
inline std::string text_or(const Json& json, const char* key, const std::string& otherwise) {
  return json.is_object() && json.contains(key) && json[key].is_string()
             ? json[key].get<std::string>()
             : otherwise;
}
inline bool has(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && !json[key].is_null() && !json[key].empty();
}

}  // namespace kappa
