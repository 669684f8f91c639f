#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "frontend/onnx/half.h"
#include "frontend/onnx/proto.h"
#include "kappa/error.h"

namespace kappa {
namespace {

constexpr std::int64_t max_dense_elements = std::int64_t{1} << 24;

[[noreturn]] void bad(const std::string& where, const std::string& why) {
  throw Error(ErrorKind::data, fmt::format("{}: {}", where, why));
}

// The bytes of a repeated field, each element converted to T.
template <class T, class Field>
std::shared_ptr<const std::string> packed(const Field& field) {
  auto bytes = std::make_shared<std::string>(sizeof(T) * static_cast<std::size_t>(field.size()), 0);
  for (int i = 0; i < field.size(); ++i) {
    const T value = static_cast<T>(field[i]);
    std::memcpy(bytes->data() + sizeof(T) * static_cast<std::size_t>(i), &value, sizeof(T));
  }
  return bytes;
}

std::shared_ptr<const std::string> typed_bytes(const onnx::TensorProto& proto, OnnxType type) {
  switch (type) {
    case OnnxType::float32: return packed<float>(proto.float_data());
    case OnnxType::float64: return packed<double>(proto.double_data());
    case OnnxType::int64: return packed<std::int64_t>(proto.int64_data());
    case OnnxType::uint64: return packed<std::uint64_t>(proto.uint64_data());
    case OnnxType::uint32: return packed<std::uint32_t>(proto.uint64_data());
    case OnnxType::int32: return packed<std::int32_t>(proto.int32_data());
    case OnnxType::float16:
    case OnnxType::bfloat16:
    case OnnxType::uint16: return packed<std::uint16_t>(proto.int32_data());
    case OnnxType::int16: return packed<std::int16_t>(proto.int32_data());
    case OnnxType::boolean:
    case OnnxType::uint8: return packed<std::uint8_t>(proto.int32_data());
    case OnnxType::int8: return packed<std::int8_t>(proto.int32_data());
    default: return nullptr;
  }
}

std::int64_t number_of(const std::string& text, const std::string& where) {
  try {
    std::size_t end = 0;
    const long long value = std::stoll(text, &end);
    if (end == text.size() && value >= 0) return value;
  } catch (const std::exception&) {  // not a number: below
  }
  bad(where, fmt::format("external data at '{}', which is no number of bytes", shown_name(text)));
}

// Bytes [offset, offset + length) of a file in the model's folder and nowhere else: the name is
// relative, and what symbolic links make of it still lies inside.
std::shared_ptr<const std::string> external_bytes(const onnx::TensorProto& proto,
                                                  const std::string& where,
                                                  const std::string& folder,
                                                  std::int64_t expected) {
  namespace fs = std::filesystem;
  std::string location;
  std::int64_t offset = 0, length = expected;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = number_of(entry.value(), where);
    if (entry.key() == "length") length = number_of(entry.value(), where);
  }
  if (length != expected) {
    bad(where, fmt::format("external data of {} bytes, its shape asks for {}", length, expected));
  }
  const std::string name = shown_name(location);
  if (folder.empty()) bad(where, "its data lie in another file, and this model is no file");
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path path = error ? fs::path() : fs::canonical(root / location, error);
  const bool relative = !location.empty() && fs::path(location).is_relative();
  if (relative && (error || !fs::is_regular_file(path, error))) {
    bad(where, fmt::format("its data should lie in '{}' beside the model, which is no file", name));
  }
  const auto inside = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (!relative || inside.first != root.end()) {
    bad(where, fmt::format("its data lie in '{}', outside the model's folder; refused", name));
  }
  const auto size = static_cast<std::int64_t>(fs::file_size(path, error));
  if (error || offset > size || length > size - offset) {
    bad(where, fmt::format("bytes {} to {} of '{}', which has {}", offset, offset + length, name,
                           error ? 0 : size));
  }
  auto bytes = std::make_shared<std::string>(static_cast<std::size_t>(length), 0);
  std::ifstream file(path, std::ios::binary);
  file.seekg(offset);
  file.read(bytes->data(), length);
  if (!file || file.gcount() != length) bad(where, fmt::format("'{}' cannot be read", name));
  return bytes;
}

std::int64_t counted(const Shape& shape, const std::string& where) {
  try {
    return num_elements(shape);
  } catch (const Error&) {
    bad(where, "more elements than can be counted");
  }
}

}  // namespace

