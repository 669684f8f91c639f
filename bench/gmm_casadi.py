"""The same Hessian by CasADi: milliseconds a call, each form at its fastest.

    pip install --target build/peers casadi
    PYTHONPATH=build/peers taskset -c 0 python3 bench/gmm_casadi.py FILE [KAPPA_MS] [FORM...]

Forms: SX, scalar expressions of all samples; MX, matrix expressions, a component at a time for all
samples; MAP, the Hessian of one sample in scalar expressions, mapped over the samples and added up;
MAPC, that as C by gcc -O3. (MX as C: gcc -O3 does not end within 25 minutes, and what -O1 makes is no
faster than CasADi's own machine.) SX, MAP and MAPC list every entry as an operation of its own, so
they are for a hundred variables, not for thousands. KAPPA_MS, from bench/gmm_bench.cpp beside it,
gives the ratio.
"""
import math
import os
import subprocess
import sys
import tempfile
import time

import casadi as ca
import numpy as np


def read(path):
    with open(path) as file:
        numbers = [float(word) for word in file.read().split()]
    d, k, n = (int(v) for v in numbers[:3])
    size = k * (1 + d + d * (d + 1) // 2)
    x = np.array(numbers[3:3 + size])
    points = np.array(numbers[3 + size:3 + size + n * d]).reshape(n, d)
    gamma, m = numbers[-2:]
    return d, k, n, x, points, gamma, m


def logsumexp(terms):
    largest = terms[0]
    for term in terms[1:]:
        largest = ca.fmax(largest, term)
    return ca.log(sum(ca.exp(t - largest) for t in terms)) + largest


def components(symbol, d, k, points):
    """The components' log-likelihoods of all points, their weights, and the prior's part."""
    width = d * (d + 1) // 2
    terms, alphas, penalties, sums = [], [], 0, 0
    for c in range(k):
        alpha = symbol[c]
        mu = [symbol[k + c * d + j] for j in range(d)]
        icf = [symbol[k + k * d + c * width + j] for j in range(width)]
        columns = [points[:, j] - mu[j] for j in range(d)]
        squares, place = 0, d
        rows = [ca.exp(icf[j]) * columns[j] for j in range(d)]
        for j in range(d):
            for i in range(j + 1, d):
                rows[i] = rows[i] + icf[place] * columns[j]
                place += 1
        for row in rows:
            squares = squares + row * row
        q = sum(icf[:d])
        terms.append(alpha + q - squares / 2)
        alphas.append(alpha)
        penalties += sum(ca.exp(v) ** 2 for v in icf[:d]) + sum(v ** 2 for v in icf[d:])
        sums += q
    return terms, alphas, penalties, sums


def rest(alphas, penalties, sums, d, k, n, gamma, m):
    """The objective without the sum over the points."""
    wishart = d + m + 1
    log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(
        math.lgamma(wishart / 2 + (1 - j) / 2) for j in range(1, d + 1))
    constant = -n * d / 2 * math.log(2 * math.pi) - k * (
        wishart * d * (math.log(gamma) - math.log(2) / 2) - log_gamma)
    return constant + gamma ** 2 / 2 * penalties - m * sums - n * logsumexp(alphas)


def whole(kind, data):
    """One expression of all points."""
    d, k, n, x, points, gamma, m = data
    symbol = kind.sym("x", len(x))
    # MX takes its numbers as matrices of its own kind.
    numbers = np.array(points) if kind is ca.SX else ca.DM(points)
    terms, *others = components(symbol, d, k, numbers)
    value = ca.sum1(logsumexp(terms)) + rest(*others, d, k, n, gamma, m)
    return ca.Function("h", [symbol], [ca.hessian(value, symbol)[0], value])


def mapped(data):
    """The Hessian for one point, mapped and added up by CasADi, and that of the rest."""
    d, k, n, x, points, gamma, m = data
    symbol, point = ca.SX.sym("x", len(x)), ca.SX.sym("p", 1, d)
    terms, *others = components(symbol, d, k, point)
    one, other = logsumexp(terms), rest(*others, d, k, n, gamma, m)
    of_one = ca.Function("one", [symbol, point], [ca.hessian(one, symbol)[0], one])
    of_rest = ca.Function("rest", [symbol], [ca.hessian(other, symbol)[0], other])
    of_all = of_one.map("all", "serial", n, [0], [0, 1])
    free = ca.MX.sym("x", len(x))
    added, rest_of = of_all(free, ca.DM(points.reshape(1, -1))), of_rest(free)
    return ca.Function("h", [free], [added[0] + rest_of[0], added[1] + rest_of[1]])


def compiled(function, folder):
    function.generate("h.c")
    os.replace("h.c", f"{folder}/h.c")
    library = f"{folder}/h.so"
    subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", library, f"{folder}/h.c", "-lm"],
                   check=True)
    return ca.external("h", library)


def fastest(function, x):
    """Seconds of the best of some calls that write where they are told to, and the value."""
    buffer, call = function.buffer()
    results = [np.zeros(max(1, function.nnz_out(i))) for i in range(function.n_out())]
    buffer.set_arg(0, memoryview(np.ascontiguousarray(x)))
    for i, result in enumerate(results):
        buffer.set_res(i, memoryview(result))
    best, begin = math.inf, time.time()
    while time.time() - begin < 1 or best == math.inf:
        start = time.time()
        call()
        best = min(best, time.time() - start)
    return best, results[1][0]


def main():
    data = read(sys.argv[1])
    numbers = [float(word) for word in sys.argv[2:] if word[0].isdigit()]
    forms = [word for word in sys.argv[2:] if not word[0].isdigit()]
    small = len(data[3]) <= 100
    with tempfile.TemporaryDirectory() as folder:
        make = {"SX": lambda: whole(ca.SX, data), "MX": lambda: whole(ca.MX, data),
                "MAP": lambda: mapped(data), "MAPC": lambda: compiled(mapped(data), folder)}
        for form in forms or (list(make) if small else ["MX"]):
            start = time.time()
            hessian = make[form]()
            setup = time.time() - start
            best, value = fastest(hessian, data[3])
            line = f"CasADi {form}: {1e3 * best:.2f} ms, set-up {setup:.1f} s, f = {value:.6f}"
            if numbers:
                line += f", {1e3 * best / numbers[0]:.1f} x"
            print(line, flush=True)


main()
