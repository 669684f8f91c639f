#!/usr/bin/env bash
# Installs what Kappa needs on Debian 12. Says first what it is about to install, installs nothing
# that is there already (then it is silent), and asks for root only where something is missing.
#
#   scripts/install_dependencies.sh [--list] [build|test|web|develop|peers]...    (default: build)
#
# --list prints the packages of the sets instead.
set -euo pipefail

# What CMakeLists.txt asks for, and the data set of the demonstration. Boost is headers only.
# OpenBLAS is loaded at run time (docs/decisions/0002-matrix-products.md), so no -dev package.
# GoogleTest is here because the release preset configures the tests as well.
build=(g++ make cmake ninja-build pkg-config python3 libeigen3-dev libfmt-dev nlohmann-json3-dev
       libhwy-dev libdnnl-dev libopenblas0-pthread libboost-dev zlib1g-dev
       libonnx-dev libprotobuf-dev libgtest-dev dataset-fashion-mnist)
# Checks in Python run Debian's /usr/bin/python3, whatever python3 comes first on the PATH.
# The official node tests of ONNX, and its checker for the models that are written.
test=(python3-numpy python3-onnx libonnx-testdata)
# What builds the report page. Node from elsewhere brings its own npm, with which Debian's conflicts,
# so it is installed only where the command is missing.
web=(npm)
# Formatting, fuzzing, quick rebuilds, the reference, and the browser that tests the page.
develop=(clang-format-14 clang-14 libclang-rt-14-dev ccache doxygen chromium)
# What the benchmarks compare with, and what remakes the golden files.
peers=(python3-torch python3-scipy python3-mpmath python3-sympy libadolc-dev libceres-dev
       coinor-libipopt-dev liblbfgs-dev)

usage() {
  echo "usage: $0 [--list] [build|test|web|develop|peers]..." >&2
  exit 2
}

list=false
wanted=()
for argument in "$@"; do
  case "$argument" in
    --list) list=true ;;
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    web) wanted+=("${web[@]}") ;;
    develop) wanted+=("${develop[@]}") ;;
    peers) wanted+=("${peers[@]}") ;;
    *) usage ;;
  esac
done
if [ ${#wanted[@]} -eq 0 ]; then wanted=("${build[@]}"); fi
if $list; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

# Elsewhere the packages have other names; a build still works where the libraries are there.
if ! command -v dpkg-query >/dev/null; then exit 0; fi

installed=" $(dpkg-query -W -f='${Package}=${Status} ' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  if [ "$package" = npm ] && command -v npm >/dev/null; then continue; fi
  if [ "$package" = chromium ] && command -v chromium >/dev/null; then continue; fi
  case "$installed" in
    *" $package=install ok installed "* | *" $package=hold ok installed "*) ;;
    *) missing+=("$package") ;;
  esac
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "Kappa needs these Debian packages, which are not installed:"
printf '  %s\n' "${missing[@]}"
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "There is no sudo here. As root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 2
  fi
  root=(sudo)
  echo "Installing them with sudo apt-get."
else
  echo "Installing them with apt-get."
fi
"${root[@]}" apt-get update -q
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}"
