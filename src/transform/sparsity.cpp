#include "transform/sparsity.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "kappa/error.h"
#include "program/builder.h"

namespace kappa {
namespace {

using Ints = std::vector<std::int32_t>;
using Shared = std::shared_ptr<const Ints>;

constexpr std::int64_t kMaxEntries = std::int64_t{1} << 28;
constexpr std::size_t kMaxMaps = 32;
// Reductions of at most this many maps stay maps; longer ones make sets.
constexpr std::int64_t kShortReduction = 16;

[[noreturn]] void too_dense() {
  throw Error(ErrorKind::resource,
              "sparsity: the pattern has more than 2^28 entries; remedy: hvp_operator, which needs "
              "no matrix");
}

/// Sets of input indices, each stored once; set 0 is empty.
class SetTable {
 public:
  explicit SetTable(std::int64_t universe) : universe_(universe) { sets_.emplace_back(); }

  [[nodiscard]] const Ints& operator[](std::int32_t id) const {
    return sets_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool full(std::int32_t id) const {
    return static_cast<std::int64_t>((*this)[id].size()) == universe_;
  }
  /// `content` in any order, with repetitions.
  std::int32_t intern(Ints content) {
    if (content.empty()) return 0;
    std::sort(content.begin(), content.end());
    content.erase(std::unique(content.begin(), content.end()), content.end());
    std::size_t hash = content.size();
    for (const std::int32_t i : content) {
      hash = (hash ^ static_cast<std::size_t>(i)) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    const auto [first, last] = known_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
      if ((*this)[it->second] == content) return it->second;
    }
    total_ += static_cast<std::int64_t>(content.size());
    if (total_ > kMaxEntries) too_dense();
    const auto id = static_cast<std::int32_t>(sets_.size());
    sets_.push_back(std::move(content));
    known_.emplace(hash, id);
    return id;
  }
  std::int32_t unite(std::int32_t a, std::int32_t b) {
    if (a == b || b == 0) return a;
    if (a == 0) return b;
    if (full(a)) return a;
    if (full(b)) return b;
    if (a > b) std::swap(a, b);
    const std::uint64_t key = (static_cast<std::uint64_t>(a) << 32) | static_cast<std::uint32_t>(b);
    const auto found = unions_.find(key);
    if (found != unions_.end()) return found->second;
    Ints content = (*this)[a];
    content.insert(content.end(), (*this)[b].begin(), (*this)[b].end());
    const std::int32_t id = intern(std::move(content));
    unions_.emplace(key, id);
    return id;
  }

 private:
  std::int64_t universe_, total_ = 0;
  std::vector<Ints> sets_;
  std::unordered_multimap<std::size_t, std::int32_t> known_;
  std::unordered_map<std::uint64_t, std::int32_t> unions_;
};

/// What the elements of one array depend on: element e on maps[k][e] for every k (-1: none), and on
/// the members of set sets[e]. A few maps say all about sums of shifted slices, at the cost of one
/// pass each; sets take over where an element depends on many inputs.
struct Dependence {
  std::vector<Shared> maps;
  Shared sets;  // null: empty sets
  [[nodiscard]] bool none() const { return maps.empty() && !sets; }
};

/// Adds `map` to maps that already stand for as much of it as they can: two maps that agree
/// wherever both say something become one.
void add_map(std::vector<Shared>& maps, const Shared& map) {
  for (Shared& known : maps) {
    if (known == map) return;
    const Ints& a = *known;
    const Ints& b = *map;
    bool agree = true, covers = true, covered = true;
    for (std::size_t e = 0; e < a.size() && agree; ++e) {
      agree = a[e] == b[e] || a[e] < 0 || b[e] < 0;
      covers = covers && (b[e] < 0 || a[e] == b[e]);
      covered = covered && (a[e] < 0 || a[e] == b[e]);
    }
    if (!agree) continue;
    if (covers) return;
    if (covered) {
      known = map;
      return;
    }
    Ints merged = a;
    for (std::size_t e = 0; e < a.size(); ++e) {
      if (merged[e] < 0) merged[e] = b[e];
    }
    known = std::make_shared<const Ints>(std::move(merged));
    return;
  }
  maps.push_back(map);
}

class Propagation {
 public:
  explicit Propagation(const Program& program)
      : program_(program),
        columns_(num_elements(program.input_type(0).shape)),
        table_(columns_),
        values_(program.nodes.size()),
        constants_(program.nodes.size()) {}

