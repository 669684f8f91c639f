// The models in $KAPPA_TEST_DATA/onnx-models: all load, and their outputs are those of ONNX Runtime
// (tests/golden/onnx_models.npz, by make_onnx.py) and of the vectors stored beside them.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "data/idx.h"
#include "data/npz.h"
#include "support.h"

namespace kappa {
namespace {

namespace fs = std::filesystem;

std::string models_folder() {
  const std::string data = test_data_folder();
  return data.empty() || !fs::is_directory(data + "/onnx-models") ? "" : data + "/onnx-models";
}

// The elements of a stored array: bytes stand for u / 256.
Tensor input_tensor(const StoredArray& stored, DType floating) {
  const bool bytes = stored.type() == ElementType::u8;
  Tensor tensor(Type{bytes ? floating : DType::i64, stored.shape});
  for (std::int64_t i = 0; i < stored.size(); ++i) {
    if (!bytes) {
      tensor.as<std::int64_t>()[i] =
          std::get<std::vector<std::int64_t>>(stored.values)[static_cast<std::size_t>(i)];
    } else if (floating == DType::f32) {
      tensor.as<float>()[i] = static_cast<float>(stored[i] / 256);
    } else {
      tensor.as<double>()[i] = stored[i] / 256;
    }
  }
  return tensor;
}

// "" where all elements agree to 1e-5 of the largest.
std::string disagreement(const Tensor& actual, const std::vector<double>& expected,
                         std::int64_t stride = 1) {
  if ((actual.size() + stride - 1) / stride != static_cast<std::int64_t>(expected.size())) {
    return std::to_string(actual.size()) + " elements, every " + std::to_string(stride) +
           "th expected: " + std::to_string(expected.size());
  }
  double largest = 1;
  for (const double e : expected) largest = std::max(largest, std::abs(e));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = actual.at(static_cast<std::int64_t>(i) * stride);
    if (!(std::abs(a - expected[i]) <= 1e-5 * largest)) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " +
             std::to_string(expected[i]);
    }
  }
  return "";
}

// Integers are fixed where the model needs to know them while it is read.
std::vector<Tensor> run_model(const OnnxModel& model, const std::vector<Tensor>& inputs,
                              DType floating) {
  OnnxImportOptions options{.floating = floating, .parameters = false};
  for (const OnnxValueInfo& output : model.graph.outputs) options.outputs.push_back(output.name);
  for (const bool fixed : {false, true}) {
    options.input_shapes.clear();
    std::vector<Tensor> arrays;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string& name = model.graph.inputs[i].name;
      if (fixed && !is_floating(inputs[i].dtype())) {
        options.fixed_inputs[name] = inputs[i];
      } else {
        options.input_shapes[name] = inputs[i].shape();
        arrays.push_back(inputs[i]);
      }
    }
    try {
      return run_program(import_onnx(model, options).program, arrays);
    } catch (const Error&) {
      if (fixed) throw;
    }
  }
  return {};
}

