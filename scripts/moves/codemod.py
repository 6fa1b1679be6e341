"""Codemod: modules move, definitions move, names change; text edits at AST positions."""
import ast, io, re, subprocess, sys, tokenize
from pathlib import Path

ROOT = Path.cwd()
DIRS = ["replaymock", "tests", "benchmarks", "scripts"]

def py_files():
    out = []
    for d in DIRS:
        out += [p for p in (ROOT / d).rglob("*.py") if not {"__pycache__", "moves"} & set(p.parts)]
    return sorted(out)

def mod_of(path):
    rel = path.relative_to(ROOT).with_suffix("").parts
    if rel[-1] == "__init__": rel = rel[:-1]
    return ".".join(rel)

_CACHE = {}
_LIST = []
class Src:
    def __new__(cls, path):
        # One object a file while its text stays the same.
        text = path.read_text(encoding="utf-8")
        got = _CACHE.get(path)
        if got is not None and got.text == text: return got
        self = super().__new__(cls); self.fresh = True; _CACHE[path] = self
        return self
    def __init__(self, path):
        if not self.__dict__.pop("fresh", False): return
        self._init(path)
    def _init(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.load()
    def load(self):
        self.tree = ast.parse(self.text)
        self.bytes_lines = [l.encode() for l in self.text.splitlines(keepends=True)]
        self.starts = [0]
        for l in self.bytes_lines: self.starts.append(self.starts[-1] + len(l))
        self.edits = []
    def off(self, line, col): return self.starts[line - 1] + col
    def span(self, n): return self.off(n.lineno, n.col_offset), self.off(n.end_lineno, n.end_col_offset)
    def edit(self, a, b, t): self.edits.append((a, b, t.encode()))
    def apply(self):
        if not self.edits: return False
        data = self.text.encode()
        for a, b, t in sorted(set(self.edits), reverse=True):
            data = data[:a] + t + data[b:]
        new = data.decode()
        if new == self.text: return False
        self.text = new
        self.path.write_text(new, encoding="utf-8")
        self.load()
        return True

def binds(tree, name, skip_imports=True):
    """Lines on which `name` is bound otherwise than by import, or used as a name."""
    hits = []
    for n in ast.walk(tree):
        if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load): hits.append(n.lineno)
        elif isinstance(n, ast.arg) and n.arg == name: hits.append(n.lineno)
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == name and n in tree.body: hits.append(n.lineno)
        elif isinstance(n, ast.ExceptHandler) and n.name == name: hits.append(n.lineno)
        elif not skip_imports and isinstance(n, ast.alias) and (n.asname or n.name) == name: hits.append(0)
    return hits

def import_text(module, names, indent, trailing=""):
    inner = ", ".join(f"{a} as {b}" if b and a != b else a for a, b in names)
    return f"from {module} import {inner}{trailing}"

def trailing_comment(src, node):
    line = src.text.splitlines()[node.end_lineno - 1]
    rest = line.encode()[node.end_col_offset:].decode()
    return ""  # kept in place as we only replace the node's span

