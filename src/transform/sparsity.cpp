#include "transform/sparsity.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "kappa/error.h"
#include "transform/element_groups.h"

namespace kappa {
namespace {

using Ints = std::vector<std::int32_t>;

constexpr std::size_t kMaxMaps = 32;
// Reductions of at most this many maps stay maps; longer ones make sets.
constexpr std::int64_t kShortReduction = 16;

[[noreturn]] void too_dense(std::int64_t max_entries) {
  throw Error(ErrorKind::resource,
              fmt::format("sparsity: the pattern has more than {} entries; remedy: hvp_operator, "
                          "which needs no matrix",
                          max_entries));
}

/// Sets of input indices, each stored once; set 0 is empty.
class SetTable {
 public:
  SetTable(std::int64_t universe, std::int64_t max_entries)
      : universe_(universe), max_entries_(max_entries) {
    sets_.emplace_back();
  }

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
    if (total_ > max_entries_) too_dense(max_entries_);
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
  std::int64_t universe_, max_entries_, total_ = 0;
  std::vector<Ints> sets_;
  std::unordered_multimap<std::size_t, std::int32_t> known_;
  std::unordered_map<std::uint64_t, std::int32_t> unions_;
};

/// What the elements of one array depend on: element e on maps[k][e] for every k (-1: none), and on
/// the members of set sets[e]. A few maps say all about sums of shifted slices, at the cost of one
/// pass each; sets take over where an element depends on many inputs.
struct Dependence {
  std::vector<IndexMap> maps;
  IndexMap sets;  // null: empty sets
  [[nodiscard]] bool none() const { return maps.empty() && !sets; }
};

/// Adds `map` to maps that already stand for as much of it as they can.
void add_map(std::vector<IndexMap>& maps, const IndexMap& map) {
  for (IndexMap& known : maps) {
    if (IndexMap merged = merge(known, map)) {
      known = std::move(merged);
      return;
    }
  }
  maps.push_back(map);
}

class Propagation {
 public:
  Propagation(const Program& program, std::int64_t max_entries)
      : program_(program),
        columns_(num_elements(program.input_type(0).shape)),
        max_entries_(max_entries),
        table_(columns_, max_entries),
        rules_(program),
        values_(program.nodes.size()) {}

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
    Dependence result;
    for (std::size_t k = 0; k < x.operands.size(); ++k) {
      const Dependence& d = value(x.operands[k]);
      if (d.none() || num_elements(shape(x.operands[k])) == 0 || size(i) == 0) continue;
      const auto groups = rules_.groups(static_cast<NodeId>(i), k);
      if (!groups) return mixed(x, size(i));
      unite(result, grouped(d, *groups, size(i)), size(i));
    }
    return result;
  }

  Ints members(const Dependence& d, std::size_t e) const {
    Ints content;
    append(d, e, content);
    return content;
  }
  void append(const Dependence& d, std::size_t e, Ints& content) const {
    for (const IndexMap& map : d.maps) {
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
    for (const IndexMap& map : d.maps) add_map(target.maps, map);
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
    for (const IndexMap& map : d.maps) result.maps.push_back(take(*map, -1));
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
        for (const IndexMap& map : rearranged(d, source).maps) add_map(result.maps, map);
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
        for (const IndexMap& map : d.maps) {
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
    if (d.sets) {  // before anything of that size is made
      std::int64_t least = 0;
      for (const std::int32_t set : *d.sets) least += static_cast<std::int64_t>(table_[set].size());
      if (least > max_entries_) too_dense(max_entries_);
    }
    pattern.starts.reserve(count + 1);
    pattern.indices.reserve(count * d.maps.size());
    for (std::size_t e = 0; e < count; ++e) {
      const auto begin = static_cast<std::ptrdiff_t>(pattern.indices.size());
      append(d, e, pattern.indices);
      const auto first = pattern.indices.begin() + begin;
      std::sort(first, pattern.indices.end());
      pattern.indices.erase(std::unique(first, pattern.indices.end()), pattern.indices.end());
      pattern.starts.push_back(static_cast<std::int64_t>(pattern.indices.size()));
      if (pattern.starts.back() > max_entries_) too_dense(max_entries_);
    }
    return pattern;
  }

  /// The dependence of the `count` elements of a result on those of d.
  Dependence grouped(const Dependence& d, const ElementGroups& groups, std::size_t count) {
    if (groups.of_operand.empty()) {
      return groups.of_result.empty() ? d : rearranged(d, groups.of_result);
    }
    if (groups.within != ElementGroups::Within::all) return running(d, groups);
    if (groups.of_result.empty()) return collected(d, groups.of_operand, count);
    const auto num_groups = static_cast<std::size_t>(
        1 + std::max(*std::max_element(groups.of_operand.begin(), groups.of_operand.end()),
                     *std::max_element(groups.of_result.begin(), groups.of_result.end())));
    return rearranged(collected(d, groups.of_operand, num_groups), groups.of_result);
  }

  /// Element e depends on what of its group is not after it, or not before it.
  Dependence running(const Dependence& d, const ElementGroups& groups) {
    const bool reverse = groups.within == ElementGroups::Within::not_before;
    const std::size_t count = groups.of_result.size();
    std::vector<std::int32_t> latest(count, 0);  // of each group
    Ints sets(count);
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t e = reverse ? count - 1 - k : k;
      std::int32_t& set = latest[static_cast<std::size_t>(groups.of_operand[e])];
      set = table_.unite(set, set_of(d, e));
      sets[e] = set;
    }
    return {{}, std::make_shared<const Ints>(std::move(sets))};
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

  const Program& program_;
  std::int64_t columns_, max_entries_;
  SetTable table_;
  ElementDependence rules_;
  std::vector<Dependence> values_;
};

}  // namespace

SparsityPattern jacobian_pattern(const Program& program, std::int64_t max_entries) {
  return Propagation(program, max_entries).run();
}

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
