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

from network_case import FOLDER, write_case

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "softplus": F.softplus, "gelu": F.gelu}


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

    def outputs(self, p, x):
        h = x.view(len(x), *self.image)
        for step in self.steps:
            h = step(p, h)
        return h


def initial(rng, name, shape):
    return rng.uniform(-1, 1, shape) * 1.5 / np.sqrt(max(np.prod(shape[1:]), 4))


def case(name, net, num_samples, classes, seed, batch=None):
    return write_case(name, net.text + net.tail, net.shapes, initial, net.outputs,
                      int(np.prod(net.image)), num_samples, classes, seed, batch)


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