def move_modules(mapping):
    """mapping: 'old' -> 'new' dotted below replaymock (or full names for tests.*)."""
    full = {("replaymock." + k if not k.startswith("tests.") else k): ("replaymock." + v if not v.startswith("tests.") else v) for k, v in mapping.items()}
    problems = []
    for path in py_files():
        src = Src(path)
        uses = {}
        for n in ast.walk(src.tree):
            if isinstance(n, ast.Import):
                for a in n.names:
                    if a.name in full: problems.append(f"{path}:{n.lineno} import {a.name}")
            if isinstance(n, ast.ImportFrom) and n.level == 0 and n.module:
                groups = {}
                changed = False
                for a in n.names:
                    sub = f"{n.module}.{a.name}"
                    if sub in full:
                        changed = True
                        pkg, _, base = full[sub].rpartition(".")
                        asname = a.asname
                        if base != a.name and not asname:
                            uses[a.name] = base
                        groups.setdefault(pkg, []).append((base, asname))
                    else:
                        target = full.get(n.module, n.module)
                        changed |= target != n.module
                        groups.setdefault(target, []).append((a.name, a.asname))
                if changed:
                    s, e = src.span(n)
                    sep = "\n" + " " * n.col_offset
                    src.edit(s, e, sep.join(import_text(m, names, 0) for m, names in groups.items()))
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and "import" in n.value and ("replaymock" in n.value or "tests." in n.value) and hasattr(n, "end_lineno"):
                s, e = src.span(n)
                raw = src.text.encode()[s:e].decode()
                new = code_text(raw, full)
                if new != raw and raw[0] in "\"'frR": src.edit(s, e, new)
            elif isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value.startswith(("replaymock.", "tests.")) and "\n" not in n.value:
                parts = n.value.split(".")
                for i in range(len(parts), 1, -1):
                    head = ".".join(parts[:i])
                    if head in full and not n.value.endswith((".toml",)):
                        s, e = src.span(n)
                        new = ".".join([full[head], *parts[i:]])
                        raw = src.text.encode()[s:e].decode()
                        src.edit(s, e, raw.replace(n.value, new))
                        break
        for old, new in uses.items():
            if binds(src.tree, old): problems.append(f"{path}: alias {old} is bound otherwise at {binds(src.tree, old)}")
            clash = binds(src.tree, new, False)
            if clash:
                attrs = {n.attr for n in ast.walk(src.tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == old}
                problems.append(f"{path}: {old} -> {new} clashes at {clash}; kept as {old} for {attrs}")
                src.edits = [(a, b, re.sub(rb"import (.*\b)?%s\b(?! as)" % new.encode(), lambda m: m.group(0) + b" as " + old.encode(), t) if any(x in t for x in [b"import"]) and re.search(rb"\b%s\b" % new.encode(), t.split(b"import", 1)[1]) else t) for a, b, t in src.edits]
                continue
            for n in ast.walk(src.tree):
                if isinstance(n, ast.Name) and n.id == old:
                    s, e = src.span(n)
                    src.edit(s, e, new)
        src.apply()
    return problems

def code_text(raw, full):
    def mod(m):
        return full.get(m.group(0), m.group(0))
    raw = re.sub(r"\btests\.[a-z0-9_]+\b", lambda m: full.get(m.group(0), m.group(0)), raw)
    raw = re.sub(r"\breplaymock\.[a-z0-9_]+(?:\.[a-z0-9_]+)?\b(?!\.(?:toml|json))", lambda m: full.get(m.group(0), m.group(0)), raw)
    def single(m):
        name = m.group(1)
        sub = f"replaymock.{name}"
        if sub not in full: return m.group(0)
        pkg, _, base = full[sub].rpartition(".")
        return f"from {pkg} import {base}" + (f" as {name}" if base != name else "")
    return re.sub(r"from replaymock import (\w+)\b(?!,)", single, raw)

def git_mv(a, b):
    b = ROOT / b
    b.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "mv", str(a), str(b)], cwd=ROOT, check=True)

# ---------------------------------------------------------------- definitions
def top_defs(src):
    """name -> (node, start, end) for top-level definitions, with the comments right above and docstring strings below."""
    out = {}
    body = src.tree.body
    lines = src.text.splitlines(keepends=True)
    for i, n in enumerate(body):
        names = []
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): names = [n.name]
        elif isinstance(n, ast.Assign):
            for t in n.targets:
                names += [x.id for x in ast.walk(t) if isinstance(x, ast.Name)]
        elif isinstance(n, (ast.AnnAssign, ast.AugAssign)) and isinstance(n.target, ast.Name): names = [n.target.id]
        elif hasattr(ast, "TypeAlias") and isinstance(n, ast.TypeAlias): names = [n.name.id]
        if not names: continue
        first = min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", []))])
        while first >= 2 and lines[first - 2].startswith("#"): first -= 1
        last = n.end_lineno
        if i + 1 < len(body) and isinstance(body[i + 1], ast.Expr) and isinstance(body[i + 1].value, ast.Constant) and isinstance(body[i + 1].value.value, str) and isinstance(n, (ast.Assign, ast.AnnAssign)):
            last = body[i + 1].end_lineno
        for name in names: out.setdefault(name, []).append((first, last, n))
    return out

