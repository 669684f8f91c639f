#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kappa {

/// The candidate closest to `name` by edits (insert, delete, replace, swap neighbours; capitals do
/// not count), or "" where none is close enough to be what was meant.
std::string nearest(std::string_view name, std::span<const std::string> candidates);

/// " (did you mean 'sin'?)", or "" where no candidate is close.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace kappa
