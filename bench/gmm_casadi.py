"""The same Hessian by CasADi, with scalar (SX) and matrix (MX) expressions: milliseconds a call.

    pip install --target build/peers casadi
    PYTHONPATH=build/peers taskset -c 0 python3 bench/gmm_casadi.py FILE

Beside bench/gmm_bench.cpp, whose time for Kappa may be given as second argument for the ratio.
"""
import math
import sys
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


def objective(symbol, d, k, n, points, gamma, m):
    width = d * (d + 1) // 2
    terms, alphas, total = [], [], -n * d / 2 * math.log(2 * math.pi)
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
        total += gamma ** 2 / 2 * (sum(ca.exp(v) ** 2 for v in icf[:d])
                                   + sum(v ** 2 for v in icf[d:])) - m * q
    wishart = d + m + 1
    log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(
        math.lgamma(wishart / 2 + (1 - j) / 2) for j in range(1, d + 1))
    total -= k * (wishart * d * (math.log(gamma) - math.log(2) / 2) - log_gamma)
    return total + ca.sum1(logsumexp(terms)) - n * logsumexp(alphas)


def main():
    d, k, n, x, points, gamma, m = read(sys.argv[1])
    for kind in (ca.SX, ca.MX):
        symbol = kind.sym("x", len(x))
        start = time.time()
        # MX takes its numbers as matrices of its own kind.
        data = np.array(points) if kind is ca.SX else ca.DM(points)
        value = objective(symbol, d, k, n, data, gamma, m)
        hessian = ca.Function("h", [symbol], [ca.hessian(value, symbol)[0], value])
        setup = time.time() - start
        best = math.inf
        for _ in range(7):
            start = time.time()
            _, f = hessian(x)
            best = min(best, time.time() - start)
        line = f"CasADi {kind.__name__}: {1e3 * best:.2f} ms, set-up {setup:.1f} s, f = {float(f):.6f}"
        if len(sys.argv) > 2:
            line += f", {1e3 * best / float(sys.argv[2]):.1f} x"
        print(line, flush=True)


main()
