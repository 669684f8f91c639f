"""Writes formulas.json: the 42 instances of the Moré-Garbow-Hillstrom collection as formulas.

Problems: J. J. Moré, B. S. Garbow, K. E. Hillstrom, ACM TOMS 7(1) 1981. f = sum of squared
residuals, typed from the paper's definitions. Value, gradient and all Hessian eigenvalues at the
start come from the multi-precision reference of ../golden/formula_reference.py.

    python3 make_formulas.py [mgh-values.csv]

With the table of values (made from the original Fortran, TOMS 566) every instance is checked
against it before anything is written.
"""
import csv
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
from formula_reference import Formula, as_object, eigenvalues, to_floats  # noqa: E402

BARD = "[0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]"
GAUSSIAN = ("[0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295,"
            " 0.054, 0.0175, 0.0044, 0.0009]")
MEYER = ("[34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427,"
         " 3820, 3307, 2872]")
KOWALIK_Y = ("[0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235,"
             " 0.0246]")
KOWALIK_U = "[4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]"
OSBORNE_1 = ("[0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718,"
             " 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49, 0.478, 0.467,"
             " 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406]")
OSBORNE_2 = ("[1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679,"
             " 0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644,"
             " 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391,"
             " 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,"
             " 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581,"
             " 0.428, 0.292, 0.162, 0.098, 0.054]")


def horner(coefficients):
    text = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        text = f"{coefficient} + t*({text})"
    return text


def watson(n):
    value = horner([f"x[{j}]" for j in range(n)])
    slope = horner(["x[1]"] + [f"{j}*x[{j}]" for j in range(2, n)])
    return (f"t = (range(29) + 1)/29; p = {value}; d = {slope}; "
            "sum((d - p^2 - 1)^2) + x[0]^2 + (x[1] - x[0]^2 - 1)^2")


def chebyquad(n):
    """Shifted Chebyshev polynomials by their recurrence, one definition a degree."""
    definitions, terms = ["t0 = 1", "t1 = 2*x - 1"], ["mean(t1)^2"]
    for i in range(2, n + 1):
        definitions.append(f"t{i} = 2*t1*t{i - 1} - t{i - 2}")
        terms.append(f"(mean(t{i}) + 1/{i * i - 1})^2" if i % 2 == 0 else f"mean(t{i})^2")
    return "; ".join(definitions) + "; " + " + ".join(terms)


