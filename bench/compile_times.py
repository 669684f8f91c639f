#!/usr/bin/env python3
"""How long a user's compiler takes: one Hessian of a five-line function by each of the three ways,
and kappa/kappa.h alone; beside them <Eigen/SparseCore>, which is nearly all of that header's time.

    bench/compile_times.py [COMPILER [FLAGS...]]      (default: g++ -std=c++20 -O2)

The least of four goes, in turn, on one pinned core; the seconds are of the compiler's processor and
of the wall.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[1]
command = sys.argv[1:] or ["g++", "-std=c++20", "-O2"]
eigen = subprocess.run(["pkg-config", "--cflags", "eigen3"], capture_output=True, text=True,
                       check=True).stdout.split()
command += ["-Iinclude", *eigen]
os.chdir(root)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def seconds(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(arguments, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


with tempfile.TemporaryDirectory(prefix="kappa_compile_") as folder:
    peer = pathlib.Path(folder, "eigen.cpp")
    peer.write_text("#include <Eigen/SparseCore>\n")
    sources = {"<Eigen/SparseCore> alone": peer}
    for name, text in [("header", "kappa/kappa.h alone"), ("jets", "a Hessian by jets"),
                       ("arrays", "a Hessian by arrays"), ("spans", "the same, no Eigen"),
                       ("elements", "a Hessian by elements")]:
        sources[text] = pathlib.Path("bench/compile_times", name + ".cpp")
    best = {text: (float("inf"), float("inf")) for text in sources}
    for _ in range(4):
        for text, source in sources.items():
            taken = seconds([*command, "-c", str(source), "-o", folder + "/object.o"])
            best[text] = tuple(map(min, best[text], taken))
    for text, source in sources.items():
        print(f"{text:26} {best[text][0]:6.2f} s cpu {best[text][1]:6.2f} s wall   "
              f"{' '.join(command)} -c {source}")
