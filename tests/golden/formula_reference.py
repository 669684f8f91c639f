"""A second, independent reading of the formula language of the command line, in multi-precision.

The text is parsed by a recursive descent written from the contract alone and evaluated over numpy
object arrays of mpmath numbers with 400 digits. Derivatives are central differences with step
1e-60 of those values: truncation and rounding both stay below 1e-100, so the reference needs no
derivative rule that could share a mistake with the engine. Two steps must agree; an entry where
they do not is an exact zero under noise. Points must keep clear of kinks.

Number literals, `pi`, `e` and the point are doubles first (what the engine computes with), then
exact.
"""
import math
import re

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.dps = 400
STEP = mpf(10) ** -60
NAN = mpf("nan")

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)"
                   r"|(\*\*|<=|>=|==|!=|\.T\b|[-+*/^@()\[\],;=<>:]))")


def tokenize(text):
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise SyntaxError(f"{text!r}: position {at}")
        number, name, symbol = match.groups()
        tokens.append(("number", number) if number else ("name", name) if name
                      else ("symbol", symbol))
        at = match.end()
    return tokens + [("end", "")]


class Parser:
    """Text to nested tuples (kind, ...)."""

    def __init__(self, text):
        self.tokens, self.at = tokenize(text), 0

    def peek(self, *symbols):
        kind, value = self.tokens[self.at]
        return kind == "symbol" and value in symbols

    def take(self, *symbols):
        if not self.peek(*symbols):
            raise SyntaxError(f"expected {symbols}, found {self.tokens[self.at]}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def program(self):
        definitions = []
        while (self.tokens[self.at][0] == "name" and self.tokens[self.at + 1] == ("symbol", "=")):
            name = self.tokens[self.at][1]
            self.at += 2
            definitions.append((name, self.expression()))
            self.take(";")
        result = self.expression()
        if self.tokens[self.at][0] != "end":
            raise SyntaxError(f"left over: {self.tokens[self.at:]}")
        return definitions, result

    def binary(self, operand, *symbols):
        left = operand()
        while self.peek(*symbols):
            left = ("binary", self.take(*symbols), left, operand())
        return left

    def expression(self):
        left = self.sum()
        if self.peek("<", "<=", ">", ">=", "==", "!="):
            left = ("binary", self.take("<", "<=", ">", ">=", "==", "!="), left, self.sum())
        return left

    def sum(self):
        return self.binary(self.term, "+", "-")

    def term(self):
        return self.binary(self.unary, "*", "/", "@")

    def unary(self):
        if self.peek("-"):
            self.take("-")
            return ("negate", self.unary())
        if self.peek("+"):
            self.take("+")
            return self.unary()
        base = self.postfix()
        if self.peek("^", "**"):
            self.take("^", "**")
            return ("binary", "^", base, self.unary())
        return base

    def postfix(self):
        node = self.atom()
        while self.peek("[", ".T"):
            if self.take("[", ".T") == ".T":
                node = ("transpose", node)
                continue
            items = [self.slice()]
            while self.peek(","):
                self.take(",")
                items.append(self.slice())
            self.take("]")
            node = ("index", node, items)
        return node

    def slice(self):
        parts = [None]
        while not self.peek("]", ","):
            if self.peek(":"):
                self.take(":")
                parts.append(None)
            else:
                parts[-1] = self.expression()
        return parts

    def listed(self, closing):
        items = []
        while not self.peek(closing):
            items.append(self.expression())
            if not self.peek(closing):
                self.take(",")
        self.take(closing)
        return items

    def atom(self):
        kind, value = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return ("number", mpf(float(value)))
        if kind == "name":
            self.at += 1
            if value == "None":
                return ("new axis",)
            if not self.peek("("):
                return ("name", value)
            self.take("(")
            arguments, keywords = [], {}
            while not self.peek(")"):
                if self.tokens[self.at][0] == "name" and self.tokens[self.at + 1][1] == "=":
                    key = self.tokens[self.at][1]
                    self.at += 2
                    keywords[key] = self.expression()
                else:
                    arguments.append(self.expression())
                if not self.peek(")"):
                    self.take(",")
            self.take(")")
            return ("call", value, arguments, keywords)
        if self.peek("["):
            self.take("[")
            return ("array", self.listed("]"))
        self.take("(")
        items = self.listed(")")
        return items[0] if len(items) == 1 else ("array", items)


def real(function):
    """The function with NaN in place of complex results and poles."""
    def wrapped(*arguments):
        try:
            result = function(*arguments)
        except (ZeroDivisionError, ValueError):
            return NAN
        return NAN if isinstance(result, mpmath.mpc) else result
    return wrapped


def power(a, b):
    return mpf(1) if b == 0 else mp.power(a, b)


SCALAR = {
    "exp": mp.exp, "expm1": lambda x: mp.exp(x) - 1, "log": mp.log,
    "log1p": lambda x: mp.log(1 + x), "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10), "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3), "abs": abs, "sign": mp.sign,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos,
    "atan": mp.atan, "atan2": mp.atan2, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
    "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh, "erf": mp.erf, "erfc": mp.erfc,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))), "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "gelu": lambda x: x * (1 + mp.erf(x / mp.sqrt(2))) / 2, "silu": lambda x: x / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log(1 + mp.exp(x)), "relu": lambda x: x if x > 0 else mpf(0),
    "min": min, "max": max,
    "hypot": lambda a, b: mp.sqrt(a * a + b * b), "pow": power,
    "where": lambda c, a, b: a if c else b,
}
BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "^": power, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def as_object(value):
    return np.asarray(value, dtype=object)