def imports_of(src):
    """bound name -> (module, name, asname) of top-level from-imports; 'import x' too; flags type-checking ones."""
    out = {}
    def visit(body, checking):
        for n in body:
            if isinstance(n, ast.ImportFrom) and n.level == 0:
                for a in n.names: out[a.asname or a.name] = (n.module, a.name, a.asname, checking)
            elif isinstance(n, ast.Import):
                for a in n.names: out[a.asname or a.name.split(".")[0]] = (None, a.name, a.asname, checking)
            elif isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test): visit(n.body, True)
    visit(src.tree.body, False)
    return out

def names_in(text):
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)} | {
        w for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str) and re.fullmatch(r"[\w\[\], .|\"']+", n.value) for w in re.findall(r"\w+", n.value)}

def import_line(spec):
    module, name, asname, _ = spec
    tail = f" as {asname}" if asname and asname != name else ""
    return f"import {name}{tail}" if module is None else f"from {module} import {name}{tail}"

def add_imports(src, lines):
    """Adds import lines after the docstring / first imports."""
    if not lines: return
    text = src.text
    tree = ast.parse(text)
    at = 0
    for n in tree.body:
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and at == 0: at = n.end_lineno; continue
        if isinstance(n, (ast.Import, ast.ImportFrom)): at = n.end_lineno; continue
        break
    ls = text.splitlines(keepends=True)
    ls[at:at] = ["\n" if at else ""] + [l + "\n" for l in sorted(set(lines))]
    src.text = "".join(ls)
    src.path.write_text(src.text, encoding="utf-8")
    src.load()

def path_of(module):
    p = ROOT / (module.replace(".", "/") + ".py")
    if p.exists(): return p
    q = ROOT / module.replace(".", "/") / "__init__.py"
    return q if q.exists() else p

