#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kappa/analysis.h"
#include "kappa/minimize.h"
#include "report/minimization.h"

namespace kappa {

using Json = nlohmann::ordered_json;

/// The records as docs/cli.md lays them out. Numbers have the fewest digits that read back to the
/// same bits; NaN and infinity, which JSON lacks, become null and a warning.
Json to_json(const Analysis& analysis);
Json to_json(const Minimization& minimization);
Json to_json(const ObjectiveSummary& objective);
Json to_json(const CriticalPoint& point);

/// A line a key, short lists on one line: what people read and programs parse.
std::string dump(const Json& json);

/// Replaces NaN and infinity by null; true if there was one.
bool replace_non_finite(Json& json);

}  // namespace kappa