# (number, name, formula); scalars x1.. where the paper's formula names them, a vector x elsewhere.
PROBLEMS = [
    (1, "Rosenbrock", "100*(x2 - x1^2)^2 + (1 - x1)^2"),
    (2, "Freudenstein-Roth", "(-13 + x1 + ((5 - x2)*x2 - 2)*x2)^2"
                             " + (-29 + x1 + ((x2 + 1)*x2 - 14)*x2)^2"),
    (3, "Powell badly scaled", "(1e4*x1*x2 - 1)^2 + (exp(-x1) + exp(-x2) - 1.0001)^2"),
    (4, "Brown badly scaled", "(x1 - 1e6)^2 + (x2 - 2e-6)^2 + (x1*x2 - 2)^2"),
    (5, "Beale", "y = [1.5, 2.25, 2.625]; sum((y - x1*(1 - x2^(range(3) + 1)))^2)"),
    (6, "Jennrich-Sampson m=10",
     "i = range(10) + 1; sum((2 + 2*i - (exp(i*x1) + exp(i*x2)))^2)"),
    (7, "Helical valley", "theta = atan(x2/x1)/(2*pi) + where(x1 > 0, 0, 0.5); "
                          "100*(x3 - 10*theta)^2 + 100*(sqrt(x1^2 + x2^2) - 1)^2 + x3^2"),
    (8, "Bard", f"y = {BARD}; u = range(15) + 1; v = 16 - u; w = min(u, v); "
                "sum((y - (x1 + u/(v*x2 + w*x3)))^2)"),
    (9, "Gaussian", f"y = {GAUSSIAN}; t = (7 - range(15))/2; "
                    "sum((x1*exp(-x2*(t - x3)^2/2) - y)^2)"),
    (10, "Meyer", f"y = {MEYER}; t = 50 + 5*range(16); sum((x1*exp(x2/(t + x3)) - y)^2)"),
    (11, "Gulf R&D m=99", "t = (range(99) + 1)/100; y = 25 + (-50*log(t))^(2/3); "
                          "sum((exp(-abs(y - x2)^x3/x1) - t)^2)"),
    (12, "Box 3-D m=10", "t = (range(10) + 1)/10; "
                         "sum((exp(-t*x1) - exp(-t*x2) - x3*(exp(-t) - exp(-10*t)))^2)"),
    (13, "Powell singular", "(x1 + 10*x2)^2 + 5*(x3 - x4)^2 + (x2 - 2*x3)^4 + 10*(x1 - x4)^4"),
    (14, "Wood", "100*(x2 - x1^2)^2 + (1 - x1)^2 + 90*(x4 - x3^2)^2 + (1 - x3)^2"
                 " + 10*(x2 + x4 - 2)^2 + (x2 - x4)^2/10"),
    (15, "Kowalik-Osborne", f"y = {KOWALIK_Y}; u = {KOWALIK_U}; "
                            "sum((y - x1*(u^2 + u*x2)/(u^2 + u*x3 + x4))^2)"),
    (16, "Brown-Dennis m=20", "t = (range(20) + 1)/5; "
                              "sum(((x1 + t*x2 - exp(t))^2 + (x3 + x4*sin(t) - cos(t))^2)^2)"),
    (17, "Osborne 1", f"y = {OSBORNE_1}; t = 10*range(33); "
                      "sum((y - (x1 + x2*exp(-t*x4) + x3*exp(-t*x5)))^2)"),
    (18, "Biggs EXP6 m=13",
     "t = (range(13) + 1)/10; y = exp(-t) - 5*exp(-10*t) + 3*exp(-4*t); "
     "sum((x3*exp(-t*x1) - x4*exp(-t*x2) + x6*exp(-t*x5) - y)^2)"),
    (19, "Osborne 2",
     f"y = {OSBORNE_2}; t = range(65)/10; sum((y - (x[0]*exp(-t*x[4])"
     " + x[1]*exp(-(t - x[8])^2*x[5]) + x[2]*exp(-(t - x[9])^2*x[6])"
     " + x[3]*exp(-(t - x[10])^2*x[7])))^2)"),
    (20, "Watson n=6", watson(6)),
    (20, "Watson n=9", watson(9)),
    (20, "Watson n=12", watson(12)),
    (21, "Ext. Rosenbrock n=10", "sum(100*(x[1::2] - x[::2]^2)^2 + (1 - x[::2])^2)"),
    (22, "Ext. Powell singular n=12",
     "a = x[::4]; b = x[1::4]; c = x[2::4]; d = x[3::4]; "
     "sum((a + 10*b)^2 + 5*(c - d)^2 + (b - 2*c)^4 + 10*(a - d)^4)"),
    (23, "Penalty I n=4", "1e-5*sum((x - 1)^2) + (sum(x^2) - 0.25)^2"),
    (23, "Penalty I n=10", "1e-5*sum((x - 1)^2) + (sum(x^2) - 0.25)^2"),
    (24, "Penalty II n=4", "PENALTY_2"),
    (24, "Penalty II n=10", "PENALTY_2"),
    (25, "Variably dimensioned n=10",
     "s = sum((range(len(x)) + 1)*(x - 1)); sum((x - 1)^2) + s^2 + s^4"),
    (26, "Trigonometric n=10", "n = len(x); i = range(n) + 1; "
                               "sum((n - sum(cos(x)) + i*(1 - cos(x)) - sin(x))^2)"),
    (27, "Brown almost-linear n=10",
     "n = len(x); sum((x[:-1] + sum(x) - (n + 1))^2) + (prod(x) - 1)^2"),
    (28, "Discrete boundary value n=10",
     "n = len(x); h = 1/(n + 1); t = h*(range(n) + 1); "
     "sum((2*x - concat([0], x[:-1]) - concat(x[1:], [0]) + h^2*(x + t + 1)^3/2)^2)"),
    (29, "Discrete integral eq. n=10",
     "n = len(x); h = 1/(n + 1); t = h*(range(n) + 1); c = (x + t + 1)^3; b = (1 - t)*c; "
     "sum((x + h*((1 - t)*cumsum(t*c) + t*(sum(b) - cumsum(b)))/2)^2)"),
    (30, "Broyden tridiagonal n=10",
     "sum(((3 - 2*x)*x - concat([0], x[:-1]) - 2*concat(x[1:], [0]) + 1)^2)"),
    (31, "Broyden banded n=10",
     "g = x*(1 + x); c = cumsum(g); "
     "band = concat(c[1:], c[-1:]) - concat([0, 0, 0, 0, 0, 0], c[:-6]) - g; "
     "sum((x*(2 + 5*x^2) + 1 - band)^2)"),
    (32, "Linear full rank n=10 m=20", "s = 2*sum(x)/20; sum((x - s - 1)^2) + 10*(s + 1)^2"),
    (33, "Linear rank 1 n=10 m=20",
     "s = sum((range(10) + 1)*x); sum(((range(20) + 1)*s - 1)^2)"),
    (34, "Linear rank 1, zero cols/rows n=10 m=20",
     "s = sum((range(8) + 2)*x[1:-1]); 2 + sum(((range(18) + 1)*s - 1)^2)"),
    (35, "Chebyquad n=7", chebyquad(7)),
    (35, "Chebyquad n=8", chebyquad(8)),
    (35, "Chebyquad n=9", chebyquad(9)),
    (35, "Chebyquad n=10", chebyquad(10)),
]
PENALTY_2 = ("n = len(x); i = range(n - 1) + 2; y = exp(i/10) + exp((i - 1)/10); "
             "(x[0] - 0.2)^2 + 1e-5*sum((exp(x[1:]/10) + exp(x[:-1]/10) - y)^2)"
             " + 1e-5*sum((exp(x[1:]/10) - exp(-0.1))^2) + (sum((n - range(n))*x^2) - 1)^2")


