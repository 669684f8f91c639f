"""The Hessian of ADBench's Gaussian mixture by CasADi: gmm_problem.py says what is printed.

    pip install --target build/peers casadi
    PYTHONPATH=build/peers taskset -c 0 python3 bench/gmm_casadi.py FILE [FORM...]

Forms: SX, scalar expressions of all samples; MX, matrix expressions, a component at a time for all
samples; MAP, the Hessian of one sample in scalar expressions, mapped over the samples and added up;
MAPC, that as C by gcc -O3; PRODUCTS, the gradient in matrix expressions and its derivative along each
unit vector (where n > 100, along the first 16, and the time multiplied); COMPONENT, its Jacobian by
the variables of one component in matrix expressions, called with each component in turn put first.
That f is symmetric in them is a help by hand, without which the set-up of MX does not end within 27
minutes at 1650 variables. (MX as C: gcc -O3 does not end within 25 minutes, and what -O1 makes is no
faster than CasADi's own machine.) SX, MAP and MAPC list every entry as an operation of its own, so
they are for a hundred variables, not for thousands.
"""
import os
import subprocess
import tempfile
import time

import casadi as ca
import numpy as np

import gmm_problem


def logsumexp(terms):
    largest = terms[0]
    for term in terms[1:]:
        largest = ca.fmax(largest, term)
    return ca.log(sum(ca.exp(t - largest) for t in terms)) + largest


def components(symbol, p, points):
    """The components' log-likelihoods of all points, their weights, and the prior's part."""
    d, k, width = p.d, p.k, p.width
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


def rest(alphas, penalties, sums, p):
    """The objective without the sum over the points."""
    return p.constant() + p.gamma ** 2 / 2 * penalties - p.m * sums - p.n * logsumexp(alphas)


def value_of(symbol, p, points):
    """f as one expression of all points."""
    terms, *others = components(symbol, p, points)
    return ca.sum1(logsumexp(terms)) + rest(*others, p)


def whole(kind, p):
    symbol = kind.sym("x", len(p.x))
    # MX takes its numbers as matrices of its own kind.
    value = value_of(symbol, p, np.array(p.points) if kind is ca.SX else ca.DM(p.points))
    return ca.Function("h", [symbol], [ca.hessian(value, symbol)[0], value])


def mapped(p):
    """The Hessian for one point, mapped and added up by CasADi, and that of the rest."""
    symbol, point = ca.SX.sym("x", len(p.x)), ca.SX.sym("p", 1, p.d)
    terms, *others = components(symbol, p, point)
    one, other = logsumexp(terms), rest(*others, p)
    of_one = ca.Function("one", [symbol, point], [ca.hessian(one, symbol)[0], one])
    of_rest = ca.Function("rest", [symbol], [ca.hessian(other, symbol)[0], other])
    of_all = of_one.map("all", "serial", p.n, [0], [0, 1])
    free = ca.MX.sym("x", len(p.x))
    added, rest_of = of_all(free, ca.DM(p.points.reshape(1, -1))), of_rest(free)
    return ca.Function("h", [free], [added[0] + rest_of[0], added[1] + rest_of[1]])


def compiled(function, folder):
    function.generate("h.c")
    os.replace("h.c", f"{folder}/h.c")
    library = f"{folder}/h.so"
    subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", library, f"{folder}/h.c", "-lm"],
                   check=True)
    return ca.external("h", library)


def products(p):
    """The first columns, each by one derivative of the gradient along a unit vector."""
    size = len(p.x)
    count = size if size <= 100 else 16
    symbol = ca.MX.sym("x", size)
    value = value_of(symbol, p, ca.DM(p.points))
    gradient = ca.Function("g", [symbol], [ca.gradient(value, symbol)])
    along = gradient.forward(1).map("all", "serial", count, [0, 1], [])
    columns = along(symbol, ca.DM(size, 1), ca.DM.eye(size)[:, :count])
    return ca.Function("h", [symbol], [ca.densify(columns), value])


def by_component(p):
    places = p.component_places()
    size = places.shape[1]
    parts = [ca.MX.sym(f"x{c}", size) for c in range(p.k)]
    entries = [None] * len(p.x)
    for c in range(p.k):
        for i in range(size):
            entries[places[c, i]] = parts[c][i]
    value = value_of(entries, p, ca.DM(p.points))
    gradient = ca.vertcat(*(ca.gradient(value, part) for part in parts))
    first = ca.Function("first", parts, [ca.densify(ca.jacobian(gradient, parts[0])), value])
    free = ca.MX.sym("x", len(p.x))
    given = [free[row.tolist()] for row in places]
    columns = []
    for c in range(p.k):
        rows, at = first(*given[c:], *given[:c])
        cut = (p.k - c) * size  # of rows: components c, c + 1, ..., then those before c
        columns.append(ca.vertcat(rows[cut:, :], rows[:cut, :]))
    return ca.Function("h", [free], [ca.horzcat(*columns), at])


def caller(function, x):
    """A call that writes where it is told to, and what it writes."""
    buffer, call = function.buffer()
    results = [np.zeros(max(1, function.nnz_out(i))) for i in range(function.n_out())]
    x = np.ascontiguousarray(x)
    buffer.set_arg(0, memoryview(x))
    for i, result in enumerate(results):
        buffer.set_res(i, memoryview(result))

    def run():
        call()
        return results
    run.kept = buffer, x
    return run


def main():
    race = gmm_problem.Race("CasADi")
    p = race.problem
    size = len(p.x)
    order = np.argsort(p.component_places().ravel())  # from components to x
    with tempfile.TemporaryDirectory() as folder:
        make = {"SX": lambda: whole(ca.SX, p), "MX": lambda: whole(ca.MX, p),
                "MAP": lambda: mapped(p), "MAPC": lambda: compiled(mapped(p), folder),
                "PRODUCTS": lambda: products(p), "COMPONENT": lambda: by_component(p)}
        for form in race.arguments.forms or (list(make) if size <= 100 else ["COMPONENT"]):
            start = time.time()
            hessian = make[form]()
            setup = time.time() - start
            sparsity = hessian.sparsity_out(0)

            def result(outputs):
                h = np.zeros(sparsity.shape)
                rows, columns = sparsity.get_triplet()
                h[rows, columns] = outputs[0]
                return outputs[1][0], h[np.ix_(order, order)] if form == "COMPONENT" else h
            race.time(form, setup, caller(hessian, p.x), result, sparsity.shape[1] / size)


main()
