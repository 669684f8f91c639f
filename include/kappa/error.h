#pragma once

#include <stdexcept>
#include <string>

#include "kappa/export.h"

namespace kappa {

/// What a caller did wrong. The kind decides nothing inside the library; programs may branch on it.
enum class ErrorKind {
  usage,        ///< options or calls that contradict each other
  parse,        ///< text that cannot be read (formula, layer string, number)
  name,         ///< an unknown or unbound name
  shape,        ///< shapes that do not fit
  type,         ///< dtypes that do not fit
  data,         ///< a file or data set that is missing, corrupt or of the wrong form
  value,        ///< a value out of its domain (NaN in data, negative tolerance)
  resource,     ///< it would not fit in memory, or a limit is exceeded
  unsupported,  ///< well-formed, but Kappa cannot do it
};

/// Returns the kind's name, e.g. "shape".
KAPPA_EXPORT const char* to_string(ErrorKind kind);

/// The one exception of the library: a caller's mistake.
///
/// The message is one line that says what, where, what was expected and, where one exists, the
/// remedy. Numerical outcomes (not converged, NaN met, stopped) are never exceptions: they are a
/// status in the result.
class KAPPA_EXPORT Error : public std::runtime_error {
 public:
  /// `message` is the one line.
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  /// What the caller did wrong.
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace kappa
