#!/usr/bin/python3
"""Kappa's lbfgs and newton-cg against SciPy's and liblbfgs on the same functions in the same run.

The functions are those of large_functions.h: Kappa and liblbfgs call them from C++ (minimize_bench
functions), SciPy through ctypes, which costs it nothing at these sizes. All stop at the same
max |g| from the same start; SciPy's Newton-CG and liblbfgs, which know no such rule, at the first
iterate that meets it. One core each. Prints a table of seconds and exits 1 where a peer is faster.

    minimize_peers.py [--binary BUILD/bin/minimize_bench] [--size N] [--surface N] [FUNCTION]...
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
#include "bench/large_functions.h"
using large::Function;
static std::vector<double> prepared;
extern "C" {
Function* make(const char* name, std::size_t n) { return large::make(name, n).release(); }
std::size_t size(Function* f) { return f->size(); }
double tolerance(Function* f) { return f->tolerance(); }
void start(Function* f, double* x) { std::ranges::copy(f->start(), x); }
double gradient(Function* f, const double* x, double* g) { return f->gradient(x, g); }
void prepare(Function* f, const double* x) { prepared = f->prepare(x); }
void product(Function* f, const double* d, double* p) { f->product(prepared.data(), d, p); }
}
"""


class Done(Exception):
    pass


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def compiled(folder):
    path = pathlib.Path(folder, "large_functions.so")
    subprocess.run(["g++", "-std=c++20", "-O3", "-shared", "-fPIC", "-w", "-x", "c++", "-", "-I", ROOT,
                    "-o", path], input=SOURCE.encode(), check=True)
    library = ctypes.CDLL(str(path))
    library.make.restype = ctypes.c_void_p
    library.size.restype = ctypes.c_size_t
    library.tolerance.restype = library.gradient.restype = ctypes.c_double
    return library


class Function:
    def __init__(self, library, name, size):
        self.library = library
        self.handle = ctypes.c_void_p(library.make(name.encode(), ctypes.c_size_t(size)))
        self.size = library.size(self.handle)
        self.tolerance = library.tolerance(self.handle)
        self.start = np.empty(self.size)
        library.start(self.handle, pointer(self.start))
        self.prepared_at = None
        self.gradients = self.products = 0

    def value_and_gradient(self, x):
        self.gradients += 1
        gradient = np.empty_like(x)
        value = self.library.gradient(self.handle, pointer(x), pointer(gradient))
        self.last = float(np.abs(gradient).max())
        return value, gradient

    def product(self, x, d):
        self.products += 1
        if x is not self.prepared_at:
            self.library.prepare(self.handle, pointer(x))
            self.prepared_at = x
        d, out = np.ascontiguousarray(d), np.empty_like(x)
        self.library.product(self.handle, pointer(d), pointer(out))
        return out


def scipy(f, method):
    options = {"L-BFGS-B": {"maxcor": 10, "gtol": f.tolerance, "ftol": 0, "maxiter": 10**6, "maxfun": 10**6},
               "Newton-CG": {"xtol": 1e-300, "maxiter": 10**4}}[method]
    f.gradients = f.products = 0

    def stop(x):
        if f.last <= f.tolerance:  # the last gradient is that of x
            raise Done

    newton = method == "Newton-CG"
    begin = time.perf_counter()
    try:
        minimize(f.value_and_gradient, f.start, jac=True, method=method, options=options,
                 hessp=f.product if newton else None, callback=stop if newton else None)
    except Done:
        pass
    return {"seconds": time.perf_counter() - begin, "gradient": f.last, "gradients": f.gradients,
            "products": f.products}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/bin/minimize_bench"))
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--surface", type=int, default=40_000, help="grid points of the minimal surface")
    parser.add_argument("functions", nargs="*", default=["rosenbrock", "broyden", "variably", "surface"])
    arguments = parser.parse_args()
    missed = False
    print("| function | n | solver | seconds | gradients | products | max abs(g_i) | over Kappa's |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(folder)
        for name in arguments.functions:
            f = Function(library, name, arguments.surface if name == "surface" else arguments.size)
            out = subprocess.run([arguments.binary, "functions", name, str(f.size)], check=True,
                                 capture_output=True, text=True).stdout
            rows = {row["solver"]: row for row in map(json.loads, out.splitlines())}
            rows["SciPy L-BFGS-B"] = scipy(f, "L-BFGS-B")
            rows["SciPy Newton-CG"] = scipy(f, "Newton-CG")
            for solver, peers in (("lbfgs", ("liblbfgs", "SciPy L-BFGS-B")), ("newton-cg", ("SciPy Newton-CG",))):
                for key in (solver, *peers):
                    if key not in rows:
                        continue
                    row, ratio = rows[key], rows[key]["seconds"] / rows[solver]["seconds"]
                    slower = row["gradient"] > f.tolerance  # it gave up before the tolerance
                    missed |= ratio < 1 and not slower
                    verdict = "" if key == solver else f"{ratio:.1f}" + (", not converged" if slower else "")
                    print(f"| {name} | {f.size} | {key} | {row['seconds']:.2f} | {row['gradients']} | "
                          f"{row['products']} | {row['gradient']:.1e} | {verdict} |", flush=True)
    return missed


sys.exit(main())
