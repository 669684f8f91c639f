"""Do the public headers compile alone, and in use, under the warnings of a careful user?

    check_headers.py COMPILER INCLUDE...

Every header of include/kappa by itself, and the uses in bench/compile_times.
"""
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

root = pathlib.Path(__file__).resolve().parents[2]
compiler, *includes = sys.argv[1:]
flags = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only",
         f"-I{root / 'include'}", *[f"-isystem{include}" for include in includes]]
headers = sorted((root / "include/kappa").glob("*.h"))
uses = sorted((root / "bench/compile_times").glob("*.cpp"))


def compile_one(path):
    text = f'#include "kappa/{path.name}"\n' if path in headers else path.read_text()
    made = subprocess.run([compiler, *flags, "-x", "c++", "-"], input=text, capture_output=True,
                          text=True)
    return path, made.returncode, made.stderr


with ThreadPoolExecutor(os.cpu_count()) as pool:
    failures = [(path, errors) for path, code, errors in pool.map(compile_one, headers + uses)
                if code != 0]
for path, errors in failures:
    print(path.relative_to(root), errors, sep="\n")
print(f"{len(headers)} headers, {len(uses)} uses")
sys.exit(1 if failures or not headers or not uses else 0)
