"""Run every R block of every page as a reader pastes it, and keep what R printed: `python pasted.py`.

A page is one fresh session of R, its blocks in order, in a folder that holds the files which the site
offers on that page and nothing else. An answer of the chooser is a session too: the lines that make its
data, then its call. Where a block says after `#>` what R prints, R must print just that. Writes pasted.json
beside itself: the hash of each block, what R printed where the block says so, the values of the chooser's
calls and of the tables of `r_and_python.md`, and the versions.
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PART = re.compile(r"^```(r|\{code-cell\} ipython3)\n(.*?)^```", re.MULTILINE | re.DOTALL)
READS = re.compile(r'read\.csv\("(\w+)\.csv"\)')


def calls(cell):
    """The R calls of a table of R beside Python, without those that are no call."""
    source = cell.split("---\n")[-1].split(":tags:")[-1]
    if not source.lstrip().startswith("side_by_side("):
        return []
    rows = ast.literal_eval(ast.unparse(ast.parse(source.strip()).body[0].value.args[0]))
    return [row[0] for row in rows if not row[0].startswith("#")]


def parts(text):
    """What a page has R do: its blocks, and the calls of its tables; each with whether it is a block."""
    for kind, code in PART.findall(text):
        if kind == "r":
            yield code.strip("\n"), True
        else:
            yield from ((call, False) for call in calls(code))


def sessions():
    """Every session by name: its parts, each code and whether it is a block of a page."""
    found = {}
    for path in sorted([*ROOT.glob("notebooks/*.md"), *ROOT.glob("book/*.md")]):
        if blocks := list(parts(path.read_text(encoding="utf-8"))):
            found[path.stem] = blocks
    tree = json.loads((ROOT / "helpers" / "data" / "which.json").read_text(encoding="utf-8"))
    for name, end in tree["ends"].items():
        sample = tree["samples"][end["sample"]]["r"]
        found[f"which {name}"] = [("\n".join(sample), True), ("\n".join(end["r"]), True)]
    return found


def hashed(code):
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def stated(code):
    """What a block says that R prints."""
    return [line.removeprefix("#> ").rstrip() for line in code.splitlines() if line.startswith("#>")]


def run(name, session, folder):
    """What R found in one session, and the versions of what it loaded."""
    import chapter_tools

    text = "\n".join(code for code, _ in session)
    for file in sorted(set(READS.findall(text)) & set(chapter_tools.DATA)):
        chapter_tools.write(file, folder)
    asked, found = Path(folder, "session.json"), Path(folder, "found.json")
    asked.write_text(json.dumps([{"code": code} for code, _ in session]), encoding="utf-8")
    done = subprocess.run(
        ["Rscript", "--vanilla", HERE / "pasted.R", asked, found], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{name} stops:\n{done.stderr}")
    versions = json.loads(Path(f"{found}.versions").read_text(encoding="utf-8"))
    return json.loads(found.read_text(encoding="utf-8")), versions


def kept(name, session, found):
    """One session as it is stored; leaves where R prints another thing than the block says."""
    out = {"blocks": []}
    for (code, block), part in zip(session, found, strict=True):
        shown = [line.rstrip() for line in part["shown"]]
        if not block:
            out.setdefault("calls", {})[code] = part["value"]
            continue
        entry = {"hash": hashed(code)}
        if stated(code):
            entry["shown"] = shown
            if stated(code) != shown:
                lines = "\n".join(f"#> {line}" for line in shown)
                sys.exit(f"{name}: a block says otherwise than R, which prints\n{lines}")
        out["blocks"].append(entry)
    if name.startswith("which "):
        out["value"] = found[-1]["value"]
    return out


def main(asked):
    """Run the sessions that are named, or all; several at once."""
    sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT)]
    path, everything = HERE / "pasted.json", sessions()
    held = json.loads(path.read_text(encoding="utf-8")) if asked else {"pages": {}, "meta": {}}

    def one(name):
        with tempfile.TemporaryDirectory() as folder:
            found, versions = run(name, everything[name], folder)
        print(f"{name}: {len(everything[name])} parts", flush=True)
        return name, kept(name, everything[name], found), versions

    with ThreadPoolExecutor(max_workers=4) as pool:
        for name, page, versions in pool.map(one, asked or everything):
            held["pages"][name] = page
            held["meta"] |= versions
    pages = {name: held["pages"][name] for name in everything}
    named = {"R", "lme4", "pbkrtest", *re.findall(r"\w+", str(everything))}
    meta = {name: version for name, version in sorted(held["meta"].items()) if name in named}
    content = {"meta": meta | {"script": "pasted.py"}, "pages": pages}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
