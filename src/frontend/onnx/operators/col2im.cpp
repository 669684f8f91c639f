#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {

// Columns of patches (N, C * patch, patches) added up where they overlap: the transpose of cutting
// an image into patches.
KAPPA_ONNX_OPERATOR(Col2Im) {
  return {.first = 18, .build = [](OnnxCall& call) {
            const Array x = call.input(0);
            const Dims image = call.known_integers(1), block = call.known_integers(2);
            const std::size_t axes = image.size();
            const Dims ones(axes, 1);
            const Dims strides = call.integers("strides", ones);
            const Dims dilations = call.integers("dilations", ones);
            const Dims pads = call.integers("pads", Dims(2 * axes, 0));
            if (axes < 1 || block.size() != axes || strides.size() != axes || x.rank() != 3 ||
                dilations.size() != axes || pads.size() != 2 * axes) {
              call.fail("extents that do not fit each other");
            }
            for (const Dims* list : {&image, &block, &strides, &dilations, &pads}) {
              for (const std::int64_t extent : *list) {
                if (extent < 0 || extent > 1 << 20) call.fail("an extent out of range");
              }
            }
            // Places of all entries of all patches in the padded image; entries first.
            Shape padded, counts;
            for (std::size_t d = 0; d < axes; ++d) {
              padded.push_back(image[d] + pads[d] + pads[axes + d]);
              const std::int64_t reach = dilations[d] * (block[d] - 1) + 1;
              if (block[d] < 1 || strides[d] < 1 || dilations[d] < 1 || padded[d] < reach) {
                call.fail("a patch larger than the image");
              }
              counts.push_back((padded[d] - reach) / strides[d] + 1);
            }
            const std::int64_t entries = num_elements(block), patches = num_elements(counts);
            if (x.shape()[1] % entries != 0 || x.shape()[2] != patches) {
              call.fail("as many columns as patches fit into the image are needed");
            }
            Dims places;
            const Dims of_image = contiguous_strides(padded), of_block = contiguous_strides(block),
                       of_counts = contiguous_strides(counts);
            for (std::int64_t e = 0; e < entries; ++e) {
              for (std::int64_t p = 0; p < patches; ++p) {
                std::int64_t place = 0;
                for (std::size_t d = 0; d < axes; ++d) {
                  place += of_image[d] * (e / of_block[d] % block[d] * dilations[d] +
                                          p / of_counts[d] % counts[d] * strides[d]);
                }
                places.push_back(place);
              }
            }
            const std::int64_t n = x.shape()[0], channels = x.shape()[1] / entries;
            const Array flat = scatter_add(reshape(x, {n * channels, entries * patches}),
                                           call.integers_constant(places), num_elements(padded), 1);
            Shape whole{n, channels};
            whole.insert(whole.end(), padded.begin(), padded.end());
            Dims low{0, 0}, high{n, channels};
            for (std::size_t d = 0; d < axes; ++d) {
              low.push_back(pads[d]);
              high.push_back(pads[d] + image[d]);
            }
            return std::vector<Array>{slice(reshape(flat, whole), low, high)};
          }};
}

}  // namespace kappa
