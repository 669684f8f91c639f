// Files that nobody meant well: one clear line each, in bounded time and memory.

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "small_inputs.h"
#include "support.h"

namespace kappa {
namespace {

namespace fs = std::filesystem;

onnx::ModelProto empty_model() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  model.mutable_graph()->set_name("g");
  return model;
}

void add_input(onnx::GraphProto& graph, const std::string& name, const Shape& shape) {
  auto* info = graph.add_input();
  info->set_name(name);
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(1);
  for (const std::int64_t extent : shape) type->mutable_shape()->add_dim()->set_dim_value(extent);
}

void add_output(onnx::GraphProto& graph, const std::string& name) {
  graph.add_output()->set_name(name);
}

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  auto& node = *graph.add_node();
  node.set_op_type(op);
  for (const std::string& name : inputs) node.add_input(name);
  for (const std::string& name : outputs) node.add_output(name);
  return node;
}

void add_integer_list(onnx::NodeProto& node, const std::string& name, const Dims& values) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

onnx::TensorProto& add_integers(onnx::GraphProto& graph, const std::string& name,
                                const Dims& values) {
  auto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(7);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

void add_floats(onnx::GraphProto& graph, const std::string& name,
                const std::vector<float>& values) {
  auto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(1);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const float value : values) tensor.add_float_data(value);
}

