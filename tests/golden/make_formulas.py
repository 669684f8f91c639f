"""Writes formulas.json: small formulas with value, gradient and Hessian at one point.

    python3 make_formulas.py

One case a feature of the formula language, by the multi-precision reference of
formula_reference.py. Keys of a case: name, formula, at (the --at argument), point (the same as
nested lists), const (--const, where used), value, gradient (flat, in the order of the point),
hessian; for vector formulas value is a list and jacobian stands for both derivatives. `tolerance`
is relative to the largest entry of each quantity. `expect` holds consequences by their path in the
JSON of `kappa analyze`.
"""
import json
import os
import zlib

import mpmath
import numpy as np
from mpmath import mp

from formula_reference import Formula, as_object, eigenvalues, to_floats

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 1e-12
CASES = []


def add(name, formula, tolerance=TOLERANCE, const=None, expect=None, **point):
    point = {key: np.asarray(value, dtype=float).tolist() for key, value in point.items()}
    reference = Formula(formula, point, const)
    case = {"name": name, "formula": formula,
            "at": ",".join(f"{key}={json.dumps(value).replace(' ', '')}"
                           for key, value in point.items()),
            "point": point}
    if const:
        case["const"] = const
    value = reference.value()
    case["value"] = to_floats(value)
    if value.ndim:
        case["jacobian"] = to_floats(reference.gradient())
    else:
        case["gradient"] = to_floats(reference.gradient())
        case["hessian"] = to_floats(reference.hessian())
        flat = [case["value"], *case["gradient"], *sum(case["hessian"], [])]
        assert all(np.isfinite(flat)), (name, case)
    case["tolerance"] = tolerance
    if expect == "consequences":
        case["expect"] = consequences(reference)
    elif expect:
        case["expect"] = expect
    assert name not in [c["name"] for c in CASES], name
    CASES.append(case)


def consequences(reference):
    """What follows from gradient g and a positive definite Hessian H, by the textbook."""
    g, h = mp.matrix(reference.gradient().tolist()), mp.matrix(reference.hessian().tolist())
    values = eigenvalues(reference.hessian())
    low, high = values[0], values[-1]
    assert low > 0
    gg, ghg = (g.T * g)[0], (g.T * h * g)[0]
    newton = mp.lu_solve(h, g)
    here = reference.value().item()
    there = as_object(reference.at([x - s for x, s in zip(reference.point, newton)])).item()
    condition, root = high / low, mp.sqrt(high / low)
    return {
        "eigenvalues.all": [float(v) for v in values],
        "condition.number": float(condition),
        "gradient.norm_2": float(mp.sqrt(gg)),
        "gradient.norm_inf": float(max(abs(v) for v in g)),
        "critical_point.kind": "not_critical", "shape": "bowl",
        "learning_rate.stability_limit": float(2 / high),
        "learning_rate.fastest_fixed": float(2 / (low + high)),
        "learning_rate.gradient_descent_rate": float((condition - 1) / (condition + 1)),
        "learning_rate.steepest_descent_step": float(gg / ghg),
        "learning_rate.curvature_along_gradient": float(ghg / gg),
        "learning_rate.momentum.learning_rate": float((2 / (mp.sqrt(low) + mp.sqrt(high))) ** 2),
        "learning_rate.momentum.momentum": float(((root - 1) / (root + 1)) ** 2),
        "learning_rate.momentum.rate": float((root - 1) / (root + 1)),
        "model.newton_step_norm": float(mp.norm(newton)),
        "model.newton_decrement": float(mp.sqrt((g.T * newton)[0])),
        "model.predicted_decrease": float((g.T * newton)[0] / 2),
        "model.actual_decrease": float(here - there),
    }


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def sample(name, shape, low=-1.5, high=1.5):
    """Seeded by name, three digits, so that the case reads well."""
    return np.round(rng(name).uniform(low, high, shape), 3)


# Textbook: what the report is for.
add("textbook.rosenbrock", "100*(y - x^2)^2 + (1 - x)^2", x=-1.2, y=1, expect="consequences")
add("textbook.rosenbrock_minimum", "100*(y - x^2)^2 + (1 - x)^2", x=1, y=1,
    expect={"critical_point.kind": "minimum", "shape": "bowl"})