std::string shown_name(const std::string& name, std::size_t most) {
  std::string shown = name.substr(0, most);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f) c = '?';
  }
  return name.size() > most ? shown + "..." : shown;
}

std::int64_t stored_size(OnnxType type) {
  switch (type) {
    case OnnxType::float64:
    case OnnxType::int64:
    case OnnxType::uint64: return 8;
    case OnnxType::float32:
    case OnnxType::int32:
    case OnnxType::uint32: return 4;
    case OnnxType::float16:
    case OnnxType::bfloat16:
    case OnnxType::uint16:
    case OnnxType::int16: return 2;
    case OnnxType::uint8:
    case OnnxType::int8:
    case OnnxType::boolean: return 1;
    default: return 0;
  }
}

void parse_proto(google::protobuf::MessageLite& message, const std::string& bytes,
                 const std::string& path) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(100);
  if (!message.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    throw Error(
        ErrorKind::data,
        fmt::format("{}: no ONNX model: the protocol buffer is truncated or damaged", path));
  }
}

OnnxTensor read_tensor(const onnx::TensorProto& proto, const std::string& where_file,
                       const std::string& folder) {
  OnnxTensor tensor;
  tensor.name = proto.name();
  tensor.type = static_cast<OnnxType>(proto.data_type());
  const std::string where = fmt::format("{}: tensor '{}'", where_file, shown_name(proto.name()));
  if (proto.dims_size() > 64) bad(where, fmt::format("{} axes", proto.dims_size()));
  for (const std::int64_t extent : proto.dims()) {
    if (extent < 0) bad(where, fmt::format("an extent of {}", extent));
    tensor.shape.push_back(extent);
  }
  const std::int64_t count = counted(tensor.shape, where);
  const std::int64_t size = stored_size(tensor.type);
  if (size == 0) return tensor;  // strings and the like are refused when something reads them
  if (proto.has_segment()) bad(where, "stored in segments, which ONNX has given up");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    tensor.owner = external_bytes(proto, where, folder, count * size);
    tensor.bytes = *tensor.owner;
  } else if (proto.has_raw_data()) {
    tensor.bytes = proto.raw_data();
  } else {
    tensor.owner = typed_bytes(proto, tensor.type);
    tensor.bytes = *tensor.owner;
  }
  if (static_cast<std::int64_t>(tensor.bytes.size()) != count * size) {
    bad(where, fmt::format("{} bytes of data, {} {} asks for {}", tensor.bytes.size(),
                           to_string(tensor.type), to_string(tensor.shape), count * size));
  }
  return tensor;
}