  SparsityPattern run() {
    std::vector<std::size_t> last_use(program_.nodes.size(), 0);
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      for (const NodeId id : program_.nodes[i].operands) last_use[static_cast<std::size_t>(id)] = i;
    }
    const auto output = static_cast<std::size_t>(program_.outputs[0]);
    last_use[output] = program_.nodes.size();
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
      values_[i] = dependence(i);
      if (values_[i].maps.size() > kMaxMaps) values_[i] = as_sets(values_[i], size(i));
      for (const NodeId id : program_.nodes[i].operands) {
        if (last_use[static_cast<std::size_t>(id)] == i) {
          values_[static_cast<std::size_t>(id)] = {};
        }
      }
    }
    return rows(values_[output], size(output));
  }

 private:
  [[nodiscard]] const Node& node(std::size_t i) const { return program_.nodes[i]; }
  [[nodiscard]] std::size_t size(std::size_t i) const {
    return static_cast<std::size_t>(num_elements(node(i).type.shape));
  }
  [[nodiscard]] const Shape& shape(NodeId id) const {
    return program_.nodes[static_cast<std::size_t>(id)].type.shape;
  }
  [[nodiscard]] const Dependence& value(NodeId id) const {
    return values_[static_cast<std::size_t>(id)];
  }

  Dependence dependence(std::size_t i) {
    const Node& x = node(i);
    if (is_input(x)) {
      if (program_.inputs[0] != static_cast<NodeId>(i)) return {};
      Ints identity(size(i));
      std::iota(identity.begin(), identity.end(), 0);
      return {{std::make_shared<const Ints>(std::move(identity))}, nullptr};
    }
    const bool constant = std::all_of(x.operands.begin(), x.operands.end(),
                                      [&](NodeId id) { return value(id).none(); });
    if (constant || !is_floating(x.type.dtype)) return {};
    const Primitive& p = *x.primitive;
    if (!p.jvp && p.linear_operands.empty() && !p.bilinear) return {};  // piecewise constant
    if (p.elementwise()) return elementwise(x);
    if (std::optional<Ints> source = view_source(x))
      return rearranged(value(x.operands[0]), *source);
    // The rules below know primitives by name; an unknown one mixes all its elements.
    if (p.name == "pad") return rearranged(value(x.operands[0]), padded_source(x));
    if (p.name == "concat") return concatenated(x);
    if (p.name == "gather" && constant_value(x.operands[1])) return gathered(x);
    if (p.name == "scatter_add" && constant_value(x.operands[1])) {
      return collected(value(x.operands[0]), scatter_target(x), size(i));
    }
    if (p.name == "matmul") return product(x);
    if (p.name == "cumsum") return running(x);
    if (x.operands.size() == 1) {
      const Shape& from = shape(x.operands[0]);
      if (p.name.starts_with("reduce_") || p.name == "logsumexp") {
        if (const std::optional<Ints> target = reduction_target(x, size(i))) {
          return collected(value(x.operands[0]), *target, size(i));
        }
      }
      if (p.name == "softmax" && !from.empty()) return along_last_axis(x);
    }
    return mixed(x, size(i));
  }

  // ---- representation
  // ----------------------------------------------------------------------------

  Ints members(const Dependence& d, std::size_t e) const {
    Ints content;
    append(d, e, content);
    return content;
  }
  void append(const Dependence& d, std::size_t e, Ints& content) const {
    for (const Shared& map : d.maps) {
      if ((*map)[e] >= 0) content.push_back((*map)[e]);
    }
    if (d.sets) {
      const Ints& set = table_[(*d.sets)[e]];
      content.insert(content.end(), set.begin(), set.end());
    }
  }

  std::int32_t set_of(const Dependence& d, std::size_t e) {
    const std::int32_t set = d.sets ? (*d.sets)[e] : 0;
    if (d.maps.empty() || table_.full(set)) return set;
    return table_.intern(members(d, e));
  }

  Dependence as_sets(const Dependence& d, std::size_t count) {
    Ints sets(count);
    for (std::size_t e = 0; e < count; ++e) sets[e] = set_of(d, e);
    return {{}, std::make_shared<const Ints>(std::move(sets))};
  }

