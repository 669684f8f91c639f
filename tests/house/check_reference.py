"""Does every public type, function and member say what it is, and does Doxygen understand it?

    check_reference.py [INCLUDE]

Skips (77) without doxygen.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
if shutil.which("doxygen") is None:
    print("skipped: needs doxygen (scripts/install_dependencies.sh develop)")
    sys.exit(77)
configuration = "@INCLUDE = docs/Doxyfile\nWARN_AS_ERROR = NO\n"
if len(sys.argv) > 1:
    configuration += f"INPUT = {sys.argv[1]}\n"
with tempfile.TemporaryDirectory(prefix="kappa_reference_") as folder:
    made = subprocess.run(["doxygen", "-"], input=configuration, cwd=root, text=True,
                          capture_output=True,
                          env={**os.environ, "KAPPA_VERSION": "", "KAPPA_REFERENCE": folder})
    pages = len(list(pathlib.Path(folder, "html").glob("*.html")))
findings = [line for line in made.stderr.splitlines() if line.strip()]
print("\n".join(findings))
print(f"{pages} pages")
sys.exit(1 if findings or made.returncode != 0 or pages < 50 else 0)
