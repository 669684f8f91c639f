"""Every ```cpp block of the C++ guides stands in tests/docs/snippets_test.cpp, where it is compiled.

White space does not count, includes stand at the head of the test, and `...` stands for anything.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])


def squeeze(text):
    return re.sub(r"\s+", "", text)


compiled = squeeze((root / "tests/docs/snippets_test.cpp").read_text())
missing = 0
for guide in ("cpp.md", "jets.md", "elements.md"):
    text = (root / "docs" / guide).read_text()
    for block in re.findall(r"^```cpp\n(.*?)^```", text, re.S | re.M):
        lines = [line for line in block.splitlines() if not line.startswith("#include")]
        pattern = ".*?".join(re.escape(squeeze(part)) for part in "\n".join(lines).split("..."))
        if not re.search(pattern, compiled):
            print(f"docs/{guide}: this block is not in tests/docs/snippets_test.cpp:\n{block}")
            missing += 1
sys.exit(1 if missing else 0)