add("textbook.trough", "-x + y^2", x=0.3, y=-0.4,
    expect={"critical_point.kind": "not_critical", "shape": "trough"})
add("textbook.saddle", "x^2 - y^2", x=0, y=0,
    expect={"critical_point.kind": "saddle", "critical_point.index": 1, "shape": "saddle"})
add("textbook.flat_direction", "x^2 + 0*y", x=0, y=2,
    expect={"critical_point.kind": "degenerate", "shape": "trough",
            "condition.null_dimension": 1})
add("textbook.absent_parameter", "x^2", x=1.5, y=2, expect={"shape": "trough"})
add("textbook.dome", "-x^2 - 3*y^2 + x*y", x=0, y=0,
    expect={"critical_point.kind": "maximum", "critical_point.index": 2, "shape": "dome"})
add("textbook.ridge", "-(x + y)^2", x=0.5, y=-0.5,
    expect={"shape": "ridge", "condition.null_dimension": 1})
add("textbook.plane", "3*x - 2*y + 1", x=1, y=1,
    expect={"critical_point.kind": "not_critical", "shape": "flat"})
add("textbook.quartic_inconclusive", "x^4 + y^4", x=0, y=0,
    expect={"critical_point.kind": "undecided|degenerate"})
add("textbook.monkey_saddle", "x^3 - 3*x*y^2", x=0, y=0,
    expect={"critical_point.kind": "undecided|degenerate"})
add("textbook.vector", "(x + 1, x*y, x - z)", x=2, y=3, z=-1)
add("textbook.polar_map", "(r*cos(t), r*sin(t))", r=2, t=0.7)
add("textbook.quadratic_nonsymmetric", "0.5*x@A@x - b@x", x=[0.5, -1, 2],
    const={"A": [[4, 1, 0.5], [-2, 3, 1], [0, 1, 5]], "b": [1, 2, 3]}, expect="consequences")
add("textbook.quadratic_singular", "0.5*x@A@x - b@x", x=[0.5, -1, 2],
    const={"A": [[1, 2, 3], [2, 4, 6], [3, 6, 9]], "b": [1, 2, 3]},
    expect={"shape": "trough", "condition.null_dimension": 2})
add("textbook.himmelblau", "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", x=3, y=2,
    expect={"critical_point.kind": "minimum", "shape": "bowl"})
add("textbook.himmelblau_start", "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", x=5, y=4.5,
    expect="consequences")
add("textbook.booth", "(x + 2*y - 7)^2 + (2*x + y - 5)^2", x=4, y=-1, expect="consequences")
add("textbook.chained_rosenbrock", "sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)",
    x=[-1.2, 1, -1.2, 1, 0.5, 0.25, 0.1])
add("textbook.exponential_fit",
    "t = (range(10) + 1)/10; sum((exp(-t*x1) - exp(-t*x2) - x3*(exp(-t) - exp(-10*t)))^2)",
    x1=0, x2=10, x3=20)

# Numbers, precedence, operators.
add("syntax.power_below_minus", "-x^2 + y", x=3, y=1)
add("syntax.power_right", "x^y^z", x=1.5, y=2, z=0.5)
add("syntax.power_negative_exponent", "x^-2 + y^-0.5", x=1.7, y=2.3)
add("syntax.double_star", "x**3 - y**x", x=1.2, y=0.7)
add("syntax.minus_left", "x - y - x*y", x=2, y=5)
add("syntax.divide_left", "x/y/z", x=2, y=5, z=0.4)
add("syntax.divide_times", "x/y*z", x=2, y=5, z=0.4)
add("syntax.unary_signs", "--x^2 - -y*+x", x=1.5, y=2)
add("syntax.minus_after_times", "x*-y^2", x=1.5, y=2)
add("syntax.scientific", "1.5e-3*x^2 + 2E2*y^2 + .5*x*y + 3.*x", x=10, y=0.1)
add("syntax.constants", "sin(pi*x) + e^y", x=0.3, y=1.1)
add("syntax.nested_parentheses", "((x + (y*(x - (2)))))^2", x=1.3, y=0.8)
add("syntax.definitions", "r = x^2 + y^2; s = sqrt(r); t = s*exp(-r); t + 1/s", x=0.6, y=-0.7)
add("syntax.definition_unused", "u = x*y; v = u^2; u + x", x=0.6, y=-0.7)
add("syntax.names", "x_1*alpha2 + _b^2", x_1=1.5, alpha2=-0.5, _b=3)
add("syntax.many_parameters_order", "z*y + 2*x*y + 3*z^2", z=1, y=2, x=3)
add("syntax.repeated_subexpression", "(x*y + 1)^2 + sin(x*y + 1) + (x*y + 1)^3", x=0.6, y=-0.7)
add("syntax.no_spaces", "x*y-2^x+3/-y", x=1.5, y=2)

