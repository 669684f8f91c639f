// The operators of ai.onnx.ml that prepare features, and ZipMap, which passes scores on.

#include <cmath>

#include "frontend/onnx/ml.h"

namespace kappa {
namespace {

const char* domain = "ai.onnx.ml";

Array row(const Array& x, const std::vector<double>& values) {
  return constant(x, values, {static_cast<std::int64_t>(values.size())}, x.dtype());
}

}  // namespace

KAPPA_ONNX_OPERATOR(Normalizer) {
  return {.domain = domain, .build = [](OnnxCall& call) {
            const Array x = ml_samples(call, 0);
            const std::string norm = call.text("norm", "MAX");
            Array size;
            if (norm == "MAX") {
              size = max(x, {1}, true);
            } else if (norm == "L1") {
              size = sum(abs(x), {1}, true);
            } else if (norm == "L2") {
              size = sqrt(sum(square(x), {1}, true));
            } else {
              call.fail("norm " + norm);
            }
            return std::vector<Array>{
                x / where(equal(size, 0.0), full(size, 1, size.shape(), size.dtype()), size)};
          }};
}

KAPPA_ONNX_OPERATOR(Scaler) {
  return {.domain = domain, .build = [](OnnxCall& call) {
            Array x = call.input(0);
            if (x.dtype() == DType::i64) x = convert(x, call.floating());
            if (call.has_attribute("offset")) x = x - row(x, call.reals("offset"));
            if (call.has_attribute("scale")) x = x * row(x, call.reals("scale"));
            return std::vector<Array>{x};
          }};
}

KAPPA_ONNX_OPERATOR(Imputer) {
  return {.domain = domain, .note = "numbers that are floating", .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (x.dtype() == DType::i64) call.fail("integers");
            const double missing = call.real("replaced_value_float", 0);
            const Array gone = std::isnan(missing) ? not_equal(x, x) : equal(x, missing);
            return std::vector<Array>{where(gone, row(x, call.reals("imputed_value_floats")), x)};
          }};
}

KAPPA_ONNX_OPERATOR(Binarizer) {
  return {.domain = domain, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            return std::vector<Array>{convert(x > call.real("threshold", 0), x.dtype())};
          }};
}

KAPPA_ONNX_OPERATOR(ArrayFeatureExtractor) {
  return {.domain = domain, .build = [](OnnxCall& call) {
            Array x = call.input(0);
            if (x.rank() == 1) x = reshape(x, {1, x.size()});
            const Array columns = call.input(1);
            return std::vector<Array>{gather(x, reshape(columns, {columns.size()}), x.rank() - 1)};
          }};
}

KAPPA_ONNX_OPERATOR(FeatureVectorizer) {
  return {.domain = domain, .build = [](OnnxCall& call) {
            std::vector<Array> parts;
            for (std::size_t i = 0; i < call.num_inputs(); ++i)
              parts.push_back(ml_samples(call, i));
            return std::vector<Array>{concat(parts, 1)};
          }};
}

KAPPA_ONNX_OPERATOR(LabelEncoder) {
  return {
      .first = 2, .domain = domain, .note = "numbers to numbers", .build = [](OnnxCall& call) {
        const Array x = call.input(0);
        const bool from_floats = call.has_attribute("keys_floats");
        const bool to_floats = call.has_attribute("values_floats");
        if ((!from_floats && !call.has_attribute("keys_int64s")) ||
            (!to_floats && !call.has_attribute("values_int64s"))) {
          call.fail("keys or values that are texts");
        }
        const auto numbers = [&](std::string_view floats, std::string_view whole, bool floating) {
          if (floating) {
            const std::vector<double> v = call.reals(floats);
            return call.constant(
                Tensor::from_doubles(v, {static_cast<std::int64_t>(v.size())}, call.floating()));
          }
          return call.integers_constant(call.integers(whole));
        };
        const Array keys = numbers("keys_floats", "keys_int64s", from_floats);
        const Array values = numbers("values_floats", "values_int64s", to_floats);
        if (keys.size() != values.size()) call.fail("as many values as keys are needed");
        Shape raised = x.shape();
        raised.push_back(1);
        const Array found = equal(reshape(x, raised), keys);
        const double otherwise = to_floats ? call.real("default_float", 0)
                                           : static_cast<double>(call.integer("default_int64", -1));
        const Array none = full(values, 0, values.shape(), values.dtype());
        const Array value = sum(where(found, values, none), {x.rank()});
        const Array any = sum(convert(found, DType::i64), {x.rank()}) > 0.0;
        return std::vector<Array>{where(any, value, otherwise)};
      }};
}

KAPPA_ONNX_OPERATOR(ZipMap) {
  return {.domain = domain,
          .note = "gives the scores themselves, not a map by label",
          .build = [](OnnxCall& call) { return std::vector<Array>{call.input(0)}; }};
}

}  // namespace kappa
