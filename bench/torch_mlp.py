"""The network mlp:784-512-512-10:tanh on Fashion-MNIST in PyTorch: the peer of the benchmarks.

Imports pin the process: threads are limited before torch loads its libraries.
"""
import gzip
import os
import statistics
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(1)

LAYERS = (784, 512, 512, 10)
DATA = "/usr/share/datasets/fashion-mnist"
SCALE = 1 / 255


def pin(core=0):
    """One core for this process and its children."""
    os.sched_setaffinity(0, {core})


def fashion_mnist(num_samples, dtype=torch.float32):
    """Pixels times 1/255, labels: the first samples of the training set."""
    with gzip.open(f"{DATA}/train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 784 * num_samples), np.uint8, offset=16)
    with gzip.open(f"{DATA}/train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + num_samples), np.uint8, offset=8)
    x = torch.tensor(pixels.reshape(num_samples, 784).astype(np.float64) * SCALE, dtype=dtype)
    return x, torch.tensor(labels.astype(np.int64))


class Mlp(torch.nn.Module):
    """Uniform +-1/sqrt(fan_in) start, as torch.nn.Linear and Kappa have it."""

    def __init__(self, layers=LAYERS):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(layers[:-1], layers[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def split(vector, parameters):
    parts, start = [], 0
    for p in parameters:
        parts.append(vector[start:start + p.numel()].view_as(p))
        start += p.numel()
    return parts


def gradient(model, x, y):
    return torch.autograd.grad(F.cross_entropy(model(x), y), list(model.parameters()))


def hessian_product_anew(model, x, y, direction):
    """Forward, backward and a second backward for every product: what most tools run."""
    parameters = list(model.parameters())
    first = torch.autograd.grad(F.cross_entropy(model(x), y), parameters, create_graph=True)
    return torch.autograd.grad(first, parameters, grad_outputs=direction)


def hessian_product_kept(model, x, y):
    """v -> H v that reuses the graph of the gradient: only the second backward remains."""
    parameters = list(model.parameters())
    first = torch.autograd.grad(F.cross_entropy(model(x), y), parameters, create_graph=True)
    return lambda v: torch.autograd.grad(first, parameters, grad_outputs=v, retain_graph=True)


def gauss_newton_product_kept(model, x, y):
    """v -> J' H_loss J v with both graphs kept; H_loss of softmax cross-entropy in closed form."""
    parameters = list(model.parameters())
    outputs = model(x)
    weights = torch.zeros_like(outputs, requires_grad=True)
    transposed = torch.autograd.grad(outputs, parameters, weights, create_graph=True)
    p = torch.softmax(outputs.detach(), 1)

    def product(v):
        tangent, = torch.autograd.grad(transposed, weights, grad_outputs=v, retain_graph=True)
        weighted = p * tangent
        weighted = (weighted - p * weighted.sum(1, keepdim=True)) / len(x)
        return torch.autograd.grad(outputs, parameters, weighted, retain_graph=True)

    return product


def hessian_product_flops(num_samples, layers=LAYERS):
    """Multiplications and additions of the matrix products of one kept HVP: six products a layer,
    two in the first, whose inputs need no derivative."""
    sizes = [a * b for a, b in zip(layers[:-1], layers[1:])]
    return 2 * num_samples * (2 * sizes[0] + 6 * sum(sizes[1:]))


def seconds_of(function, repeat):
    """The median time of a call; one call before to warm up."""
    function()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def sgemm_gflops(n=1024, repeat=9):
    a, b = torch.randn(n, n), torch.randn(n, n)
    out = torch.empty(n, n)
    return 2 * n**3 / seconds_of(lambda: torch.mm(a, b, out=out), repeat) * 1e-9


def save_weights(model, path):
    """In the format of kappa's --weights."""
    np.savez(path, **{name: p.detach().numpy() for name, p in model.named_parameters()})


def load_weights(path, dtype=torch.float32):
    model = Mlp().to(dtype)
    with np.load(path) as arrays, torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.tensor(arrays[name]))
    return model
