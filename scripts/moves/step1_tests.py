"""Tests: features -> e2e, what tests share -> support; paths in texts."""
import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
from modules import *
SUPPORT = "browser credentials documents factories growth inside killing running sockets strategies".split()
maps = {}
T = ROOT / "tests"
files = []
for f in sorted(T.glob("features/test_*.py")): files.append((f, T / "e2e" / f.name))
for n in SUPPORT: files.append((T / f"{n}.py", T / "support" / f"{n}.py"))
for f in sorted(T.glob("corpus/*.py")): files.append((f, T / "support/corpus" / f.name)) 
for n in ("docs", "readme", "scripts", "benchmarks"): files.append((T / f"test_{n}.py", T / "project" / f"test_{n}.py"))
for a, b in files:
    if a.name == "__init__.py": continue
    maps[mod_of(a)] = mod_of(b)
maps["tests.corpus"] = "tests.support.corpus"
print("\n".join(move_modules(maps)))
for d in ("e2e", "support", "support/corpus", "project"): (T / d).mkdir(parents=True, exist_ok=True)
for a, b in files: git_mv(a, b)
for d in ("features", "corpus"):
    i = T / d / "__init__.py"
    if i.exists():
        subprocess.run(["git", "rm", "-qf", str(i)], cwd=ROOT) 
    p = T / d / "pages"
    if p.exists(): git_mv(p, T / "e2e/pages")
for d in ("e2e", "support", "support/corpus", "project"): (T / d / "__init__.py").touch()
# paths in texts
pairs = []
for o, n in MOVES.items():
    a = f"test_{o.replace('.', '_')}.py"; new = n.split("."); b = "/".join([*new[:-1], "test_" + new[-1] + ".py"])
    if (T / b).exists():
        pairs.append((f"tests/{a}", f"tests/{b}"))
for a, b in files:
    pairs.append((str(a.relative_to(ROOT)), str(b.relative_to(ROOT))))
pairs.append(("features/test_page.py", "e2e/test_page.py"))
for o, n in MOVES.items():
    pairs.append((f"replaymock/{o.replace(chr(46), chr(47))}.py", f"replaymock/{n.replace(chr(46), chr(47))}.py"))
import itertools
texts = [p for p in itertools.chain(ROOT.glob("*.md"), ROOT.glob("docs/*.md"), (ROOT / "tests").rglob("*.py"), (ROOT / "replaymock").rglob("*.py"), (ROOT / "scripts").glob("*"), (ROOT/".ci").glob("*"), (ROOT/"benchmarks").rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
for p in texts:
    try: t = p.read_text(encoding="utf-8")
    except UnicodeDecodeError: continue
    new = t
    for a, b in sorted(pairs, key=lambda x: -len(x[0])): new = re.sub(rf"(?<![\w/]){re.escape(a)}\b", b, new)
    if new != t: p.write_text(new, encoding="utf-8")
tidy()
