#!/usr/bin/env python3
"""Checks that folders of src/ include only downward (docs/floors.txt), and that public headers
include nothing private. Prints every offending include; exit status 1 if there is one."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
floors = {}
for level, line in enumerate(
        line for line in (root / "docs/floors.txt").read_text().splitlines()
        if line and not line.startswith("#")):
    for folder in line.split():
        floors[folder] = level

include = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
faults = []
sources = [p for p in (root / "src").rglob("*") if p.suffix in (".h", ".cpp", ".inc")]
for path in sources:
    folder = path.relative_to(root / "src").parts[0]
    if folder not in floors:
        faults.append(f"{path.relative_to(root)}: folder {folder} has no floor in docs/floors.txt")
        continue
    for target in include.findall(path.read_text()):
        other = target.split("/")[0]
        if other == "kappa" or other == folder or "/" not in target:
            continue
        if other == "generated":
            continue
        if other not in floors:
            if (root / "src" / other).exists():
                faults.append(f"{path.relative_to(root)}: includes {target}, which has no floor")
            continue
        if floors[other] >= floors[folder]:
            faults.append(f"{path.relative_to(root)}: includes {target}, not on a floor below "
                          f"{folder}")
for path in (root / "include").rglob("*"):
    if not path.is_file():
        continue
    for target in include.findall(path.read_text()):
        if not target.startswith("kappa/"):
            faults.append(f"{path.relative_to(root)}: a public header includes {target}")
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
