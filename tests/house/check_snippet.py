"""Does the C++ of README.md compile, and give the numbers its comments claim?

    check_snippet.py COMPILER INCLUDE...

The first fenced block of C++ becomes the body of main(); a comment `// (a, b)` behind a matrix or
vector becomes a comparison.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
compiler, *includes = sys.argv[1:]
block = re.search(r"```cpp\n(.*?)```", (root / "README.md").read_text(), re.S).group(1)
head = [line for line in block.splitlines() if line.startswith("#include")]
body, checks = [], 0
for line in block.splitlines():
    if line.startswith("#include"):
        continue
    body.append("  " + line)
    claim = re.match(r"Eigen::\w+ (\w+) = .*;\s*// \(([^)]*)\)", line)
    if claim:
        for i, value in enumerate(re.split(r"[,;]", claim.group(2))):
            checks += 1
            body.append(f"  if (std::abs({claim.group(1)}.data()[{i}] - ({value.strip()})) > 1e-9) "
                        f"return {checks};")
source = "\n".join(["#include <cmath>", *head, "int main() {", *body, "  return 0;", "}"])
with tempfile.TemporaryDirectory(prefix="kappa_snippet_") as folder:
    path = pathlib.Path(folder, "snippet.cpp")
    path.write_text(source)
    command = [compiler, "-std=c++20", "-O0", "-Wall", "-Werror", f"-I{root / 'include'}",
               *[f"-isystem{include}" for include in includes], str(path), "-o", folder + "/snippet"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        print(source, made.stderr, sep="\n")
        sys.exit(1)
    status = subprocess.run([folder + "/snippet"]).returncode
print(f"{checks} numbers compared" if status == 0 else f"number {status} differs")
sys.exit(0 if status == 0 and checks > 0 else 1)
