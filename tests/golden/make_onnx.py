#!/usr/bin/env python3
"""Outputs of the models in $KAPPA_TEST_DATA/onnx-models by ONNX Runtime, for tests/onnx/models_test.cpp.

    python3 tests/golden/make_onnx.py            # writes onnx_models.npz, onnx_node_outputs.npz

Made with onnxruntime 1.31.1 and numpy (versions are printed); CPU, one thread, no graph optimisation.
Arrays: `MODEL.inK`, uint8 for u / 256, int64 as they are; `MODEL.outK` float32, of large outputs the
elements 0, s, 2 s, ... with s = `MODEL.strideK`. An output that is a list of maps is an array.
tf2onnx-mnist-softmax is not among them: ONNX Runtime has no Add of opset 4.

onnx_node_outputs.npz: outputs TEST.outK of the node tests in $KAPPA_TEST_DATA/onnx-node-tests-new whose
stored outputs are those of a definition that ONNX has corrected since (Attention: heads shared by
several heads of Q stand in a row; causal masks count from the end of the past; softcap comes before
the mask, which renumbered qk_matmul_output_mode).
"""
import os
import sys

import numpy as np
import onnxruntime as ort

LARGEST = 1500  # elements kept of an output
TOKENS = 7
IDS = {"tinybert": 1000, "vespa-dummy-transformer": 16, "vespa-dummy-transformer-mlm": 30000,
       "vespa-random-t5-encoder": 32}
SKIPPED = {"tf2onnx-mnist-softmax", "super-resolution-10"}  # the second has a stored test vector


def extent(model, input_name, i, given):
    if isinstance(given, int):
        return given
    if model.startswith("silero"):
        return 576 if given == "sequence" else 1
    if given in ("sequence", "tokens"):
        return TOKENS
    return 1 if model == "marabou-fc2" else 2  # that one flattens its batch away


def make_input(model, info, rng):
    shape = [extent(model, info.name, i, d) for i, d in enumerate(info.shape)]
    if info.name == "sr":
        return np.array(16000, np.int64)
    if info.type == "tensor(int64)":
        if "mask" in info.name:
            mask = np.ones(shape, np.int64)
            mask[-1, -2:] = 0
            return mask
        high = 2 if "type" in info.name else IDS[model]
        return rng.integers(0, high, shape)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def read_tensor(path):
    """A TensorProto with raw data, without the onnx package."""
    with open(path, "rb") as file:
        data = file.read()

    def varint(i):
        value = shift = 0
        while True:
            byte = data[i]
            value, shift, i = value | (byte & 127) << shift, shift + 7, i + 1
            if byte < 128:
                return value, i

    i, dims, dtype, raw = 0, [], np.float32, b""
    while i < len(data):
        key, i = varint(i)
        number, i = varint(i)  # a value, or the length of what follows
        if key & 7 == 2:
            if key >> 3 == 9:
                raw = data[i:i + number]
            elif key >> 3 == 1:
                j = i
                while j < i + number:
                    extent, j = varint(j)
                    dims.append(extent)
            i += number
        elif key >> 3 == 1:
            dims.append(number)
        elif key >> 3 == 2:
            dtype = {1: np.float32, 7: np.int64, 9: np.bool_}[number]
    return np.frombuffer(raw, dtype).reshape(dims)


def corrected(test):
    return test.startswith("test_attention") and "expanded" not in test and "fp16" not in test and (
        "gqa" in test or "qk_matmul_bias" in test or "qk_matmul_softcap" in test)


def make_node_outputs(data, options):
    arrays = {}
    root = os.path.join(data, "onnx-node-tests-new")
    for test in filter(corrected, sorted(os.listdir(root))):
        folder = os.path.join(root, test)
        session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options)
        feeds = {info.name: read_tensor(f"{folder}/test_data_set_0/input_{k}.pb")
                 for k, info in enumerate(session.get_inputs())}
        for k, value in enumerate(session.run(None, feeds)):
            arrays[f"{test[5:]}.out{k}"] = value
    return arrays


def write(name, arrays):
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    np.savez_compressed(out, **arrays)
    print(f"{out}: {len(arrays)} arrays, {os.path.getsize(out)} bytes")


def main():
    data = os.environ.get("KAPPA_TEST_DATA", "/work/shared/data")
    folder = os.path.join(data, "onnx-models")
    arrays = {}
    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for file in sorted(os.listdir(folder)):
        model, ending = os.path.splitext(file)
        if ending != ".onnx" or model in SKIPPED:
            continue
        session = ort.InferenceSession(os.path.join(folder, file), options)
        rng = np.random.default_rng(len(arrays))
        feeds = {}
        for k, info in enumerate(session.get_inputs()):
            value = make_input(model, info, rng)
            arrays[f"{model}.in{k}"] = value
            feeds[info.name] = (value / np.float32(256)).astype(np.float32) if value.dtype == np.uint8 else value
        for k, value in enumerate(session.run(None, feeds)):
            if isinstance(value, list):
                value = np.array([[row[key] for key in sorted(row)] for row in value], np.float32)
            stride = max(1, -(-value.size // LARGEST))
            if stride > 1 and stride % 2 == 0:
                stride += 1  # so that every axis is met at different places
            arrays[f"{model}.out{k}"] = value if stride == 1 else value.ravel()[::stride]
            if stride > 1:
                arrays[f"{model}.stride{k}"] = np.array(stride)
        print(model, {i.name: feeds[i.name].shape for i in session.get_inputs()})
    write("onnx_models.npz", arrays)
    write("onnx_node_outputs.npz", make_node_outputs(data, options))
    print(f"onnxruntime {ort.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    sys.exit(main())
