import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
def sub(path, *pairs):
    p = ROOT / path; t = p.read_text()
    for a, b in pairs:
        assert a in t, (path, a)
        t = t.replace(a, b)
    p.write_text(t)
sub("tests/support/documents.py", ("resolve().parent.parent", "resolve().parents[2]"))
sub("tests/support/browser.py", ('Path(__file__).parent / "features" / "pages"', 'Path(__file__).parents[1] / "e2e" / "pages"'))
git_mv(ROOT / "replaymock/page", "replaymock/server/admin/static")
sub("replaymock/server/admin/page.py", ('with_name("page")', 'with_name("static")'), ("files of `page/`", "files of `static/`"))
sub("tests/server/test_http_server.py", ('at test_server.py:', 'at test_http_server.py:'))
for a, b in (("test_cli", "cli/test_commands"), ("test_demo_report", "demo/test_report"), ("test_demo_shop", "demo/test_shop")):
    (ROOT / f"tests/{b}").parent.mkdir(exist_ok=True); (ROOT / f"tests/{b}").parent.joinpath("__init__.py").touch()
    git_mv(ROOT / f"tests/{a}.py", f"tests/{b}.py")
print(subprocess.run("grep -rnE 'features/|tests/corpus|replaymock/page|tests.features' --include=* -I . .ci --exclude-dir=.venv --exclude-dir=.git --exclude-dir=.mypy_cache --exclude-dir=.ruff_cache --exclude-dir=.pytest_cache | cut -c1-200", shell=True, capture_output=True, text=True, cwd=ROOT).stdout)
