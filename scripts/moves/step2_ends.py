"""Hand-finished ends of stage 2: one Head, constants that two modules had taken from one."""
import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
def sub(path, *pairs):
    p = ROOT / path; t = p.read_text()
    for a, b in pairs:
        if a not in t: print("MISSING", path, repr(a)); continue
        t = t.replace(a, b)
    p.write_text(t)
# one Head: relay's goes, framing's stays in http.messages
src = Src(ROOT / "replaymock/proxy/relay.py"); d = top_defs(src)["Head"][0]
ls = src.text.splitlines(keepends=True); del ls[d[0]-1:d[1]]
src.path.write_text("".join(ls)); 
for p in py_files():
    s = Src(p)
    for n in ast.walk(s.tree):
        if isinstance(n, ast.ImportFrom) and n.module == "replaymock.proxy.relay" and any(a.name == "Head" for a in n.names):
            left = [(a.name, a.asname) for a in n.names if a.name != "Head"]
            a, e = s.span(n)
            s.edit(a, e, ("\n" + " " * n.col_offset).join(([import_text(n.module, left, 0)] if left else []) + ["from replaymock.http.messages import Head"]))
    s.apply()
add_imports(Src(ROOT / "replaymock/proxy/relay.py"), ["from replaymock.http.messages import Head"])
sub("replaymock/replay/faults.py", ("from replaymock.config.settings import _RANGE\n", ""))
p = ROOT / "replaymock/replay/faults.py"; p.write_text(p.read_text().rstrip("\n") + '\n_RANGE = re.compile(r"([0-9]+)(?:\\s*-\\s*([0-9]+))?")\n')
# filenames hold the limits of names
for mod, names in (("matching.naming", ["NAME_LIMIT", "_PLAIN"]),):
    print(move_defs(mod, [n for n in names if n in top_defs(Src(path_of("replaymock." + mod)))], "cassettes.filenames"))
tidy()
