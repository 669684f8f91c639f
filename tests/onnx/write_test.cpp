// Models written back: the initialisers asked for are replaced, everything else keeps its bits.

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include "support.h"

namespace kappa {
namespace {

namespace fs = std::filesystem;

struct TemporaryFile {
  std::string path =
      (fs::temp_directory_path() / ("kappa_written_" + std::to_string(getpid()) + ".onnx"))
          .string();
  ~TemporaryFile() { fs::remove(path); }
};

onnx::ModelProto proto_of(const std::string& path) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(read_file(path, max_onnx_bytes)));
  return proto;
}

const char* const kLenet = KAPPA_SOURCE_DIR "/tests/golden/onnx/lenet.onnx";

TEST(OnnxWrite, NothingReplacedIsTheSameModel) {
  const TemporaryFile file;
  EXPECT_EQ(write_onnx(read_onnx(kLenet), {}, file.path), 0);
  EXPECT_EQ(proto_of(file.path).SerializeAsString(), proto_of(kLenet).SerializeAsString());
}

TEST(OnnxWrite, ReplacedValuesAreReadBackToTheBit) {
  const TemporaryFile file;
  const OnnxModel model = read_onnx(kLenet);
  std::map<std::string, std::vector<double>> values;
  for (const OnnxTensor& tensor : model.graph.initialisers) {
    if (!is_floating(tensor.type)) continue;
    const Tensor old = tensor.read(DType::f64);
    for (std::int64_t i = 0; i < old.size(); ++i) {
      values[tensor.name].push_back(static_cast<float>(old.at(i) * 1.25 + 0.1));
    }
  }
  ASSERT_FALSE(values.empty());
  EXPECT_EQ(write_onnx(model, values, file.path), 0);
  const OnnxModel written = read_onnx(file.path);
  ASSERT_EQ(written.graph.initialisers.size(), model.graph.initialisers.size());
  for (std::size_t k = 0; k < model.graph.initialisers.size(); ++k) {
    const OnnxTensor& tensor = written.graph.initialisers[k];
    EXPECT_EQ(tensor.name, model.graph.initialisers[k].name);
    EXPECT_EQ(tensor.shape, model.graph.initialisers[k].shape);
    if (!values.contains(tensor.name)) continue;
    const Tensor now = tensor.read(DType::f64);
    for (std::int64_t i = 0; i < now.size(); ++i) {
      EXPECT_EQ(now.at(i), values[tensor.name][static_cast<std::size_t>(i)]);
    }
  }
  onnx::ModelProto before = proto_of(kLenet), after = proto_of(file.path);
  before.mutable_graph()->clear_initializer();
  after.mutable_graph()->clear_initializer();
  EXPECT_EQ(before.SerializeAsString(), after.SerializeAsString());
}

TEST(OnnxWrite, RoundingIsCountedAndWhatDoesNotFitIsRefused) {
  const TemporaryFile file;
  onnx::ModelProto proto;
  for (const auto& [name, type] :
       {std::pair<const char*, int>{"single", 1}, {"half", 10}, {"double", 11}, {"whole", 7}}) {
    auto& tensor = *proto.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    tensor.add_dims(2);
    tensor.set_raw_data(std::string(type == 10 ? 4 : type == 1 ? 8 : 16, 0));
  }
  const OnnxModel model = parse_onnx(proto.SerializeAsString(), "m.onnx", "");
  const std::vector<double> values{0.1, 0.5};  // 0.1 is no finite binary fraction
  EXPECT_EQ(
      write_onnx(model, {{"single", values}, {"half", values}, {"double", values}}, file.path), 2);
  const OnnxModel written = read_onnx(file.path);
  EXPECT_EQ(written.graph.initialisers[0].read(DType::f64).at(0), double{0.1F});
  EXPECT_EQ(written.graph.initialisers[1].read(DType::f64).at(0), 0.0999755859375);
  EXPECT_EQ(written.graph.initialisers[2].read(DType::f64).at(0), 0.1);
  EXPECT_THROW(write_onnx(model, {{"single", {1, 2, 3}}}, file.path), Error);
  EXPECT_THROW(write_onnx(model, {{"whole", values}}, file.path), Error);
}

}  // namespace
}  // namespace kappa