OnnxTensor read_sparse_tensor(const onnx::SparseTensorProto& proto, const std::string& where_file,
                              const std::string& folder) {
  const OnnxTensor values = read_tensor(proto.values(), where_file, folder);
  const OnnxTensor indices = read_tensor(proto.indices(), where_file, folder);
  const std::string where = fmt::format("{}: tensor '{}'", where_file, shown_name(values.name));
  OnnxTensor tensor{values.name, values.type, {}, {}, nullptr};
  for (const std::int64_t extent : proto.dims()) {
    if (extent < 0) bad(where, fmt::format("an extent of {}", extent));
    tensor.shape.push_back(extent);
  }
  const std::int64_t count = counted(tensor.shape, where);
  if (count > max_dense_elements) {
    throw Error(ErrorKind::resource,
                fmt::format("{}: sparse, and {} elements with its zeros; at most {} are filled in",
                            where, count, max_dense_elements));
  }
  const std::int64_t size = stored_size(values.type);
  const std::size_t rank = tensor.shape.size();
  const Dims strides = contiguous_strides(tensor.shape);
  const std::int64_t given = num_elements(values.shape);
  const bool linear = indices.shape.size() == 1;
  if (size == 0 || indices.type != OnnxType::int64 ||
      num_elements(indices.shape) != given * (linear ? 1 : static_cast<std::int64_t>(rank))) {
    bad(where, "its indices do not fit its values");
  }
  auto bytes = std::make_shared<std::string>(static_cast<std::size_t>(count * size), 0);
  const std::size_t width = linear ? 1 : rank;
  for (std::int64_t i = 0; i < given; ++i) {
    std::int64_t place = 0;
    for (std::size_t d = 0; d < width; ++d) {
      std::int64_t index = 0;
      std::memcpy(&index, indices.bytes.data() + 8 * (static_cast<std::size_t>(i) * width + d), 8);
      const std::int64_t extent = linear ? count : tensor.shape[d];
      if (index < 0 || index >= extent) bad(where, fmt::format("an index of {}", index));
      place += index * (linear ? 1 : strides[d]);
    }
    std::memcpy(bytes->data() + place * size, values.bytes.data() + i * size,
                static_cast<std::size_t>(size));
  }
  tensor.owner = bytes;
  tensor.bytes = *bytes;
  return tensor;
}

bool is_floating(OnnxType type) {
  return type == OnnxType::float32 || type == OnnxType::float64 || type == OnnxType::float16 ||
         type == OnnxType::bfloat16;
}

std::string to_string(OnnxType type) {
  static constexpr const char* names[] = {"untyped",    "float32", "uint8",  "int8",   "uint16",
                                          "int16",      "int32",   "int64",  "string", "bool",
                                          "float16",    "float64", "uint32", "uint64", "complex64",
                                          "complex128", "bfloat16"};
  const int number = static_cast<int>(type);
  return number >= 0 && number < 17 ? names[number] : fmt::format("type {}", number);
}

DType computed_type(OnnxType type, DType floating) {
  if (is_floating(type)) return floating;
  if (type == OnnxType::boolean) return DType::boolean;
  if (stored_size(type) > 0) return DType::i64;
  throw Error(
      ErrorKind::unsupported,
      fmt::format("{} values are not computed with; numbers and booleans are", to_string(type)));
}

namespace {

template <class From, class To, class Convert>
void decode(std::string_view bytes, const Tensor& to, Convert convert) {
  To* out = to.as<To>();
  const std::int64_t count = to.size();
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * static_cast<std::int64_t>(sizeof(From)), sizeof(From));
    out[i] = static_cast<To>(convert(value));
  }
}

template <class From, class Convert>
void decode_floating(std::string_view bytes, const Tensor& to, Convert convert) {
  to.dtype() == DType::f32 ? decode<From, float>(bytes, to, convert)
                           : decode<From, double>(bytes, to, convert);
}

}  // namespace

Tensor OnnxTensor::read(DType floating) const {
  const Tensor to(Type{computed_type(type, floating), shape});
  const auto same = [](auto value) { return value; };
  switch (type) {
    case OnnxType::float32: decode_floating<float>(bytes, to, same); break;
    case OnnxType::float64: decode_floating<double>(bytes, to, same); break;
    case OnnxType::float16: decode_floating<std::uint16_t>(bytes, to, float_of_half); break;
    case OnnxType::bfloat16: decode_floating<std::uint16_t>(bytes, to, float_of_bfloat16); break;
    case OnnxType::int64:
    case OnnxType::uint64: decode<std::int64_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::int32: decode<std::int32_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::uint32: decode<std::uint32_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::int16: decode<std::int16_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::uint16: decode<std::uint16_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::int8: decode<std::int8_t, std::int64_t>(bytes, to, same); break;
    case OnnxType::uint8: decode<std::uint8_t, std::int64_t>(bytes, to, same); break;
    default:
      decode<std::uint8_t, std::uint8_t>(bytes, to, [](std::uint8_t v) { return v != 0 ? 1 : 0; });
  }
  return to;
}

}  // namespace kappa
