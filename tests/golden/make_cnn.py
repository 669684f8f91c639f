"""Writes networks/cnn-*.npz and networks/cnns.json: small convolutional networks by PyTorch in
double precision.

    python3 make_cnn.py

Arrays as in make_networks.py. The layer string is built up layer by layer beside PyTorch's
functions; Kappa's reader of layer strings has no part in it.
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian as dense_hessian, jacobian as dense_jacobian

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "networks")
NUM_DIRECTIONS = 3
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "softplus": F.softplus, "gelu": F.gelu}


def representable(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


class Net:
    """Layers as functions of (parameters in order, h); `text` collects the layer string."""

    def __init__(self, image, activation):
        self.image, self.activation = image, ACTIVATIONS[activation]
        self.text = "cnn:" + "x".join(map(str, image))
        self.tail = ":" + activation
        self.shapes, self.steps, self.index = {}, [], 0

    def parameter(self, name, weight):
        key = f"layers.{self.index}{name}"
        self.shapes[key + ".weight"] = weight
        self.shapes[key + ".bias"] = (weight[0],)
        return key

    def conv(self, inputs, outputs, kernel, stride=1, border=0):
        self.text += f"-{outputs}c{kernel}" + (f"/{stride}" if stride > 1 else "") + (
            f"+{border}" if border else "")
        key = self.parameter("", (outputs, inputs, kernel, kernel))
        self.steps.append(lambda p, h: self.activation(F.conv2d(
            h, p[key + ".weight"], p[key + ".bias"], stride, border)))
        self.index += 1
        return self

    def residual(self, inputs, outputs, stride=1):
        self.text += f"-r{outputs}" + (f"/{stride}" if stride > 1 else "")
        one = self.parameter(".conv1", (outputs, inputs, 3, 3))
        two = self.parameter(".conv2", (outputs, outputs, 3, 3))
        short = None
        if stride > 1 or inputs != outputs:
            short = self.parameter(".shortcut", (outputs, inputs, 1, 1))

        def step(p, h):
            z = self.activation(F.conv2d(h, p[one + ".weight"], p[one + ".bias"], stride, 1))
            z = F.conv2d(z, p[two + ".weight"], p[two + ".bias"], 1, 1)
            if short is not None:
                h = F.conv2d(h, p[short + ".weight"], p[short + ".bias"], stride)
            return self.activation(z + h)

        self.steps.append(step)
        self.index += 1
        return self

    def pool(self, letter, kernel, stride=None):
        self.text += f"-{letter}{kernel}" + (f"/{stride}" if stride else "")
        function = F.max_pool2d if letter == "p" else F.avg_pool2d
        self.steps.append(lambda p, h: function(h, kernel, stride))
        return self

    def dense(self, inputs, outputs, last=False):
        self.text += f"-{outputs}"
        key = self.parameter("", (outputs, inputs))

        def step(p, h):
            z = F.linear(h.flatten(1), p[key + ".weight"], p[key + ".bias"])
            return z if last else self.activation(z)

        self.steps.append(step)
        self.index += 1
        return self

    def parameters(self, w):
        start, result = 0, {}
        for key, shape in self.shapes.items():
            size = int(np.prod(shape))
            result[key] = w[start:start + size].view(shape)
            start += size
        return result

    def outputs(self, w, x):
        p, h = self.parameters(w), x.view(len(x), *self.image)
        for step in self.steps:
            h = step(p, h)
        return h


def case(name, net, num_samples, classes, seed, batch=None):
    rng = np.random.default_rng(seed)
    w = torch.tensor(np.concatenate([
        representable(rng.uniform(-1, 1, shape) * 1.5 / np.sqrt(max(np.prod(shape[1:]), 4))).ravel()
        for shape in net.shapes.values()]))
    x = torch.tensor(representable(rng.normal(size=(num_samples, int(np.prod(net.image))))))
    y = torch.tensor(rng.integers(0, classes, num_samples))
    v = torch.tensor(representable(rng.normal(size=(NUM_DIRECTIONS, w.numel()))))

    leaf = w.clone().requires_grad_()
    z = net.outputs(leaf, x)
    value = F.cross_entropy(z, y)
    gradient, = torch.autograd.grad(value, leaf)
    hessian = dense_hessian(lambda w: F.cross_entropy(net.outputs(w, x), y), w)
    assert (hessian - hessian.T).abs().max() < 1e-12 * hessian.abs().max()
    jacobian = dense_jacobian(lambda w: net.outputs(w, x), w).reshape(-1, w.numel())
    loss_hessian = dense_hessian(lambda z: F.cross_entropy(z, y), z.detach())
    gauss_newton = jacobian.T @ loss_hessian.reshape(z.numel(), z.numel()) @ jacobian
    np.savez(
        os.path.join(FOLDER, name + ".npz"), x=x.numpy(), y=y.numpy(),
        **{key: p.numpy() for key, p in net.parameters(w).items()}, directions=v.numpy(),
        outputs=z.detach().numpy(), value=np.array(value.item()), gradient=gradient.numpy(),
        hessian_products=(v @ hessian).numpy(), gauss_newton_products=(v @ gauss_newton).numpy(),
        hessian_eigenvalues=torch.linalg.eigvalsh(hessian).numpy(),
        gauss_newton_eigenvalues=torch.linalg.eigvalsh(gauss_newton).numpy())
    return {"name": name, "file": name + ".npz", "model": net.text + net.tail,
            "loss": "cross-entropy", "l2": 0.0, "num_samples": num_samples, "batch": batch,
            "num_parameters": w.numel()}


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    # Batches of 8 and more run with their samples innermost, smaller ones do not.
    records = [
        case("cnn-tanh", Net((2, 6, 5), "tanh").conv(2, 3, 3, border=1).pool("p", 2)
             .conv(3, 4, 2).dense(8, 5).dense(5, 3, last=True), 19, 3, seed=31, batch=10),
        case("cnn-residual-few", Net((1, 6, 6), "softplus").conv(1, 2, 3, 2, 1).residual(2, 2)
             .residual(2, 3, 2).pool("a", 2).dense(3, 3, last=True), 7, 3, seed=32, batch=3),
        case("cnn-residual", Net((1, 6, 6), "softplus").conv(1, 2, 3, 2, 1).residual(2, 2)
             .residual(2, 3, 2).pool("a", 2).dense(3, 3, last=True), 17, 3, seed=33, batch=17),
        case("cnn-gelu", Net((1, 7, 7), "gelu").conv(1, 4, 3).pool("p", 3, 2)
             .dense(16, 4, last=True), 16, 4, seed=34),
    ]
    with open(os.path.join(FOLDER, "cnns.json"), "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")


if __name__ == "__main__":
    main()