def elementwise(function, *arguments):
    return as_object(np.frompyfunc(real(function), len(arguments), 1)(*arguments))


def reduce_sum(x, axis=None):
    return as_object(np.sum(x, axis=axis))


def log_sum_exp(x, axis=None):
    return elementwise(mp.log, reduce_sum(elementwise(mp.exp, x), axis))


def softmax(x, axis=-1):
    exponentials = elementwise(mp.exp, x)
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


ARRAY = {
    "sum": reduce_sum,
    "mean": lambda x, axis=None: reduce_sum(x, axis) / mpf(x.size if axis is None
                                                           else x.shape[axis]),
    "prod": lambda x, axis=None: as_object(np.prod(x, axis=axis)),
    "dot": lambda a, b, axis=None: reduce_sum(a * b, axis),
    "norm": lambda x, axis=None: elementwise(mp.sqrt, reduce_sum(x * x, axis)),
    "logsumexp": log_sum_exp,
    "softmax": softmax,
    "cumsum": lambda x, axis=0: as_object(np.cumsum(x, axis=axis)),
    "log_softmax": lambda x, axis=-1: elementwise(mp.log, softmax(x, axis)),
    "range": lambda *parts: as_object([mpf(i) for i in range(*(int(p.item()) for p in parts))]),
    "reshape": lambda x, *extents: x.reshape([int(e.item()) for e in extents]),
    "zeros": lambda *extents: exact(np.zeros([int(e.item()) for e in extents])),
    "ones": lambda *extents: exact(np.ones([int(e.item()) for e in extents])),
    "len": lambda x: as_object(mpf(len(x))),
    "concat": lambda *parts, axis=0: np.concatenate([np.atleast_1d(p) for p in parts], axis),
}


