#!/usr/bin/env python3
"""Writes elementwise_golden.inc: values and derivatives of the elementwise functions by mpmath.

Each row: name, arguments (exact doubles), value, then the derivative and the second derivative of
functions of one variable, or both partial derivatives of functions of two. Derivatives come from
mpmath's own differentiation at 60 digits, not from formulas. Run: make_elementwise_golden.py
"""
import os

import mpmath
from mpmath import mp, mpf

mp.dps = 60

near_zero = [-2.0**-20, 2.0**-12]
real = near_zero + [-2.25, -0.75, 0.375, 1.5, 3.125]
positive = [2.0**-12, 0.375, 0.9921875, 1.5, 3.125, 1000.25]
inside = near_zero + [-0.96875, -0.5, 0.375, 0.984375]

UNARY = {
    "exp": (mpmath.exp, real + [-700.5, 700.5]),
    "expm1": (mpmath.expm1, real + [-30.5, 300.5]),
    "log": (mpmath.log, positive + [2.0**-30, 2.0**30]),
    "log1p": (mpmath.log1p, near_zero + [-0.96875, -0.5, 0.375, 1000.25]),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), positive),
    "log10": (mpmath.log10, positive),
    "sqrt": (mpmath.sqrt, positive),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), positive + [-0.375, -1000.25]),
    "sin": (mpmath.sin, real + [1000.25]),
    "cos": (mpmath.cos, real + [1000.25]),
    "tan": (mpmath.tan, real),
    "asin": (mpmath.asin, inside),
    "acos": (mpmath.acos, inside),
    "atan": (mpmath.atan, real + [1000.25]),
    "sinh": (mpmath.sinh, real),
    "cosh": (mpmath.cosh, real),
    "tanh": (mpmath.tanh, real),
    "asinh": (mpmath.asinh, real + [1000.25]),
    "acosh": (mpmath.acosh, [1.015625, 1.5, 3.125, 1000.25]),
    "atanh": (mpmath.atanh, inside),
    "erf": (mpmath.erf, real),
    "erfc": (mpmath.erfc, real + [5.5]),
    "lgamma": (lambda x: mpmath.log(abs(mpmath.gamma(x))), [0.375, 1.5, 3.125, 40.25, -1.25, -2.5]),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), real),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), real + [-30.5, 30.5]),
    "gelu": (lambda x: x * mpmath.ncdf(x), real),
    "silu": (lambda x: x / (1 + mpmath.exp(-x)), real),
}

BINARY = {
    "pow": (mpmath.power, [(0.375, 2.5), (1.5, -3.25), (3.125, 0.5), (0.75, 40.25), (2.0, 3.0)]),
    "atan2": (mpmath.atan2, [(0.375, 2.5), (1.5, -3.25), (-3.125, -0.5), (-0.75, 40.25)]),
    "hypot": (mpmath.hypot, [(0.375, 2.5), (1.5, -3.25), (1e-9, 1.0), (-0.75, 40.25)]),
}


def text(x):
    return mpmath.nstr(x, 30, strip_zeros=True)


lines = [f"// By make_elementwise_golden.py, mpmath {mpmath.__version__} at {mp.dps} digits."]
for name, (function, points) in UNARY.items():
    for x in points:
        x = mpf(x)
        row = [function(x), mpmath.diff(function, x, 1), mpmath.diff(function, x, 2)]
        arguments = repr(float(x)) + ", 0"
        lines.append(f'{{"{name}", {{{arguments}}}, {{{", ".join(text(r) for r in row)}}}}},')
for name, (function, points) in BINARY.items():
    for a, b in points:
        a, b = mpf(a), mpf(b)
        row = [function(a, b), mpmath.diff(function, (a, b), (1, 0)),
               mpmath.diff(function, (a, b), (0, 1))]
        arguments = f"{float(a)!r}, {float(b)!r}"
        lines.append(f'{{"{name}", {{{arguments}}}, {{{", ".join(text(r) for r in row)}}}}},')

target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "elementwise_golden.inc")
with open(target, "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
