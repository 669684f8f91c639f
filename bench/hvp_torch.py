"""Times of derivatives of mlp:784-512-512-10:tanh on Fashion-MNIST in PyTorch, one core, float32.

    python3 hvp_torch.py [--samples 256 2048] [--repeat 7] [--core 0]

Prints JSON: seconds of the gradient, of Hessian products with the graph kept and made anew, of
Gauss-Newton products with the graph kept; the rate of the kept Hessian product and that of
torch.mm on 1024^3.
"""
import argparse
import json

import torch

import torch_mlp as peer


class Timings:
    """The peer at one number of samples; graphs are made once."""

    def __init__(self, num_samples, seed=0):
        torch.manual_seed(seed)
        self.num_samples = num_samples
        self.model = peer.Mlp()
        self.x, self.y = peer.fashion_mnist(num_samples)
        self.direction = [torch.randn_like(p) for p in self.model.parameters()]
        self.hessian = peer.hessian_product_kept(self.model, self.x, self.y)
        self.gauss_newton = peer.gauss_newton_product_kept(self.model, self.x, self.y)

    def hvp_kept(self, repeat):
        return peer.seconds_of(lambda: self.hessian(self.direction), repeat)

    def hvp_anew(self, repeat):
        return peer.seconds_of(lambda: peer.hessian_product_anew(
            self.model, self.x, self.y, self.direction), repeat)

    def ggn_kept(self, repeat):
        return peer.seconds_of(lambda: self.gauss_newton(self.direction), repeat)

    def gradient(self, repeat):
        return peer.seconds_of(lambda: peer.gradient(self.model, self.x, self.y), repeat)

    def all(self, repeat):
        kept = self.hvp_kept(repeat)
        return {
            "gradient_seconds": self.gradient(repeat), "hvp_kept_seconds": kept,
            "hvp_anew_seconds": self.hvp_anew(repeat), "ggn_kept_seconds": self.ggn_kept(repeat),
            "hvp_kept_gflops": peer.hessian_product_flops(self.num_samples) / kept * 1e-9,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[256, 2048])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--core", type=int, default=0)
    arguments = parser.parse_args()
    peer.pin(arguments.core)
    result = {"torch": torch.__version__, "sgemm_gflops": peer.sgemm_gflops()}
    for n in arguments.samples:
        result[str(n)] = Timings(n).all(arguments.repeat)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
