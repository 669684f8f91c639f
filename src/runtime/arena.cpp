#include <algorithm>
#include <vector>

#include "runtime/steps.h"

namespace kappa {
namespace {

constexpr std::int64_t alignment = 64;

struct Placed {
  std::int64_t offset, bytes;
  int first, last;
};

}  // namespace

std::int64_t place_buffers(Schedule& schedule) {
  // A chain of buffers that reuse one another's memory is placed as one.
  std::vector<Buffer>& buffers = schedule.buffers;
  const auto root_of = [&](std::size_t b) {
    while (buffers[b].reuses >= 0) b = static_cast<std::size_t>(buffers[b].reuses);
    return b;
  };
  std::vector<int> first(buffers.size());
  std::vector<int> last(buffers.size());
  std::vector<std::int64_t> bytes(buffers.size());
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    first[b] = buffers[b].first_step;
    last[b] = buffers[b].last_step;
    bytes[b] = buffers[b].bytes;
  }
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    const std::size_t root = root_of(b);
    first[root] = std::min(first[root], buffers[b].first_step);
    last[root] = std::max(last[root], buffers[b].last_step);
    bytes[root] = std::max(bytes[root], buffers[b].bytes);
  }
  std::vector<std::size_t> order;
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b].place == Buffer::Place::arena && buffers[b].reuses < 0 && first[b] >= 0) {
      order.push_back(b);
    }
  }
  // Large buffers first: first fit then leaves few holes.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bytes[a] > bytes[b]; });
  std::vector<Placed> placed;  // by offset
  std::int64_t size = 0;
  for (const std::size_t b : order) {
    const std::int64_t need = (bytes[b] + alignment - 1) / alignment * alignment;
    std::int64_t offset = 0;
    for (const Placed& other : placed) {
      if (other.first > last[b] || first[b] > other.last) continue;
      if (offset + need <= other.offset) break;
      offset = std::max(offset, other.offset + other.bytes);
    }
    buffers[b].offset = offset;
    const auto behind =
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [](std::int64_t at, const Placed& other) { return at < other.offset; });
    placed.insert(behind, {offset, need, first[b], last[b]});
    size = std::max(size, offset + need);
  }
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b].place == Buffer::Place::arena && buffers[b].reuses >= 0) {
      buffers[b].offset = buffers[root_of(b)].offset;
    }
  }
  return size;
}

}  // namespace kappa
