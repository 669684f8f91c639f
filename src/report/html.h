#pragma once

#include <string>
#include <vector>

#include "report/json.h"

namespace kappa {

/// True if this build holds the report page (CMake target `web`, see docs/page.md).
bool has_report_page();
/// Throws Error(unsupported) that says what is missing where it does not.
void require_report_page();

/// One self-contained HTML file that shows a result of analyze, minimize or compare, with the JSON
/// itself in <script id="result" type="application/json">. Opens offline in any browser. Throws
/// Error(unsupported) where the page was not built in, Error(data) where `result` is no such
/// result.
std::string to_html(const Json& result);

/// Several results as one, for a page that shows them one below the other: {"kappa", "objective" of
/// the first, "results": [...]}. Throws Error(data) where one of them is no result.
Json joined_results(const std::vector<Json>& results);

/// JSON that may stand inside a <script> element: <, >, &, U+2028 and U+2029 as \u escapes, so that
/// no text in it can end the element. Means the same to every JSON reader.
std::string json_for_script(const Json& json);

}  // namespace kappa
