"""Is every C++ file formatted as .clang-format says? Exit status 77: clang-format 14 is missing."""
import pathlib
import shutil
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
program = shutil.which("clang-format-14")
if program is None:
    print("skipped: clang-format-14 is not installed (scripts/install_dependencies.sh develop)")
    sys.exit(77)
listed = subprocess.run(["git", "ls-files", "*.h", "*.cpp"], cwd=root, capture_output=True,
                        text=True)
if listed.returncode != 0:
    print("skipped: not a git checkout")
    sys.exit(77)
# A file of someone who is just deleting it is listed still.
files = [name for name in listed.stdout.split() if (root / name).exists()]
result = subprocess.run([program, "--dry-run", *files], cwd=root, capture_output=True, text=True)
faulty = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "warning:" in line})
for name in faulty:
    print(f"{name}: not formatted; run `make format`")
print(f"{len(files)} files, {len(faulty)} to format")
sys.exit(1 if faulty else 0)
