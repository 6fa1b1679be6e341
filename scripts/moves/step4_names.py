"""Names."""
import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
P = []
def rn(mod, pairs):
    for pair in pairs.split():
        o, n = pair.split(">")
        if o not in top_defs(Src(path_of("replaymock." + mod))): print("NOT THERE", mod, o); continue
        for p in rename(mod, o, n): P.append(f"[rename {mod}.{o}>{n}] {p}")
exec(open(Path(__file__).with_name("names.py")).read())
tidy()
print("\n".join(P))
