#include "frontend/onnx/operator.h"

namespace kappa {

// The first `length` entries of each sequence in reverse; lengths (batch).
KAPPA_ONNX_OPERATOR(ReverseSequence) {
  return {.first = 10, .build = [](OnnxCall& call) {
            const Array x = call.input(0), lengths = call.input(1);
            const std::int64_t time_axis = call.integer("time_axis", 0);
            if (x.rank() < 2 || time_axis + call.integer("batch_axis", 1) != 1 ||
                (time_axis != 0 && time_axis != 1)) {
              call.fail("the axes of time and batch must be the first two");
            }
            const Shape& s = x.shape();
            const std::int64_t steps = s[static_cast<std::size_t>(time_axis)];
            const std::int64_t batch = s[static_cast<std::size_t>(1 - time_axis)];
            const bool time_first = time_axis == 0;
            const Shape of_time = time_first ? Shape{steps, 1} : Shape{1, steps};
            const Shape of_batch = time_first ? Shape{1, batch} : Shape{batch, 1};
            const Array t = reshape(iota(x, steps, DType::i64), of_time);
            const Array b = reshape(iota(x, batch, DType::i64), of_batch);
            const Array length = reshape(lengths, of_batch);
            const Array source = where(t < length, length - 1.0 - t, t + 0.0 * length);
            const Array place = time_first ? source * static_cast<double>(batch) + b
                                           : b * static_cast<double>(steps) + source;
            Shape rows(s.begin() + 1, s.end());
            rows[0] = steps * batch;
            return std::vector<Array>{
                reshape(gather(reshape(x, rows), reshape(place, {steps * batch})), s)};
          }};
}

}  // namespace kappa
