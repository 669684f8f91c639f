"""ADBench's Gaussian mixture for the peers in Python, and Kappa's time and Hessian to compare with.

    FILE [FORM...] [--kappa build/release/bin/gmm_bench] [--seconds 1]

are the arguments of every peer. A line gives the best of the calls that fit in so many seconds, its
ratio to the best of Kappa's before and after it, what comes before the first call (set-up), f, and
how far the Hessian is from Kappa's.
"""
import argparse
import math
import os
import re
import subprocess
import tempfile
import time

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Problem:
    """d, k, n, variables x = (alpha, mu, icf), points n x d, gamma, m."""

    def __init__(self, path):
        with open(path) as file:
            numbers = [float(word) for word in file.read().split()]
        self.d, self.k, self.n = (int(v) for v in numbers[:3])
        self.width = self.d * (self.d + 1) // 2
        size = self.k * (1 + self.d + self.width)
        self.x = np.array(numbers[3:3 + size])
        self.points = np.array(numbers[3 + size:-2]).reshape(self.n, self.d)
        self.gamma, self.m = numbers[-2:]

    def constant(self):
        """What does not depend on the variables."""
        d, wishart = self.d, self.d + self.m + 1
        log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(
            math.lgamma(wishart / 2 + (1 - j) / 2) for j in range(1, d + 1))
        return -self.n * d / 2 * math.log(2 * math.pi) - self.k * (
            wishart * d * (math.log(self.gamma) - math.log(2) / 2) - log_gamma)

    def factor_places(self):
        """Place of each entry of Q, d x d, among (q, l, 0)."""
        places = np.full((self.d, self.d), self.width)
        np.fill_diagonal(places, np.arange(self.d))
        rows, columns = np.tril_indices(self.d, -1)
        order = np.lexsort((rows, columns))
        places[rows[order], columns[order]] = np.arange(self.d, self.width)
        return places

    def component_places(self):
        """Places in x of the variables (alpha, mu, icf) of each component, k x (1 + d + width)."""
        k, d, width = self.k, self.d, self.width
        return np.concatenate([np.arange(k)[:, None],
                               k + np.arange(k * d).reshape(k, d),
                               k + k * d + np.arange(k * width).reshape(k, width)], 1)


class Race:
    """Times forms of one peer against Kappa."""

    def __init__(self, peer):
        parser = argparse.ArgumentParser()
        parser.add_argument("file")
        parser.add_argument("forms", nargs="*")
        parser.add_argument("--kappa", default=f"{ROOT}/build/release/bin/gmm_bench")
        parser.add_argument("--seconds", type=float, default=1)
        self.arguments = parser.parse_args()
        self.peer = peer
        self.problem = Problem(self.arguments.file)
        self.time_of_kappa = self.kappa()

    def kappa(self):
        """Seconds of Kappa's Hessian, which is kept."""
        with tempfile.TemporaryDirectory() as folder:
            out = subprocess.run(
                [self.arguments.kappa, self.arguments.file, "--hessian", f"{folder}/h"],
                check=True, capture_output=True, text=True).stdout
            size = len(self.problem.x)
            self.hessian = np.fromfile(f"{folder}/h").reshape(size, size)
        return float(re.search(r"^ +kappa +([0-9.]+) ms", out, re.M)[1]) / 1e3

    def time(self, form, setup, call, result=np.asarray, part=1):
        """`call` computes f and the share `part` of the Hessian's columns, the first of them;
        `result` makes them from what it returns."""
        begin = time.time()
        best, start = math.inf, time.time()
        while best == math.inf or time.time() - begin < self.arguments.seconds:
            start = time.time()
            returned = call()
            best = min(best, time.time() - start)
        value, hessian = result(returned)
        expected = self.hessian[:, :hessian.shape[1]]
        error = np.linalg.norm(hessian - expected) / np.linalg.norm(expected)
        best /= part
        ours = min(self.time_of_kappa, self.kappa())
        share = "" if part == 1 else f" (from {hessian.shape[1]} columns)"
        print(f"{self.peer} {form}: {1e3 * best:.2f} ms, {best / ours:.1f} x kappa's "
              f"{1e3 * ours:.2f} ms, set-up {setup:.1f} s, f = {float(value):.6f}, "
              f"difference {error:.1e}{share}", flush=True)