def pairs(n, *pattern):
    return list(pattern) * (n // len(pattern))


STARTS = {
    1: [-1.2, 1], 2: [0.5, -2], 3: [0, 1], 4: [1, 1], 5: [1, 1], 6: [0.3, 0.4], 7: [-1, 0, 0],
    8: [1, 1, 1], 9: [0.4, 1, 0], 10: [0.02, 4000, 250], 11: [5, 2.5, 0.15], 12: [0, 10, 20],
    13: [3, -1, 0, 1], 14: [-3, -1, -3, -1], 15: [0.25, 0.39, 0.415, 0.39], 16: [25, 5, -5, -1],
    17: [0.5, 1.5, -1, 0.01, 0.02], 18: [1, 2, 1, 1, 1, 1],
    19: [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], 20: lambda n: [0] * n,
    21: lambda n: pairs(n, -1.2, 1), 22: lambda n: pairs(n, 3, -1, 0, 1),
    23: lambda n: [j + 1 for j in range(n)], 24: lambda n: [0.5] * n,
    25: lambda n: [1 - (j + 1) / n for j in range(n)], 26: lambda n: [1 / n] * n,
    27: lambda n: [0.5] * n,
    28: lambda n: [(j + 1) / (n + 1) * ((j + 1) / (n + 1) - 1) for j in range(n)],
    29: lambda n: [(j + 1) / (n + 1) * ((j + 1) / (n + 1) - 1) for j in range(n)],
    30: lambda n: [-1] * n, 31: lambda n: [-1] * n, 32: lambda n: [1] * n, 33: lambda n: [1] * n,
    34: lambda n: [1] * n, 35: lambda n: [(j + 1) / (n + 1) for j in range(n)],
}
# Minima as the paper prints them (local ones too); f* below about 1e-28 stands for 0.
MINIMA = {
    2: [0, 48.9842], 6: [124.362], 8: [8.21487e-3, 17.4286], 9: [1.12793e-8], 10: [87.9458],
    15: [3.07505e-4, 1.02734e-3], 16: [85822.2], 17: [5.46489e-5], 18: [0, 5.65565e-3],
    19: [4.01377e-2], 26: [0, 2.79506e-5], 27: [0, 1], 32: [10], 33: [4.634146], 34: [6.135135],
    "Watson n=6": [2.28767e-3], "Watson n=9": [1.39976e-6], "Watson n=12": [4.72238e-10],
    "Penalty I n=4": [2.24997e-5], "Penalty I n=10": [7.08765e-5],
    "Penalty II n=4": [9.37629e-6], "Penalty II n=10": [2.93660e-4],
    "Chebyquad n=8": [3.51687e-3], "Chebyquad n=10": [6.50395e-3],
}


def instance(number, name, formula):
    formula = formula.replace("PENALTY_2", PENALTY_2)
    start = STARTS[number]
    if callable(start):
        start = start(int(name.split("n=")[1].split()[0]))
    if "x1" in formula:
        point = {f"x{i + 1}": value for i, value in enumerate(start)}
        at = ",".join(f"{key}={value!r}" for key, value in point.items())
    else:
        point = {"x": start}
        at = "x=[" + ",".join(map(repr, start)) + "]"
    reference = Formula(formula, point)
    gradient = reference.gradient()
    return {
        "number": number, "name": name, "formula": formula, "at": at, "point": point,
        "value": float(reference.value().item()), "gradient": to_floats(gradient),
        "gradient_norm_2": float(sum(g * g for g in gradient) ** 0.5),
        "gradient_norm_inf": float(max(abs(g) for g in gradient)),
        "published_minima": MINIMA.get(name, MINIMA.get(number, [0])),
        "eigenvalues": to_floats(as_object(eigenvalues(reference.hessian()))),
    }


def check(instances, table):
    """Every row of the table agrees; the worst deviations are printed."""
    rows = list(csv.DictReader(open(table)))
    assert len(rows) == len(instances) == 42, (len(rows), len(instances))
    worst = {"f0": 0, "ginf0": 0, "eig0 566": 0, "eig0 fd": 0}
    for row, item in zip(rows, instances):
        assert row["name"] == item["name"] and int(row["n"]) == len(item["gradient"]), row["name"]
        start = [float(v) for v in row["x0"].split()]
        mine = [v for value in item["point"].values()
                for v in (value if isinstance(value, list) else [value])]
        assert all(abs(a - b) <= 1e-15 for a, b in zip(start, mine)), (row["name"], start, mine)
        scale = max(abs(float(row["eig0_min"])), abs(float(row["eig0_max"])))
        fd = row["hessian_from"] == "fd"
        measured = {
            "f0": abs(item["value"] / float(row["f0"]) - 1),
            "ginf0": abs(item["gradient_norm_inf"] / float(row["ginf0"]) - 1),
            "eig0 " + row["hessian_from"]: max(
                abs(item["eigenvalues"][0] - float(row["eig0_min"])),
                abs(item["eigenvalues"][-1] - float(row["eig0_max"]))) / scale,
        }
        for key, deviation in measured.items():
            worst[key] = max(worst[key], deviation)
        limits = (1e-12, 1e-12, 1e-8 if fd else 1e-12)
        if any(d > limit for d, limit in zip(measured.values(), limits)):
            print("DIFFERS", row["no"], row["name"], measured)
    print("42 instances; worst relative deviations from the table:",
          ", ".join(f"{key} {value:.1e}" for key, value in worst.items()))


def main():
    instances = [instance(*problem) for problem in PROBLEMS]
    if len(sys.argv) > 1:
        check(instances, sys.argv[1])
    with open(os.path.join(HERE, "formulas.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(item) for item in instances) + "\n]\n")


if __name__ == "__main__":
    main()