def evaluate(node, names):
    kind = node[0]
    if kind == "number":
        return as_object(node[1])
    if kind == "name":
        if node[1] in names:
            return names[node[1]]
        return as_object(mpf({"pi": math.pi, "e": math.e}[node[1]]))
    if kind == "negate":
        return as_object(-evaluate(node[1], names))
    if kind == "binary":
        left, right = evaluate(node[2], names), evaluate(node[3], names)
        if node[1] == "@":
            return as_object(np.matmul(left, right))
        return elementwise(BINARY[node[1]], left, right)
    if kind == "transpose":
        return evaluate(node[1], names).T
    if kind == "array":
        return np.stack([evaluate(item, names) for item in node[1]])
    if kind == "index":
        def integer(part):
            if part is None or part[0] == "new axis":
                return None
            return evaluate(part, names).astype(int)[()]
        key = tuple(integer(parts[0]) if len(parts) == 1 else slice(*map(integer, parts))
                    for parts in node[2])
        return as_object(evaluate(node[1], names)[key])
    arguments = [evaluate(argument, names) for argument in node[2]]
    keywords = {key: evaluate(value, names).astype(int) for key, value in node[3].items()}
    keywords = {key: int(v) if v.ndim == 0 else tuple(v) for key, v in keywords.items()}
    if node[1] in ("min", "max") and len(arguments) == 1:
        reduce = np.min if node[1] == "min" else np.max
        return as_object(reduce(arguments[0], **keywords))
    if node[1] in ARRAY:
        return as_object(ARRAY[node[1]](*arguments, **keywords))
    return elementwise(SCALAR[node[1]], *arguments)


def exact(values):
    """Doubles (nested lists) to an object array of exact numbers."""
    array = np.asarray(values, dtype=np.float64)
    return np.frompyfunc(lambda v: mpf(float(v)), 1, 1)(array) if array.ndim else as_object(
        mpf(float(array)))


class Formula:
    """A formula at a point: value, gradient (or Jacobian) and Hessian in multi-precision."""

    def __init__(self, text, point, constants=None):
        self.definitions, self.result = Parser(text).program()
        self.constants = {name: exact(value) for name, value in (constants or {}).items()}
        self.names = list(point)
        arrays = [np.asarray(value, dtype=np.float64) for value in point.values()]
        self.shapes = [array.shape for array in arrays]
        self.point = [mpf(float(v)) for array in arrays for v in array.ravel()]

    def at(self, point):
        names, start = dict(self.constants), 0
        for name, shape in zip(self.names, self.shapes):
            size = int(np.prod(shape))
            part = np.empty(size, dtype=object)
            part[:] = point[start:start + size]
            names[name] = part.reshape(shape)
            start += size
        for name, node in self.definitions:
            names[name] = evaluate(node, names)
        return evaluate(self.result, names)

    def shifted(self, *moves):
        point = list(self.point)
        for index, step in moves:
            point[index] += step
        return self.at(point)

    def value(self):
        return self.at(self.point)

    def gradient(self):
        """d result / d point: one row an output (a plain vector for a scalar formula)."""
        return without_noise(self.differences(STEP), self.differences(STEP / 16))

    def hessian(self):
        return without_noise(self.second_differences(STEP), self.second_differences(STEP / 16))

    def differences(self, step):
        columns = []
        for i, x in enumerate(self.point):
            h = step * max(1, abs(x))
            columns.append((self.shifted((i, h)) - self.shifted((i, -h))) / (2 * h))
        return np.stack([as_object(column) for column in columns], axis=-1)

    def second_differences(self, step):
        n, middle = len(self.point), self.value()
        hessian = np.empty((n, n), dtype=object)
        steps = [step * max(1, abs(x)) for x in self.point]
        for i, h in enumerate(steps):
            total = self.shifted((i, h)) - 2 * middle + self.shifted((i, -h))
            hessian[i, i] = as_object(total).item() / (h * h)
            for j, k in enumerate(steps[:i]):
                total = (self.shifted((i, h), (j, k)) - self.shifted((i, h), (j, -k))
                         - self.shifted((i, -h), (j, k)) + self.shifted((i, -h), (j, -k)))
                hessian[i, j] = hessian[j, i] = as_object(total).item() / (4 * h * k)
        return hessian


def without_noise(coarse, fine):
    return np.frompyfunc(lambda a, b: a if abs(a - b) <= mpf(10) ** -25 * abs(a) else mpf(0),
                         2, 1)(coarse, fine)


def to_floats(array):
    """Nested lists of doubles."""
    return as_object(array).astype(np.float64).tolist()


def eigenvalues(hessian):
    """Ascending, multi-precision."""
    with mp.workdps(60):
        return sorted(mp.eigsy(mp.matrix(hessian.tolist()), eigvals_only=True))
