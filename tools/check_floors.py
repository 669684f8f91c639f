#!/usr/bin/env python3
"""Do the folders of src/ include only downward?

    check_floors.py [--self-test]

docs/floors.txt lists the floors. A file may include its own folder, include/kappa and floors below;
include/kappa includes nothing private; apps/ may include everything. Prints every offending include
and exits with 1 if there is one. --self-test plants faults in a made-up tree and sees that each is
found.
"""
import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".cpp", ".inc"}


def read_floors(path):
    floors, level = {}, 0
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        for folder in line.split():
            floors[folder] = level
        level += 1
    return floors


def faults_of(root):
    floors = read_floors(root / "docs/floors.txt")
    faults = []
    for path in sorted(p for p in (root / "src").rglob("*") if p.suffix in SOURCES):
        name = path.relative_to(root)
        folder = path.relative_to(root / "src").parts[0]
        if folder not in floors:
            faults.append(f"{name}: folder {folder} has no floor in docs/floors.txt")
            continue
        for target in INCLUDE.findall(path.read_text()):
            parts = pathlib.PurePosixPath(target).parts
            if ".." in parts:
                faults.append(f"{name}: includes {target}; write the path from src/")
            elif len(parts) == 1:
                if not (path.parent / target).exists():
                    faults.append(f"{name}: includes {target}, which is not in its folder")
                elif path.parent != root / "src":
                    faults.append(f"{name}: includes {target}; write {folder}/{target}")
            elif parts[0] in ("kappa", folder):
                continue
            elif parts[0] in floors:
                if floors[parts[0]] >= floors[folder]:
                    faults.append(f"{name}: includes {target}, which is not below {folder}")
            elif (root / "src" / parts[0]).exists():
                faults.append(f"{name}: includes {target}, which has no floor in docs/floors.txt")
    for path in sorted(p for p in (root / "include").rglob("*") if p.suffix in SOURCES):
        for target in INCLUDE.findall(path.read_text()):
            if not target.startswith("kappa/"):
                faults.append(f"{path.relative_to(root)}: a public header includes {target}")
    return faults


def self_test():
    tree = {
        "docs/floors.txt": "# comment\nbase\nprogram data\nreport\n",
        "src/base/a.h": "",
        "src/program/a.h": '#include "base/a.h"\n#include "kappa/error.h"\n#include <vector>\n',
        "src/data/b.h": '#include "program/a.h"\n',  # sideways
        "src/base/up.cpp": '#include "report/x.h"\n',  # upwards
        "src/report/x.h": '#include "program/a.h"\n#include "hwy/highway.h"\n',
        "src/attic/old.h": "",  # no floor
        "src/report/y.cpp": '#include "../base/a.h"\n#include "x.h"\n',  # two faults of form
        "include/kappa/p.h": '#include "base/a.h"\n#include "kappa/error.h"\n',  # public to private
    }
    expected = ["src/attic/old.h", "src/base/up.cpp", "src/data/b.h", "src/report/y.cpp",
                "src/report/y.cpp", "include/kappa/p.h"]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = faults_of(root)
    ok = sorted(f.split(":")[0] for f in found) == sorted(expected)
    if not ok:
        print("found:", *found, sep="\n  ")
        print("expected faults in:", *expected, sep="\n  ")
    return 0 if ok else 1


def main():
    if "--self-test" in sys.argv:
        return self_test()
    faults = faults_of(pathlib.Path(__file__).resolve().parent.parent)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


sys.exit(main())
