"""Do the commands in the documentation exist?

Every `kappa COMMAND ...` in README.md, HACKING.md, docs/*.md and bench/README.md, inside a fenced
block with or without `$ ` before it, or inside backquotes in a line of prose, is cut into words by
a shell. Its command must exist and each --option stand in that command's --help. Formulas without
files, and `info`, are run for real; where output is shown below a command (`$ kappa ...` in a fenced
block), each of its paragraphs must be in what the program says now, line breaks aside; `...` stands
for anything. Links between documents must lead somewhere.

    check_docs.py KAPPA [--list]
"""
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ("analyze", "minimize", "train", "derive", "compare", "info", "landscape", "report")
NOT_YET = set()  # named in docs as what is to come
FILES = ("--data", "--weights", "--json", "--html", "--svg", "--to", "--out", "--gradient", "--hessian", "--jacobian",
         "--hvp", "--ggn", "--outputs", "--sparse-hessian", "--direction", "--checkpoint", "@")


def documents():
    names = ["README.md", "HACKING.md", "CHANGELOG.md", "bench/README.md"]
    return [ROOT / n for n in names if (ROOT / n).exists()] + sorted(ROOT.glob("docs/**/*.md"))


def shown_outputs(text):
    """{line number of a command: the paragraphs shown below it} in fenced blocks with prompts."""
    shown, current, fenced, continued = {}, None, False, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced, current = not fenced, None
        elif fenced and line.startswith("$ "):
            current = number if line.startswith("$ kappa ") else None
            shown[number] = [""]
            continued = line.endswith("\\")
        elif continued:
            continued = line.endswith("\\")
        elif fenced and current:
            if line.strip() in ("", "..."):
                shown[current].append("")
            else:
                shown[current][-1] += line + " "
    return shown


def commands(text):
    """(line number, command line) of each shell line that calls kappa."""
    fenced, pending, start = False, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        stripped = line.strip()
        if pending:
            pending += " " + stripped.rstrip("\\").strip()
            if not stripped.endswith("\\"):
                yield start, pending
                pending = ""
            continue
        indented = line.startswith("    ")
        if fenced or indented:
            match = re.match(r"(?:\$ )?((?:build/release/bin/)?kappa [a-z-].*)", stripped)
            if match and re.search(r"\bkappa\s+(%s|--)" % "|".join(COMMANDS), match.group(1)):
                command = match.group(1)
                if command.endswith("\\"):
                    pending, start = command.rstrip("\\").strip(), number
                else:
                    yield number, command
            if fenced:
                continue
        for quoted in re.findall(r"`(kappa (?:%s)(?: [^`]*)?)`" % "|".join(COMMANDS), line):
            yield number, quoted


def help_of(kappa, command, cache={}):
    if command not in cache:
        run = subprocess.run([kappa, command, "--help"], capture_output=True, text=True)
        cache[command] = run.stdout if run.returncode == 0 else None
    return cache[command]


def check(kappa, line, shown):
    """A fault as text, or None."""
    words = shlex.split(line, comments=True)[1:]
    if not words or words[0].startswith("--"):
        return None
    command = words[0]
    if command in NOT_YET:
        return None
    if any("..." in w or w in ("OBJECTIVE", "COMMAND", "RESULT.json") for w in words):
        words = [w for w in words if w.startswith("--")]
        schematic = True
    else:
        schematic = False
        words = words[1:]
    text = help_of(kappa, command)
    if text is None:
        return f"no command '{command}'"
    for word in words:
        name = word.split("=")[0]
        if re.fullmatch(r"--[a-z][a-z-]*", name) and not re.search(
                re.escape(name) + r"(?![a-z-])", text) and name != "--help":
            return f"{command} --help knows no {name}"
    runnable = (not schematic and words and not words[0].startswith(("mlp:", "--"))
                and not words[0].endswith(".onnx")
                and not any(w.startswith(FILES) or "@" in w and w != words[0] for w in words)
                and "--memory" not in words)
    if command == "info" and "fashion-mnist" in words and not schematic:
        runnable = pathlib.Path("/usr/share/datasets/fashion-mnist").exists()
    if runnable:
        run = subprocess.run([kappa, command, *words], capture_output=True, text=True, timeout=120)
        if run.returncode not in (0, 1):
            return f"exit {run.returncode}: {run.stderr.strip().splitlines()[-1:]}"
        said = " ".join(run.stdout.split())
        stale = [text for text in shown if " ".join(text.split()) not in said]
        if stale:
            return "the output shown is not what it says now:\n      " + "\n      ".join(stale)
    return None


def links(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            if "://" not in target and not (path.parent / target).exists():
                yield number, f"link to {target} leads nowhere"


def main():
    kappa = sys.argv[1]
    faults, count = [], 0
    for path in documents():
        text = path.read_text()
        name = path.relative_to(ROOT)
        faults += [f"{name}:{number}: {fault}" for number, fault in links(path, text)]
        shown = shown_outputs(text)
        for number, line in commands(text):
            count += 1
            if "--list" in sys.argv:
                print(f"{name}:{number}: {line}")
            try:
                fault = check(kappa, line, shown.get(number, []))
            except (ValueError, subprocess.TimeoutExpired) as error:
                fault = str(error)
            if fault:
                faults.append(f"{name}:{number}: {line}\n    {fault}")
    print("\n".join(faults))
    print(f"{count} commands, {len(faults)} faults")
    if count == 0:
        print("no command found: this check is broken")
    return 1 if faults or count == 0 else 0


sys.exit(main())
