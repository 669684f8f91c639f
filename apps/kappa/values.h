#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "function/make_objective.h"

namespace kappa {

/// "200M", "1.5G", "512MiB", "100000": bytes; K, M, G, T are powers of 1000, KiB ... of 1024.
std::int64_t parse_bytes(const std::string& option, const std::string& text);

/// A number, or an expression of numbers in the formula language such as 1/255 or 2*pi.
double parse_number(const std::string& option, const std::string& text);

/// Splits at commas that stand in no bracket.
std::vector<std::string> split_list(const std::string& text);

/// The values of `--at`: NAME=VALUE[,NAME=VALUE...] or FILE.npz. A value is a number or expression
/// of numbers, an array literal [1,2] or [[1,2],[3,4]], V*COUNT for a vector of COUNT entries V, or
/// @FILE.npy.
NamedValues parse_point(const std::vector<std::string>& texts, const std::string& option = "--at");

/// The values of `--const`: NAME=VALUE as above, or NAME=FILE.npy.
NamedValues parse_constants(const std::vector<std::string>& texts);

/// The arrays of an .npz file by name.
NamedValues read_named_arrays(const std::string& path);

}  // namespace kappa
