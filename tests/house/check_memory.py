"""Does the program keep its memory budget, and do its numbers not depend on it?

Gradient and one Hessian product of mlp:784-512-512-10:tanh on the 60,000 pictures of Fashion-MNIST,
with `--memory 200M` and without a limit. The first run's peak resident memory must stay below the
budget plus weights, vectors and data, the results of both must have the same bits, and a budget that
cannot do must be refused at once, with figures.

    check_memory.py KAPPA

Exit status 77: the data set is not installed.
"""
import array
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

NETWORK = "mlp:784-512-512-10:tanh"
NUM_WEIGHTS = 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10
BUDGET = 200_000_000
PIXELS = 60_000 * 784
LABELS = 60_000 * 8
# Held beside the budget: the weights in double and single precision, and in double the direction,
# the product, the gradient, one copy of each on its way from or to a file.
WEIGHTS_AND_VECTORS = NUM_WEIGHTS * (8 + 4 + 6 * 8)


def write_npy(path, values):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        array.array("d", values).tofile(file)


def run(arguments):
    """(exit status, standard error, peak resident bytes, seconds) of one child."""
    start = time.monotonic()
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, error, usage.ru_maxrss * 1024, time.monotonic() - start


def main():
    kappa = sys.argv[1]
    if not pathlib.Path("/usr/share/datasets/fashion-mnist").exists():
        print("skipped: the package dataset-fashion-mnist is not installed")
        return 77
    faults = []
    with tempfile.TemporaryDirectory(prefix="kappa_memory_") as folder:
        at = lambda name: os.path.join(folder, name)
        source = random.Random(0)
        write_npy(at("v.npy"), [source.gauss(0, 1) for _ in range(NUM_WEIGHTS)])
        results = {}
        for name, options in (("budget", ["--memory", str(BUDGET), "--threads", "2"]),
                              ("free", ["--memory", "4G", "--threads", "1"])):
            gradient, product = at(f"g-{name}.npy"), at(f"hv-{name}.npy")
            status, error, peak, seconds = run(
                [kappa, "derive", NETWORK, "--data", "fashion-mnist", "--scale", "1/255", "--quiet",
                 "--gradient", gradient, "--hvp", at("v.npy"), "--out", product, *options])
            print(f"{name}: {' '.join(options)}: exit {status}, peak {peak / 1e6:.0f} MB, "
                  f"{seconds:.1f} s")
            if status != 0:
                print(error)
                return 1
            results[name] = [pathlib.Path(p).read_bytes() for p in (gradient, product)]
            if name == "budget":
                limit = BUDGET + PIXELS + LABELS + WEIGHTS_AND_VECTORS
                print(f"  limit {limit / 1e6:.0f} MB = {BUDGET / 1e6:.0f} budget + "
                      f"{(PIXELS + LABELS) / 1e6:.0f} data + {WEIGHTS_AND_VECTORS / 1e6:.0f} weights "
                      f"and vectors")
                if peak > limit:
                    faults.append(f"peak {peak} bytes exceeds {limit}")
        for index, what in enumerate(("gradient", "Hessian product")):
            if results["budget"][index] != results["free"][index]:
                faults.append(f"the {what} depends on the memory budget or the number of threads")

        status, error, _, seconds = run(
            [kappa, "derive", NETWORK, "--data", "fashion-mnist", "--memory", "1M",
             "--gradient", at("never.npy")])
        print(f"--memory 1M: exit {status} after {seconds:.1f} s: {error.strip()}")
        if status != 2:
            faults.append(f"an impossible budget gave exit status {status}, expected 2")
        if len(error.strip().splitlines()) != 1 or " MB" not in error:
            faults.append("the refusal is not one line with figures")
        if os.path.exists(at("never.npy")):
            faults.append("a refused run wrote a file")
        if seconds > 20:
            faults.append(f"the refusal took {seconds:.0f} s")
    for fault in faults:
        print("FAULT: " + fault)
    return 1 if faults else 0


sys.exit(main())
