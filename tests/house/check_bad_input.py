"""Is bad input refused with one clear line, exit status 2 and nothing written?

Each case runs the program in an empty folder with the files it needs. It must end with exit status
2, say exactly one line on standard error that holds the words given, say nothing on standard output
and leave no new file. Files are made here, byte by byte, with the standard library.

    check_bad_input.py KAPPA
"""
import concurrent.futures
import gzip
import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile


def npy(dtype, shape, payload, version=1):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + \
        header.encode() + payload


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)


def npz(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name + ".npy", content)
    return buffer.getvalue()


def idx(kind, extents, payload):
    return bytes([0, 0, kind, len(extents)]) + struct.pack(f">{len(extents)}I", *extents) + payload


NAN = float("nan")
X = npy("<f8", (3, 2), doubles(1, 2, 3, 4, 5, 6))
LABELS = npy("<i8", (3,), struct.pack("<3q", 0, 1, 1))
GOOD = npz(x=X, y=LABELS)
IMAGES = idx(8, (3, 2, 2), bytes(12))
TARGETS = idx(8, (3,), bytes([0, 1, 1]))
NET = ["analyze", "mlp:2-2:tanh", "--loss", "cross-entropy", "--data"]
WALK = ["minimize", "x^4 + x*y + cos(y)", "--at", "x=1,y=2"]
TABLE = ["analyze", "(y - b*a)^2", "--at", "b=1", "--data"]


def flip(data, position):
    position %= len(data)
    return data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1:]


