"""Writes networks/*.npz and networks/cases.json: small dense networks by PyTorch in double.

    python3 make_networks.py

A case `name` is one file of float64 arrays: x (N x inputs), y (N int64 labels, or N x outputs),
layers.I.weight (out x in), layers.I.bias, directions (k x P), outputs (N x C), value, gradient (P),
hessian_products and gauss_newton_products (k x P, one row a direction), hessian_eigenvalues (P,
ascending), gauss_newton_eigenvalues (P, ascending). The parameter vector is the concatenation of
weight and bias layer by layer, each row-major. All inputs are representable in float32, so a single
precision run solves the same problem.

    f(w) = loss + l2/2 |w|^2,   loss a mean over samples (cross-entropy, nll) or over samples and
    outputs (mse, bce, huber with delta 1);   G = J' H_loss J + l2 I

J and H_loss come from automatic differentiation of the outputs and of the loss as a function of the
outputs, so G shares no code path with the Hessian.
"""
import json
import os
import platform

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian as dense_hessian, jacobian as dense_jacobian

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "networks")
NUM_DIRECTIONS = 3

ACTIVATIONS = {
    "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "softplus": F.softplus,
    "gelu": F.gelu, "silu": F.silu, "identity": lambda x: x,
}
LOSSES = {
    "cross-entropy": F.cross_entropy, "nll": F.nll_loss, "mse": F.mse_loss,
    "bce": F.binary_cross_entropy_with_logits, "huber": F.huber_loss,
}


