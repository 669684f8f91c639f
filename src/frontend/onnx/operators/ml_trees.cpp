// TreeEnsembleClassifier and TreeEnsembleRegressor: all samples walk down all trees at once, a
// level a step. Piecewise constant: no derivative passes.

#include <algorithm>
#include <map>
#include <set>

#include "frontend/onnx/ml.h"

namespace kappa {
namespace {

// The nodes of all trees in a row; a leaf's children are itself.
struct Forest {
  Dims feature, yes, no, mode, tracks;  // mode: an index into `modes`
  std::vector<double> threshold;
  std::vector<std::string> modes;
  Dims roots;
  std::int64_t depth = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> place;  // by tree and node id
};

Forest read_forest(OnnxCall& call) {
  const Dims trees = call.integers("nodes_treeids"), ids = call.integers("nodes_nodeids");
  const Dims yes = call.integers("nodes_truenodeids"), no = call.integers("nodes_falsenodeids");
  const std::vector<std::string> modes = call.texts("nodes_modes");
  Forest forest;
  forest.feature = call.integers("nodes_featureids");
  forest.threshold = call.reals("nodes_values");
  forest.tracks = call.integers("nodes_missing_value_tracks_true", Dims(ids.size(), 0));
  const std::size_t count = ids.size();
  for (const std::size_t size :
       {trees.size(), yes.size(), no.size(), modes.size(), forest.feature.size(),
        forest.threshold.size(), forest.tracks.size()}) {
    if (size != count || count == 0) call.fail("the lists of nodes differ in length, or are empty");
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!forest.place.emplace(std::pair{trees[i], ids[i]}, static_cast<std::int64_t>(i)).second) {
      call.fail("a node that stands in the list twice");
    }
  }
  std::vector<bool> child(count, false);
  const auto find = [&](std::int64_t tree, std::int64_t id) {
    const auto found = forest.place.find({tree, id});
    if (found == forest.place.end() || child[static_cast<std::size_t>(found->second)]) {
      call.fail("a branch that leads to no node, or to one that another branch leads to");
    }
    child[static_cast<std::size_t>(found->second)] = true;
    return found->second;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const auto self = static_cast<std::int64_t>(i);
    const bool leaf = modes[i] == "LEAF";
    forest.yes.push_back(leaf ? self : find(trees[i], yes[i]));
    forest.no.push_back(leaf ? self : find(trees[i], no[i]));
    if (leaf) forest.feature[i] = 0;
    const auto mode = std::find(forest.modes.begin(), forest.modes.end(), modes[i]);
    forest.mode.push_back(mode - forest.modes.begin());
    if (mode == forest.modes.end()) forest.modes.push_back(modes[i]);
  }
  // Every node has at most one branch that leads to it: walking down from the roots ends.
  for (std::size_t i = 0; i < count; ++i) {
    if (!child[i]) forest.roots.push_back(static_cast<std::int64_t>(i));
  }
  Dims level = forest.roots;
  while (!level.empty()) {
    Dims next;
    for (const std::int64_t i : level) {
      const auto node = static_cast<std::size_t>(i);
      if (forest.yes[node] != i) next.insert(next.end(), {forest.yes[node], forest.no[node]});
    }
    if (!next.empty()) ++forest.depth;
    level = std::move(next);
  }
  if (forest.depth > 1000) call.fail("trees deeper than 1000 levels");
  return forest;
}

Array holds(OnnxCall& call, const std::string& mode, const Array& value, const Array& threshold) {
  if (mode == "BRANCH_LEQ") return value <= threshold;
  if (mode == "BRANCH_LT") return value < threshold;
  if (mode == "BRANCH_GTE") return value >= threshold;
  if (mode == "BRANCH_GT") return value > threshold;
  if (mode == "BRANCH_EQ") return equal(value, threshold);
  if (mode == "BRANCH_NEQ") return not_equal(value, threshold);
  call.fail("mode '" + mode + "'");
}

// The leaf of each tree that each sample ends at: (samples, trees).
Array leaves(OnnxCall& call, const Forest& forest, const Array& x) {
  const std::int64_t samples = x.shape()[0], features = x.shape()[1];
  const auto trees = static_cast<std::int64_t>(forest.roots.size());
  for (const std::int64_t f : forest.feature) {
    if (f < 0 || f >= features) call.fail("a node asks for a feature that the data do not have");
  }
  const Array flat = reshape(x, {samples * features});
  const Array first =
      reshape(iota(x, samples, DType::i64) * static_cast<double>(features), {samples, 1});
  const Array feature = call.integers_constant(forest.feature);
  const Array yes = call.integers_constant(forest.yes), no = call.integers_constant(forest.no);
  const Array mode = call.integers_constant(forest.mode);
  const Array tracks = call.integers_constant(forest.tracks);
  const Array thresholds = constant(
      x, forest.threshold, {static_cast<std::int64_t>(forest.threshold.size())}, x.dtype());
  const bool any_tracks = std::any_of(forest.tracks.begin(), forest.tracks.end(),
                                      [](std::int64_t t) { return t != 0; });
  Array node =
      broadcast_to(reshape(call.integers_constant(forest.roots), {1, trees}), {samples, trees});
  for (std::int64_t level = 0; level < forest.depth; ++level) {
    const Array value = gather(flat, gather(feature, node) + first);
    const Array threshold = gather(thresholds, node);
    Array chosen;
    for (std::size_t m = 0; m < forest.modes.size(); ++m) {
      if (forest.modes[m] == "LEAF") continue;
      Array here = holds(call, forest.modes[m], value, threshold);
      if (forest.modes.size() > 2) {
        here = logical_and(here, equal(gather(mode, node), static_cast<double>(m)));
      }
      chosen = chosen.defined() ? logical_or(chosen, here) : here;
    }
    if (any_tracks) {
      chosen = logical_or(
          chosen, logical_and(not_equal(value, value), not_equal(gather(tracks, node), 0.0)));
    }
    node = where(chosen, gather(yes, node), gather(no, node));
  }
  return node;
}

// What the leaves say of each column (class or target), over the trees: (samples, columns).
Array ensemble(OnnxCall& call, const Array& x, const std::string& kind, std::int64_t columns) {
  const Forest forest = read_forest(call);
  const Dims trees = call.integers(kind + "_treeids"), ids = call.integers(kind + "_nodeids");
  const Dims targets = call.integers(kind + "_ids");
  const std::vector<double> weights = call.reals(kind + "_weights");
  const auto nodes = static_cast<std::int64_t>(forest.yes.size());
  if (trees.size() != ids.size() || ids.size() != targets.size() ||
      targets.size() != weights.size()) {
    call.fail("the lists of leaves differ in length");
  }
  if (columns < 1 || nodes > (std::int64_t{1} << 24) / columns)
    call.fail("more leaves than make sense");
  std::vector<double> table(static_cast<std::size_t>(nodes * columns), 0);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = forest.place.find({trees[i], ids[i]});
    if (found == forest.place.end() || targets[i] < 0 || targets[i] >= columns) {
      call.fail("a weight of a leaf or class that is not there");
    }
    table[static_cast<std::size_t>(found->second * columns + targets[i])] += weights[i];
  }
  const Array values =
      gather(constant(x, table, {nodes, columns}, x.dtype()), leaves(call, forest, x));
  const std::string how = call.text("aggregate_function", "SUM");
  Array result;
  if (how == "SUM") {
    result = sum(values, {1});
  } else if (how == "AVERAGE") {
    result = mean(values, {1});
  } else if (how == "MIN") {
    result = min(values, {1});
  } else if (how == "MAX") {
    result = max(values, {1});
  } else {
    call.fail("aggregate_function " + how);
  }
  const std::vector<double> base = call.reals("base_values");
  if (base.empty()) return result;
  return result + constant(x, base, {static_cast<std::int64_t>(base.size())}, x.dtype());
}

}  // namespace

