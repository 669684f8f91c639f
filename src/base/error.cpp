#include "kappa/error.h"

namespace kappa {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::parse: return "parse";
    case ErrorKind::name: return "name";
    case ErrorKind::shape: return "shape";
    case ErrorKind::type: return "type";
    case ErrorKind::data: return "data";
    case ErrorKind::value: return "value";
    case ErrorKind::resource: return "resource";
    case ErrorKind::unsupported: return "unsupported";
  }
  return "unknown";
}

}  // namespace kappa
