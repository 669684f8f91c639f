#!/usr/bin/python3
"""Small networks as torch.onnx.export writes them, and their derivatives by PyTorch in double.

    /usr/bin/python3 tests/golden/make_onnx_derivatives.py      # writes tests/golden/onnx/

CASE.onnx holds the model in double, so that its constants (1/sqrt(2) of gelu) have all their digits,
with weights representable in float32 and its batch axis free. Of derivatives.npz, for tests/onnx/derivatives_test.cpp: CASE/x, CASE/y (class labels), CASE/outputs,
CASE/value (mean cross-entropy), and for each parameter NAME: CASE/gradient/NAME, CASE/v/NAME,
CASE/hessian/NAME, CASE/gauss_newton/NAME, where v is a direction, H v comes from double
backpropagation, and G v = J' H_loss J v from the dense Jacobian of the outputs and the dense Hessian
of the loss as a function of them. A case `resnet-train` shares resnet.onnx; its batch normalisation
takes the batch's own statistics.
"""
import io
import os
import platform
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx")
BATCH, CLASSES = 6, 5


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 5, padding=2), nn.Conv2d(3, 4, 3)
        self.fc1, self.fc2 = nn.Linear(16, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                          nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 3, 3, 1, 1, bias=False), nn.BatchNorm2d(3)
        self.block1, self.block2 = Block(3, 3, 1), Block(3, 4, 2)
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x):
        x = self.block2(self.block1(F.relu(self.bn(self.conv(x)))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 3, stride=2, padding=(1, 0))
        self.depth = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6, bias=False)
        self.point = nn.Conv2d(6, 4, 1)
        self.group = nn.Conv2d(4, 4, 2, groups=2)
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x):
        x = F.silu(self.stem(x))
        x = F.hardswish(self.point(self.depth(x)))
        return self.fc(torch.tanh(self.group(F.avg_pool2d(x, 2))).mean((2, 3)))


