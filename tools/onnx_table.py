#!/usr/bin/env python3
"""Holds the table of operators in docs/onnx.md against the program, or writes it.

    onnx_table.py KAPPA [--write]
"""
import pathlib
import subprocess
import sys

BEGIN = "<!-- The table is written by tools/onnx_table.py; a test compares it. -->\n"
END = "<!-- end of the table -->\n"

path = pathlib.Path(__file__).resolve().parent.parent / "docs/onnx.md"
table = subprocess.run([sys.argv[1], "info", "--onnx-operators"], check=True, text=True,
                       capture_output=True).stdout
text = path.read_text()
before, rest = text.split(BEGIN)
inside, after = rest.split(END)
if "--write" in sys.argv:
    path.write_text(before + BEGIN + table + END + after)
elif inside != table:
    sys.exit(f"{path}: the table of operators is not the program's; run tools/onnx_table.py "
             f"{sys.argv[1]} --write")