def representable(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


class Case:
    def __init__(self, name, layers, activation, loss, num_samples, l2=0.0, batch=None, seed=0):
        self.name, self.layers, self.activation, self.loss = name, layers, activation, loss
        self.num_samples, self.l2, self.batch, self.seed = num_samples, l2, batch, seed
        self.arguments = (name, layers, activation, loss, num_samples, l2, batch)
        rng = np.random.default_rng(seed)
        self.x = representable(rng.normal(size=(num_samples, layers[0])))
        if loss in ("cross-entropy", "nll"):
            self.y = rng.integers(0, layers[-1], num_samples)
        elif loss == "bce":
            self.y = rng.integers(0, 2, (num_samples, layers[-1])).astype(np.float64)
        else:
            self.y = representable(rng.normal(size=(num_samples, layers[-1])) * 1.5)
        self.shapes, parameters = {}, []
        for i, (fan_in, fan_out) in enumerate(zip(layers[:-1], layers[1:])):
            bound = 1.5 / np.sqrt(fan_in)
            for kind, shape in (("weight", (fan_out, fan_in)), ("bias", (fan_out,))):
                self.shapes[f"layers.{i}.{kind}"] = shape
                parameters.append(representable(rng.uniform(-bound, bound, shape)))
        self.w = torch.tensor(np.concatenate([p.ravel() for p in parameters]))
        self.directions = representable(rng.normal(size=(NUM_DIRECTIONS, self.w.numel())))

    def parameters(self, w):
        start, result = 0, {}
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            result[name] = w[start:start + size].view(shape)
            start += size
        return result

    def outputs(self, w, margins=None):
        p, h = self.parameters(w), torch.tensor(self.x)
        last = len(self.layers) - 2
        for i in range(last + 1):
            h = h @ p[f"layers.{i}.weight"].T + p[f"layers.{i}.bias"]
            if i < last:
                if margins is not None and self.activation == "relu":
                    margins.append(h.abs().min().item())
                h = ACTIVATIONS[self.activation](h)
        return h

    def loss_of(self, outputs):
        return LOSSES[self.loss](outputs, torch.tensor(self.y))

    def objective(self, w):
        return self.loss_of(self.outputs(w)) + self.l2 / 2 * (w @ w)

    def arrays(self):
        w, margins = self.w.clone().requires_grad_(), []
        outputs = self.outputs(w, margins).detach()
        if self.loss == "huber":
            margins.append(((outputs - torch.tensor(self.y)).abs() - 1).abs().min().item())
        if min(margins, default=1) < 1e-3:  # too close to a kink for single precision: draw again
            return Case(*self.arguments, seed=self.seed + 1000).arrays()
        value = self.objective(w)
        gradient, = torch.autograd.grad(value, w)
        hessian = dense_hessian(self.objective, self.w)
        assert (hessian - hessian.T).abs().max() < 1e-13 * hessian.abs().max()
        jacobian = dense_jacobian(self.outputs, self.w).reshape(-1, w.numel())
        size = outputs.numel()
        loss_hessian = dense_hessian(self.loss_of, outputs).reshape(size, size)
        gauss_newton = jacobian.T @ loss_hessian @ jacobian + self.l2 * torch.eye(w.numel())
        v = torch.tensor(self.directions)
        return {
            "x": self.x, "y": self.y,
            **{name: p.numpy() for name, p in self.parameters(self.w).items()},
            "directions": self.directions, "outputs": outputs.numpy(),
            "value": np.array(value.item()), "gradient": gradient.numpy(),
            "hessian_products": (v @ hessian).numpy(),
            "gauss_newton_products": (v @ gauss_newton).numpy(),
            "hessian_eigenvalues": torch.linalg.eigvalsh(hessian).numpy(),
            "gauss_newton_eigenvalues": torch.linalg.eigvalsh(gauss_newton).numpy(),
        }

    def record(self):
        return {"name": self.name, "file": self.name + ".npz",
                "model": "mlp:" + "-".join(map(str, self.layers)) + ":" + self.activation,
                "loss": self.loss, "l2": self.l2, "num_samples": self.num_samples,
                "batch": self.batch, "num_parameters": self.w.numel()}


def cases():
    """Every activation with every loss, every other one with l2, then shapes that trip."""
    result = []
    for i, activation in enumerate(ACTIVATIONS):
        for j, loss in enumerate(LOSSES):
            layers = (4, 5, 3) if j % 2 == 0 else (3, 4, 2)
            result.append(Case(f"{activation}-{loss}", layers, activation, loss, 12,
                               l2=0.01 if (i + j) % 2 else 0.0, seed=100 + 10 * i + j))
    return result + [
        Case("deep-tanh-cross-entropy", (3, 5, 4, 4, 3), "tanh", "cross-entropy", 14, seed=1),
        Case("deep-relu-mse", (3, 6, 5, 2), "relu", "mse", 14, l2=0.003, seed=2),
        Case("wide-tanh-cross-entropy", (7, 11, 5), "tanh", "cross-entropy", 20, seed=3),
        Case("ragged-softplus-cross-entropy", (4, 5, 3), "softplus", "cross-entropy", 17, l2=0.01,
             batch=5, seed=4),
        Case("ragged-gelu-mse", (3, 4, 2), "gelu", "mse", 19, batch=8, seed=5),
        Case("logistic-regression", (5, 4), "identity", "cross-entropy", 20, l2=0.02, seed=6),
        Case("linear-regression", (5, 1), "identity", "mse", 20, seed=7),
        Case("one-sample-tanh-cross-entropy", (3, 4, 3), "tanh", "cross-entropy", 1, seed=8),
        Case("one-output-silu-bce", (4, 5, 1), "silu", "bce", 13, batch=4, seed=9),
    ]


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    os.makedirs(FOLDER, exist_ok=True)
    records = []
    for case in cases():
        np.savez(os.path.join(FOLDER, case.name + ".npz"), **case.arrays())
        records.append(case.record())
    with open(os.path.join(FOLDER, "cases.json"), "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")
    with open(os.path.join(FOLDER, "VERSIONS.txt"), "w") as file:
        file.write(f"python {platform.python_version()}\ntorch {torch.__version__}\n"
                   f"numpy {np.__version__}\n")
    total = sum(os.path.getsize(os.path.join(FOLDER, f)) for f in os.listdir(FOLDER))
    print(f"{len(records)} cases, {total / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