# Comparisons and selection.
for symbol, x in (("<", 0.3), ("<=", 0.3), (">", 0.3), (">=", -0.3), ("==", 1), ("!=", 1)):
    add(f"compare.{symbol}", f"where(x {symbol} y, x^2*y, x*y^3)", x=x, y=0.5)
add("where.nested", "where(x > 1, x^3, where(x > 0, x^2*y, -x))", x=0.7, y=2)
add("where.elementwise", "sum(where(x > 0, x^3, exp(x)))", x=sample("where.elementwise", 9))
add("where.broadcast", "sum(where(x > y, x^2, y*x))", x=[-1, 0.5, 2], y=0.25)
add("where.guards_singular_branch", "where(x > 0, sqrt(x), 0) + where(y > 0, log(y), y^2)",
    x=2.25, y=-0.5)
add("where.guarded_log_of_negative", "sum(where(x > 0, log(abs(x) + 1e-3), x^2))",
    x=[-2, -0.5, 0.5, 2])
add("where.huber", "sum(where(abs(x) < 1, 0.5*x^2, abs(x) - 0.5))", x=[-3, -0.4, 0.2, 0.9, 2])
add("where.comparison_as_number", "sum((x > 0)*x^3)", x=[-2, -0.5, 0.5, 2])

# Functions of one argument: a curved scalar expression, then eleven points (a full SIMD lane and a
# ragged one) through tails and the neighbourhood of 0.
UNARY = {
    "exp": (0.7, [-30, -5, -1, -1e-8, 0, 1e-8, 0.5, 1, 2, 3, 4]),
    "expm1": (1e-9, [-40, -5, -0.5, -1e-8, -1e-15, 1e-15, 1e-8, 0.1, 0.7, 2, 3]),
    "log": (2.5, [1e-3, 0.1, 0.5, 0.999, 1.001, 1.5, 2, 10, 1e3, 1e6, 1e10]),
    "log1p": (1e-10, [-0.9, -0.5, -1e-8, -1e-15, 1e-15, 1e-8, 0.01, 0.5, 2, 1e3, 1e10]),
    "log2": (3.5, [0.1, 0.25, 0.5, 0.999, 1.001, 1.5, 2, 8, 10, 1e3, 1e6]),
    "log10": (3.5, [0.1, 0.25, 0.5, 0.999, 1.001, 1.5, 2, 8, 10, 1e3, 1e6]),
    "sqrt": (2.5, [0.01, 0.1, 0.5, 1, 1.5, 2, 3, 10, 1e2, 1e4, 1e8]),
    "cbrt": (-2.5, [-1e3, -8, -1, -0.1, 0.05, 0.1, 0.5, 1, 8, 27, 1e6]),
    "abs": (-2.5, [-1e3, -8, -1, -0.1, -1e-9, 1e-9, 0.5, 1, 8, 27, 1e6]),
    "sign": (-2.5, [-1e3, -8, -1, -0.1, -1e-9, 1e-9, 0.5, 1, 8, 27, 1e6]),
    "sin": (0.7, [-100, -3, -1, -1e-8, 0, 1e-8, 0.5, 1.5, 3, 10, 1e4]),
    "cos": (0.7, [-100, -3, -1, -1e-8, 0, 1e-8, 0.5, 1.5, 3, 10, 1e4]),
    "tan": (0.7, [-10, -3, -1, -1e-8, 0, 1e-8, 0.5, 1.3, 3, 4, 10]),
    "asin": (0.4, [-0.95, -0.8, -0.3, -1e-8, 0, 1e-8, 0.2, 0.5, 0.7, 0.9, 0.96]),
    "acos": (0.4, [-0.95, -0.8, -0.3, -1e-8, 0, 1e-8, 0.2, 0.5, 0.7, 0.9, 0.96]),
    "atan": (0.4, [-1e6, -10, -1, -1e-8, 0, 1e-8, 0.2, 0.9, 3, 50, 1e4]),
    "sinh": (0.7, [-5, -2, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 3, 5]),
    "cosh": (0.7, [-5, -2, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 3, 5]),
    "tanh": (0.7, [-9, -3, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 4, 12]),
    "asinh": (0.7, [-1e6, -5, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 30, 1e6]),
    "acosh": (1.7, [1.01, 1.1, 1.3, 1.5, 2, 2.5, 3, 5, 10, 1e3, 1e6]),
    "atanh": (0.4, [-0.95, -0.8, -0.3, -1e-8, 0, 1e-8, 0.2, 0.5, 0.7, 0.9, 0.96]),
    "erf": (0.4, [-6, -2, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 0.9, 1.5, 4]),
    "erfc": (0.4, [-6, -2, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 0.9, 1.5, 4]),
    "lgamma": (2.4, [0.1, 0.3, 0.7, 1.5, 2.5, 3.2, 5, 10, 30, 100, 1e4]),
    "sigmoid": (0.4, [-40, -5, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 5, 30]),
    "softplus": (0.4, [-40, -5, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 5, 800]),
    "gelu": (0.4, [-6, -2, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 0.9, 1.5, 4]),
    "silu": (0.4, [-30, -5, -1, -1e-8, 0, 1e-8, 0.2, 0.5, 1, 5, 30]),
    "relu": (0.4, [-40, -5, -1, -0.1, -1e-8, 1e-8, 0.2, 0.5, 1, 5, 800]),
}
for function, (x, points) in UNARY.items():
    add(f"function.{function}", f"y*{function}(x) + x*y^2", x=x, y=1.3)
    add(f"function.{function}.array", f"sum({function}(x))", x=points)