def move_defs(src_mod, names, dst_mod, doc=None, top=False):
    """Moves top-level definitions; names='*' for all. Deletes the source file when nothing is left."""
    problems = []
    S, D = "replaymock." + src_mod, "replaymock." + dst_mod
    src = Src(path_of(S))
    dpath = path_of(D)
    if not dpath.exists():
        dpath.parent.mkdir(parents=True, exist_ok=True)
        dpath.write_text(f'"""{doc or "TODO doc"}"""\n', encoding="utf-8")
        subprocess.run(["git", "add", "-N", str(dpath)], cwd=ROOT)
    dst = Src(dpath)
    defs, ddefs = top_defs(src), top_defs(dst)
    if names == "*": names = list(defs)
    simp, dimp = imports_of(src), imports_of(dst)
    missing = [n for n in names if n not in defs]
    if missing: raise SystemExit(f"{S} has no {missing}")
    pieces, taken = [], set()
    lines = src.text.splitlines(keepends=True)
    for n in names:
        for first, last, node in defs[n]:
            if (first, last) in taken: continue
            taken.add((first, last))
            pieces.append((first, "".join(lines[first - 1:last]), node))
    pieces.sort(key=lambda p: p[0])
    for n in names:
        if n in ddefs: problems.append(f"{n} is in both {S} and {D}")
        if n in dimp and dimp[n][0] != S: problems.append(f"{n} is imported in {D} from {dimp[n][0]}")
    moved = set(names)
    body = ""
    for _, text, node in pieces:
        gap = "\n\n" if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) else "\n"
        body += gap + text
    used = names_in(body)
    need, checking = [], []
    for u in sorted(used):
        if u in moved: continue
        if u in simp:
            if simp[u][0] == D: continue
            if u in dimp:
                if dimp[u][:2] != simp[u][:2]: problems.append(f"{u}: imported differently in {S} and {D}")
                elif dimp[u][3] and not simp[u][3]: need.append(import_line(simp[u]))
                continue
            if u in ddefs: problems.append(f"{u} of {S}'s imports is defined in {D}"); continue
            if f"{simp[u][0]}.{simp[u][1]}" == D: problems.append(f"moved code speaks of {u}, the module itself"); continue
            (checking if simp[u][3] else need).append(import_line(simp[u]))
        elif u in defs:
            need.append(f"from {S} import {u}")
    # remove from source
    keep = list(lines)
    for first, last in taken:
        for i in range(first - 1, last): keep[i] = None
    src.text = "".join(l for l in keep if l is not None)
    rest_tree = ast.parse(src.text)
    left = [n for n in rest_tree.body if not isinstance(n, (ast.Import, ast.ImportFrom, ast.If)) and not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    gone = not left
    src.path.write_text(src.text, encoding="utf-8"); src.load()
    rest_used = names_in(src.text)
    back = [f"from {D} import {n}" for n in names if n in rest_used] if not gone else []
    add_imports(src, back)
    # into destination
    text = dst.text
    if top:
        tree = ast.parse(text); at = 0
        for n in tree.body:
            if isinstance(n, (ast.Import, ast.ImportFrom)) or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and at == 0) or (isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)): at = n.end_lineno; continue
            break
        ls = text.splitlines(keepends=True)
        text = "".join(ls[:at]) + "\n" + body + "\n\n" + "".join(ls[at:])
    else:
        text = text.rstrip("\n") + "\n" + body
    # drop imports of moved names from source module in destination
    dst.text = text; dst.path.write_text(text, encoding="utf-8"); dst.load()
    drop_import(dst, S, moved)
    add_imports(dst, need)
    if checking:
        ls = dst.text
        blk = "if TYPE_CHECKING:\n" + "".join(f"    {l}\n" for l in sorted(set(checking)))
        add_imports(dst, ["from typing import TYPE_CHECKING"])
        problems.append(f"{D}: TYPE_CHECKING imports to place by hand: {checking}")
    if gone:
        subprocess.run(["git", "rm", "-q", "--cached", str(src.path)], cwd=ROOT); src.path.unlink()
    # importers
    for path in py_files():
        if path in (dst.path,): continue
        if path == src.path: continue
        problems += redirect(Src(path), S, D, moved)
    if dst.path.exists(): problems += redirect(Src(dst.path), S, D, moved, inside=True)
    return problems

def drop_import(src, module, names):
    for n in ast.walk(src.tree):
        if isinstance(n, ast.ImportFrom) and n.module == module:
            left = [(a.name, a.asname) for a in n.names if a.name not in names]
            s, e = src.span(n)
            if len(left) == len(n.names): continue
            src.edit(s, e, import_text(module, left, 0) if left else ("pass" if n.col_offset else ""))
    src.apply()

