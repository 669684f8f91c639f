"""The transformer encoder of `transformer:TxF-dD-hH-lL-C` in PyTorch: the peer of the benchmark and
of the golden files. Parameters have Kappa's names.

    python3 torch_transformer.py [--samples 16] [--repeat 7] [--core 0]

Prints JSON: seconds of a Hessian product with the gradient's graph kept and made anew, of the
gradient, the rate of torch.mm on 1024^3, and the process's peak memory.
"""
import argparse
import json
import os
import resource

import torch_mlp as common  # limits threads before torch is loaded

import torch


class Encoder(torch.nn.Module):
    def __init__(self, tokens, features, width, heads, layers, outputs, activation="gelu",
                 feed_forward=None):
        super().__init__()
        self.tokens, self.features = tokens, features
        self.embed = torch.nn.Linear(features, width)
        self.position = torch.nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.layers = torch.nn.ModuleList(
            torch.nn.TransformerEncoderLayer(width, heads, feed_forward or 4 * width, dropout=0.0,
                                             activation=activation, batch_first=True)
            for _ in range(layers))
        self.head = torch.nn.Linear(width, outputs)

    def forward(self, x):
        h = self.embed(x.reshape(-1, self.tokens, self.features)) + self.position
        for layer in self.layers:
            h = layer(h)
        return self.head(h.mean(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--core", type=int, default=0)
    arguments = parser.parse_args()
    common.pin(arguments.core)
    torch.manual_seed(0)
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    model = Encoder(64, 16, 128, 4, 2, 10)
    x = torch.randn(arguments.samples, 64 * 16)
    y = torch.randint(0, 10, (arguments.samples,))
    v = [torch.randn_like(p) for p in model.parameters()]
    product = common.hessian_product_kept(model, x, y)
    kept = common.seconds_of(lambda: product(v), arguments.repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {
        "torch": torch.__version__, "kept_seconds": kept, "peak_mb": peak, "import_mb": imported,
        "anew_seconds": common.seconds_of(
            lambda: common.hessian_product_anew(model, x, y, v), arguments.repeat),
        "gradient_seconds": common.seconds_of(
            lambda: common.gradient(model, x, y), arguments.repeat),
        "sgemm_gflops": common.sgemm_gflops(),
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
