#pragma once

#include <cstdint>
#include <functional>

namespace kappa {

/// Calls work(0), ..., work(count - 1), spread over at most `num_threads` threads, the calling one
/// among them, and returns when all are done. Which thread takes which index is not determined, so
/// that results must not depend on it.
///
/// The other threads are started at the first need and kept. The first exception of a call is
/// thrown again here, after the calls under way have ended; indices not yet begun are left out. A
/// call from inside `work` runs on its own thread alone.
void parallel_for(int num_threads, std::int64_t count,
                  const std::function<void(std::int64_t)>& work);

}  // namespace kappa
