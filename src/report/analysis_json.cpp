#include "kappa/version.h"
#include "report/json.h"

namespace kappa {
namespace {

Json rows(const std::vector<double>& matrix, std::size_t width) {
  Json json = Json::array();
  for (std::size_t first = 0; first < matrix.size(); first += width) {
    json.push_back(
        std::vector<double>(matrix.begin() + static_cast<std::ptrdiff_t>(first),
                            matrix.begin() + static_cast<std::ptrdiff_t>(first + width)));
  }
  return json;
}

Json pair(const Eigenvalue& e) {
  Json json;
  json["value"] = e.value;
  json["residual"] = e.residual;
  json["error_bound"] = e.error_bound;
  json["converged"] = e.converged;
  return json;
}

Json pairs(const std::vector<Eigenvalue>& list) {
  Json json = Json::array();
  for (const Eigenvalue& e : list) json.push_back(pair(e));
  return json;
}

Json eigenvalues(const EigenvalueLists& lists, std::size_t n) {
  Json json;
  json["top"] = pairs(lists.top);
  json["bottom"] = pairs(lists.bottom);
  if (!lists.all.empty()) json["all"] = lists.all;
  if (!lists.vectors.empty()) json["vectors"] = rows(lists.vectors, n);
  return json;
}

Json condition_json(const Condition& c) {
  Json json;
  json["number"] = c.number;
  json["lambda_max"] = c.lambda_max;
  json["lambda_min"] = c.lambda_min;
  json["null_dimension"] = c.null_dimension;
  json["is_lower_bound"] = c.lower_bound;
  json["definition"] = c.definition;
  return json;
}

template <class T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

Json learning_rate_json(const LearningRate& rate) {
  Json json = Json::object();
  put(json, "stability_limit", rate.stability_limit);
  put(json, "fastest_fixed", rate.fastest_fixed);
  if (rate.curvature_along_gradient) {
    json["steepest_descent_step"] =
        rate.steepest_descent_step ? Json(*rate.steepest_descent_step) : Json(nullptr);
    json["curvature_along_gradient"] = *rate.curvature_along_gradient;
  }
  if (rate.momentum) {
    json["momentum"]["learning_rate"] = rate.momentum->learning_rate;
    json["momentum"]["momentum"] = rate.momentum->momentum;
    json["momentum"]["rate"] = rate.momentum->rate;
  }
  put(json, "gradient_descent_rate", rate.gradient_descent_rate);
  put(json, "iterations_to_1e-6", rate.iterations_to_1e_6);
  if (rate.reference_rate > 0) json["reference_rate"] = rate.reference_rate;
  json["directions"] = Json::array();
  for (const DirectionRate& d : rate.directions) {
    Json direction;
    direction["eigenvalue"] = d.eigenvalue;
    direction["ideal_rate"] = d.ideal_rate;
    direction["contraction"] = d.contraction;
    json["directions"].push_back(std::move(direction));
  }
  if (rate.given) {
    Json& given = json["given"];
    given["learning_rate"] = rate.given->learning_rate;
    given["momentum"] = rate.given->momentum;
    given["stable"] = rate.given->stable;
    given["contraction_worst"] = rate.given->contraction_worst;
    given["num_diverging"] = rate.given->num_diverging;
    given["num_escaping"] = rate.given->num_escaping;
    put(given, "steps_to_divergence", rate.given->steps_to_divergence);
    given["sentence"] = rate.given->sentence;
  }
  return json;
}

Json model_json(const LocalModel& model) {
  Json json;
  json["newton_decrement"] = model.newton_decrement;
  json["newton_step_norm"] = model.newton_step_norm;
  json["predicted_decrease"] = model.predicted_decrease;
  json["actual_decrease"] = model.actual_decrease;
  put(json, "trusted_radius", model.trusted_radius);
  json["modified"] = model.modified;
  json["method"] = model.method;
  if (model.step.size() <= 64) json["newton_step"] = model.step;
  return json;
}

Json density_json(const SpectralDensity& density) {
  Json json;
  json["lambda"] = density.lambda;
  json["density"] = density.density;
  json["standard_error"] = density.standard_error;
  json["num_probes"] = density.num_probes;
  json["num_steps"] = density.num_steps;
  json["sigma"] = density.sigma;
  return json;
}

}  // namespace

Json to_json(const Analysis& a) {
  const auto n = static_cast<std::size_t>(a.objective.num_parameters);
  Json json;
  json["kappa"] = version();
  json["objective"] = to_json(a.objective);
  if (!a.point.empty()) {
    json["point"]["names"] = a.parameter_names;
    json["point"]["values"] = a.point;
  }
  if (a.value) {
    json["value"] = *a.value;
    json["gradient"]["norm_2"] = a.gradient_norm_2;
    json["gradient"]["norm_inf"] = a.gradient_norm_inf;
    if (n <= 64) json["gradient"]["vector"] = a.gradient;
    json["operator"] = to_string(a.matrix);
  }
  if (!a.hessian.empty()) {
    json[a.matrix == CurvatureMatrix::hessian ? "hessian" : to_string(a.matrix)] =
        rows(a.hessian, n);
  }
  if (!a.outputs.empty()) {
    json["outputs"] = a.outputs;
    if (!a.components.empty()) json["components"] = a.components;
    json["jacobian"] = rows(a.jacobian, n);
    if (!a.singular_values.empty()) {
      json["singular_values"] = a.singular_values;
      json["rank"] = a.rank;
    }
  }
  if (a.eigenvalues) json["eigenvalues"] = eigenvalues(*a.eigenvalues, n);
  if (a.outliers) {
    json["outliers"]["count"] = a.outliers->count;
    json["outliers"]["last"] = a.outliers->last;
    json["outliers"]["next"] = a.outliers->next;
    json["outliers"]["p_value"] = a.outliers->p_value;
  }
  if (a.condition) json["condition"] = condition_json(*a.condition);
  if (a.condition_of_mean) json["condition_of_mean"] = condition_json(*a.condition_of_mean);
  if (a.trace) {
    json["trace"]["value"] = a.trace->value;
    json["trace"]["standard_error"] = a.trace->standard_error;
    json["trace"]["num_probes"] = a.trace->num_probes;
  }
  if (a.density) json["density"] = density_json(*a.density);
  if (a.critical_point) json["critical_point"] = to_json(*a.critical_point);
  if (a.shape) json["shape"] = to_string(*a.shape);
  if (a.learning_rate) json["learning_rate"] = learning_rate_json(*a.learning_rate);
  if (a.model) json["model"] = model_json(*a.model);
  if (a.direction) {
    Json& d = json["direction"];
    d["norm"] = a.direction->norm;
    d["curvature"] = a.direction->curvature;
    d["quadratic"] = a.direction->quadratic;
    d["product_norm"] = a.direction->product_norm;
    d["weights"] = a.direction->weights;
    d["remainder"] = a.direction->remainder;
  }
  if (!a.blocks.empty()) {
    json["per_layer"] = Json::array();
    for (const BlockCurvature& b : a.blocks) {
      Json block;
      block["name"] = b.block.name;
      block["num_parameters"] = b.block.size;
      block["lambda_max"] = pair(b.lambda_max);
      json["per_layer"].push_back(std::move(block));
    }
  }
  json["cost"]["num_values"] = a.cost.num_values;
  json["cost"]["num_gradients"] = a.cost.num_gradients;
  json["cost"]["num_hvps"] = a.cost.num_hvps;
  json["cost"]["seconds"] = a.cost.seconds;
  json["cost"]["peak_bytes"] = a.cost.peak_bytes;
  std::vector<std::string> warnings = a.warnings;
  if (replace_non_finite(json)) {
    warnings.push_back("null stands for a number that is infinite or not defined");
  }
  json["warnings"] = warnings;
  return json;
}

}  // namespace kappa
