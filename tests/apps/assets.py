"""Records and replays the files of many npm packages: `python -m tests.apps.assets [--folder DIR] [--files N]`.

Each must come back byte for byte. Exits with 1 and names each that does not, with the place, unless all that differs is
the placeholder of a credential that really stands in it, such as the test keys of a library for cryptography.
"""

import argparse
import functools
import hashlib
import http.client
import http.server
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from replaymock.http import jwt
from tests.support.running import replaymock

PACKAGES = (
    "react react-dom vue jquery jquery-ui bootstrap lodash monaco-editor codemirror @codemirror/legacy-modes three d3 "
    "angular moment chart.js prismjs highlight.js swagger-ui-dist graphiql tinymce @fortawesome/fontawesome-free katex "
    "mermaid pdfjs-dist firebase aws-sdk crypto-js jsrsasign node-forge openpgp @azure/msal-browser auth0-js keycloak-js "
    "oidc-client oidc-client-ts amazon-cognito-identity-js @auth0/auth0-spa-js @okta/okta-auth-js axios superagent "
    "socket.io-client sockjs-client @stripe/stripe-js @supabase/supabase-js bootstrap-icons @mdi/font @angular/core "
    "@angular/common @angular/forms svelte preact backbone underscore knockout rxjs redux mobx zod yup formik ajv "
    "validator uuid jose jsonwebtoken elliptic tweetnacl sjcl bcryptjs ace-builds ckeditor4 quill marked markdown-it "
    "dompurify handlebars mustache ejs i18next moment-timezone dayjs date-fns luxon flatpickr select2 datatables.net "
    "leaflet ol echarts video.js hls.js plyr typescript @babel/standalone terser prettier sass bulma semantic-ui-css "
    "foundation-sites materialize-css uikit element-plus swiper slick-carousel sweetalert2 toastr vue-i18n "
    "jquery-validation zxcvbn xterm requirejs systemjs ethers @sentry/browser posthog-js mixpanel-browser "
    "libsodium-wrappers"
).split()
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "application/octet-stream",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".map": "application/json",
}
FEWEST_FILES = 2_000
LARGEST = 8 * 1024 * 1024
# The kinds of credentials that stand in published packages as tests and examples.
CREDENTIALS = frozenset(("pem", "jwt", "basic", "url_password", "bearer", "aws_access_key_id", "google_api_key"))
PLACEHOLDER = re.compile(rb"\{\{redacted:([a-z0-9_.\-]+?)(?::[0-9]+)?\}\}")


def install(folder: Path) -> None:
    """Fetches what of the packages is not there yet, a few at a time, so that one that is broken stops no other."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    line = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--loglevel=error"]
    missing = [name for name in PACKAGES if not (folder / "node_modules" / name).is_dir()]
    for at in range(0, len(missing), 20):
        done = subprocess.run([*line, *missing[at : at + 20]], cwd=folder, check=False)
        if done.returncode:
            print(f"not installed: {' '.join(missing[at : at + 20])}", file=sys.stderr)


def chosen(folder: Path, most: int) -> list[str]:
    """The paths of so many files, each kind in its share and none twice by its content."""
    found: dict[str, dict[bytes, str]] = {ending: {} for ending in TYPES}
    for file in sorted(folder.rglob("*")):
        if file.suffix in TYPES and file.is_file() and 0 < file.stat().st_size <= LARGEST:
            digest = hashlib.sha256(file.read_bytes()).digest()
            found[file.suffix][digest] = "/" + quote(str(file.relative_to(folder)))
    source, shares = random.Random(1), sum(map(bool, found.values()))
    paths: list[str] = []
    for files in found.values():
        some = sorted(files.values())
        source.shuffle(some)
        paths += some[: most // shares]
    rest = sorted({path for files in found.values() for path in files.values()}.difference(paths))
    return sorted([*paths, *source.sample(rest, min(len(rest), most - len(paths)))])


class Files(http.server.SimpleHTTPRequestHandler):
    """A server of files that says of each what it is."""

    protocol_version = "HTTP/1.1"
    extensions_map = TYPES

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of a folder on a port of their own."""
    handler = functools.partial(Files, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def fetched(url: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """What is answered to each path, over one connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        yield path, answer.read()


def credentials(sent: bytes, replayed: bytes) -> list[str] | None:
    """The kinds of the credentials that are hidden in what was replayed; None where anything else differs."""
    text = jwt.as_placeholders(replayed.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    first, *rest = PLACEHOLDER.split(text)
    kinds, between = [kind.decode() for kind in rest[::2]], rest[1::2]
    if not kinds or not sent.startswith(first) or not CREDENTIALS.issuperset(kinds):
        return None
    at = len(first)
    for piece in between[:-1]:
        found = sent.find(piece, at + 1)
        if found < 0:
            return None
        at = found + len(piece)
    return kinds if sent[at + 1 :].endswith(between[-1]) else None


def place(sent: bytes, replayed: bytes) -> str:
    """Where two bodies first differ, and what each says there."""
    at = next((at for at, (one, other) in enumerate(zip(sent, replayed, strict=False)) if one != other), -1)
    at = min(len(sent), len(replayed)) if at < 0 else at
    return f"at {at}: {sent[max(0, at - 40) : at + 60]!r} became {replayed[max(0, at - 40) : at + 60]!r}"


def compare(folder: Path, cassettes: Path, paths: list[str]) -> int:
    """Records and replays; how many files came back wrong."""
    with served(folder) as origin, replaymock("record", cassettes, "--upstream", origin) as server:
        live = [path for path, body in fetched(server.url, paths) if body != read(folder, path)]
        assert server.stop() == 0
    kinds, wrong = Counter[str](), 0
    with replaymock("replay", cassettes) as server:
        for path, body in fetched(server.url, paths):
            sent = read(folder, path)
            if body == sent:
                continue
            found = credentials(sent, body)
            kinds.update(found or ())
            wrong += found is None
            print(f"{path}: hidden {' '.join(found)}" if found else f"WRONG {path}: {place(sent, body)}")
    print(f"{len(paths)} files, {wrong} wrong, {len(live)} wrong while recording; hidden: {dict(kinds)}")
    return wrong + len(live)


def read(folder: Path, path: str) -> bytes:
    """What a file says."""
    return (folder / unquote(path).lstrip("/")).read_bytes()


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the packages are, or are installed to; a new one by default")
    parser.add_argument("--files", type=int, default=4_000, help="how many files, 4000 by default")
    options = parser.parse_args()
    temporary = Path(tempfile.mkdtemp(prefix="replaymock-assets-"))
    try:
        folder = options.folder or temporary / "packages"
        install(folder)
        paths = chosen(folder / "node_modules", options.files)
        if len(paths) < FEWEST_FILES:
            print(f"only {len(paths)} files, of at least {FEWEST_FILES}")
            return 1
        return 1 if compare(folder / "node_modules", temporary / "cassettes", paths) else 0
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