# name: (arguments, files, words the message must hold)
CASES = {
    # npy, npz
    "npy truncated": (NET + ["x.npy,y.npy"], {"x.npy": X[:-5], "y.npy": LABELS}, ["x.npy"]),
    "npy without its data": (NET + ["x.npy,y.npy"], {"x.npy": X[:64], "y.npy": LABELS}, ["x.npy"]),
    "npy header corrupt": (NET + ["x.npy,y.npy"],
                           {"x.npy": X.replace(b"'shape'", b"'shame'"), "y.npy": LABELS}, ["x.npy"]),
    "npy of 8 exabytes": (NET + ["x.npy,y.npy"],
                          {"x.npy": npy("<f8", (1 << 60, 2), doubles(1, 2)), "y.npy": LABELS},
                          ["x.npy"]),
    "npy of objects": (NET + ["x.npy,y.npy"],
                       {"x.npy": npy("|O", (3, 2), bytes(48)), "y.npy": LABELS}, ["x.npy"]),
    "npy empty file": (NET + ["x.npy,y.npy"], {"x.npy": b"", "y.npy": LABELS}, ["x.npy"]),
    "npy is text": (NET + ["x.npy,y.npy"], {"x.npy": b"1,2\n3,4\n", "y.npy": LABELS}, ["x.npy"]),
    "npy missing": (NET + ["x.npy,y.npy"], {"y.npy": LABELS}, ["x.npy"]),
    "npz truncated": (NET + ["d.npz"], {"d.npz": GOOD[:-30]}, ["d.npz"]),
    "npz corrupt": (NET + ["d.npz"], {"d.npz": flip(GOOD, 60)}, ["d.npz"]),
    "npz without y": (NET + ["d.npz"], {"d.npz": npz(x=X)}, ["d.npz"]),
    "npz is a folder": (NET + ["."], {}, []),
    # idx, gz
    "idx truncated": (["analyze", "mlp:4-2:tanh", "--loss", "cross-entropy", "--data",
                       "a-idx3-ubyte,b-idx1-ubyte"],
                      {"a-idx3-ubyte": IMAGES[:-3], "b-idx1-ubyte": TARGETS}, ["a-idx3-ubyte"]),
    "idx of 4 billion": (["analyze", "mlp:4-2:tanh", "--loss", "cross-entropy", "--data",
                          "a-idx3-ubyte,b-idx1-ubyte"],
                         {"a-idx3-ubyte": idx(8, (4_000_000_000, 2, 2), bytes(12)),
                          "b-idx1-ubyte": TARGETS}, ["a-idx3-ubyte"]),
    "idx of unknown type": (["analyze", "mlp:4-2:tanh", "--data", "a-idx3-ubyte,b-idx1-ubyte"],
                            {"a-idx3-ubyte": idx(7, (3, 2, 2), bytes(12)),
                             "b-idx1-ubyte": TARGETS}, ["a-idx3-ubyte"]),
    "gz truncated": (TABLE + ["t.csv.gz"], {"t.csv.gz": gzip.compress(b"a,y\n1,2\n" * 99)[:-9]},
                     ["t.csv.gz"]),
    "gz corrupt": (TABLE + ["t.csv.gz"], {"t.csv.gz": flip(gzip.compress(b"a,y\n1,2\n3,4\n"), 14)},
                   ["t.csv.gz"]),
    "gz checksum": (TABLE + ["t.csv.gz"], {"t.csv.gz": flip(gzip.compress(b"a,y\n1,2\n3,4\n"), -6)},
                    ["t.csv.gz"]),
    # csv
    "csv ragged": (TABLE + ["t.csv"], {"t.csv": b"a,y\n1,2\n3\n"}, ["t.csv", "line 3"]),
    "csv of words": (TABLE + ["t.csv"], {"t.csv": b"a,y\n1,2\nx,3\n"}, ["t.csv"]),
    "csv NaN": (TABLE + ["t.csv"], {"t.csv": b"a,y\n1,2\nnan,3\n"}, ["row 2", "'a'"]),
    "csv infinity": (TABLE + ["t.csv"], {"t.csv": b"a,y\n1,2\n3,inf\n"}, ["t.csv", "'y'"]),
    "csv without rows": (TABLE + ["t.csv"], {"t.csv": b"a,y\n"}, ["no rows"]),
    "csv empty": (TABLE + ["t.csv"], {"t.csv": b""}, ["t.csv"]),
    "csv open quote": (TABLE + ["t.csv"], {"t.csv": b'a,y\n"1,2\n'}, ["t.csv"]),
    "csv without the target": (["analyze", "mlp:1-1:tanh", "--data", "t.csv", "--target", "z"],
                               {"t.csv": b"a,y\n1,2\n"}, ["z"]),
    # shapes, values
    "NaN in x": (NET + ["d.npz"],
                 {"d.npz": npz(x=npy("<f8", (3, 2), doubles(1, 2, 3, NAN, 5, 6)), y=LABELS)},
                 ["d.npz", "1"]),
    "x and y differ in rows": (NET + ["d.npz"],
                               {"d.npz": npz(x=X, y=npy("<i8", (2,), struct.pack("<2q", 0, 1)))},
                               ["3", "2"]),
    "wrong number of inputs": (["analyze", "mlp:5-2:tanh", "--data", "d.npz"], {"d.npz": GOOD},
                               ["5", "2"]),
    "label too large": (NET + ["d.npz"],
                        {"d.npz": npz(x=X, y=npy("<i8", (3,), struct.pack("<3q", 0, 7, 1)))}, ["7"]),
    "label negative": (NET + ["d.npz"],
                       {"d.npz": npz(x=X, y=npy("<i8", (3,), struct.pack("<3q", 0, -1, 1)))},
                       ["-1"]),
    "no samples": (NET + ["d.npz"],
                   {"d.npz": npz(x=npy("<f8", (0, 2), b""), y=npy("<i8", (0,), b""))}, ["d.npz"]),
    "weights of another shape": (NET + ["d.npz", "--weights", "w.npz"],
                                 {"d.npz": GOOD, "w.npz": npz(**{"layers.0.weight": npy(
                                     "<f8", (3, 3), doubles(*range(9)))})}, ["layers.0.weight"]),
    "weights of another name": (NET + ["d.npz", "--weights", "w.npz"],
                                {"d.npz": GOOD, "w.npz": npz(**{"layer.0.weight": X})}, ["layer"]),
    # formulas
    "unknown function": (["analyze", "2 + sinn(x)", "--at", "x=1"], {},
                         ["sinn", "position 5", "'sin'"]),
    "unknown name": (["analyze", "x^2 + y", "--at", "x=1"], {}, ["'y'", "position 7"]),
    "nothing bound": (["analyze", "x^2 + y"], {}, ["'x'"]),
    "operator at the end": (["analyze", "x +", "--at", "x=1"], {}, ["position 4"]),
    "brackets": (["analyze", "((x + 1)", "--at", "x=1"], {}, ["position"]),
    "empty formula": (["analyze", "", "--at", "x=1"], {}, []),
    "deep formula": (["analyze", "(" * 20000 + "x" + ")" * 20000, "--at", "x=1"], {}, ["250 levels"]),
    "huge range": (["analyze", "x*sum(range(10^12))", "--at", "x=1"], {}, ["position"]),
    "shapes in a formula": (["analyze", "sum([1,2] + [1,2,3])*x", "--at", "x=1"], {}, ["position"]),
    "index out of range": (["analyze", "x[5]", "--at", "x=[1,2]"], {}, ["position"]),
    "point is no number": (["analyze", "x^2", "--at", "x=abc"], {}, ["abc"]),
    "point is NaN": (["analyze", "x^2", "--at", "x=nan"], {}, ["nan"]),
    "point from no file": (["analyze", "sum(x)", "--at", "x=@no.npy"], {}, ["no.npy"]),
    "Hessian question of a vector": (["analyze", "(x, y)", "--at", "x=1,y=2", "--trace"], {},
                                     ["--trace"]),
    # usage
    "unknown command": (["analyse", "x^2"], {}, ["analyse"]),
    "unknown option": (["analyze", "x^2", "--at", "x=1", "--topp", "3"], {}, ["--topp", "--top"]),
    "option without value": (["analyze", "x^2", "--at"], {}, ["--at"]),
    "count is no number": (["analyze", "x^2", "--at", "x=1", "--top", "many"], {}, ["--top"]),
    "unknown loss": (["analyze", "mlp:2-2:tanh", "--loss", "hinge", "--data", "d.npz"],
                     {"d.npz": GOOD}, ["hinge"]),
    "unknown activation": (["analyze", "mlp:2-2:tan", "--data", "d.npz"], {"d.npz": GOOD},
                           ["tan", "tanh"]),
    "unknown method": (["minimize", "x^2", "--at", "x=1", "--method", "newtn"], {}, ["newtn"]),
    "method after a comma": (WALK + ["--method", "gd,"], {}, ["auto", "lbfgs"]),
    "method for sums of squares": (WALK + ["--method", "lm"], {}, ["sum of squares", "trust-region"]),
    "method for Gauss-Newton": (WALK + ["--method", "gd,hessian-free"], {},
                                ["Gauss-Newton", "newton-cg"]),
    "method of too many parameters": (["minimize", "sum(x^4)", "--at", "x=1*20000", "--method",
                                       "newton"], {}, ["20000", "lbfgs"]),
    "unknown setting": (WALK + ["--option", "foo=1"], {}, ["foo", "radius"]),
    "setting of another method": (WALK + ["--method", "lbfgs", "--learning-rate", "0.1"], {},
                                  ["learning-rate", "memory"]),
    "setting without value": (WALK + ["--option", "radius"], {}, ["KEY=VALUE"]),
    "setting out of range": (WALK + ["--method", "lbfgs", "--option", "memory=0"], {},
                             ["memory=0", "[1, 1000]"]),
    "setting not whole": (WALK + ["--method", "lbfgs", "--option", "memory=2.5"], {}, ["whole"]),
    "setting no number": (WALK + ["--method", "gd", "--option", "learning-rate=fast"], {}, ["fast"]),
    "setting no choice": (WALK + ["--method", "newton-cg", "--option", "subproblem=exact"], {},
                          ["steihaug", "lanczos"]),
    "fixed step without rate": (WALK + ["--method", "gd", "--option", "step=fixed"], {},
                                ["learning-rate"]),
    "negative tolerance": (WALK + ["--gradient-tolerance", "-1"], {}, [">= 0"]),
    "tolerance not a number": (WALK + ["--gradient-tolerance", "nan"], {}, ["--gradient-tolerance"]),
    "negative time": (WALK + ["--max-seconds", "-1"], {}, [">= 0"]),
    "no iterations": (WALK + ["--max-iterations", "0"], {}, ["--max-iterations"]),
    "negative epochs": (WALK + ["--epochs", "-2"], {}, [">= 0"]),
    "mini-batches of no samples": (WALK + ["--method", "sgd", "--minibatch", "4"], {}, ["samples"]),
    "unknown switch rule": (WALK + ["--switch", "never"], {}, ["plateau", "model"]),
    "resume from nowhere": (WALK + ["--resume"], {}, ["--checkpoint"]),
    "negative checkpoint interval": (WALK + ["--checkpoint", "d", "--checkpoint-every", "-1"], {},
                                     [">= 0"]),
    "standard errors of no fit": (WALK + ["--standard-errors"], {}, ["sum of squares"]),
    "nothing to compare": (["compare", "x^2", "--at", "x=1"], {}, ["--methods"]),
    "one of those to compare is unknown": (["compare", "x^2", "--at", "x=1", "--methods", "gd,newtn"],
                                           {}, ["newtn"]),
    "vector beyond memory": (["minimize", "sum(x^2)", "--at", "x=1*1e15"], {}, ["1e+15", "8.0 PB"]),
    "impossible budget": (NET + ["d.npz", "--memory", "1k"], {"d.npz": GOOD}, ["kB"]),
    "budget is no size": (NET + ["d.npz", "--memory", "much"], {"d.npz": GOOD}, ["--memory"]),
    "result cannot be written": (["analyze", "x^2", "--at", "x=1", "--json", "no/such/r.json"], {},
                                 ["no/such/r.json"]),
    "model that is not there": (["analyze", "m.onnx"], {}, ["m.onnx"]),
    "refused after an option to write": (
        ["derive", "x^2 + sinn(x)", "--at", "x=1", "--gradient", "g.npy", "--json", "r.json"], {},
        ["sinn"]),
    "hostile name": (NET + ["a\nb\x1b[31m.npz"], {}, []),
}