  void unite(Dependence& target, const Dependence& d, std::size_t count) {
    for (const Shared& map : d.maps) add_map(target.maps, map);
    if (!d.sets || d.sets == target.sets) return;
    if (!target.sets) {
      target.sets = d.sets;
      return;
    }
    Ints sets(count);
    for (std::size_t e = 0; e < count; ++e) {
      sets[e] = table_.unite((*target.sets)[e], (*d.sets)[e]);
    }
    target.sets = std::make_shared<const Ints>(std::move(sets));
  }

  /// Element e of the result is element source[e], or zero where that is -1.
  static Dependence rearranged(const Dependence& d, const Ints& source) {
    Dependence result;
    const auto take = [&](const Ints& from, std::int32_t none) {
      Ints taken(source.size());
      for (std::size_t e = 0; e < source.size(); ++e) {
        taken[e] = source[e] < 0 ? none : from[static_cast<std::size_t>(source[e])];
      }
      return std::make_shared<const Ints>(std::move(taken));
    };
    for (const Shared& map : d.maps) result.maps.push_back(take(*map, -1));
    if (d.sets) result.sets = take(*d.sets, 0);
    return result;
  }

  /// Element target[e] of the result depends on element e, for all e.
  Dependence collected(const Dependence& d, const Ints& target, std::size_t count) {
    std::vector<std::int64_t> starts(count + 1, 0);
    for (const std::int32_t t : target) ++starts[static_cast<std::size_t>(t) + 1];
    std::int64_t longest = 0;
    for (std::size_t t = 0; t < count; ++t) {
      longest = std::max(longest, starts[t + 1]);
      starts[t + 1] += starts[t];
    }
    Ints sources(target.size());
    std::vector<std::int64_t> next = starts;
    for (std::size_t e = 0; e < target.size(); ++e) {
      const std::int64_t place = next[static_cast<std::size_t>(target[e])]++;
      sources[static_cast<std::size_t>(place)] = static_cast<std::int32_t>(e);
    }
    if (!d.sets && longest * static_cast<std::int64_t>(d.maps.size()) <= kShortReduction) {
      Dependence result;
      for (std::int64_t k = 0; k < longest; ++k) {
        Ints source(count, -1);
        for (std::size_t t = 0; t < count; ++t) {
          if (starts[t] + k < starts[t + 1]) {
            source[t] = sources[static_cast<std::size_t>(starts[t] + k)];
          }
        }
        for (const Shared& map : rearranged(d, source).maps) add_map(result.maps, map);
      }
      return result;
    }
    Ints sets(count);
    Ints content;
    for (std::size_t t = 0; t < count; ++t) {
      content.clear();
      std::int32_t known = -1;  // equal sets, one after another, are read once
      for (std::int64_t s = starts[t]; s < starts[t + 1]; ++s) {
        const auto e = static_cast<std::size_t>(sources[static_cast<std::size_t>(s)]);
        for (const Shared& map : d.maps) {
          if ((*map)[e] >= 0) content.push_back((*map)[e]);
        }
        if (d.sets && (*d.sets)[e] != known) {
          known = (*d.sets)[e];
          content.insert(content.end(), table_[known].begin(), table_[known].end());
        }
        if (static_cast<std::int64_t>(content.size()) > 4 * columns_ + 1024) {
          std::sort(content.begin(), content.end());
          content.erase(std::unique(content.begin(), content.end()), content.end());
          if (static_cast<std::int64_t>(content.size()) == columns_) break;
        }
      }
      sets[t] = table_.intern(content);
    }
    return {{}, std::make_shared<const Ints>(std::move(sets))};
  }

  SparsityPattern rows(const Dependence& d, std::size_t count) const {
    SparsityPattern pattern{static_cast<std::int64_t>(count), columns_, {0}, {}};
    pattern.starts.reserve(count + 1);
    pattern.indices.reserve(count * d.maps.size());
    for (std::size_t e = 0; e < count; ++e) {
      const auto begin = static_cast<std::ptrdiff_t>(pattern.indices.size());
      append(d, e, pattern.indices);
      const auto first = pattern.indices.begin() + begin;
      std::sort(first, pattern.indices.end());
      pattern.indices.erase(std::unique(first, pattern.indices.end()), pattern.indices.end());
      pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
      if (pattern.starts.back() > kMaxEntries) too_dense();
    }
    return pattern;
  }

  // ---- rules
  // -------------------------------------------------------------------------------------

