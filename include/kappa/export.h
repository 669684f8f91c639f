#pragma once

// The library is built with hidden visibility; what users call is marked KAPPA_EXPORT.
#define KAPPA_EXPORT __attribute__((visibility("default")))
