"""Hessian products of Kappa against PyTorch and against the matrix-product rate, in one run.

    python3 compare_hvp.py [--rounds 5] [--samples 256 2048] [--json FILE]

The network is mlp:784-512-512-10:tanh on Fashion-MNIST, float32. A round times Kappa
(build/release/bin/hvp_bench, a fresh process on the same core) and PyTorch one right after the
other, in alternating order, so that both meet the same machine; every figure is the median over
rounds, every ratio the median of the rounds' own ratios. Two threads against one use two cores.

  kept    the linearisation (torch: the graph of the gradient) is kept, one direction is applied
  block   Kappa with 8 directions at once, per direction
  anew    torch: forward, backward and second backward for every product
  sgemm   a rate over that of a 1024^3 product: the faster of Kappa's own measurement and torch.mm
          in the same round
  bare    the product's matrix products alone, nothing between them (hvp_bench --products): the
          least time that any way of running the rest could reach
  threads two threads against one on either core, and what a second core is worth at that moment:
          two independent products at once (the pair), all in turn in one process (thread_scaling.h).
          Judged is the median over the steady rounds, in which the pair yielded 1.88 to 2.06:
          the cores of a virtual machine are at times two halves of one
"""
import argparse
import json
import os
import statistics
import subprocess

import torch_mlp as peer
from hvp_torch import Timings

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# (samples, key) -> least ratio that issue 2 asks for.
TARGETS = {
    (2048, "kept_over_kappa"): 1.0, (2048, "sgemm_fraction"): 0.85,
    (2048, "kept_over_block"): 1.1, (2048, "sgemm_fraction_block"): 0.92,
    (2048, "anew_over_kappa"): 1.7, (2048, "threads_speedup"): 1.85,
    (256, "kept_over_kappa"): 1.1, (256, "kept_over_block"): 1.25,
}
MEANING = {
    "kept_over_kappa": "torch kept / kappa", "kept_over_block": "torch kept / kappa block of 8",
    "anew_over_kappa": "torch anew / kappa", "ggn_over_kappa": "torch GGN kept / kappa GGN",
    "sgemm_fraction": "kappa / sgemm", "sgemm_fraction_block": "kappa block of 8 / sgemm",
    "torch_sgemm_fraction": "torch kept / sgemm",
    "bare_fraction": "bare products / sgemm", "bare_over_block": "bare / kappa block of 8",
    "threads_speedup": "two threads / one", "threads_all": "  over all rounds",
    "threads_pair": "  pair / one",
    "threads_speedup_block": "two threads / one, block of 8", "threads_all_block": "  over all rounds",
    "threads_pair_block": "  pair / one",
}


def start(binary, cores, *arguments):
    # Kappa has threads of its own; those of oneDNN's OpenMP, which the rate of sgemm would start,
    # go on spinning for some milliseconds and take a core from the next product.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                            env=environment,
                            preexec_fn=lambda: os.sched_setaffinity(0, cores))


def result_of(process):
    output, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{process.args[0]} failed with status {process.returncode}")
    return json.loads(output)


def kappa(binary, cores, samples, block, repeat, *extra):
    return result_of(start(binary, cores, "--samples", samples, "--block", block, "--repeat", repeat,
                           *extra))


def scaling(binary, cores, samples, block, rounds):
    """Figures of two threads against one; steady rounds are what counts where there are some."""
    found = result_of(start(binary, cores, "--samples", samples, "--block", block, "--scaling",
                            "--repeat", rounds))
    suffix = "_block" if block > 1 else ""
    steady = found["two_over_one_steady"]
    return {f"threads_speedup{suffix}": found["two_over_one"] if steady is None else steady,
            f"threads_all{suffix}": found["two_over_one"],
            f"threads_pair{suffix}": found["pair_over_one"], f"steady{suffix}": found["steady"],
            f"threads_rounds{suffix}": found["rounds"]}