# Tails where a careless formula loses every digit; each alone, so nothing hides it.
add("tail.erfc", "erfc(x)", x=9.5)
add("tail.sigmoid", "sigmoid(x)", x=-300)
add("tail.softplus_negative", "softplus(x)", x=-300)
add("tail.softplus_positive", "softplus(x)*y", x=900, y=1.5)
add("tail.log1p", "log1p(x)", x=1e-20)
add("tail.expm1", "expm1(x)", x=1e-20)
add("tail.atanh", "atanh(x)", x=1e-20)
add("tail.hypot_large", "hypot(x, y)*1e-200", x=3e200, y=4e200)
add("tail.logsumexp_large", "logsumexp(x)", x=[1000, 1001, 999.5])
add("tail.logsumexp_small", "logsumexp(x)", x=[-1000, -1001, -999.5])
add("tail.softmax_large", "softmax(x)[1]", x=[1000, 1001, 999.5])

# Functions of two arguments.
add("function.atan2.first_quadrant", "atan2(y, x)*x", y=0.5, x=1.5)
add("function.atan2.second_quadrant", "atan2(y, x)*x", y=0.5, x=-1.5)
add("function.atan2.third_quadrant", "atan2(y, x)*x", y=-0.5, x=-1.5)
add("function.atan2.on_axis", "atan2(y, x) + x^2", y=2, x=0)
add("function.hypot", "hypot(x, y)^3", x=-0.5, y=1.5)
add("function.hypot.array", "sum(hypot(x, 2))", x=[-3, -1, 0, 0.5, 4])
add("function.pow", "pow(x, y)", x=1.5, y=-2.5)
add("function.pow.integer_of_negative", "pow(x, 3) + pow(y, -2)", x=-1.5, y=-2)
add("function.pow.square_at_zero", "pow(x, 2) + x*y^3", x=0, y=0)
add("function.pow.cube_at_zero", "x^3 + x^2*y^1 + y^0", x=0, y=0)
add("function.pow.first_power_at_zero", "x^1 + y^2", x=0, y=-1)
add("function.pow.array_exponent", "sum(x^(range(4) + 1))", x=1.5)
add("function.pow.array_both", "sum(x^y)", x=[0.5, 1.5, 2.5], y=[2, -1, 0.5])
add("function.min", "min(x, y)^2 + min(x^2, 5)*y", x=1.5, y=2)
add("function.max", "max(x, y)^2 + max(x^2, 5)*y", x=1.5, y=2)
add("function.min.array", "sum(min(x, 0.5)^3)", x=[-1, 0, 0.25, 0.75, 2])
add("function.max.array", "sum(max(x, y)^2)", x=[-1, 0, 0.25], y=[0.5, -1, 0.1])
add("function.composed", "log(1 + exp(sin(x)*cosh(y)))/sqrt(1 + tanh(x*y)^2)", x=0.4, y=-0.6)
add("function.deep_chain", "exp(sin(log(1 + sqrt(x^2 + atan(y)^2))))", x=0.4, y=-0.6)

