// The official node tests of ONNX: one model of one operator each, with inputs and outputs. Every
// test whose operators are registered is run, in single and in double precision.

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "data/npz.h"
#include "excluded_node_tests.h"
#include "frontend/onnx/operator.h"
#include "support.h"

namespace kappa {
namespace {

namespace fs = std::filesystem;

bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  if (rest.empty()) return true;
  for (std::size_t i = star; i <= name.size(); ++i) {
    if (matches(rest, name.substr(i))) return true;
  }
  return false;
}

// The reason that a list gives for a test; empty where it is not on it.
std::string reason_in(const std::vector<ExcludedNodeTest>& list, const std::string& name) {
  for (const ExcludedNodeTest& test : list) {
    if (matches(test.name, name)) return std::string(test.reason);
  }
  return "";
}

// The first operator of a graph that is not registered, nested graphs included.
std::string unsupported_operator(const OnnxModel& model, const OnnxGraph& graph) {
  for (const OnnxNode& node : graph.nodes) {
    const bool function = std::any_of(
        model.functions.begin(), model.functions.end(),
        [&](const OnnxFunction& f) { return f.name == node.op && f.domain == node.domain; });
    const OnnxOperator* op = find_onnx_operator(node.domain, node.op);
    if (!function && op == nullptr)
      return node.domain.empty() ? node.op : node.domain + "." + node.op;
    for (const auto& [name, value] : node.attributes) {
      if (const auto* nested = std::get_if<std::shared_ptr<const OnnxGraph>>(&value)) {
        std::string inner = unsupported_operator(model, **nested);
        if (!inner.empty()) return inner;
      }
    }
  }
  for (const OnnxFunction& function : model.functions) {
    if (&function.body == &graph) continue;
    std::string inner = unsupported_operator({.functions = model.functions}, function.body);
    if (!inner.empty()) return inner;
  }
  return "";
}

// Which inputs are arrays of the program; the others are constants while it is built.
enum class Binding { arrays, integers_known, all_known };

struct Case {
  const OnnxModel& model;
  bool loose;
  std::vector<OnnxTensor> inputs, outputs;
};

OnnxProgram import_case(const Case& test, Binding binding, DType dtype, std::vector<Tensor>& data) {
  OnnxImportOptions options{.floating = dtype, .parameters = false};
  data.clear();
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    const std::string& name = test.model.graph.inputs[i].name;
    const Tensor value = test.inputs[i].read(dtype);
    if (binding == Binding::arrays ||
        (binding == Binding::integers_known && is_floating(value.dtype()))) {
      options.input_shapes[name] = value.shape();
      data.push_back(value);
    } else {
      options.fixed_inputs[name] = value;
    }
  }
  for (std::size_t i = 0; i < test.outputs.size(); ++i) {
    options.outputs.push_back(test.model.graph.outputs[i].name);
  }
  return import_onnx(test.model, options);
}

// "" where it passes; `binding` becomes the first that the model can be read with.
std::string run_case(const Case& test, DType dtype, Binding& binding) {
  std::vector<Tensor> data;
  for (;;) {
    try {
      const OnnxProgram made = import_case(test, binding, dtype, data);
      const std::vector<Tensor> outputs = run_program(made.program, data);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const OnnxTensor& stored = test.outputs[i];
        // onnx's own runner allows 1e-3 relative and 1e-7; single precision gives more. Results
        // that were stored in half precision have its 11 bits.
        const bool half = stored.type == OnnxType::float16,
                   brain = stored.type == OnnxType::bfloat16;
        const double relative = half ? 2e-3 : brain ? 2e-2 : test.loose ? 1e-3 : 1e-5;
        const std::string wrong =
            difference(outputs[i], stored.read(dtype), relative, half || brain ? relative : 2e-6);
        if (!wrong.empty()) return "output " + std::to_string(i) + ": " + wrong;
      }
      return "";
    } catch (const Error& error) {
      if (binding == Binding::all_known) return error.what();
      binding = binding == Binding::arrays ? Binding::integers_known : Binding::all_known;
    }
  }
}

/// Outputs that ONNX has corrected since they were stored, as ONNX Runtime has them now.
const NpzReader& corrected_outputs() {
  static const NpzReader reader(KAPPA_SOURCE_DIR "/tests/golden/onnx_node_outputs.npz");
  return reader;
}

