#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

// A vector over the channels, to broadcast against (N, C, spatial...).
Array over_channels(const Array& v, std::int64_t rank) {
  Shape shape(static_cast<std::size_t>(rank > 1 ? rank - 1 : 1), 1);
  shape[0] = v.size();
  return reshape(v, shape);
}

}  // namespace

// (x - mean) / sqrt(var + eps) * scale + bias. Mean and variance are the running ones, buffers and
// no parameters, unless the model or --batch-norm train asks for the batch's own.
KAPPA_ONNX_OPERATOR(BatchNormalization) {
  return {.first = 7, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            if (x.rank() < 2) call.fail("data without an axis of channels");
            const double epsilon = call.real("epsilon", 1e-5);
            const Array scale = over_channels(call.input(1), x.rank());
            const Array bias = over_channels(call.input(2), x.rank());
            const bool trains = call.opset() >= 14 && call.integer("training_mode", 0) != 0;
            if (!trains && !call.train_batch_norm()) {
              const Array mean = over_channels(call.buffer(3), x.rank());
              const Array variance = over_channels(call.buffer(4), x.rank());
              const Array factor = scale / sqrt(variance + epsilon);
              return std::vector<Array>{(x - mean) * factor + bias};
            }
            Dims axes{0};
            for (std::int64_t axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
            const Array average = mean(x, axes, true);
            const Array centred = x - average;
            const Array variance = mean(square(centred), axes, true);
            std::vector<Array> outputs{centred / sqrt(variance + epsilon) * scale + bias};
            if (call.wants(1) && trains) {
              const double momentum = call.real("momentum", 0.9);
              const Shape channels = call.input(3).shape();
              outputs.push_back(momentum * call.buffer(3) +
                                (1 - momentum) * reshape(average, channels));
              outputs.push_back(momentum * call.buffer(4) +
                                (1 - momentum) * reshape(variance, channels));
            }
            return outputs;
          }};
}

}  // namespace kappa
