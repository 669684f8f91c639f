#!/usr/bin/env python3
"""Analyses trained ONNX models on the data they were trained for, and writes the table in docs/onnx.md.

    onnx_spectra.py KAPPA DATA RESULTS [--only NAME] [--write]

DATA holds onnx-models/, mnist/ and tabular/. The JSON of each run goes to RESULTS; with --only the
other rows are made from what lies there. Five minutes of a core for all.
"""
import argparse
import csv
import gzip
import json
import pathlib
import resource
import subprocess

import numpy

BEGIN = "<!-- The table is written by tools/onnx_spectra.py from real runs. -->\n"
END = "<!-- end of the spectra -->\n"

MNIST = "{mnist}/train-images-idx3-ubyte.gz,{mnist}/train-labels-idx1-ubyte.gz"
# Pixels as each model was trained: found by trying, the loss is several times larger otherwise.
UNIT = ["--scale", "1/255"]
NORMALISED = ["--scale", "1/78.5655", "--shift", "0.42421"]  # (x/255 - 0.1307) / 0.3081
SYMMETRIC = ["--scale", "1/127.5", "--shift", "1"]
MODELS = [  # file, what it is, samples, preprocessing
    ("tribuo-iris-lr", "iris, linear", 150, []),
    ("tf2onnx-mnist-softmax", "MNIST, linear", 10000, UNIT),
    ("marabou-mnist2x10", "MNIST, 2 hidden layers of 10", 10000, UNIT),
    ("dnnv-mnist_relu_3_50", "MNIST, 2 hidden layers of 50", 10000, UNIT),
    ("marabou-robust_model_sigmoid_linear", "MNIST, sigmoids", 10000, UNIT),
    ("marabou-yizhak_net", "MNIST, linear in two factors", 10000, SYMMETRIC),
    ("pytorch-cnn-mnist", "MNIST, convolutions", 10000, NORMALISED),
    ("marabou-cnn_max_mninst2", "MNIST, convolutions", 10000, UNIT),
]


def iris(data, folder):
    """Tribuo sorts features by name (petals first) and numbers labels in an order of its own:
    versicolor, virginica, setosa."""
    with gzip.open(data / "tabular/iris.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    columns = ["petal_length", "petal_width", "sepal_length", "sepal_width"]
    numpy.save(folder / "iris-x.npy", numpy.array([[float(r[c]) for c in columns] for r in rows]))
    numpy.save(folder / "iris-y.npy", numpy.array([[2, 0, 1][int(r["species"])] for r in rows]))
    return f"{folder}/iris-x.npy,{folder}/iris-y.npy"


def analyse(kappa, data, folder, name, samples, preprocessing):
    source = (iris(data, folder) if "iris" in name else MNIST.format(mnist=data / "mnist"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [kappa, "analyze", data / f"onnx-models/{name}.onnx", "--data", source, "--samples",
         str(samples), *preprocessing, "--loss", "cross-entropy", "--top", "20", "--bottom", "0",
         "--density", "--probes", "4", "--steps", "12", "--threads", "1", "--quiet", "--json",
         folder / f"{name}.json"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{name}: exit {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (folder / f"{name}.txt").write_text(done.stdout)
    path = folder / f"{name}.json"
    result = json.loads(path.read_text())
    result["cpu_seconds"] = after.ru_utime - before.ru_utime
    path.write_text(json.dumps(result))


def number(x):
    return f"{x:.3g}"


def row(folder, name, what, preprocessing):
    result = json.loads((folder / f"{name}.json").read_text())
    values = result["eigenvalues"]
    top = [e["value"] for e in values.get("top", [])] or values["all"][::-1]
    found = result.get("outliers")
    outliers = (f"{found['count']}, then {number(found['last'])} to {number(found['next'])}"
                if found else "none")
    trace = result["trace"]
    error = trace.get("standard_error") or 0
    cells = [
        f"{name}: {what}",
        f"{result['objective']['num_parameters']:,}",
        " ".join(preprocessing) or "-",
        f"{result['value']:.3f}",
        ", ".join(number(x) for x in top[:3]) + " … " + ", ".join(number(x) for x in top[8:11]),
        number(trace["value"]) + (f" ± {error:.1g}" if error else ""),
        outliers,
        number(result["learning_rate"]["stability_limit"]),
        f"{result['cost']['num_hvps']}",
        f"{result['cpu_seconds']:.3g}",
    ]
    return "| " + " | ".join(cells) + " |\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kappa")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--only", action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    table = ("| model | parameters | pixels | loss | eigenvalues 1 to 3 … 9 to 11 | trace | outliers "
             "| stable below | products | CPU s |\n|" + " --- |" * 10 + "\n")
    for name, what, samples, preprocessing in MODELS:
        if not options.only or name in options.only:
            analyse(options.kappa, options.data, options.results, name, samples, preprocessing)
        table += row(options.results, name, what, preprocessing)
    print(table, end="")
    if options.write:
        path = pathlib.Path(__file__).resolve().parent.parent / "docs/onnx.md"
        before, rest = path.read_text().split(BEGIN)
        path.write_text(before + BEGIN + table + END + rest.split(END)[1])


main()
