#!/usr/bin/env bash
# Installs what Kappa needs to build, test and demonstrate itself on Debian 12. Prints what it is
# about to install, installs nothing that is there already, and asks for root only then.
#
#   scripts/install_dependencies.sh [build|test]     (default: build)
set -euo pipefail

build=(g++ cmake ninja-build pkg-config python3 libeigen3-dev libfmt-dev nlohmann-json3-dev
       libcli11-dev libhwy-dev libdnnl-dev libopenblas0-pthread libboost-math-dev zlib1g-dev
       libfast-float-dev dataset-fashion-mnist)
test=(libgtest-dev python3-numpy ccache)

wanted=("${build[@]}")
if [ "${1:-build}" = test ]; then wanted+=("${test[@]}"); fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  case "$status" in
    *"ok installed") ;;
    *) missing+=("$package") ;;
  esac
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "Kappa needs these Debian packages, which are not installed: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Install them as root: apt-get install ${missing[*]}" >&2
    exit 2
  fi
  run=(sudo)
  echo "Installing them with sudo."
fi
"${run[@]}" apt-get update -q
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
