"""The program on ONNX models: python3 check_onnx_cli.py KAPPA

Small models stand in tests/golden/onnx; accuracies of published ones need $KAPPA_TEST_DATA. Prints what
fails and exits with 1; exits with 77 where NumPy is missing.
"""
import csv
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not here")
    sys.exit(77)
try:
    import onnx
except ImportError:
    onnx = None
    print("onnx is not here: written files are not put to its checker, hostile ones not made")

KAPPA = os.path.abspath(sys.argv[1])
MODELS = pathlib.Path(__file__).resolve().parent.parent / "golden/onnx"
DATA = os.environ.get("KAPPA_TEST_DATA")
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def kappa(*arguments, code=0, seconds=120):
    done = subprocess.run([KAPPA, *map(str, arguments)], capture_output=True, text=True,
                          timeout=seconds)
    expect(done.returncode == code,
           f"exit {done.returncode}, expected {code}: {' '.join(map(str, arguments))}\n{done.stderr}")
    return done


def value_of(*arguments):
    kappa("derive", *arguments, "--value", "--json", "value.json", "--quiet")
    with open("value.json") as file:
        return json.load(file)["value"]


def save_data(name, x, labels):
    np.save(name + "_x.npy", x)
    np.save(name + "_y.npy", labels)
    return f"{name}_x.npy,{name}_y.npy"


def train_write_reload(rng):
    """The same loss to the last bit, and a file that the checker passes."""
    images = save_data("images", rng.random((24, 1, 12, 12)).astype(np.float32),
                       rng.integers(0, 5, 24))
    tokens = save_data("tokens", rng.integers(0, 7, (24, 3)), rng.integers(0, 5, 24))
    series = save_data("series", rng.random((24, 5, 3)).astype(np.float32), rng.integers(0, 5, 24))
    for model, data in [("lenet", images), ("language", tokens), ("gru", series)]:
        path = MODELS / f"{model}.onnx"
        options = ["--data", data, "--loss", "cross-entropy", "--dtype", "f32"]
        done = subprocess.run([KAPPA, "minimize", path, *options, "--method", "gd",
                               "--max-iterations", "5", "--out", "trained.onnx", "--json",
                               "trained.json", "--quiet"], capture_output=True, text=True)
        expect(done.returncode in (0, 1), f"{model}: {done.stderr}")
        with open("trained.json") as file:
            trained = json.load(file)
        expect(trained["value"] < trained["start_value"], f"{model}: the loss did not go down")
        expect(value_of("trained.onnx", *options) == trained["value"],
               f"{model}: the written model has another loss than {trained['value']!r}")
        if onnx is not None:
            # Given a path, the checker writes the shapes it infers into the file.
            onnx.checker.check_model(onnx.load("trained.onnx"), full_check=True)
            before, after = onnx.load(str(path)), onnx.load("trained.onnx")
            del before.graph.initializer[:], after.graph.initializer[:]
            expect(before == after, f"{model}: more than initialisers has changed")


def batch_normalisation(rng):
    """By the batch's statistics: whole batches only; two batches are the mean of two runs."""
    model = MODELS / "resnet.onnx"
    x = rng.random((12, 2, 6, 6)).astype(np.float32)
    y = rng.integers(0, 5, 12)
    data = save_data("bn", x, y)
    options = ["--loss", "cross-entropy", "--dtype", "f64", "--batch-norm", "train"]
    whole = value_of(model, "--data", data, *options)
    running = value_of(model, "--data", data, "--loss", "cross-entropy", "--dtype", "f64")
    expect(abs(whole - running) > 1e-6, "statistics of the batch make no difference")
    halves = [value_of(model, "--data", save_data(f"bn{i}", x[6 * i:6 * i + 6], y[6 * i:6 * i + 6]),
                       *options) for i in range(2)]
    cut = value_of(model, "--data", data, *options, "--batch", "6")
    expect(abs(cut - sum(halves) / 2) < 1e-13, f"batches of 6: {cut}, halves {halves}")
    refused = kappa("derive", model, "--data", data, *options, "--batch", "5", "--value", code=2)
    expect("leave 2 over" in refused.stderr, refused.stderr)


