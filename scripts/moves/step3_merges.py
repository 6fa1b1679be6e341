"""Merges of what was one concept."""
import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
P = []
def rn(mod, *pairs):
    for o, n in pairs:
        for p in rename(mod, o, n): P.append(f"[rename {mod}.{o}] {p}")
def merge(srcs, dst, doc=None, top=False):
    for s in srcs.split():
        for p in move_defs(s, "*", dst, doc, top=top): P.append(f"[{s}->{dst}] {p}")
def redoc(mod, doc):
    p = path_of("replaymock." + mod); t = p.read_text(); n = ast.parse(t).body[0]
    ls = t.splitlines(keepends=True); ls[n.lineno-1:n.end_lineno] = [f'"""{doc}"""\n']; p.write_text("".join(ls))
exec(open(Path(__file__).with_name("merges.py")).read())
tidy()
print("\n".join(P))