  Dependence elementwise(const Node& x) {
    Dependence result;
    const auto count = static_cast<std::size_t>(num_elements(x.type.shape));
    const bool selects = x.primitive->name == "where";  // the condition has no derivative
    for (std::size_t k = selects ? 1 : 0; k < x.operands.size(); ++k) {
      unite(result, value(x.operands[k]), count);
    }
    return result;
  }

  std::optional<Ints> view_source(const Node& x) const {
    if (!x.primitive->kernel.view) return std::nullopt;
    const Type from{DType::f64, shape(x.operands[0])};
    const std::optional<View> view =
        x.primitive->kernel.view(x.attributes, std::span(&from, 1), x.type);
    if (!view) return std::nullopt;
    const Shape& to = x.type.shape;
    Ints source(static_cast<std::size_t>(num_elements(to)));
    if (view->same_order) {
      std::iota(source.begin(), source.end(), 0);
      return source;
    }
    Dims index(to.size(), 0);
    std::int64_t place = view->offset;
    for (std::int32_t& s : source) {
      bool inside = true;
      for (std::size_t d = 0; d < view->lower.size(); ++d) {
        inside = inside && index[d] >= view->lower[d] && index[d] < view->upper[d];
      }
      s = inside ? static_cast<std::int32_t>(place) : -1;
      for (std::size_t d = to.size(); d-- > 0;) {
        place += view->strides[d];
        if (++index[d] < to[d]) break;
        place -= view->strides[d] * to[d];
        index[d] = 0;
      }
    }
    return source;
  }

  Ints padded_source(const Node& x) const {
    const Shape& from = shape(x.operands[0]);
    const Shape& to = x.type.shape;
    const Dims& low = x.attributes.dims("low");
    const Dims& interior = x.attributes.dims("interior");
    Ints source(static_cast<std::size_t>(num_elements(to)), -1);
    const std::int64_t count = num_elements(from);
    for (std::int64_t e = 0; e < count; ++e) {
      std::int64_t rest = e, place = 0, stride = 1;
      bool inside = true;  // negative padding cuts
      for (std::size_t d = from.size(); d-- > 0;) {
        const std::int64_t at = low[d] + rest % from[d] * (interior[d] + 1);
        rest /= from[d];
        inside = inside && at >= 0 && at < to[d];
        place += at * stride;
        stride *= to[d];
      }
      if (inside) source[static_cast<std::size_t>(place)] = static_cast<std::int32_t>(e);
    }
    return source;
  }

  Dependence concatenated(const Node& x) {
    const auto axis = static_cast<std::size_t>(x.attributes.integer("axis"));
    const auto count = static_cast<std::size_t>(num_elements(x.type.shape));
    std::int64_t inner = 1;
    for (std::size_t d = axis + 1; d < x.type.shape.size(); ++d) inner *= x.type.shape[d];
    const std::int64_t whole = x.type.shape[axis] * inner;
    Dependence result;
    std::int64_t offset = 0;
    for (const NodeId id : x.operands) {
      const std::int64_t run = shape(id)[axis] * inner;
      Ints source(count, -1);
      for (std::int64_t e = 0; e < num_elements(shape(id)); ++e) {
        source[static_cast<std::size_t>(e / run * whole + offset + e % run)] =
            static_cast<std::int32_t>(e);
      }
      unite(result, rearranged(value(id), source), count);
      offset += run;
    }
    return result;
  }

  Dependence gathered(const Node& x) {
    const Tensor& indices = *constant_value(x.operands[1]);
    const auto axis = static_cast<std::size_t>(x.attributes.integer("axis"));
    const Shape& from = shape(x.operands[0]);
    std::int64_t inner = 1;
    for (std::size_t d = axis + 1; d < from.size(); ++d) inner *= from[d];
    Ints source(static_cast<std::size_t>(num_elements(x.type.shape)));
    const std::int64_t width = indices.size() * inner;
    for (std::size_t e = 0; e < source.size(); ++e) {
      const auto flat = static_cast<std::int64_t>(e);
      const std::int64_t entry = std::clamp<std::int64_t>(
          indices.as<std::int64_t>()[flat % width / inner], 0, from[axis] - 1);
      source[e] =
          static_cast<std::int32_t>((flat / width * from[axis] + entry) * inner + flat % inner);
    }
    return rearranged(value(x.operands[0]), source);
  }