def inputs_and_parameters(rng):
    model = MODELS / "lenet.onnx"
    x = rng.random((4, 1, 12, 12)).astype(np.float32)
    data = save_data("four", x, rng.integers(0, 5, 4))
    base = ["--data", data, "--loss", "cross-entropy"]
    flat = save_data("flat", x.reshape(4, 144), np.load("four_y.npy"))
    expect(value_of(model, *base) == value_of(model, "--data", flat, "--loss", "cross-entropy"),
           "rows of 144 are another problem than (1, 12, 12)")
    kappa("info", model, *base, "--params", "fc*.weight", "--json", "info.json", "--quiet")
    with open("info.json") as file:
        varies = {p["name"] for p in json.load(file)["parameters"] if p["varies"]}
    expect(varies == {"fc1.weight", "fc2.weight"}, f"--params: {varies}")
    for arguments, part in [
            (["--data", save_data("wide", rng.random((4, 145)), [0] * 4)], "145"),
            ([*base, "--input", "nothing=1"], "no such input"),
            ([*base, "--output", "nothing"], "no such output"),
            ([*base, "--params", "nothing"], "matches no parameter"),
            ([*base, "--input", "x"], "NAME=FILE"),
            ([*base, "--input", "x=1"], "read by nothing"),
            ([], "needs data")]:
        refused = kappa("info", model, *arguments, code=2)
        expect(part in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr)


def gradient_of(*arguments):
    kappa("derive", *arguments, "--dtype", "f64", "--gradient", "gradient.npy", "--quiet")
    return np.load("gradient.npy")


def close(a, b, what, tolerance=1e-12):
    expect(a.shape == b.shape and np.abs(a - b).max() <= tolerance * np.abs(b).max(), what)


def exported_in_other_ways(rng):
    """The same network with another first axis, or another end, is the same problem."""
    if onnx is None:
        return
    from onnx import helper
    base = onnx.load(str(MODELS / "lenet.onnx"))
    data = save_data("ways", rng.random((6, 1, 12, 12)).astype(np.float32), rng.integers(0, 5, 6))
    options = ["--data", data, "--loss", "cross-entropy"]
    gradient = gradient_of(MODELS / "lenet.onnx", *options)

    fixed = onnx.ModelProto()
    fixed.CopyFrom(base)
    for value in list(fixed.graph.input) + list(fixed.graph.output):
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(fixed, "fixed.onnx")
    close(gradient_of("fixed.onnx", *options), gradient, "exported for one sample")

    # The output is forced to one row: a graph that takes one sample at a time.
    one_row = onnx.ModelProto()
    one_row.CopyFrom(base)
    shape = helper.make_tensor("one_row", onnx.TensorProto.INT64, [2], [1, 5])
    one_row.graph.initializer.append(shape)
    one_row.graph.node.append(helper.make_node("Reshape", ["z", "one_row"], ["z1"]))
    del one_row.graph.output[:]
    one_row.graph.output.append(
        helper.make_tensor_value_info("z1", base.graph.output[0].type.tensor_type.elem_type, None))
    onnx.save(one_row, "one_row.onnx")
    close(gradient_of("one_row.onnx", *options), gradient, "output reshaped to one row")
    said = kappa("info", "one_row.onnx", *options).stderr
    expect("one sample at a time" in said, f"no note on batches: {said}")

    for head in ["Softmax", "LogSoftmax"]:
        ended = onnx.ModelProto()
        ended.CopyFrom(base)
        ended.graph.node.append(helper.make_node(head, ["z"], ["p"], axis=-1))
        del ended.graph.output[:]
        ended.graph.output.append(helper.make_tensor_value_info(
            "p", base.graph.output[0].type.tensor_type.elem_type, None))
        onnx.save(ended, "ended.onnx")
        for loss in ["cross-entropy", "nll"]:
            close(gradient_of("ended.onnx", "--data", data, "--loss", loss), gradient,
                  f"{head} and {loss}")
        kappa("derive", "ended.onnx", *options, "--outputs", "p.npy", "--quiet")
        sums = (np.load("p.npy") if head == "Softmax" else np.exp(np.load("p.npy"))).sum(1)
        expect(np.abs(sums - 1).max() < 1e-5, f"{head}: outputs are not the model's own")


