#!/bin/sh
# fuzz/run.sh [SECONDS] [NAME...]: builds the fuzz targets (all, or those named) and runs each for
# SECONDS (default 60) from the seeds in fuzz/seeds/NAME. What is learnt stays in build/fuzz/corpus;
# a finding stops the script, and its input lies in build/fuzz/findings.
set -eu
seconds=${1:-60}
[ $# -gt 0 ] && shift
root=$(cd "$(dirname "$0")/.." && pwd)
build=${KAPPA_FUZZ_BUILD:-$root/build/fuzz}
names=${*:-$(cd "$root/fuzz" && ls ./*_fuzz.cpp | sed 's|^./||; s|_fuzz.cpp$||')}

cmake -S "${KAPPA_FUZZ_SOURCE:-$root}" -B "$build" -G Ninja -DKAPPA_FUZZ=ON -DKAPPA_DEVELOPER=OFF \
  -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
for name in $names; do
  ninja -C "$build" "fuzz_$name"
done
mkdir -p "$build/findings"
for name in $names; do
  mkdir -p "$build/corpus/$name" "$root/fuzz/seeds/$name"
  echo "fuzz $name: $seconds s"
  program=$(find "$build" -name "fuzz_$name" -type f | head -1)
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=8192 \
    -artifact_prefix="$build/findings/$name-" -print_funcs=0 -print_final_stats=1 -verbosity=0 \
    "$build/corpus/$name" "$root/fuzz/seeds/$name"
done