def run_round(binary, timings, core, second_core, repeat, kappa_first, with_ggn):
    n = timings.num_samples

    def kappa_side():
        one = kappa(binary, {core}, n, 1, repeat)
        block = kappa(binary, {core}, n, 8, max(2, repeat // 2), "--products")
        ggn = kappa(binary, {core}, n, 1, repeat, "--operator", "ggn") if with_ggn else None
        return one, block, ggn

    def torch_side():
        return {"kept": timings.hvp_kept(repeat), "anew": timings.hvp_anew(repeat),
                "ggn": timings.ggn_kept(repeat), "sgemm": peer.sgemm_gflops()}

    if kappa_first:
        (one, block, ggn), torch_times = kappa_side(), torch_side()
    else:
        torch_times = torch_side()
        one, block, ggn = kappa_side()
    seconds, seconds_block = one["seconds_per_direction"], block["seconds_per_direction"]
    sgemm = max(one["sgemm_gflops"], torch_times["sgemm"])
    rate = peer.hessian_product_flops(n) * 1e-9 / sgemm
    figures = {
        "kappa_ms": 1e3 * seconds, "kappa_block_ms": 1e3 * seconds_block,
        "kappa_setup_ms": 1e3 * one["seconds_setup"],
        "torch_kept_ms": 1e3 * torch_times["kept"], "torch_anew_ms": 1e3 * torch_times["anew"],
        "torch_ggn_ms": 1e3 * torch_times["ggn"], "sgemm_gflops": sgemm,
        "kept_over_kappa": torch_times["kept"] / seconds,
        "kept_over_block": torch_times["kept"] / seconds_block,
        "anew_over_kappa": torch_times["anew"] / seconds,
        "sgemm_fraction": rate / seconds,
        "sgemm_fraction_block": rate / seconds_block,
        "torch_sgemm_fraction": rate / torch_times["kept"],
        "bare_fraction": rate / block["seconds_products"],
        "bare_over_block": block["seconds_products"] / seconds_block,
    }
    if ggn:
        figures["kappa_ggn_ms"] = 1e3 * ggn["seconds_per_direction"]
        figures["ggn_over_kappa"] = torch_times["ggn"] / ggn["seconds_per_direction"]
    if second_core is not None:
        figures |= scaling(binary, (core, second_core), n, 1, 2 * repeat)
        figures |= scaling(binary, (core, second_core), n, 8, max(2, repeat // 2))
    return figures


def table(samples, medians, spread):
    print(f"\n{samples} samples: kappa {medians['kappa_ms']:.2f} ms, block of 8 "
          f"{medians['kappa_block_ms']:.2f} ms a direction, set-up {medians['kappa_setup_ms']:.1f} "
          f"ms; torch kept {medians['torch_kept_ms']:.2f} ms, anew {medians['torch_anew_ms']:.2f} "
          f"ms, GGN {medians['torch_ggn_ms']:.2f} ms; sgemm {medians['sgemm_gflops']:.0f} GF/s")
    for key, meaning in MEANING.items():
        if key not in medians:
            continue
        target = TARGETS.get((samples, key))
        verdict = "" if target is None else (
            f">= {target:<5} {'ok' if medians[key] >= target else 'MISSED'}")
        low, high = spread[key]
        print(f"  {meaning:32} {medians[key]:6.3f}  [{low:.3f}, {high:.3f}]  {verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=f"{ROOT}/build/release/bin/hvp_bench")
    parser.add_argument("--samples", type=int, nargs="+", default=[256, 2048])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=7, help="calls timed a round, each tool")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--second-core", type=int, default=1, help="-1: skip two threads")
    parser.add_argument("--ggn", action="store_true", help="hvp_bench knows --operator ggn")
    parser.add_argument("--json", help="write all rounds here")
    arguments = parser.parse_args()
    peer.pin(arguments.core)
    second = None if arguments.second_core < 0 else arguments.second_core
    result, missed = {}, 0
    for samples in arguments.samples:
        timings = Timings(samples)
        repeat = arguments.repeat * max(1, 1024 // samples)
        rounds = [run_round(arguments.binary, timings, arguments.core, second, repeat,
                            i % 2 == 0, arguments.ggn) for i in range(arguments.rounds)]
        medians = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        spread = {key: (min(r[key] for r in rounds), max(r[key] for r in rounds))
                  for key in rounds[0]}
        table(samples, medians, spread)
        missed += sum(n == samples and key in medians and medians[key] < target
                      for (n, key), target in TARGETS.items())
        result[str(samples)] = {"medians": medians, "rounds": rounds}
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(result, file, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