# Indexing and slices.
x5, x8 = sample("x5", 5), sample("x8", 8)
add("index.entry", "x[0]*x[2] - x[4]^3", x=x5)
add("index.negative", "x[-1]*x[-2]^2", x=x5)
add("index.matrix_entry", "x[0,1]*x[1,2] + x[1,0]^3", x=sample("index.matrix_entry", (2, 3)))
add("index.matrix_row", "x[0]@x[1]", x=sample("index.matrix_row", (2, 3)))
add("index.repeated_entry", "sum(x[0]*x) + x[0]^2", x=x5)
add("slice.from", "prod(x[2:])", x=x5)
add("slice.to", "sum(x[:3]^3)", x=x5)
add("slice.from_to", "sum(x[1:4]^2)*x[0]", x=x5)
add("slice.negative_bounds", "sum(x[-3:-1]^3)", x=x5)
add("slice.stride", "x[::2]@x[1::2]", x=x8)
add("slice.stride_bounds", "sum(exp(x[1:7:3]))", x=x8)
add("slice.all", "sum(x[:]^2)", x=x5)
add("slice.overlapping", "sum(x[2:]*x[1:-1]^2*x[:-2]^3)", x=x8)
add("slice.of_slice", "sum(x[1:][::2][1:]^3)", x=x8)
add("slice.matrix_column", "sum(x[:,0]^2*x[:,1])", x=sample("slice.matrix_column", (3, 2)))
add("slice.matrix_block", "sum(x[1:,:2]^3)", x=sample("slice.matrix_block", (3, 3)))
add("slice.matrix_row_last", "x[-1,:]@x[0,:]", x=sample("slice.matrix_row_last", (3, 2)))
add("slice.expression_bounds", "n = len(x); sum(x[n - 2:]^3) + x[n - 1]*x[0]", x=x5)

# Broadcasting.
add("broadcast.scalar_vector", "sum((x - a)^2*b)", x=x5, a=0.5, b=-2)
add("broadcast.matrix_vector", "sum((X + v)^3)", X=sample("X", (2, 3)), v=[0.5, -1, 2])
add("broadcast.matrix_scalar", "sum(exp(X*s))", X=sample("X", (2, 3)), s=0.7)
add("broadcast.column_row", "sum(sin(C*r))", C=[[0.5], [-1], [1.5]], r=[0.3, 2])
add("broadcast.length_one", "sum(x*y^2)", x=x5, y=[0.7])
add("broadcast.divide", "sum(v/(X^2 + 1))", X=sample("X", (2, 3)), v=[0.5, -1, 2])

# Matrix products.
A23, A33 = sample("A23", (2, 3)), sample("A33", (3, 3))
add("matmul.vector_vector", "(x@y)^2", x=[1, -2, 0.5], y=[0.3, 2, -1])
add("matmul.matrix_vector", "sum((A@x)^2)", x=[1, -2, 0.5], const={"A": A23.tolist()})
add("matmul.vector_matrix", "sum(exp(x@A))", x=[1, -0.5], const={"A": A23.tolist()})
add("matmul.matrix_matrix", "sum((X@Y)^2)", X=A23, Y=A33[:, :2])
add("matmul.both_vary", "x@M@x", x=[1, -2, 0.5], M=A33)
add("matmul.bilinear", "u@M@v", u=[1, -2], M=A23, v=[0.5, 1, 2])
add("matmul.chain", "tanh(W2@tanh(W1@x))@[1, 2]", W1=A33, W2=A23, const={"x": [0.5, -1, 2]})
add("matmul.transpose", "sum((X.T@X)^2)", X=A23)
add("matmul.transpose_vector", "x@(A.T@A)@x", x=[1, -2, 0.5], const={"A": A23.tolist()})
add("matmul.gram_of_parameters", "sum((X@X.T - 1)^2)", X=A23)
add("matmul.least_squares", "sum((A@x - b)^2)/2", x=[1, -2, 0.5],
    const={"A": sample("A63", (6, 3)).tolist(), "b": sample("b6", 6).tolist()},
    expect="consequences")
