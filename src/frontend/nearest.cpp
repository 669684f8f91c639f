#include "frontend/nearest.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace kappa {
namespace {

// Optimal string alignment distance (Damerau 1964, restricted), row by row.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = back[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
    two_back.swap(back);
    back.swap(row);
  }
  return back[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  constexpr std::size_t longest = 64;
  if (name.size() > longest) return "";
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::size_t best_prefix = 0;
  std::string found;
  for (const std::string& candidate : candidates) {
    // One letter changed in a name of one letter is another name, not a slip.
    if (candidate.size() > longest || (candidate.size() < 2 && name.size() < 2)) continue;
    const std::size_t edits = distance(name, candidate);
    // Slips at the end are the likelier ones: of equally close names, the longest common beginning.
    const auto prefix = static_cast<std::size_t>(
        std::mismatch(name.begin(), name.end(), candidate.begin(), candidate.end()).first -
        name.begin());
    const bool closer = edits < best || (edits == best && !found.empty() && prefix > best_prefix);
    if (closer && edits < candidate.size()) {
      best = edits;
      best_prefix = prefix;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::string found = nearest(name, candidates);
  return found.empty() ? "" : " (did you mean '" + found + "'?)";
}

}  // namespace kappa
