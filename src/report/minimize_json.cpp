#include "kappa/version.h"
#include "report/json.h"

namespace kappa {
namespace {

// The nested lists of an array, row-major.
Json nested(const Shape& shape, std::size_t axis, const double*& next) {
  if (axis == shape.size()) return *next++;
  Json list = Json::array();
  for (std::int64_t i = 0; i < shape[axis]; ++i) list.push_back(nested(shape, axis + 1, next));
  return list;
}

Json record_json(const IterationRecord& r) {
  Json json;
  json["iteration"] = r.iteration;
  json["value"] = r.value;
  json["gradient_norm"] = r.gradient_norm;
  json["step_norm"] = r.step_norm;
  json["seconds"] = r.seconds;
  json["stage"] = r.stage;
  json["gradient_equivalents"] = r.gradient_equivalents;
  for (const Measure& m : r.measures) json[m.name] = m.value;
  return json;
}

}  // namespace

Json to_json(const Minimization& m) {
  const MinimizeResult& r = m.result;
  Json json;
  json["kappa"] = version();
  json["objective"] = to_json(m.objective);
  std::string method;
  for (const std::string& name : r.methods) method += (method.empty() ? "" : ",") + name;
  json["method"] = method;
  if (!r.method_reason.empty()) json["method_reason"] = r.method_reason;
  json["given_options"] = Json::object();
  for (const auto& [key, value] : r.given_options) json["given_options"][key] = value;
  json["options"] = Json::object();
  for (const auto& [key, value] : r.used_options) json["options"][key] = value;
  if (!r.switches.empty()) {
    Json& switches = json["switches"] = Json::array();
    for (const MethodSwitch& s : r.switches) {
      switches.push_back(
          {{"iteration", s.iteration}, {"from", s.from}, {"to", s.to}, {"reason", s.reason}});
    }
  }
  json["status"] = to_string(r.status);
  json["usable"] = r.usable;
  json["reason"]["criterion"] = r.reason.criterion;
  json["reason"]["measured"] = r.reason.measured;
  json["reason"]["threshold"] = r.reason.threshold;
  json["reason"]["text"] = r.reason.text;
  json["value"] = r.value;
  json["start_value"] = r.start_value;
  json["gradient"]["norm_2"] = r.gradient_norm;
  json["gradient"]["norm_inf"] = r.gradient_norm_inf;
  if (m.accuracy) json["accuracy"] = *m.accuracy;
  if (m.objective.num_parameters <= 1000) {
    json["parameters"] = Json::object();
    for (const NamedArrayValue& p : m.parameters) {
      const double* next = p.values.data();
      json["parameters"][p.name] = nested(p.shape, 0, next);
    }
  }
  if (m.standard_errors) {
    Json& errors = json["standard_errors"] = Json::object();
    std::size_t entry = 0;
    for (const NamedArrayValue& p : m.parameters) {
      if (!p.varies) continue;
      if (entry + p.values.size() > m.standard_errors->standard_errors.size()) break;
      const double* next = m.standard_errors->standard_errors.data() + entry;
      errors[p.name] = nested(p.shape, 0, next);
      entry += p.values.size();
    }
    json["residual_sum_of_squares"] = m.standard_errors->residual_sum_of_squares;
    json["residual_standard_deviation"] = m.standard_errors->residual_standard_deviation;
    json["degrees_of_freedom"] = m.standard_errors->degrees_of_freedom;
    json["rank"] = m.standard_errors->rank;
    json["condition_jtj"] = m.standard_errors->condition;
    json["undetermined"] = m.standard_errors->undetermined;
    const auto n = static_cast<std::int64_t>(m.standard_errors->standard_errors.size());
    const double* next = m.standard_errors->correlations.data();
    json["correlations"] = nested({n, n}, 0, next);
  }
  if (m.critical_point) json["critical_point"] = to_json(*m.critical_point);
  json["iterations"] = Json::array();
  for (const IterationRecord& record : r.iterations) {
    json["iterations"].push_back(record_json(record));
  }
  json["cost"]["num_values"] = r.counts.num_values;
  json["cost"]["num_gradients"] = r.counts.num_gradients;
  json["cost"]["num_hvps"] = r.counts.num_hvps;
  json["cost"]["num_hessians"] = r.counts.num_hessians;
  json["cost"]["num_residuals"] = r.counts.num_residuals;
  json["cost"]["num_jacobians"] = r.counts.num_jacobians;
  json["cost"]["num_factorizations"] = r.counts.num_factorizations;
  Json& times = json["cost"]["seconds_in"];
  times["values"] = r.counts.value_seconds;
  times["gradients"] = r.counts.gradient_seconds;
  times["hvps"] = r.counts.hvp_seconds;
  times["hessians"] = r.counts.hessian_seconds;
  times["residuals"] = r.counts.residual_seconds;
  times["jacobians"] = r.counts.jacobian_seconds;
  times["factorizations"] = r.counts.factorization_seconds;
  json["cost"]["num_iterations"] = r.num_iterations;
  json["cost"]["num_epochs"] = r.num_epochs;
  json["cost"]["gradient_equivalents"] = r.counts.gradient_equivalents;
  json["cost"]["seconds"] = r.seconds;
  std::vector<std::string> warnings = r.warnings;
  warnings.insert(warnings.end(), m.warnings.begin(), m.warnings.end());
  if (replace_non_finite(json)) {
    warnings.push_back("null stands for a number that is infinite or not defined");
  }
  json["warnings"] = warnings;
  return json;
}

}  // namespace kappa