def fault_of(kappa, name):
    arguments, files, words = CASES[name]
    with tempfile.TemporaryDirectory(prefix="kappa_bad_") as folder:
        for file, content in files.items():
            pathlib.Path(folder, file).write_bytes(content)
        before = sorted(os.listdir(folder))
        try:
            run = subprocess.run([kappa, *arguments], cwd=folder, capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            return "still running after 120 s"
        after = sorted(os.listdir(folder))
    text = run.stderr.decode(errors="replace")
    lines = text.splitlines()
    if run.returncode != 2:
        return f"exit status {run.returncode}, expected 2: {text.strip()[-300:]}"
    if len(lines) != 1 or any(ord(c) < 32 for c in lines[0]):
        return f"not one clean line: {text!r}"
    if run.stdout:
        return f"wrote to standard output: {run.stdout[:100]!r}"
    if before != after:
        return f"left files: {sorted(set(after) - set(before))}"
    missing = [word for word in words if word not in lines[0]]
    if missing:
        return f"does not say {missing}: {lines[0]}"
    if len(lines[0]) > 600:
        return f"a line of {len(lines[0])} characters"
    return None


def main():
    kappa = os.path.abspath(sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = dict(zip(CASES, pool.map(lambda name: fault_of(kappa, name), CASES)))
    faults = {name: fault for name, fault in found.items() if fault}
    for name, fault in faults.items():
        print(f"{name}: {fault}")
    # The files that are right must be taken, or the cases above prove nothing.
    with tempfile.TemporaryDirectory(prefix="kappa_bad_") as folder:
        pathlib.Path(folder, "d.npz").write_bytes(GOOD)
        pathlib.Path(folder, "t.csv").write_bytes(b"a,y\n1,2\n3,4\n")
        for arguments in (NET + ["d.npz"], TABLE + ["t.csv"]):
            run = subprocess.run([kappa, *arguments], cwd=folder, capture_output=True, text=True)
            if run.returncode not in (0, 1):
                faults["good input"] = run.stderr
                print(f"good input refused: {arguments}: {run.stderr}")
    print(f"{len(CASES)} cases, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