KAPPA_ONNX_OPERATOR(TreeEnsembleRegressor) {
  return {.last = 4, .domain = "ai.onnx.ml", .note = "value only", .build = [](OnnxCall& call) {
            const Array x = ml_samples(call, 0);
            return std::vector<Array>{
                ml_post_transform(call, ensemble(call, x, "target", call.integer("n_targets", 1)))};
          }};
}

KAPPA_ONNX_OPERATOR(TreeEnsembleClassifier) {
  return {.last = 4, .domain = "ai.onnx.ml", .note = "value only", .build = [](OnnxCall& call) {
            const Array x = ml_samples(call, 0);
            const Dims ids = call.integers("class_ids");
            const std::set<std::int64_t> used(ids.begin(), ids.end());
            const auto labels =
                static_cast<std::int64_t>(call.integers("classlabels_int64s").size() +
                                          call.texts("classlabels_strings").size());
            if (labels == 2 && used.size() == 1) {  // one score decides between two classes
              const std::vector<double> weights = call.reals("class_weights");
              const bool probability =
                  std::all_of(weights.begin(), weights.end(), [](double w) { return w >= 0; });
              const Array all = ensemble(call, x, "class", 2);
              const auto column = *used.begin();
              const Array score = slice(all, {0, column}, {x.shape()[0], column + 1});
              const Array chosen = convert(score > (probability ? 0.5 : 0.0), DType::i64);
              const Array label =
                  ml_labels(call, reshape(chosen, {x.shape()[0]}), "classlabels_int64s");
              if (probability) {
                return std::vector<Array>{label, concat(std::vector<Array>{1.0 - score, score}, 1)};
              }
              return std::vector<Array>{
                  label, ml_post_transform(call, concat(std::vector<Array>{-score, score}, 1))};
            }
            const Array scores = ensemble(call, x, "class", labels);
            return std::vector<Array>{ml_labels(call, ml_best_class(scores), "classlabels_int64s"),
                                      ml_post_transform(call, scores)};
          }};
}

}  // namespace kappa
