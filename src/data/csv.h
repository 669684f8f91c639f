#pragma once

#include <string>

#include "data/bytes.h"
#include "data/limits.h"
#include "data/table.h"

namespace kappa {

/// Reads a table of comma-separated values (RFC 4180: quoted fields, doubled quotes, CRLF; also
/// semicolons or tabs, whichever the first line has most of). The first line is a header if it has
/// no number in it, or text where the second line has a number; without one the columns are c0, c1,
/// ... Blank lines are skipped. Missing values (empty, ?, NA, NaN, null), text and infinities
/// become the column's fault, with row (from 1, header not counted), line and column. Throws
/// Error(data) for a row of another length, an open quote or bytes that are not text.
Table read_csv(ByteSource& source, const ReadLimits& limits = {});
Table read_csv(const std::string& path, const ReadLimits& limits = {});

}  // namespace kappa