def redirect(src, S, D, names, inside=False):
    problems = []
    if S.rpartition(".")[2] not in src.text: return problems
    spkg, _, sbase = S.rpartition(".")
    dpkg, _, dbase = D.rpartition(".")
    mod_alias = None
    wanted = False
    for n in ast.walk(src.tree):
        if isinstance(n, ast.ImportFrom) and n.level == 0:
            if n.module == S:
                here = [(a.name, a.asname) for a in n.names if a.name not in names]
                there = [(a.name, a.asname) for a in n.names if a.name in names]
                if there:
                    s, e = src.span(n)
                    parts = ([import_text(S, here, 0)] if here else []) + [import_text(D, there, 0)]
                    src.edit(s, e, ("\n" + " " * n.col_offset).join(parts))
            elif n.module == spkg:
                for a in n.names:
                    if a.name == sbase: mod_alias = (a.asname or a.name, n)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value.startswith(S + ".") and n.value[len(S) + 1:].split(".")[0] in names:
            s, e = src.span(n)
            src.edit(s, e, src.text.encode()[s:e].decode().replace(S + ".", D + "."))
    if mod_alias:
        alias, node = mod_alias
        uses = [n for n in ast.walk(src.tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == alias]
        hit = [n for n in uses if n.attr in names]
        other = [n for n in uses if n.attr not in names]
        if hit:
            clash = [x for x in binds(src.tree, dbase, False)]
            existing = any(isinstance(n, ast.ImportFrom) and n.module == dpkg and any(a.name == dbase and not a.asname for a in n.names) for n in ast.walk(src.tree))
            real = binds(src.tree, dbase)
            if inside:
                for n in hit:
                    s, e = src.span(n); src.edit(s, e, n.attr)
            else:
                if real: problems.append(f"{src.path}: {alias}.x -> {dbase}.x clashes at {real}")
                for n in hit:
                    s, _ = src.span(n.value); _, e = src.span(n.value)
                    src.edit(s, e, dbase)
                if not existing:
                    s, e = src.span(node)
                    keep = [(a.name, a.asname) for a in node.names if other or a.name != sbase]
                    parts = ([import_text(node.module, keep, 0)] if keep else []) + [f"from {dpkg} import {dbase}"]
                    src.edit(s, e, ("\n" + " " * node.col_offset).join(parts))
                elif not other:
                    keep = [(a.name, a.asname) for a in node.names if a.name != sbase]
                    s, e = src.span(node)
                    src.edit(s, e, import_text(node.module, keep, 0) if keep else "pass" if node.col_offset else "")
    src.apply()
    return problems

# ---------------------------------------------------------------- renames
def rename(mod, old, new):
    """A top-level name of a module, everywhere."""
    problems = []
    M = "replaymock." + mod
    pkg, _, base = M.rpartition(".")
    src = Src(path_of(M))
    if old not in top_defs(src): raise SystemExit(f"{M} has no {old}")
    problems += _rename_in(src, old, new, True)
    for path in py_files():
        if path == src.path: continue
        if old not in path.read_text(encoding="utf-8"): continue
        s = Src(path)
        direct = False
        for n in ast.walk(s.tree):
            if isinstance(n, ast.ImportFrom) and n.module == M:
                for a in n.names:
                    if a.name == old:
                        p, e = s.span(a)
                        s.edit(p, e, f"{new} as {a.asname}" if a.asname else new)
                        direct |= not a.asname
            if isinstance(n, ast.Attribute) and n.attr == old and isinstance(n.value, ast.Name):
                if any(isinstance(i, ast.ImportFrom) and i.module == pkg and any((a.asname or a.name) == n.value.id and a.name == base for a in i.names) for i in ast.walk(s.tree)):
                    _, e = s.span(n); s.edit(e - len(old.encode()), e, new)
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value == f"{M}.{old}":
                p, e = s.span(n); s.edit(p, e, s.text.encode()[p:e].decode().replace(f"{M}.{old}", f"{M}.{new}"))
        if direct:
            problems += _rename_in(s, old, new, False)
        else:
            s.apply()
    return problems

def _rename_in(src, old, new, owner):
    problems = []
    clash = binds(src.tree, new, False)
    if clash: problems.append(f"{src.path}: {new} is taken at {clash}")
    tops = [n for n in src.tree.body]
    hidden = set()
    def scope(node, shadowed):
        for c in ast.iter_child_nodes(node):
            if isinstance(c, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                a = c.args
                own = {x.arg for x in [*a.args, *a.kwonlyargs, *a.posonlyargs, *filter(None, [a.vararg, a.kwarg])]}
                if not isinstance(c, ast.Lambda):
                    own |= {x.id for x in ast.walk(c) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
                if old in own or shadowed:
                    for x in (c.body if isinstance(c.body, list) else [c.body]):
                        for y in ast.walk(x):
                            if isinstance(y, ast.Name) and y.id == old: hidden.add(y)
                scope(c, shadowed or old in own)
            elif isinstance(c, ast.ClassDef):
                for x in c.body:
                    if isinstance(x, ast.AnnAssign) and isinstance(x.target, ast.Name) and x.target.id == old: hidden.add(x.target)
                    if isinstance(x, ast.Assign):
                        for t in x.targets:
                            if isinstance(t, ast.Name) and t.id == old: hidden.add(t)
                scope(c, shadowed)
            elif isinstance(c, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)) and any(isinstance(x, ast.Name) and x.id == old for g in c.generators for x in ast.walk(g.target)):
                for y in ast.walk(c):
                    if isinstance(y, ast.Name) and y.id == old: hidden.add(y)
            else: scope(c, shadowed)
    scope(src.tree, False)
    if hidden: problems.append(f"{src.path}: {old} is also a local, left alone there")
    for n in ast.walk(src.tree):
        if isinstance(n, ast.Name) and n.id == old and n not in hidden:
            s, e = src.span(n); src.edit(s, e, new)
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == old and n in tops:
            line = src.bytes_lines[n.lineno - 1]
            m = re.search(rb"(?:def|class)\s+(" + old.encode() + rb")\b", line)
            a = src.starts[n.lineno - 1] + m.start(1)
            src.edit(a, a + len(old.encode()), new)
        elif isinstance(n, ast.Constant) and isinstance(n.value, str) and re.search(rf"\b{old}\b", n.value) and is_annotation(src, n):
            s, e = src.span(n)
            src.edit(s, e, re.sub(rf"\b{old}\b", new, src.text.encode()[s:e].decode()))
    src.apply()
    return problems

def is_annotation(src, const):
    for n in ast.walk(src.tree):
        ann = []
        if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "TypeVar" and n.args[:1] == [const]: return True
        if isinstance(n, ast.arg): ann = [n.annotation]
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)): ann = [n.returns]
        elif isinstance(n, ast.AnnAssign): ann = [n.annotation]
        elif isinstance(n, ast.Call) and getattr(n.func, "id", "") in ("cast", "TypeVar"): ann = n.args[:1] if getattr(n.func, "id", "") == "cast" else []
        elif isinstance(n, ast.Assign): ann = []
        for a in ann:
            if a is not None and any(x is const for x in ast.walk(a)): return True
    return False