def several_inputs(rng):
    """z = (x + scale * y) w + b with x from --data, y a row each or the same for all, scale a number."""
    if onnx is None:
        return
    from onnx import TensorProto, helper
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
             for name, shape in [("x", ["n", 3]), ("y", ["n", 3]), ("scale", [1])]]
    w, b = rng.random((3, 2)), rng.random(2)
    weights = [helper.make_tensor("w", TensorProto.FLOAT, [3, 2], w.ravel()),
               helper.make_tensor("b", TensorProto.FLOAT, [2], b)]
    w, b = w.astype(np.float32).astype(float), b.astype(np.float32).astype(float)
    nodes = [helper.make_node("Mul", ["scale", "y"], ["sy"]),
             helper.make_node("Add", ["x", "sy"], ["s"]), helper.make_node("Gemm", ["s", "w", "b"], ["z"])]
    graph = helper.make_graph(nodes, "g", infos,
                              [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 2])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), "two.onnx")
    x, y, t = rng.random((5, 3)), rng.random((5, 3)), rng.random((5, 2))
    one = rng.random((1, 3))
    np.save("y.npy", y)
    np.save("one.npy", one)
    options = ["--data", save_data("two", x, t), "--loss", "mse", "--dtype", "f64"]
    for given, rows in [("y=y.npy", y), ("y=one.npy", one), ("y=0.25", np.full((1, 3), 0.25))]:
        value = value_of("two.onnx", *options, "--input", given, "--input", "scale=2")
        expected = np.mean(((x + 2 * rows) @ w + b - t) ** 2)
        expect(abs(value - expected) < 1e-13, f"--input {given}: {value}, expected {expected}")
    said = kappa("info", "two.onnx", *options, "--input", "scale=2", code=2).stderr
    expect("'y'" in said and "--input y=FILE.npy" in said, said)


def hostile(rng):
    """Exit code 2 and one line; bounded memory is the address space given."""
    lenet = (MODELS / "lenet.onnx").read_bytes()
    data = ["--data", save_data("h", rng.random((2, 1, 12, 12)), [0, 1]), "--loss", "cross-entropy"]
    files = {"empty.onnx": b"", "text.onnx": b"no model at all\n", "cut.onnx": lenet[:1500],
             "ones.onnx": b"\xff" * 4096}
    if onnx is not None:
        from onnx import TensorProto, helper
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 144])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
        shape = helper.make_tensor("s", TensorProto.INT64, [3], [1 << 38, 1, 1])
        graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["z"]),
                                   helper.make_node("Expand", ["z", "s"], ["e"]),
                                   helper.make_node("ReduceSum", ["e"], ["y"])],
                                  "g", [x], [y], [weight, shape])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        files["huge.onnx"] = model.SerializeToString()
    for name, content in files.items():
        pathlib.Path(name).write_bytes(content)
        limited = f"ulimit -v 4000000; exec {KAPPA} analyze {name} {' '.join(data)}"
        if name == "huge.onnx":
            limited = limited.replace("cross-entropy", "output")
        done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 2 and done.stderr.count("\n") == 1,
               f"{name}: exit {done.returncode}: {done.stderr}")
    kappa("analyze", "nowhere.onnx", *data, code=2)


def published_accuracies():
    if DATA is None:
        print("KAPPA_TEST_DATA is not set: accuracies of published models are skipped")
        return
    images = f"{DATA}/mnist/t10k-images-idx3-ubyte.gz,{DATA}/mnist/t10k-labels-idx1-ubyte.gz"
    labels = np.frombuffer(gzip.open(images.split(",")[1]).read()[8:], dtype=np.uint8)[:400]
    maps = {"x/255": ["--scale", "1/255"], "raw 0..255": [],
            "x/127.5-1": ["--scale", "1/127.5", "--shift", "1"]}
    found = 0
    for row in csv.DictReader(open(f"{DATA}/mnist-eval.csv")):
        model = f"{DATA}/onnx-models/{row['file']}"
        if not os.path.exists(model):
            continue
        found += 1
        value = value_of(model, "--data", images, "--samples", "400", "--loss", "cross-entropy",
                         "--outputs", "outputs.npy", *maps[row["preprocessing"]])
        accuracy = (np.load("outputs.npy").argmax(1) == labels).mean()
        expect(abs(accuracy - float(row["accuracy_first_400_of_t10k"])) < 1e-9,
               f"{row['file']}: accuracy {accuracy}")
        if row["mean_xent_if_probs"] == "nan":  # the outputs are logits
            expect(abs(value - float(row["mean_xent_if_logits"])) < 1e-5,
                   f"{row['file']}: cross-entropy {value}")
    print(f"{found} published models have their accuracy")


def main():
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        train_write_reload(rng)
        batch_normalisation(rng)
        inputs_and_parameters(rng)
        exported_in_other_ways(rng)
        several_inputs(rng)
        hostile(rng)
        published_accuracies()
        os.chdir("/")
    sys.exit(1 if failures else 0)


main()
