"""Runs the command line on every golden case and compares what it answers.

    python3 check_cli.py KAPPA [--only formulas mgh networks] [--filter TEXT] [--jobs 2]

KAPPA is the program. Formulas: value, gradient, Hessian or Jacobian, eigenvalues, and the
consequences under `expect`. MGH: value, gradient, eigenvalues. Networks, in f64 and f32: value,
gradient, HVP, Gauss-Newton product, outputs, all Hessian eigenvalues. Exit 1 if anything differs,
77 if NumPy is missing (ctest counts it as skipped).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

try:
    import numpy as np
except ImportError:
    print("NumPy is missing: skipped")
    raise SystemExit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
MGH_TOLERANCE = 1e-12
NETWORK_TOLERANCE = {"f64": 1e-10, "f32": 1e-5}
TRANSFORMER_TOLERANCE = {"f64": 1e-9, "f32": 1e-4}
NOT_PARAMETERS = {"x", "y", "directions", "outputs", "value", "gradient", "hessian_products",
                  "gauss_newton_products", "hessian_eigenvalues", "gauss_newton_eigenvalues"}


class Checker:
    """Collects deviations; one instance a case."""

    def __init__(self, name, binary, folder):
        self.name, self.binary, self.folder = name, binary, folder
        self.failures, self.worst, self.num_checks = [], {}, 0

    def run(self, *arguments, codes=(0, 1)):
        run = subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True)
        if run.returncode not in codes:
            shown = " ".join(repr(a) if " " in str(a) else str(a) for a in arguments)
            raise RuntimeError(f"exit {run.returncode}: {run.stderr.strip()[:300]}\n    {shown}")
        return run.stdout

    def analyze(self, *arguments):
        return json.loads(self.run("analyze", *arguments, "--quiet", "--json", "-"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def save(self, name, array):
        np.save(self.path(name), array)
        return self.path(name)

    def close(self, what, got, expected, tolerance):
        """The largest deviation over the largest expected entry; exact zeros within 1e-14."""
        self.num_checks += 1
        got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
        if got.size != expected.size:
            self.failures.append(f"{what}: shape {got.shape}, expected {expected.shape}")
            return
        scale = np.abs(expected).max(initial=0)
        deviation = np.abs(got.ravel() - expected.ravel()).max(initial=0)
        relative = deviation / scale if scale > 0 else deviation * tolerance / 1e-14
        self.worst[what] = max(self.worst.get(what, 0), relative)
        if not relative <= tolerance:
            self.failures.append(f"{what}: off by {relative:.1e} (allowed {tolerance:g})")

    def expect(self, result, path, expected, tolerance):
        got = result
        for key in path.split("."):
            got = got.get(key) if isinstance(got, dict) else None
            if got is None:
                self.failures.append(f"{path}: missing")
                return
        if isinstance(expected, str):
            self.num_checks += 1
            if got not in expected.split("|"):
                self.failures.append(f"{path}: {got!r}, expected {expected!r}")
        else:
            self.close(path, got, expected, tolerance)


def check_formula(check, case):
    arguments = [case["formula"], "--at", case["at"]]
    for name, value in case.get("const", {}).items():
        arguments += ["--const", f"{name}={check.save(f'const_{name}.npy', np.array(value, float))}"
                      if isinstance(value, list) else f"{name}={value!r}"]
    tolerance = case["tolerance"]
    result = check.analyze(*arguments)
    if "jacobian" in case:
        check.close("jacobian", result["jacobian"], case["jacobian"], tolerance)
        singular = np.linalg.svd(np.array(case["jacobian"]), compute_uv=False)
        check.close("singular_values", result["singular_values"], singular, tolerance)
        return
    check.close("value", result["value"], case["value"], tolerance)
    check.close("hessian", result["hessian"], case["hessian"], tolerance)
    check.close("gradient.norm_2", result["gradient"]["norm_2"],
                np.linalg.norm(case["gradient"]), tolerance)
    if "all" in result.get("eigenvalues", {}):
        check.close("eigenvalues.all", result["eigenvalues"]["all"],
                    np.linalg.eigvalsh(np.array(case["hessian"])), 2 * tolerance)
    check.run("derive", *arguments, "--gradient", check.path("gradient.npy"), "--quiet")
    check.close("gradient", np.load(check.path("gradient.npy")), case["gradient"], tolerance)
    for path, expected in case.get("expect", {}).items():
        # A condition number or a step of Newton's method loses what the conditioning takes.
        check.expect(result, path, expected, 100 * tolerance)


def check_mgh(check, case):
    arguments = [case["formula"], "--at", case["at"]]
    result = check.analyze(*arguments)
    check.close("value", result["value"], case["value"], MGH_TOLERANCE)
    check.close("gradient.norm_2", result["gradient"]["norm_2"], case["gradient_norm_2"],
                MGH_TOLERANCE)
    check.close("gradient.norm_inf", result["gradient"]["norm_inf"], case["gradient_norm_inf"],
                MGH_TOLERANCE)
    check.close("eigenvalues.all", result["eigenvalues"]["all"], case["eigenvalues"],
                MGH_TOLERANCE)
    check.run("derive", *arguments, "--gradient", check.path("gradient.npy"), "--quiet")
    check.close("gradient", np.load(check.path("gradient.npy")), case["gradient"], MGH_TOLERANCE)


def check_network(check, case):
    with np.load(os.path.join(HERE, "networks", case["file"])) as arrays:
        golden = dict(arrays)
    np.savez(check.path("data.npz"), x=golden["x"], y=golden["y"])
    np.savez(check.path("weights.npz"),
             **{name: a for name, a in golden.items() if name not in NOT_PARAMETERS})
    directions = check.save("directions.npy", golden["directions"])
    base = [case["model"], "--data", check.path("data.npz"), "--weights",
            check.path("weights.npz"), "--loss", case["loss"], "--l2", repr(case["l2"]), "--quiet"]
    if case["batch"]:
        base += ["--batch", case["batch"]]
    if case["loss"] in ("cross-entropy", "nll"):
        base += ["--classes", golden["outputs"].shape[1]]
    tolerances = TRANSFORMER_TOLERANCE if "transformer" in case["model"] else NETWORK_TOLERANCE
    for dtype, tolerance in tolerances.items():
        def derive(*options):
            check.run("derive", *base, "--dtype", dtype, *options)

        def compare(what, file, expected):
            check.close(f"{what} {dtype}", np.load(check.path(file)), expected, tolerance)

        gradient, products, hessian = map(check.path, ("g.npy", "p.npy", "h.npy"))
        derive("--gradient", gradient, "--hvp", directions, "--out", products)
        compare("gradient", "g.npy", golden["gradient"])
        compare("hvp", "p.npy", golden["hessian_products"])
        derive("--ggn", directions, "--out", products, "--outputs", check.path("o.npy"))
        compare("ggn", "p.npy", golden["gauss_newton_products"])
        compare("outputs", "o.npy", golden["outputs"])
        derive("--hessian", hessian)
        matrix = np.load(hessian).astype(float)
        check.close(f"eigenvalues {dtype}", np.linalg.eigvalsh((matrix + matrix.T) / 2),
                    golden["hessian_eigenvalues"], tolerance)
        result = check.analyze(*base, "--dtype", dtype)
        check.close(f"value {dtype}", result["value"], golden["value"], tolerance)
        check.close(f"lambda_max {dtype}", result["eigenvalues"]["top"][0]["value"],
                    golden["hessian_eigenvalues"][-1], max(tolerance, 1e-6))


def load(path):
    with open(os.path.join(HERE, path)) as file:
        return json.load(file)


SUITES = {
    "formulas": (lambda: load("formulas.json")["cases"], check_formula),
    "mgh": (lambda: load("../mgh/formulas.json"), check_mgh),
    "networks": (lambda: load("networks/cases.json") + load("networks/transformers.json") +
                 load("networks/cnns.json"),
                 check_network),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kappa")
    parser.add_argument("--only", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--filter", default="", help="cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    num_failed = 0
    for suite in arguments.only:
        cases, function = SUITES[suite]

        def run_case(case):
            with tempfile.TemporaryDirectory() as folder:
                check = Checker(f"{suite}/{case['name']}", arguments.kappa, folder)
                try:
                    function(check, case)
                except (RuntimeError, KeyError, ValueError, TypeError, OSError) as error:
                    check.failures.append(f"{type(error).__name__}: {error}")
                return check

        selected = [case for case in cases() if arguments.filter in case["name"]]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            checks = list(pool.map(run_case, selected))
        for check in checks:
            for failure in check.failures:
                print(f"{check.name}: {failure}")
        worst = {}
        for check in checks:
            for what, deviation in check.worst.items():
                worst[what] = max(worst.get(what, 0), deviation)
        failed = sum(bool(check.failures) for check in checks)
        num_failed += failed
        print(f"{suite}: {len(checks)} cases, {sum(c.num_checks for c in checks)} comparisons, "
              f"{failed} failed; largest deviations: "
              + ", ".join(f"{what} {deviation:.0e}" for what, deviation in sorted(worst.items())
                          if "." not in what))
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
