#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// Each axis becomes (repeats, extent), broadcast along the first and read as one.
KAPPA_ONNX_OPERATOR(Tile) {
  return {.first = 6, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const Dims repeats = call.known_integers(1);
            if (repeats.size() != x.shape().size()) call.fail("as many repeats as axes are needed");
            Shape apart, spread, joined;
            for (std::size_t i = 0; i < repeats.size(); ++i) {
              if (repeats[i] < 0) call.fail("a negative number of repeats");
              const std::int64_t extent = x.shape()[i];
              apart.insert(apart.end(), {1, extent});
              spread.insert(spread.end(), {repeats[i], extent});
              joined.push_back(num_elements({repeats[i], extent}));
            }
            return std::vector<Array>{reshape(broadcast_to(reshape(x, apart), spread), joined)};
          }};
}

}  // namespace kappa