OnnxTensor corrected_output(const std::string& name) {
  const StoredArray array = corrected_outputs().read(name);
  const auto bytes =
      std::make_shared<const std::string>(static_cast<const char*>(array.data()),
                                          static_cast<std::size_t>(array.size()) * sizeof(float));
  return {name, OnnxType::float32, array.shape, *bytes, bytes};
}

struct Tally {
  int passed = 0, data_sets = 0;
  std::map<Binding, int> bindings;
  std::map<std::string, int> unsupported;
  std::vector<std::string> excluded, failed;
};

void run_test(const fs::path& folder, Tally& tally) {
  const std::string name = folder.filename().string().substr(5);
  const OnnxModel model = read_onnx((folder / "model.onnx").string());
  std::string missing = unsupported_operator(model, model.graph);
  const auto no_tensor = [](const OnnxValueInfo& info) {
    return info.type == OnnxType::undefined || info.type == OnnxType::string;
  };
  const auto& graph = model.graph;
  if (missing.empty() && (std::any_of(graph.inputs.begin(), graph.inputs.end(), no_tensor) ||
                          std::any_of(graph.outputs.begin(), graph.outputs.end(), no_tensor))) {
    missing = "sequences, optionals and texts";
  }
  if (!missing.empty()) {
    ++tally.unsupported[missing];
    return;
  }
  if (const std::string reason = reason_in(excluded_node_tests(), name); !reason.empty()) {
    tally.excluded.push_back(name + ": " + reason);
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    Case test{model, !reason_in(loose_node_tests(), name).empty(), {}, {}};
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      const fs::path path = entry.path() / ("input_" + std::to_string(i) + ".pb");
      test.inputs.push_back(read_pb(path));
    }
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
      const std::string corrected = name + ".out" + std::to_string(i);
      test.outputs.push_back(corrected_outputs().contains(corrected)
                                 ? corrected_output(corrected)
                                 : read_pb(entry.path() / ("output_" + std::to_string(i) + ".pb")));
    }
    Binding binding = Binding::arrays;
    for (const DType dtype : {DType::f32, DType::f64}) {
      const std::string wrong = run_case(test, dtype, binding);
      if (wrong.empty()) continue;
      tally.failed.push_back(name + " (" + to_string(dtype) + "): " + wrong);
      return;
    }
    ++tally.bindings[binding];
    ++tally.data_sets;
  }
  ++tally.passed;
}

void run_all(const std::string& root) {
  if (root.empty() || !fs::is_directory(root)) {
    GTEST_SKIP() << "the node tests are not here: " << root;
  }
  const char* only = std::getenv("KAPPA_ONNX_ONLY");  // a part of the names to run, for debugging
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (only != nullptr && entry.path().string().find(only) == std::string::npos) continue;
    if (fs::is_regular_file(entry.path() / "model.onnx")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  Tally tally;
  for (const fs::path& folder : folders) {
    try {
      run_test(folder, tally);
    } catch (const std::exception& error) {
      tally.failed.push_back(folder.filename().string() + ": " + error.what());
    }
  }
  int unsupported = 0;
  for (const auto& [op, count] : tally.unsupported) unsupported += count;
  std::printf(
      "%zu tests: %d passed (%d with all inputs as arrays, %d with integers known, %d with "
      "all known), %zu failed, %zu excluded, %d of operators that are not supported\n",
      folders.size(), tally.passed, tally.bindings[Binding::arrays],
      tally.bindings[Binding::integers_known], tally.bindings[Binding::all_known],
      tally.failed.size(), tally.excluded.size(), unsupported);
  for (const auto& [op, count] : tally.unsupported) std::printf("  no %s: %d\n", op.c_str(), count);
  for (const std::string& line : tally.excluded) std::printf("  excluded %s\n", line.c_str());
  for (const std::string& line : tally.failed) ADD_FAILURE() << line;
  EXPECT_TRUE(only != nullptr || tally.passed > 0);
}

TEST(OnnxNodeTests, OfDebiansPackage) { run_all("/usr/share/libonnx-testdata/data/node"); }

// By make_onnx_nodes.py: recurrent networks, scikit-learn's operators, what has few official tests.
TEST(OnnxNodeTests, OfOurOwn) { run_all(KAPPA_SOURCE_DIR "/tests/golden/onnx/node"); }

TEST(OnnxNodeTests, OfLaterOpsets) {
  const std::string data = test_data_folder();
  run_all(data.empty() ? "" : data + "/onnx-node-tests-new");
}

}  // namespace
}  // namespace kappa