TEST(OnnxModels, AgreeWithOnnxRuntime) {
  const std::string folder = models_folder();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA names no folder with onnx-models";
  const NpzReader golden(KAPPA_SOURCE_DIR "/tests/golden/onnx_models.npz");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  ASSERT_GE(names.size(), 30u);
  int compared = 0;
  for (const std::string& name : names) {
    const OnnxModel model = read_onnx(folder + "/" + name + ".onnx");
    if (!golden.contains(name + ".in0")) continue;  // the tests below hold it to something else
    ++compared;
    for (const DType floating : {DType::f32, DType::f64}) {
      SCOPED_TRACE(name + " in " + to_string(floating));
      std::vector<Tensor> inputs;
      for (int k = 0; golden.contains(name + ".in" + std::to_string(k)); ++k) {
        inputs.push_back(input_tensor(golden.read(name + ".in" + std::to_string(k)), floating));
      }
      try {
        const std::vector<Tensor> outputs = run_model(model, inputs, floating);
        for (std::size_t k = 0; k < outputs.size(); ++k) {
          const std::string stride = name + ".stride" + std::to_string(k);
          EXPECT_EQ(
              disagreement(
                  outputs[k], golden.read(name + ".out" + std::to_string(k)).to_doubles(),
                  golden.contains(stride) ? static_cast<std::int64_t>(golden.read(stride)[0]) : 1),
              "")
              << "output " << k;
        }
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  EXPECT_EQ(compared, 32);
}

std::string stored_vector(const OnnxModel& model, const fs::path& set) {
  const Tensor input = read_pb(set / "input_0.pb").read(DType::f32);
  const Tensor expected = read_pb(set / "output_0.pb").read(DType::f32);
  std::vector<double> values;
  for (std::int64_t i = 0; i < expected.size(); ++i) values.push_back(expected.at(i));
  return disagreement(run_model(model, {input}, DType::f32)[0], values);
}

TEST(OnnxModels, AgreeWithVectorsStoredBesideThem) {
  const std::string folder = models_folder();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA names no folder with onnx-models";
  const OnnxModel digits = read_onnx(folder + "/mnist-8-cntk.onnx");
  for (const char* set : {"0", "1", "2"}) {
    EXPECT_EQ(stored_vector(digits, folder + "/testdata/mnist-8/test_data_set_" + set), "") << set;
  }
  EXPECT_EQ(stored_vector(read_onnx(folder + "/super-resolution-10.onnx"),
                          folder + "/testdata/super-resolution-10/test_data_set_0"),
            "");
}

// Networks of 224 x 224 pixels whose weights are constants; onnx made their outputs from ones.
TEST(OnnxModels, DISABLED_LightModelsAgreeWithTheirOutputs) {
  const std::string folder = models_folder();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA names no folder with onnx-models";
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(folder + "/light")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++compared;
    const OnnxModel model = read_onnx(entry.path().string());
    Shape shape;
    for (const OnnxDim& dim : model.graph.inputs.at(0).dims) shape.push_back(dim.extent);
    Tensor ones(Type{DType::f32, shape});
    std::fill_n(ones.as<float>(), ones.size(), 1.0f);
    const std::string stem = entry.path().stem().string();
    const Tensor expected =
        read_pb(entry.path().parent_path() / (stem + "_output_0.pb")).read(DType::f32);
    std::vector<double> values;
    for (std::int64_t i = 0; i < expected.size(); ++i) values.push_back(expected.at(i));
    try {
      EXPECT_EQ(disagreement(run_model(model, {ones}, DType::f32)[0], values), "");
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_EQ(compared, 9);
}

struct Evaluation {
  std::string model, preprocessing;
  double accuracy, cross_entropy;
};

std::vector<Evaluation> read_evaluations(const std::string& path) {
  std::vector<Evaluation> rows;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string name, preprocessing, accuracy, cross_entropy;
    std::getline(fields, name, ',');
    std::getline(fields, preprocessing, ',');
    std::getline(fields, accuracy, ',');
    std::getline(fields, cross_entropy, ',');
    rows.push_back({name, preprocessing, std::stod(accuracy), std::stod(cross_entropy)});
  }
  return rows;
}

// What mnist-eval.csv says of the first 400 test images, to its last digit.
TEST(OnnxModels, KeepTheirAccuracyOnDigits) {
  const std::string folder = models_folder();
  const std::string table = test_data_folder() + "/mnist-eval.csv";
  if (folder.empty() || !fs::exists(table)) {
    GTEST_SKIP() << "KAPPA_TEST_DATA names no folder with onnx-models and mnist-eval.csv";
  }
  constexpr std::int64_t count = 400;
  const StoredArray images =
      read_idx(test_data_folder() + "/mnist/t10k-images-idx3-ubyte.gz", {.max_rows = count});
  const StoredArray labels =
      read_idx(test_data_folder() + "/mnist/t10k-labels-idx1-ubyte.gz", {.max_rows = count});
  int evaluated = 0;
  for (const Evaluation& expected : read_evaluations(table)) {
    const std::string path = folder + "/" + expected.model;
    if (!fs::exists(path)) continue;
    SCOPED_TRACE(expected.model);
    ++evaluated;
    const OnnxModel model = read_onnx(path);
    Shape shape;
    for (const OnnxDim& dim : model.graph.inputs.at(0).dims) shape.push_back(dim.extent);
    const std::int64_t batch = shape.at(0) > 0 ? shape[0] : count;
    shape[0] = batch;
    const OnnxImportOptions options{.input_shapes = {{model.graph.inputs[0].name, shape}},
                                    .parameters = false};
    const Program program = import_onnx(model, options).program;
    const bool raw = expected.preprocessing.starts_with("raw");
    const bool centred = expected.preprocessing == "x/127.5-1";
    int correct = 0;
    double cross_entropy = 0;
    for (std::int64_t first = 0; first < count; first += batch) {
      Tensor input(Type{DType::f32, shape});
      for (std::int64_t i = 0; i < input.size(); ++i) {
        const double pixel = images[first * 784 + i];
        input.as<float>()[i] = static_cast<float>(raw       ? pixel
                                                  : centred ? pixel / 127.5 - 1
                                                            : pixel / 255);
      }
      const Tensor output = run_program(program, {input})[0];
      for (std::int64_t row = 0; row < batch; ++row) {
        std::int64_t best = 0;
        double total = 0;
        for (std::int64_t c = 0; c < 10; ++c) {
          if (output.at(row * 10 + c) > output.at(row * 10 + best)) best = c;
        }
        for (std::int64_t c = 0; c < 10; ++c) {
          total += std::exp(output.at(row * 10 + c) - output.at(row * 10 + best));
        }
        const auto label = static_cast<std::int64_t>(labels[first + row]);
        correct += best == label ? 1 : 0;
        cross_entropy += std::log(total) + output.at(row * 10 + best) - output.at(row * 10 + label);
      }
    }
    EXPECT_DOUBLE_EQ(correct / static_cast<double>(count), expected.accuracy);
    EXPECT_NEAR(cross_entropy / count, expected.cross_entropy, 1e-5);
  }
  EXPECT_GE(evaluated, 12);
}

}  // namespace
}  // namespace kappa
