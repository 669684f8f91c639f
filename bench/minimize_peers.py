#!/usr/bin/python3
"""L-BFGS and Newton-CG against SciPy's on the same function in the same run.

The chained Rosenbrock function of a million variables, by the hand-written loops of
rosenbrock_hand.h: Kappa calls them from C++ (minimize_bench functions), SciPy through ctypes, which
costs it nothing at this size. Both stop at max |g| <= 1e-5 from the same start; SciPy's Newton-CG,
which knows no such rule, at the first iterate that meets it. One core each. Prints a table of seconds and the ratio SciPy / Kappa; exits 1
where SciPy is faster.

    minimize_peers.py [--binary BUILD/bin/minimize_bench] [--size N]
"""
import argparse
import ctypes
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.optimize import minimize

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = """
#include "bench/rosenbrock_hand.h"
extern "C" {
double value(std::size_t n, const double* x) { return rosenbrock_hand::value(n, x); }
void gradient(std::size_t n, const double* x, double* g) { rosenbrock_hand::gradient(n, x, g); }
void product(std::size_t n, const double* x, const double* d, double* p) {
  rosenbrock_hand::hessian_product(n, x, d, p);
}
}
"""


class Done(Exception):
    pass


class Rosenbrock:
    def __init__(self, folder, size):
        path = pathlib.Path(folder, "rosenbrock.so")
        subprocess.run(["g++", "-std=c++20", "-O3", "-shared", "-fPIC", "-w", "-x", "c++", "-", "-I", ROOT,
                        "-o", path], input=SOURCE.encode(), check=True)
        self.library = ctypes.CDLL(str(path))
        self.library.value.restype = ctypes.c_double
        self.size = ctypes.c_size_t(size)
        self.start = np.full(size, 1.2)
        self.start[::2] = 0.8
        self.last = None

    def pointer(self, array):
        return array.ctypes.data_as(ctypes.c_void_p)

    def value_and_gradient(self, x):
        gradient = np.empty_like(x)
        self.library.gradient(self.size, self.pointer(x), self.pointer(gradient))
        self.last = float(np.abs(gradient).max())
        return self.library.value(self.size, self.pointer(x)), gradient

    def product(self, x, d):
        d = np.ascontiguousarray(d)
        out = np.empty_like(x)
        self.library.product(self.size, self.pointer(x), self.pointer(d), self.pointer(out))
        return out


def scipy_seconds(f, method):
    options = {"L-BFGS-B": {"maxcor": 10, "gtol": 1e-5, "ftol": 0, "maxiter": 100000, "maxfun": 100000},
               "Newton-CG": {"xtol": 1e-14, "maxiter": 1000}}[method]

    def stop(x):
        if f.value_and_gradient(x)[0] is not None and f.last <= 1e-5:
            raise Done

    begin = time.perf_counter()
    try:
        minimize(f.value_and_gradient, f.start, jac=True, method=method, options=options,
                 hessp=f.product if method == "Newton-CG" else None,
                 callback=stop if method == "Newton-CG" else None)
    except Done:
        pass
    return time.perf_counter() - begin, f.last


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/bin/minimize_bench"))
    parser.add_argument("--size", type=int, default=1_000_000)
    arguments = parser.parse_args()
    out = subprocess.run([arguments.binary, "functions", str(arguments.size)], check=True,
                         capture_output=True, text=True).stdout
    mine = {row["method"]: row for row in map(json.loads, out.splitlines())}
    missed = False
    print("| method | Kappa s | |g| | SciPy s | |g| | SciPy / Kappa |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        f = Rosenbrock(folder, arguments.size)
        for method, peer in (("lbfgs", "L-BFGS-B"), ("newton-cg", "Newton-CG")):
            seconds, gradient = scipy_seconds(f, peer)
            ratio = seconds / mine[method]["seconds"]
            missed |= ratio < 1
            print(f"| {method} | {mine[method]['seconds']:.2f} | {mine[method]['gradient']:.1e} | "
                  f"{seconds:.2f} | {gradient:.1e} | {ratio:.1f} |")
    return missed


sys.exit(main())