def rename_attr(old, new, only=None, skip=()):
    """Every `.old` attribute, def of a method and keyword `old=` (in `only` files if given)."""
    for path in py_files():
        rel = str(path.relative_to(ROOT))
        if only and not any(re.search(o, rel) for o in only): continue
        if any(re.search(o, rel) for o in skip): continue
        s = Src(path)
        for n in ast.walk(s.tree):
            if isinstance(n, ast.Attribute) and n.attr == old:
                _, e = s.span(n); s.edit(e - len(old.encode()), e, new)
            elif isinstance(n, ast.ClassDef):
                for m in n.body:
                    if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)) and m.name == old:
                        line = s.bytes_lines[m.lineno - 1]
                        k = re.search(rb"def\s+(" + old.encode() + rb")\b", line)
                        a = s.starts[m.lineno - 1] + k.start(1); s.edit(a, a + len(old.encode()), new)
                    elif isinstance(m, ast.AnnAssign) and isinstance(m.target, ast.Name) and m.target.id == old:
                        p, e = s.span(m.target); s.edit(p, e, new)
        s.apply()

def tidy():
    py = str(ROOT / ".venv/bin/ruff")
    subprocess.run([py, "check", "-q", "--select", "I,F401", "--fix", *DIRS], cwd=ROOT)
    subprocess.run([py, "format", "-q", *DIRS], cwd=ROOT)