void add_text(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

// Reads and imports; the message of the Error, which must come and must be one line.
std::string refusal(const onnx::ModelProto& proto, const std::string& folder = "") {
  try {
    const OnnxModel model = parse_onnx(proto.SerializeAsString(), "m.onnx", folder);
    import_onnx(model, small_inputs(model));
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_TRUE(text.starts_with("m.onnx")) << text;
    EXPECT_LT(text.size(), 500U) << text;
    return text;
  }
  ADD_FAILURE() << "not refused";
  return "";
}

#define EXPECT_SAYS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << "said: " << (text)

TEST(OnnxHostile, EveryTruncationIsRefusedOrReadsAsAModel) {
  std::ifstream file(KAPPA_SOURCE_DIR "/tests/golden/onnx/lenet.onnx", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_GT(bytes.size(), 1000U);
  std::size_t refused = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    try {
      parse_onnx(bytes.substr(0, length), "m.onnx", "");
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, bytes.size() * 9 / 10);
}

TEST(OnnxHostile, Cycle) {
  auto model = empty_model();
  add_node(*model.mutable_graph(), "Relu", {"b"}, {"a"});
  add_node(*model.mutable_graph(), "Relu", {"a"}, {"b"});
  add_output(*model.mutable_graph(), "b");
  EXPECT_SAYS(refusal(model), "a cycle");
}

TEST(OnnxHostile, CycleOfIdentitiesAtTheEnd) {
  auto model = empty_model();
  add_node(*model.mutable_graph(), "Identity", {"b"}, {"a"});
  add_node(*model.mutable_graph(), "Identity", {"a"}, {"b"});
  add_output(*model.mutable_graph(), "b");
  EXPECT_SAYS(refusal(model), "a cycle");
}

TEST(OnnxHostile, DanglingName) {
  auto model = empty_model();
  add_node(*model.mutable_graph(), "Relu", {"nowhere"}, {"y"});
  add_output(*model.mutable_graph(), "y");
  EXPECT_SAYS(refusal(model), "'nowhere', which nothing makes");
}

TEST(OnnxHostile, OutputThatNothingMakes) {
  auto model = empty_model();
  add_output(*model.mutable_graph(), "y");
  EXPECT_SAYS(refusal(model), "'y', which nothing makes");
}

TEST(OnnxHostile, TwoProducers) {
  auto model = empty_model();
  add_input(*model.mutable_graph(), "x", {2});
  add_node(*model.mutable_graph(), "Relu", {"x"}, {"y"});
  add_node(*model.mutable_graph(), "Abs", {"x"}, {"y"});
  add_output(*model.mutable_graph(), "y");
  EXPECT_SAYS(refusal(model), "made by two nodes");
}

TEST(OnnxHostile, UnknownOperatorWithANameOfSeveralLines) {
  auto model = empty_model();
  add_input(*model.mutable_graph(), "x", {2});
  add_node(*model.mutable_graph(), "Re\nlu\x1b[31m" + std::string(5000, 'x'), {"x"}, {"y"});
  add_output(*model.mutable_graph(), "y");
  EXPECT_SAYS(refusal(model), "not supported (opset 13)");
}

TEST(OnnxHostile, AttributeOfSeveralLines) {
  auto model = empty_model();
  add_input(*model.mutable_graph(), "x", {1, 1, 4, 4});
  auto& node = add_node(*model.mutable_graph(), "AveragePool", {"x"}, {"y"});
  add_integer_list(node, "kernel_shape", {2, 2});
  auto& attribute = *node.add_attribute();
  attribute.set_name("auto_pad");
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s("\n\x1b[31m_LOWER" + std::string(5000, 'x'));
  add_output(*model.mutable_graph(), "y");
  EXPECT_SAYS(refusal(model), "auto_pad ??[31m_LOWER");
}

// A window must not be listed for every place before anything looks at what it would cost.
TEST(OnnxHostile, MaxPoolWithIndicesOutOfAllProportion) {
  for (const auto& [name, values] : std::vector<std::pair<std::string, Dims>>{
           {"kernel_shape", {std::int64_t{1} << 40, std::int64_t{1} << 40}},
           {"strides", {0, 1}},
           {"dilations", {std::int64_t{1} << 62, std::int64_t{1} << 62}},
           {"pads", {std::int64_t{1} << 62, 0, std::int64_t{1} << 62, 0}},
           {"pads", {-1, -1, -1, -1}},
           {"kernel_shape", {-2, 2}},
           {"kernel_shape", {2}}}) {
    auto model = empty_model();
    add_input(*model.mutable_graph(), "x", {1, 1, 4, 4});
    auto& node = add_node(*model.mutable_graph(), "MaxPool", {"x"}, {"y", "places"});
    if (name != "kernel_shape") add_integer_list(node, "kernel_shape", {2, 2});
    add_integer_list(node, name, values);
    add_output(*model.mutable_graph(), "places");
    SCOPED_TRACE(name);
    EXPECT_SAYS(refusal(model), "MaxPool");
  }
}

TEST(OnnxHostile, ExtentsThatOverflow) {
  for (const Shape& shape : {Shape{std::int64_t{1} << 40, std::int64_t{1} << 40},
                             Shape{0, std::int64_t{1} << 40, std::int64_t{1} << 40},
                             Shape{std::int64_t{1} << 62, 2}, Shape{-1, 3}}) {
    auto model = empty_model();
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("w");
    tensor.set_data_type(1);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    add_output(*model.mutable_graph(), "w");
    EXPECT_SAYS(refusal(model), "tensor 'w'");
  }
}

TEST(OnnxHostile, SparseTensorWithExtentsThatOverflow) {
  auto model = empty_model();
  auto& sparse = *model.mutable_graph()->add_sparse_initializer();
  sparse.mutable_values()->set_name("w");
  sparse.mutable_values()->set_data_type(1);
  sparse.mutable_values()->add_dims(0);
  sparse.mutable_indices()->set_data_type(7);
  sparse.mutable_indices()->add_dims(0);
  for (const std::int64_t extent :
       {std::int64_t{0}, std::int64_t{1} << 40, std::int64_t{1} << 40}) {
    sparse.add_dims(extent);
  }
  add_output(*model.mutable_graph(), "w");
  EXPECT_SAYS(refusal(model), "tensor 'w': more elements than can be counted");
}

TEST(OnnxHostile, FewerBytesThanTheShapeAsksFor) {
  auto model = empty_model();
  auto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(1);
  tensor.add_dims(1'000'000'000);
  tensor.set_raw_data("abcd");
  add_output(*model.mutable_graph(), "w");
  EXPECT_SAYS(refusal(model), "4 bytes of data, float32 (1000000000) asks for 4000000000");
}

TEST(OnnxHostile, ShapesAndCountsOutOfAllProportion) {
  struct Absurd {
    std::string op;
    Dims integers;
  };
  for (const Absurd& absurd :
       {Absurd{"Reshape", {std::int64_t{1} << 62, std::int64_t{1} << 62}},
        Absurd{"Expand", {std::int64_t{1} << 61, 1 << 10, 2}},
        Absurd{"Tile", {std::int64_t{1} << 62}}, Absurd{"Pad", {0, std::int64_t{1} << 62}}}) {
    auto model = empty_model();
    auto& graph = *model.mutable_graph();
    add_input(graph, "x", {2});
    add_integers(graph, "n", absurd.integers);
    add_node(graph, absurd.op, {"x", "n"}, {"y"});
    add_output(graph, "y");
    EXPECT_SAYS(refusal(model), absurd.op);
  }
  auto model = empty_model();
  auto& graph = *model.mutable_graph();
  add_integers(graph, "n", {std::int64_t{1} << 62, 4});
  add_node(graph, "ConstantOfShape", {"n"}, {"y"});
  add_output(graph, "y");
  EXPECT_SAYS(refusal(model), "ConstantOfShape");
}

// Constants of 2^40 elements are never filled in: what depends on their values is refused.
TEST(OnnxHostile, AKnownValueTooLargeToFillIn) {
  auto model = empty_model();
  auto& graph = *model.mutable_graph();
  add_input(graph, "x", {2});
  add_integers(graph, "n", {std::int64_t{1} << 40});
  add_node(graph, "ConstantOfShape", {"n"}, {"zeros"});
  auto& cast = add_node(graph, "Cast", {"zeros"}, {"shape"});
  auto& to = *cast.add_attribute();
  to.set_name("to");
  to.set_type(onnx::AttributeProto::INT);
  to.set_i(7);
  add_node(graph, "Reshape", {"x", "shape"}, {"y"});
  add_output(graph, "y");
  EXPECT_SAYS(refusal(model), "Reshape");
}

// Found by fuzzing: bias and initial state of no shape at all.
TEST(OnnxHostile, RecurrenceWithOperandsThatDoNotFit) {
  for (const std::size_t wrong : {3, 4, 5}) {
    auto model = empty_model();
    auto& graph = *model.mutable_graph();
    add_input(graph, "x", {2, 3, 4});
    add_input(graph, "w", {1, 5, 4});
    add_input(graph, "r", {1, 5, 5});
    add_input(graph, "scalar", {});
    std::vector<std::string> inputs{"x", "w", "r", "", "", ""};
    inputs[wrong] = "scalar";
    auto& node = add_node(graph, "RNN", inputs, {"y"});
    auto& hidden = *node.add_attribute();
    hidden.set_name("hidden_size");
    hidden.set_type(onnx::AttributeProto::INT);
    hidden.set_i(5);
    add_output(graph, "y");
    EXPECT_SAYS(refusal(model), "RNN");
  }
}

TEST(OnnxHostile, FunctionsThatCallThemselves) {
  auto model = empty_model();
  model.add_opset_import()->set_domain("d");
  model.mutable_opset_import(1)->set_version(1);
  auto& function = *model.add_functions();
  function.set_name("f");
  function.set_domain("d");
  function.add_input("a");
  function.add_output("b");
  auto& node = *function.add_node();
  node.set_op_type("f");
  node.set_domain("d");
  node.add_input("a");
  node.add_output("b");
  auto& graph = *model.mutable_graph();
  add_input(graph, "x", {2});
  add_node(graph, "f", {"x"}, {"y"}).set_domain("d");
  add_output(graph, "y");
  EXPECT_SAYS(refusal(model), "nested deeper");
}

// f0 calls f1 twice, f1 calls f2 twice, ...: 2^20 nodes from twenty functions.
TEST(OnnxHostile, FunctionsThatDouble) {
  auto model = empty_model();
  model.add_opset_import()->set_domain("d");
  model.mutable_opset_import(1)->set_version(1);
  for (int i = 0; i < 20; ++i) {
    auto& function = *model.add_functions();
    function.set_name("f" + std::to_string(i));
    function.set_domain("d");
    function.add_input("a");
    function.add_output("c");
    for (const auto& [from, to] : {std::pair{"a", "b"}, std::pair{"b", "c"}}) {
      auto& node = *function.add_node();
      node.set_op_type(i == 19 ? "Relu" : "f" + std::to_string(i + 1));
      node.set_domain(i == 19 ? "" : "d");
      node.add_input(from);
      node.add_output(to);
    }
  }
  auto& graph = *model.mutable_graph();
  add_input(graph, "x", {2});
  add_node(graph, "f0", {"x"}, {"y"}).set_domain("d");
  add_output(graph, "y");
  EXPECT_SAYS(refusal(model), "more than 200000 nodes");
}

// The same with constants of 4096 elements, which are computed while the model is read: gigabytes.
TEST(OnnxHostile, FunctionsThatDoubleAndFillTheMemory) {
  auto model = empty_model();
  model.add_opset_import()->set_domain("d");
  model.mutable_opset_import(1)->set_version(1);
  for (int i = 0; i < 17; ++i) {
    auto& function = *model.add_functions();
    function.set_name("f" + std::to_string(i));
    function.set_domain("d");
    function.add_input("a");
    function.add_output("c");
    for (const auto& [from, to] : {std::pair{"a", "b"}, std::pair{"b", "c"}}) {
      auto& node = *function.add_node();
      node.set_op_type(i == 16 ? "Add" : "f" + std::to_string(i + 1));
      node.set_domain(i == 16 ? "" : "d");
      node.add_input(from);
      if (i == 16) node.add_input(from);
      node.add_output(to);
    }
  }
  auto& graph = *model.mutable_graph();
  Dims ramp;
  for (std::int64_t i = 0; i < 4096; ++i) ramp.push_back(2 * i + 1);
  add_integers(graph, "ramp", ramp);
  auto& cast = add_node(graph, "Cast", {"ramp"}, {"x"});
  auto& to = *cast.add_attribute();
  to.set_name("to");
  to.set_type(onnx::AttributeProto::INT);
  to.set_i(1);
  add_node(graph, "f0", {"x"}, {"y"}).set_domain("d");
  add_output(graph, "y");
  EXPECT_SAYS(refusal(model), "constants of more than");
}

// The bits of a floating number where a list of integers belongs.
TEST(OnnxHostile, FloatingNumbersThatAreNoIntegers) {
  for (const auto& [entry, shown] :
       {std::pair{1e30F, "is 1e+30 at entry 0"}, {2.5F, "is 2.5 at entry 0"}, {NAN, "is nan"}}) {
    auto model = empty_model();
    auto& graph = *model.mutable_graph();
    add_input(graph, "x", {2, 3});
    add_floats(graph, "shape", {entry, 6});
    add_node(graph, "Reshape", {"x", "shape"}, {"y"});
    add_output(graph, "y");
    const std::string text = refusal(model);
    EXPECT_SAYS(text, "Reshape");
    EXPECT_SAYS(text, shown);
    EXPECT_SAYS(text, "not an integer");
  }
}

TEST(OnnxHostile, RegionsAndSizesBeyondIntegers) {
  const auto resize = [](const std::vector<float>& region, const Dims& sizes) {
    auto model = empty_model();
    model.mutable_opset_import(0)->set_version(18);
    auto& graph = *model.mutable_graph();
    add_input(graph, "x", {2, 3});
    add_floats(graph, "region", region);
    add_integers(graph, "sizes", sizes);
    auto& node = add_node(graph, "Resize", {"x", "region", "", "sizes"}, {"y"});
    add_text(node, "coordinate_transformation_mode",
             region.empty() ? "half_pixel" : "tf_crop_and_resize");
    add_text(node, "keep_aspect_ratio_policy", region.empty() ? "not_smaller" : "stretch");
    add_output(graph, "y");
    return refusal(model);
  };
  EXPECT_SAYS(resize({0, -1e30F, 1, 1e30F}, {4, 4}), "a region out of range");
  EXPECT_SAYS(resize({0, NAN, 1, 1}, {4, 4}), "a region out of range");
  EXPECT_SAYS(resize({}, {1, INT64_MAX}), "size out of range");
}

TEST(OnnxHostile, GraphsNestedWithoutEnd) {
  onnx::GraphProto inner;
  inner.set_name("leaf");
  for (int depth = 0; depth < 40; ++depth) {
    onnx::GraphProto outer;
    auto& node = add_node(outer, "If", {"c"}, {"y"});
    auto& branch = *node.add_attribute();
    branch.set_name("then_branch");
    branch.set_type(onnx::AttributeProto::GRAPH);
    *branch.mutable_g() = inner;
    add_output(outer, "y");
    inner = std::move(outer);
  }
  auto model = empty_model();
  *model.mutable_graph() = inner;
  refusal(model);  // by the parser's own limit or ours
}

TEST(OnnxHostile, ExternalDataOutsideTheFolder) {
  const fs::path root = fs::temp_directory_path() / ("kappa_onnx_" + std::to_string(getpid()));
  fs::create_directories(root / "model");
  std::ofstream(root / "secret.bin") << "12345678";
  std::ofstream(root / "model/inside.bin") << "12345678";
  fs::create_symlink(root / "secret.bin", root / "model/link.bin");
  const auto model_at = [](const std::string& location, const std::string& offset) {
    auto model = empty_model();
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("w");
    tensor.set_data_type(1);
    tensor.add_dims(2);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"location", location}, {"offset", offset}}) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    add_output(*model.mutable_graph(), "w");
    return model;
  };
  const std::string folder = (root / "model").string();
  EXPECT_NO_THROW(parse_onnx(model_at("inside.bin", "0").SerializeAsString(), "m.onnx", folder));
  EXPECT_SAYS(refusal(model_at("../secret.bin", "0"), folder), "outside the model's folder");
  EXPECT_SAYS(refusal(model_at("link.bin", "0"), folder), "outside the model's folder");
  EXPECT_SAYS(refusal(model_at((root / "secret.bin").string(), "0"), folder), "outside");
  EXPECT_SAYS(refusal(model_at("none.bin", "0"), folder), "which is no file");
  EXPECT_SAYS(refusal(model_at("", "0"), folder), "outside the model's folder");
  EXPECT_SAYS(refusal(model_at("inside.bin", "4"), folder), "bytes 4 to 12");
  EXPECT_SAYS(refusal(model_at("inside.bin", "99999999999999999999"), folder), "no number");
  EXPECT_SAYS(refusal(model_at("inside.bin", "9223372036854775807"), folder), "which has 8");
  fs::remove_all(root);
}

}  // namespace
}  // namespace kappa
