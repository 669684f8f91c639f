#pragma once

#include <string_view>
#include <vector>

namespace kappa {

/// A node test that is not run though its operators are supported, and why.
struct ExcludedNodeTest {
  std::string_view name;  // without "test_"; a trailing * stands for any end
  std::string_view reason;
};

inline const std::vector<ExcludedNodeTest>& excluded_node_tests() {
  static const std::vector<ExcludedNodeTest> list{
      {"cast_*STRING*", "texts are no numbers"},
  };
  return list;
}

}  // namespace kappa
