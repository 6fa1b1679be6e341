import ast, sys
from pathlib import Path
L = [["errors","placeholders","__init__","__version__"],["http"],["redaction"],["cassettes"],["matching"],["telemetry"],["storage"],["proxy","replay"],["recording"],["server"],["config"],["app","wiring"],["cli","demo","__main__"]]
rank = {p:i for i,l in enumerate(L) for p in l}
R = Path("replaymock")
mods = {}
for f in R.rglob("*.py"):
    parts = f.relative_to(R).with_suffix("").parts
    if parts[-1]=="__init__": parts=parts[:-1]
    mods[".".join(parts)] = f
edges=set()
uses={}
for m,f in mods.items():
    for n in ast.walk(ast.parse(f.read_text())):
        if isinstance(n, ast.ImportFrom) and (n.module or "").split(".")[0]=="replaymock":
            base = n.module.removeprefix("replaymock").lstrip(".")
            for a in n.names:
                t = f"{base}.{a.name}".lstrip(".")
                t = t if t in mods else base
                if t and t!=m:
                    edges.add((m,t)); uses.setdefault((m,t),set()).add(a.name)
if __name__=="__main__":
    bad=[(a,b) for a,b in edges if a.split(".")[0]!=b.split(".")[0] and rank[b.split(".")[0]]>=rank[a.split(".")[0]]]
    for a,b in sorted(bad): print(a,"->",b, sorted(uses[(a,b)]))
    print(len(bad))
    left={m:{b for a,b in edges if a==m} for m in mods}
    while free:=[m for m,u in left.items() if not u & set(left)]:
        for m in free: del left[m]
    pass
    # strongly connected components
    g={m:{b for a,b in edges if a==m} for m in mods}
    import sys; sys.setrecursionlimit(10000)
    idx={};low={};st=[];on=set();out=[];c=[0]
    def sc(v):
        idx[v]=low[v]=c[0];c[0]+=1;st.append(v);on.add(v)
        for w in g[v]:
            if w not in idx: sc(w);low[v]=min(low[v],low[w])
            elif w in on: low[v]=min(low[v],idx[w])
        if low[v]==idx[v]:
            k=[]
            while True:
                w=st.pop();on.discard(w);k.append(w)
                if w==v:break
            if len(k)>1: out.append(k)
    for v in g:
        if v not in idx: sc(v)
    for k in out:
        print("SCC", k)
        for a in k:
            for b in g[a] & set(k): print("   ",a,"->",b,sorted(uses[(a,b)]))