add("transpose.vector", "x.T@x", x=x5)
add("transpose.sum", "sum(X.T*[1, 2]*exp(X.T))", X=A23)

# Reductions, cumulative sum, ranges, concatenation, literals.
X34 = sample("X34", (3, 4))
add("sum.all", "sum(X^3)", X=X34)
add("sum.axis_0", "prod(sum(X^2, axis=0))", X=A23)
add("sum.axis_1", "prod(sum(X^2, axis=1))", X=A23)
add("sum.axis_negative", "norm(sum(X^2, axis=-1))", X=A23)
add("mean.all", "mean(x^3)", x=x5)
add("mean.axis_0", "sum(mean(X, axis=0)^2)", X=A23)
add("mean.axis_1", "sum(mean(X, axis=1)^2)", X=A23)
add("mean.variance", "mean((x - mean(x))^2)", x=x5)
add("prod.all", "prod(x)", x=x5)
add("prod.with_zero", "prod(x)", x=[2, 0, 3, -1])
add("prod.with_two_zeros", "prod(x)", x=[2, 0, 0, -1])
add("prod.axis_0", "sum(prod(X, axis=0)^2)", X=A23)
add("prod.axis_1", "sum(prod(X, axis=1)^2)", X=A23)
add("dot", "dot(x, x)*dot(x, [1, 2, 3, 4, 5])", x=x5)
add("norm", "norm(x)", x=x5)
add("norm.cubed", "norm(x)^3 + norm(2*x)", x=x5)
add("norm.axis", "sum(norm(X, axis=1)^3)", X=A23)
add("logsumexp", "logsumexp(x)", x=x5)
add("logsumexp.axis_0", "sum(logsumexp(X, axis=0)^2)", X=A23)
add("logsumexp.axis_1", "sum(logsumexp(X, axis=1)^2)", X=A23)
add("softmax", "softmax(x)@[1, 2, 3, 4, 5]", x=x5)
add("softmax.axis_1", "sum(softmax(X, axis=1)*X)", X=A23)
add("softmax.axis_0", "sum(softmax(X, axis=0)*X)", X=A23)
add("softmax.cross_entropy", "logsumexp(x) - x[2] + 0.01*dot(x, x)", x=x5)
add("cumsum", "sum(cumsum(x)^3)", x=x5)
add("cumsum.twice", "sum(cumsum(cumsum(x))^2)", x=x5)
add("cumsum.axis_0", "sum(cumsum(X, axis=0)^3)", X=A23)
add("cumsum.axis_1", "sum(cumsum(X, axis=1)^3)", X=A23)
add("range", "sum((range(5) + 1)*x^2)", x=x5)
add("range.of_len", "sum((range(len(x)) - 2)*x^3)", x=x5)
add("range.polynomial", "sum(x^range(6))", x=1.3)
add("len", "sum(x^2)/len(x)", x=x5)
add("len.matrix", "sum(X^2)/len(X)", X=A23)
add("concat", "y = concat(x[2:], x[:2]); sum(x*y^2)", x=x5)
add("concat.constant", "y = concat([0], x); sum((y[1:] - y[:-1]^2)^2)", x=x5)
add("concat.two_parameters", "norm(concat(x, y))^3", x=x5, y=[0.5, 2])
add("concat.matrix_rows", "sum(concat(X, [[1, 2, 3]])[1:]^3)", X=A23)
add("literal.vector", "[1.5, 2.25, 2.625]@x^2", x=[1, -2, 0.5])
add("literal.matrix", "x@[[2, 1], [0, 3]]@x", x=[1, -2])
add("literal.of_expressions", "sum([x, x*y, y^2]^2)", x=1.5, y=-0.5)
add("literal.matrix_of_expressions", "R = [[cos(t), -sin(t)], [sin(t), cos(t)]]; p = R@[x, y]; "
                                     "p[0]^3 + p[1]", t=0.6, x=1, y=2)
