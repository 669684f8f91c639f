#!/usr/bin/env bash
# scripts/bench.sh [BUILD] [NAME...]: every benchmark, or those named, one after another, one core
# unless it says otherwise. Peers in Python run where Debian's python3-torch is installed
# (scripts/install_dependencies.sh peers). Figures are ratios of one run; see bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
[ $# -gt 0 ] && shift
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  names=(jet elements elementwise matmul lanczos rosenbrock minimize minimize_peers hvp top5)
fi

# Debian's OpenBLAS, and so PyTorch, obeys this variable; it can halve its speed. Say what it was.
echo "OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE-(not set)}"
echo "load: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) cores"

have_torch() { /usr/bin/python3 -c 'import torch' 2>/dev/null; }
missed=0
for name in "${names[@]}"; do
  printf '\n== %s\n' "$name"
  case "$name" in
    hvp | top5)
      if ! have_torch; then
        echo "skipped: needs scripts/install_dependencies.sh peers"
        continue
      fi
      script=bench/compare_hvp.py
      arguments=(--binary "$build/bin/hvp_bench")
      if [ "$name" = top5 ]; then
        script=bench/top5_peers.py
        arguments=(--binary "$build/bin/kappa")
      fi
      /usr/bin/python3 "$script" "${arguments[@]}" || missed=1
      ;;
    minimize_peers)
      if ! /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
        echo "skipped: needs scripts/install_dependencies.sh peers"
        continue
      fi
      taskset -c 0 /usr/bin/python3 bench/minimize_peers.py \
        --binary "$build/bin/minimize_bench" || missed=1
      ;;
    *)
      taskset -c 0 "$build/bin/${name}_bench" || missed=1
      ;;
  esac
done
exit $missed
