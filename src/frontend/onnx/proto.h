#pragma once

// The only header that shows protocol buffers; for the files that read and write them.
#include <onnx/onnx_pb.h>

#include <string>

#include "frontend/onnx/graph.h"

namespace kappa {

/// A stored tensor, checked: extents, and as many elements as they say. `where` begins messages,
/// `folder` is where external data lies (empty: refused).
OnnxTensor read_tensor(const onnx::TensorProto& proto, const std::string& where,
                       const std::string& folder);
/// A sparse tensor with its zeros.
OnnxTensor read_sparse_tensor(const onnx::SparseTensorProto& proto, const std::string& where,
                              const std::string& folder);
/// Bytes of an element; 0 for types without.
std::int64_t stored_size(OnnxType type);
/// A name from a file for a message: printable, and of at most `most` characters.
std::string shown_name(const std::string& name, std::size_t most = 80);
/// A parsed file of any kind; throws Error(data) where the bytes are none.
void parse_proto(google::protobuf::MessageLite& message, const std::string& bytes,
                 const std::string& path);

}  // namespace kappa