add("array.rational", "sum(x^2/(1 + x^2))", x=x8)
add("array.rastrigin", "10*len(x) + sum(x^2 - 10*cos(2*pi*x))", x=[0.3, -0.7, 1.2])
add("array.ackley", "-20*exp(-0.2*sqrt(mean(x^2))) - exp(mean(cos(2*pi*x))) + 20 + e",
    x=[0.3, -0.7, 1.2])
add("array.log_barrier", "-sum(log(1 - x^2)) + c@x", x=[0.3, -0.7, 0.2],
    const={"c": [1, 2, -1]})
add("array.logistic_regression", "mean(softplus(-y*(A@w)))", w=[0.3, -0.2],
    const={"A": sample("A82", (8, 2), -2, 2).tolist(), "y": [1, -1, 1, 1, -1, -1, 1, -1]},
    expect="consequences")
add("array.network", "h = tanh(W1@x + b1); logsumexp(W2@h + b2) - (W2@h + b2)[1]",
    W1=sample("W1", (3, 2)), b1=sample("b1", 3), W2=sample("W2", (2, 3)), b2=sample("b2", 2),
    const={"x": [0.5, -1]})
add("array.gaussian_mixture", "-log(0.3*exp(-(x - m1)^2/2) + 0.7*exp(-(x - m2)^2/(2*s^2))/s)",
    m1=0.2, m2=1.5, s=0.8, const={"x": 0.9})

# Beyond the contract: what the engine's language offers on top.
add("extra.min_reduction", "min(x)^2*x[0]", x=x5)
add("extra.max_reduction_axis", "sum(max(X, axis=1)^3)", X=A23)
add("extra.max_several", "max(x, 0.5*x^2, 0.1)^3", x=0.8)
add("extra.log_softmax", "log_softmax(x)[1] + sum(log_softmax(2*x)*x)", x=x5)
add("extra.reshape", "sum(reshape(x, 2, 3)[1]^3)*x[0]", x=sample("x6", 6))
add("extra.reshape_inferred", "sum(reshape(X, -1)[1:]^2*reshape(X, -1)[:-1])", X=A23)
add("extra.zeros_ones", "sum((x - ones(5))^2*x) + sum(zeros(3)) + sum(ones(2, 5)*x^3)", x=x5)
add("extra.new_axis", "sum(sin(x[:,None]*x[None,:]))", x=x5)
add("extra.outer_powers", "sum((x[:,None]^range(4))@[1, 2, 3, 4])", x=[0.5, 1.5, 2])
add("extra.reversed", "sum(x[::-1]*x^2)", x=x5)
add("extra.gather", "sum(x[[0, 2, 2, 4]]^3)", x=x5)
add("extra.range_bounds", "sum(range(1, 6)*x^2) + sum(range(5, 0, -1)*x^3)", x=x5)
add("extra.concat_three", "norm(concat(x, 1, x[:2]))^3", x=x5)
add("extra.concat_axis", "sum(concat(X, X^2, axis=1)@[1, 2, 3, 4, 5, 6])", X=A23)
add("extra.sum_axes", "sum(X^3, axis=[0, 1])", X=A23)
add("extra.dot_axis", "sum(dot(X, X^2, axis=1)^2)", X=A23)
add("extra.where_number", "sum(where([1, 0, 2], x^2, x^3))", x=[0.5, -1, 2])
add("vector.residuals", "t = [1, 2, 3, 4]; a*exp(-b*t) - [2, 1.1, 0.7, 0.4]", a=3, b=0.5)
add("vector.linear", "A@x", x=[1, -2, 0.5], const={"A": A23.tolist()})
add("vector.elementwise", "x^2*sin(x)", x=x5)
add("vector.slices", "x[1:]*x[:-1]", x=x5)


def main():
    lines = ",\n".join(json.dumps(case) for case in CASES)
    with open(os.path.join(HERE, "formulas.json"), "w") as file:
        file.write(f'{{"reference": "mpmath {mpmath.__version__}, {mp.dps} digits, central '
                   f'differences with step 1e-60", "cases": [\n{lines}\n]}}\n')
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
