// Derivatives of imported networks against PyTorch in double precision: tests/golden/onnx, written
// by make_onnx_derivatives.py.

#include "transform/derivatives.h"

#include "data/npz.h"
#include "frontend/losses.h"
#include "program/builder.h"
#include "support.h"

namespace kappa {
namespace {

const std::string folder = KAPPA_SOURCE_DIR "/tests/golden/onnx/";

Tensor tensor_of(const StoredArray& stored, DType floating) {
  if (stored.type() == ElementType::i64) {
    Tensor tensor(Type{DType::i64, stored.shape});
    std::copy_n(static_cast<const std::int64_t*>(stored.data()), stored.size(),
                tensor.as<std::int64_t>());
    return tensor;
  }
  return Tensor::from_doubles(stored.to_doubles(), stored.shape, floating);
}

// The mean cross-entropy of logits z and labels.
Program mean_cross_entropy(const Type& z_type) {
  Builder builder;
  const Array z = builder.input(z_type, "z");
  const Array y = builder.input({DType::i64, {z_type.shape[0]}}, "y");
  return builder.finish(std::vector<Array>{mean(build_loss(find_loss("cross-entropy"), z, y))});
}

// |actual - expected| / |expected| over all parameters together.
class RelativeError {
 public:
  void add(const Tensor& actual, const std::vector<double>& expected) {
    ASSERT_EQ(actual.size(), static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double off = actual.at(static_cast<std::int64_t>(i)) - expected[i];
      difference_ += off * off;
      size_ += expected[i] * expected[i];
    }
  }
  [[nodiscard]] double value() const { return std::sqrt(difference_ / size_); }

 private:
  double difference_ = 0, size_ = 0;
};

void check_case(const std::string& name, const std::string& model_name, std::size_t num_parameters,
                DType dtype, double tolerance) {
  SCOPED_TRACE(name + " in " + to_string(dtype));
  const NpzReader golden(folder + "derivatives.npz");
  const Tensor x = tensor_of(golden.read(name + "/x"), dtype);
  const Tensor y = tensor_of(golden.read(name + "/y"), dtype);
  const OnnxModel model = read_onnx(folder + model_name + ".onnx");
  const OnnxProgram made = import_onnx(model, {.floating = dtype,
                                               .input_shapes = {{"x", x.shape()}},
                                               .train_batch_norm = name.ends_with("-train")});
  EXPECT_EQ(made.parameters.size(), num_parameters);

  std::vector<Tensor> inputs;
  for (const OnnxParameter& parameter : made.parameters) inputs.push_back(parameter.value);
  inputs.push_back(x);
  const Tensor z = run_program(made.program, inputs)[0];
  RelativeError outputs;
  outputs.add(z, golden.read(name + "/outputs").to_doubles());
  EXPECT_LT(outputs.value(), tolerance);

  inputs.push_back(y);
  std::vector<bool> varying(inputs.size(), false);
  std::fill_n(varying.begin(), made.parameters.size(), true);
  for (const OnnxParameter& parameter : made.parameters) {
    inputs.push_back(tensor_of(golden.read(name + "/v/" + parameter.name), dtype));
  }
  const Program loss = mean_cross_entropy(z.type());
  // Each holds the products, the value, then the gradient.
  const auto check_product = [&](const Program& program, const char* kind) {
    const std::vector<Tensor> results = run_program(program, inputs);
    const std::size_t count = made.parameters.size();
    ASSERT_EQ(results.size(), 2 * count + 1);
    RelativeError value, product, gradient;
    value.add(results[count], golden.read(name + "/value").to_doubles());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& parameter = made.parameters[i].name;
      product.add(results[i], golden.read(name + "/" + kind + "/" + parameter).to_doubles());
      gradient.add(results[count + 1 + i],
                   golden.read(name + "/gradient/" + parameter).to_doubles());
    }
    EXPECT_LT(value.value(), tolerance) << kind;
    EXPECT_LT(gradient.value(), tolerance) << kind;
    EXPECT_LT(product.value(), tolerance) << kind;
  };
  check_product(hessian_product(compose(made.program, loss), varying), "hessian");
  std::vector<bool> of_model(
      varying.begin(), varying.begin() + static_cast<std::ptrdiff_t>(made.program.inputs.size()));
  check_product(gauss_newton_product(made.program, loss, of_model), "gauss_newton");
}

struct Case {
  const char* name;
  const char* model;
  std::size_t num_parameters;
};

class OnnxDerivatives : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxDerivatives, AgreeWithPyTorch) {
  const Case& c = GetParam();
  check_case(c.name, c.model, c.num_parameters, DType::f64, 1e-9);
  check_case(c.name, c.model, c.num_parameters, DType::f32, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, OnnxDerivatives,
    ::testing::Values(Case{"lenet", "lenet", 8}, Case{"resnet", "resnet", 20},
                      Case{"resnet-train", "resnet", 20}, Case{"depthwise", "depthwise", 9},
                      Case{"encoder", "encoder", 14}, Case{"language", "language", 5},
                      Case{"lstm", "lstm", 18}, Case{"gru", "gru", 10}, Case{"rnn", "rnn", 6}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace kappa