  Ints scatter_target(const Node& x) {
    const Tensor& indices = *constant_value(x.operands[1]);
    const auto axis = static_cast<std::size_t>(x.attributes.integer("axis"));
    const Shape& to = x.type.shape;
    std::int64_t inner = 1;
    for (std::size_t d = axis + 1; d < to.size(); ++d) inner *= to[d];
    Ints target(static_cast<std::size_t>(num_elements(shape(x.operands[0]))));
    const std::int64_t width = indices.size() * inner;
    for (std::size_t e = 0; e < target.size(); ++e) {
      const auto flat = static_cast<std::int64_t>(e);
      const std::int64_t entry = std::clamp<std::int64_t>(
          indices.as<std::int64_t>()[flat % width / inner], 0, to[axis] - 1);
      target[e] =
          static_cast<std::int32_t>((flat / width * to[axis] + entry) * inner + flat % inner);
    }
    return target;
  }

  std::optional<Ints> reduction_target(const Node& x, std::size_t count) const {
    const Shape& from = shape(x.operands[0]);
    std::vector<bool> reduced(from.size(), false);
    if (x.attributes.contains("axes")) {
      for (const std::int64_t axis : x.attributes.dims("axes")) {
        reduced[static_cast<std::size_t>(axis)] = true;
      }
    } else if (!from.empty()) {
      reduced.back() = true;  // logsumexp
    }
    Dims strides(from.size(), 0);
    std::int64_t stride = 1;
    for (std::size_t d = from.size(); d-- > 0;) {
      if (reduced[d]) continue;
      strides[d] = stride;
      stride *= from[d];
    }
    if (stride != static_cast<std::int64_t>(count)) return std::nullopt;
    return positions(from, strides);
  }

  /// The sum of index * stride for every element of `from`, row-major.
  static Ints positions(const Shape& from, const Dims& strides) {
    Ints result(static_cast<std::size_t>(num_elements(from)));
    Dims index(from.size(), 0);
    std::int64_t place = 0;
    for (std::int32_t& r : result) {
      r = static_cast<std::int32_t>(place);
      for (std::size_t d = from.size(); d-- > 0;) {
        place += strides[d];
        if (++index[d] < from[d]) break;
        place -= strides[d] * from[d];
        index[d] = 0;
      }
    }
    return result;
  }

  /// Every element depends on its whole row.
  Dependence along_last_axis(const Node& x) {
    const std::int64_t row = x.type.shape.back();
    Ints target(static_cast<std::size_t>(num_elements(x.type.shape)));
    for (std::size_t e = 0; e < target.size(); ++e) {
      target[e] = static_cast<std::int32_t>(static_cast<std::int64_t>(e) / row);
    }
    return rearranged(
        collected(value(x.operands[0]), target, target.size() / static_cast<std::size_t>(row)),
        target);
  }

  Dependence running(const Node& x) {
    const Shape& from = x.type.shape;
    const auto axis = static_cast<std::size_t>(x.attributes.integer("axis"));
    const bool reverse = x.attributes.integer("reverse") != 0;
    std::int64_t inner = 1;
    for (std::size_t d = axis + 1; d < from.size(); ++d) inner *= from[d];
    const Dependence& d = value(x.operands[0]);
    Ints sets(static_cast<std::size_t>(num_elements(from)), 0);
    const auto count = static_cast<std::int64_t>(sets.size());
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t e = reverse ? count - 1 - k : k;
      const std::int64_t at = e / inner % from[axis];
      const bool first = reverse ? at == from[axis] - 1 : at == 0;
      const std::int64_t before = reverse ? e + inner : e - inner;
      sets[static_cast<std::size_t>(e)] =
          table_.unite(first ? 0 : sets[static_cast<std::size_t>(before)],
                       set_of(d, static_cast<std::size_t>(e)));
    }
    return {{}, std::make_shared<const Ints>(std::move(sets))};
  }

