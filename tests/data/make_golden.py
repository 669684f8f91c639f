#!/usr/bin/env python3
"""Writes the golden arrays of this folder with NumPy (made with 1.24.2, Debian 12).

The element with row-major index i of every (3, 4, 5) array is, whatever its layout on disk:
    floating i/4 - 7, signed i - 30, unsigned i, bool i % 3 == 0
so that the tests know every value without a second reader.
"""
import os
import zipfile

import numpy as np

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
os.makedirs(here, exist_ok=True)
index = np.arange(60).reshape(3, 4, 5)


def array(name, order, layout):
    if name[0] == "f":
        values = index / 4 - 7
    elif name[0] == "i":
        values = index - 30
    else:
        values = index % 3 == 0 if name[0] == "b" else index
    return np.array(values.astype(np.dtype(name).newbyteorder(order)), order=layout)


arrays = {
    f"{name}_{'big' if order == '>' else 'little'}_{layout}": array(name, order, layout)
    for name in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "b1")
    for order in "<>"
    for layout in "CF"
}
np.savez_compressed(os.path.join(here, "dtypes.npz"), **arrays)
np.savez(os.path.join(here, "stored.npz"), x=array("f4", "<", "C"), y=np.array([2, 0, 1]))
np.save(os.path.join(here, "matrix.npy"), np.arange(12, dtype="<f8").reshape(3, 4))
np.save(os.path.join(here, "columns.npy"), np.asfortranarray(np.arange(12, dtype=">i2").reshape(3, 4)))
np.save(os.path.join(here, "scalar.npy"), np.float64(2.5))
np.save(os.path.join(here, "empty.npy"), np.zeros((0, 3), "<f4"))
for version in (2, 3):
    with open(os.path.join(here, f"version{version}.npy"), "wb") as file:
        np.lib.format.write_array(file, np.arange(6, dtype="<i4"), version=(version, 0))
# What must be refused with a reason: objects, structures, text, complex numbers.
np.savez(
    os.path.join(here, "refused.npz"),
    objects=np.array([None, "a"], dtype=object),
    structure=np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
    text=np.array(["a", "b"]),
    complex=np.zeros(2, dtype=complex),
    half=np.zeros(2, dtype=np.float16),
)
# A method zip knows and we do not.
with zipfile.ZipFile(os.path.join(here, "bzip2.npz"), "w", zipfile.ZIP_BZIP2) as archive:
    archive.write(os.path.join(here, "matrix.npy"), "x.npy")
