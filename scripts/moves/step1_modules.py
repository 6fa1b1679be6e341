import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
from modules import *
import subprocess
only = sys.argv[1:]  # packages
def sel(new): return not only or new.split(".")[0] in only
moves = {o: n for o, n in MOVES.items() if sel(n) and (ROOT / 'replaymock' / (o.replace('.', '/') + '.py')).exists()}
known = {str(p.relative_to(ROOT / 'replaymock').with_suffix('')).replace('/', '.') for p in (ROOT / 'replaymock').rglob('*.py')}
print('UNPLACED', [m for m in known if m not in MOVES and m not in ('__init__','__main__','errors','app','cli.__init__','cli.demo','cli.options','cli.serve','demo.__init__','demo.shop','demo.report')])
tests = {}
for o, n in moves.items():
    t = ROOT / "tests" / f"test_{o.replace('.', '_')}.py"
    if t.exists():
        new = n.split(".")
        tests[f"tests.test_{o.replace('.', '_')}"] = ".".join(["tests", *new[:-1], "test_" + new[-1]])
# 1. files out of the way (a module and a package may share a name)
tmp = {}
for o, n in moves.items():
    a = ROOT / "replaymock" / (o.replace(".", "/") + ".py")
    b = ROOT / "replaymock" / (n.replace(".", "/") + ".py")
    if not a.exists(): print(f"no {a}"); continue
    tmp[a] = b
problems = move_modules({**moves, **{k: v for k, v in tests.items()}})
for a, b in tmp.items(): git_mv(a, str(a) + ".moving")
for a, b in tmp.items(): git_mv(str(a) + ".moving", b)
for p in PACKAGES:
    if sel(p):
        d = ROOT / "replaymock" / p.replace(".", "/")
        d.mkdir(parents=True, exist_ok=True)
        i = d / "__init__.py"
        if not i.exists(): i.write_text(f'"""{p}"""\n')
for o, n in tests.items():
    git_mv(ROOT / (o.replace(".", "/") + ".py"), ROOT / (n.replace(".", "/") + ".py"))
    d = (ROOT / (n.replace(".", "/") + ".py")).parent
    while d != ROOT / "tests":
        (d / "__init__.py").touch(); d = d.parent
print("\n".join(problems))
tidy()