  /// Entry (i, j) of a matrix product depends on row i of the left and column j of the right.
  Dependence product(const Node& x) {
    const Shape& a = shape(x.operands[0]);
    const Shape& b = shape(x.operands[1]);
    const Shape& to = x.type.shape;
    const auto count = static_cast<std::size_t>(num_elements(to));
    const std::size_t rank = to.size();
    if (rank < 2 || a.size() < 2 || b.size() < 2) return mixed(x, count);
    Dependence result;
    const auto side = [&](const Shape& from, NodeId id, bool left, bool transposed) {
      if (value(id).none()) return;
      // Where the summed axis is taken out, what is left is an array to broadcast to the result.
      const std::size_t kept = from.size() - (left != transposed ? 2 : 1);
      Dims from_strides(from.size(), 0), to_strides(rank, 0);
      std::int64_t stride = 1;
      for (std::size_t d = from.size(); d-- > 0;) {
        const bool batch = d + 2 < from.size();
        if (!batch && d != kept) continue;
        from_strides[d] = stride;
        const std::size_t axis = batch ? d + rank - from.size() : (left ? rank - 2 : rank - 1);
        if (from[d] > 1) to_strides[axis] = stride;
        stride *= from[d];
      }
      const Dependence lines =
          collected(value(id), positions(from, from_strides), static_cast<std::size_t>(stride));
      unite(result, rearranged(lines, positions(to, to_strides)), count);
    };
    side(a, x.operands[0], true, x.attributes.integer("transpose_a") != 0);
    side(b, x.operands[1], false, x.attributes.integer("transpose_b") != 0);
    return result;
  }

  Dependence mixed(const Node& x, std::size_t count) {
    std::int32_t all = 0;
    for (const NodeId id : x.operands) {
      if (value(id).none()) continue;
      const Ints target(static_cast<std::size_t>(num_elements(shape(id))), 0);
      const Dependence one = collected(value(id), target, 1);
      all = table_.unite(all, set_of(one, 0));
    }
    return {{}, std::make_shared<const Ints>(count, all)};
  }

  // ---- constants
  // ---------------------------------------------------------------------------------

  /// The value of a node that depends on no input; null for one that does.
  const Tensor* constant_value(NodeId id) {
    auto& slot = constants_[static_cast<std::size_t>(id)];
    if (slot) return &*slot;
    const Node& x = program_.nodes[static_cast<std::size_t>(id)];
    if (is_input(x)) return nullptr;
    if (is_constant(x)) {
      slot = x.attributes.tensor("value");
      return &*slot;
    }
    std::vector<Tensor> operands;
    for (const NodeId operand : x.operands) {
      const Tensor* known = constant_value(operand);
      if (known == nullptr) return nullptr;
      operands.push_back(*known);
    }
    slot = evaluate(*x.primitive, x.attributes, operands);
    return &*slot;
  }

  const Program& program_;
  std::int64_t columns_;
  SetTable table_;
  std::vector<Dependence> values_;
  std::vector<std::optional<Tensor>> constants_;
};

}  // namespace

SparsityPattern jacobian_pattern(const Program& program) { return Propagation(program).run(); }

SparsityPattern transpose(const SparsityPattern& pattern) {
  SparsityPattern result{pattern.columns, pattern.rows,
                         std::vector<std::int64_t>(static_cast<std::size_t>(pattern.columns) + 1),
                         std::vector<std::int32_t>(pattern.indices.size())};
  for (const std::int32_t j : pattern.indices) ++result.starts[static_cast<std::size_t>(j) + 1];
  std::partial_sum(result.starts.begin(), result.starts.end(), result.starts.begin());
  std::vector<std::int64_t> next = result.starts;
  for (std::int64_t i = 0; i < pattern.rows; ++i) {
    for (std::int64_t k = pattern.starts[static_cast<std::size_t>(i)];
         k < pattern.starts[static_cast<std::size_t>(i) + 1]; ++k) {
      const auto j = static_cast<std::size_t>(pattern.indices[static_cast<std::size_t>(k)]);
      result.indices[static_cast<std::size_t>(next[j]++)] = static_cast<std::int32_t>(i);
    }
  }
  return result;
}

SparsityPattern symmetric_part(const SparsityPattern& pattern) {
  const SparsityPattern turned = transpose(pattern);
  if (turned.starts == pattern.starts && turned.indices == pattern.indices) return pattern;
  SparsityPattern result{pattern.rows, pattern.columns, {0}, {}};
  const auto row = [](const SparsityPattern& p, std::int64_t i) {
    const auto first = p.indices.begin();
    return std::pair{first + p.starts[static_cast<std::size_t>(i)],
                     first + p.starts[static_cast<std::size_t>(i) + 1]};
  };
  for (std::int64_t i = 0; i < pattern.rows; ++i) {
    const auto [a, a_end] = row(pattern, i);
    const auto [b, b_end] = row(turned, i);
    std::set_intersection(a, a_end, b, b_end, std::back_inserter(result.indices));
    result.starts.push_back(static_cast<std::int64_t>(result.indices.size()));
  }
  return result;
}

}  // namespace kappa