class Encoder(nn.Module):
    def __init__(self, d=6, heads=2, hidden=8):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, hidden), nn.Linear(hidden, d)
        self.fc = nn.Linear(d, CLASSES)

    def forward(self, x):
        b, t, d = x.shape
        parts = self.qkv(self.norm1(x)).reshape(b, t, 3, self.heads, d // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, d))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.fc(x.mean(1))


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.hidden = nn.Embedding(9, 4), nn.Linear(12, 6)
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.fc(torch.tanh(self.hidden(torch.flatten(self.embed(x), 1))))


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = getattr(nn, kind)(3, 4, batch_first=True, **options)
        self.fc = nn.Linear(8 if options.get("bidirectional") else 4, CLASSES)

    def forward(self, x):
        # torch 1.13 keeps a list of the weights; functional_call replaces the attributes alone.
        self.rnn._flat_weights = [getattr(self.rnn, n) for n in self.rnn._flat_weights_names]
        return self.fc(self.rnn(x)[0][:, -1])


CASES = {
    "lenet": (LeNet, (1, 12, 12)), "resnet": (ResNet, (2, 6, 6)), "resnet-train": (ResNet, (2, 6, 6)),
    "depthwise": (Depthwise, (2, 9, 9)), "encoder": (Encoder, (5, 6)), "language": (LanguageModel, (3,)),
    "lstm": (lambda: Recurrent("LSTM", num_layers=2, bidirectional=True), (5, 3)),
    "gru": (lambda: Recurrent("GRU", num_layers=2), (5, 3)),
    "rnn": (lambda: Recurrent("RNN"), (5, 3)),
}


def derivatives(module, x, y, directions):
    names = [name for name, _ in module.named_parameters()]
    values = {name: p.detach() for name, p in module.named_parameters()}
    buffers = {name: b.clone() for name, b in module.named_buffers()}
    flat = torch.cat([values[n].reshape(-1) for n in names])

    def outputs(w):
        parts, start = {}, 0
        for n in names:
            size = values[n].numel()
            parts[n] = w[start:start + size].view_as(values[n])
            start += size
        copies = {name: b.clone() for name, b in buffers.items()}  # training mode updates them
        return functional_call(module, {**parts, **copies}, x)

    w = flat.clone().requires_grad_()
    z = outputs(w)
    value = F.cross_entropy(z, y)
    gradient, = torch.autograd.grad(value, w, create_graph=True)
    v = torch.cat([directions[n].reshape(-1) for n in names]).to(w.dtype)
    product, = torch.autograd.grad(gradient @ v, w)
    jacobian = torch.autograd.functional.jacobian(outputs, flat).reshape(z.numel(), -1)
    inner = torch.autograd.functional.hessian(lambda t: F.cross_entropy(t, y), z.detach())
    gauss_newton = jacobian.T @ (inner.reshape(z.numel(), z.numel()) @ (jacobian @ v))
    return names, z.detach(), value.item(), gradient.detach(), product, gauss_newton


def split(module, names, flat):
    shapes, start, result = dict(module.named_parameters()), 0, {}
    for n in names:
        size = shapes[n].numel()
        result[n] = flat[start:start + size].reshape(shapes[n].shape).numpy()
        start += size
    return result


def make_case(name, arrays):
    make, shape = CASES[name]
    for seed in range(100):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        module = make()
        with torch.no_grad():
            for key, p in module.named_parameters():
                p.copy_(p * 1.5 if p.dim() > 1 else torch.tensor(rng.normal(size=p.shape) * 0.3)
                        + (1 if "norm" in key or "bn" in key else 0) * (key.endswith("weight")))
            for key, b in module.named_buffers():
                if b.dim() > 0:
                    b.copy_(torch.tensor(rng.uniform(0.5, 1.5, b.shape)))
        x = torch.tensor(rng.integers(0, 9, (BATCH, *shape)) if name == "language"
                         else rng.integers(-32, 33, (BATCH, *shape)) / 16)
        y = torch.tensor(rng.integers(0, CLASSES, BATCH))
        directions = {n: torch.tensor(rng.integers(-8, 9, p.shape) / 8)
                      for n, p in module.named_parameters()}
        module.train(name == "resnet-train")
        single = x if name == "language" else x.float()
        rough = derivatives(module.float(), single, y, directions)
        exact = derivatives(module.double(), x, y, directions)
        if all((a.double() - b).norm() < 1e-5 * b.norm() for a, b in zip(rough[3:], exact[3:])):
            break  # far enough from kinks for single precision
    else:
        raise RuntimeError(name + ": no seed is far from kinks")
    names, z, value, gradient, product, gauss_newton = exact
    arrays[f"{name}/x"], arrays[f"{name}/y"] = x.numpy(), y.numpy()
    arrays[f"{name}/outputs"], arrays[f"{name}/value"] = z.numpy(), np.array(value)
    arrays.update({f"{name}/v/{n}": d.numpy() for n, d in directions.items()})
    for kind, flat in (("gradient", gradient), ("hessian", product), ("gauss_newton", gauss_newton)):
        arrays.update({f"{name}/{kind}/{n}": p for n, p in split(module, names, flat).items()})
    size = 0
    if name != "resnet-train":
        module.eval()
        stream = io.BytesIO()
        torch.onnx.export(module, x, stream, opset_version=14, input_names=["x"],
                          output_names=["z"], dynamic_axes={"x": {0: "batch"}, "z": {0: "batch"}},
                          do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
        size = len(stream.getvalue())
        with open(os.path.join(FOLDER, name + ".onnx"), "wb") as file:
            file.write(stream.getvalue())
    print(f"{name}: seed {seed}, {gradient.numel()} parameters, {size} bytes, value {value:.6f}")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    torch.set_num_threads(1)
    arrays = {}
    for name in CASES:
        make_case(name, arrays)
    path = os.path.join(FOLDER, "derivatives.npz")
    np.savez_compressed(path, **arrays)
    print(f"{os.path.getsize(path)} bytes; Python {platform.python_version()}, "
          f"torch {torch.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    sys.exit(main())
