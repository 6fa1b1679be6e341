import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
D = {
"http": '''HTTP, its bodies and its neighbours, as values and pure functions: what the standards say, and nothing of this product.

`messages` has the request, the response and the pair of them; `headers`, `uri`, `media_types`, `content_coding`,
`dates`, `cors`, `conditional` each one part of a message. `bodies` turns a body into the form a person can edit and
back, `json_tokens` changes JSON without parsing it, `event_stream` and `jwt` read what stands in a body. `origin`
replaces the backend's address by ours. `rendered` is an answer ready for the socket, `problem` one of our own errors.
`websocket_handshake`, `websocket_frames` and `websocket_messages` are RFC 6455.''',
"redaction": '''What is secret, and what stands in its place. The same functions run on what is stored and on what is matched.

`redactor` takes whole messages, `text` what stands in them. `secret_names` knows names, `credential_patterns` and
`credential_scanner` know shapes, `known_secrets` the values that this run has met. `json_context`, `loose_text` and
`nested_text` find values in JSON, in other text, and in text inside text. `placeholders` names what was hidden.
`gitleaks` reads a team's own rules.''',
"redaction.gitleaks": '''A team's own rules in the format of gitleaks 8: `config` reads the file, `re2` translates Go's expressions, `rules` applies them.''',
"cassettes": '''The cassette format: one file, one request and its responses.

`model` has the values, `schema` the shape of the file, `reader` and `writer` go between text and values, `websocket` does
so for conversations. `diagnostics` finds the line and column of a mistake. `filenames` says what a name means, and
`path_templates` which paths a template covers.''',
"matching": '''Which cassette answers a request, and if none does, why.

`canonical` is a request in the form that is compared, `matcher` makes it, `graphql` knows that one body by its operation.
`index` finds the cassette; `redacted_match` lets a placeholder stand for any telling value. `differences` and
`near_misses` explain a miss and hand over the line that mends it, in the file that `config_location` names.
`naming` makes the name of a cassette.''',
"telemetry": '''What a run tells: `journal` remembers requests and misses, `subscribers` hand events on, `console` writes them for people or programs, `lifecycle` has the first and the last of them.''',
"storage": '''Cassettes on the disk.

`folder` is the one place that knows the files, `loader` reads them, `atomic_write` writes them whole or not at all,
`lock` keeps two recorders apart, `watcher` hears of changes. `library` keeps the index in line with the folder and the
folder with what was recorded; `unsaved` holds what could not be written yet. `audit` checks a folder.''',
"storage.audit": '''A look through a folder of cassettes: `check` for mistakes, `secrets` for what should be hidden, `sarif` for machines.''',
"replay": '''From a cassette to an answer.

`engine` decides what a request gets. `sequence` says which response, `sessions` remember how far each client is,
`overrides` what rules and headers ask for. `renderer` makes the answer, `response_cache` keeps it, `time_shift` moves
its times, `pacing` and `faults` its pace and its failures. `websocket` plays a conversation, `miss_response` explains a
miss.''',
"proxy": '''A request on its way to the backend and the answer on its way back.

`routes` says which upstream a path belongs to, `upstreams` asks it, `headers` changes what a proxy must change, `relay`
passes the body on as it comes. `forwarder` does these in their order, with an `attempt` for each exchange.
`websocket` relays frames. `client` is the HTTP/1.1 client below.''',
"proxy.client": '''HTTP/1.1 towards the backend: `pool` of connections, one `connection`, `response_parser`, `uploading` of a body, `dialer` for a WebSocket, `proxied` through another proxy.''',
"recording": '''From exchanges to cassettes.

`pipeline` takes exchanges in the order their requests arrived. `request_capture` and `response_capture` say what is kept
of each, `cassette_builder` joins it with what is stored, by `merge`; `causality` finds the write that changed an answer.
`volatile_hints` names what alone changed. `hindsight` and `late_redaction` hide what became known to be secret
later. `websocket` records conversations.''',
"server": '''HTTP from clients.

`listener` accepts, `http_server` reads requests and hands them on, `client_connection` writes answers, `access` refuses
what is not for us, `connections` ends those that are idle. `websocket` takes over at an upgrade. `fastpath` answers
what is known byte for byte, `admin` has the own endpoints, `prefork` runs several processes.''',
"server.fastpath": '''Requests answered straight from the socket: `acceptor` takes connections and parses heads, `connection` is one of them, `cache` holds ready answers.''',
"server.admin": '''Own endpoints below `/__replaymock/`: `endpoints` answers programs, `page` serves the page in `static/` and its event stream.''',
"server.prefork": '''Several processes on one port: `supervisor` forks and restarts, `worker` serves, `ipc` is what they say to each other, `aggregate` makes one voice of many.''',
"config": '''Options of a run: `settings` has their values, `config_file` reads them from TOML, `discovery` finds the files,
`team_rules` adds a team's own rules for secrets.''',
"demo": '''`replaymock demo`: a bundled `shop` behind a `server`, visited by a `client`, recorded, stopped, replayed. `scenario` is the story, `compare` and `report` its end.''',
}
import textwrap
for p, text in D.items():
    f = ROOT / "replaymock" / p.replace(".", "/") / "__init__.py"
    first, _, rest = text.partition("\n\n")
    first = " ".join(first.split())
    if len(first) > 110:
        cut = re.match(r"([^:]+):\s+(.*)", first) or re.match(r"([^.]+)\.\s+(.*)", first)
        tail = cut.group(2)
        tail = tail[0].upper() + tail[1:]
        rest = "\n".join(textwrap.wrap(tail, 116)) + ("\n\n" + rest if rest else "")
        first = cut.group(1) + "."
    rest = "\n\n".join("\n".join(textwrap.wrap(" ".join(x.split()), 116)) for x in rest.split("\n\n")) if rest else ""
    f.write_text(f'"""{first}"""\n' if not rest else f'"""{first}\n\n{rest}\n"""\n')
def sub(path, *pairs):
    p = ROOT / path; t = p.read_text()
    for a, b in pairs:
        if a not in t: print("MISSING", path, repr(a)); continue
        t = t.replace(a, b)
    p.write_text(t)
# audit takes values
t = ROOT / "replaymock/storage/audit/check.py"
sub("replaymock/storage/audit/check.py",
    ("from replaymock.config.config_file import FileConfig\n", ""),
    ("def check(folder: Path, config: FileConfig, only", "def check(folder: Path, matcher: Matcher, only"),
    ("_doubles(store, config)", "_doubles(store, matcher)"))
sub("replaymock/storage/audit/secrets.py",
    ("from replaymock.config.config_file import FileConfig\n", ""),
    ("def scan(folder: Path, config: FileConfig, only", "def scan(folder: Path, redactor: Redactor, only"),
    ("store, redactor = CassetteFolder(folder, only), Redactor(config.redaction)", "store = CassetteFolder(folder, only)"))
sub("replaymock/storage/audit/check.py",
    ("def _doubles(store: CassetteFolder, config: FileConfig)", "def _doubles(store: CassetteFolder, matcher: Matcher)"),
    ("    matcher, serving = Matcher(config.rules, Redactor(config.redaction)), RenderOptions(CorsPolicy())\n", "    serving = RenderOptions(CorsPolicy())\n"),
    ("from replaymock.redaction.redactor import Redactor\n", ""))
sub("replaymock/cli/audit.py",
    ("    from replaymock.storage.audit import check as inspection  # noqa: PLC0415\n\n    configuration", "    from replaymock.matching.matcher import Matcher  # noqa: PLC0415\n    from replaymock.redaction.redactor import Redactor  # noqa: PLC0415\n    from replaymock.storage.audit import check as inspection  # noqa: PLC0415\n\n    configuration"),
    ("    looked_into = _looked_into(places, configuration)\n    findings = [line for folder, only in looked_into for line in inspection.check(folder, configuration, only)]",
     "    looked_into = _looked_into(places, configuration)\n    matcher = Matcher(configuration.rules, Redactor(configuration.redaction))\n    findings = [line for folder, only in looked_into for line in inspection.check(folder, matcher, only)]"),
    ("    from replaymock.storage.audit import secrets  # noqa: PLC0415\n", "    from replaymock.redaction.redactor import Redactor  # noqa: PLC0415\n    from replaymock.storage.audit import secrets  # noqa: PLC0415\n"),
    ("    found_in = [(folder, secrets.scan(folder, configuration, only)) for folder, only in looked_into]",
     "    redactor = Redactor(configuration.redaction)\n    found_in = [(folder, secrets.scan(folder, redactor, only)) for folder, only in looked_into]"))
for t, pat, rep, imp in (
    ("tests/storage/audit/test_check.py", r"check\.check\(tmp_path, NONE\)", "check.check(tmp_path, PLAIN)", ""),
    ("tests/storage/audit/test_secrets.py", r"scan\((\w+), NONE\)", r"scan(\1, PLAIN)", "")):
    p = ROOT / t; x = re.sub(pat, rep, p.read_text())
    if "test_check" in t:
        x = x.replace("check.check(tmp_path, read(config, \"here\"))", "check.check(tmp_path, matcher_of(read(config, \"here\")))")
        x = re.sub(r"secrets\.scan\((\w+), NONE\)", r"secrets.scan(\1, Redactor())", x)
        x = x.replace("    for look in (check.check, secrets.scan):\n        look(tmp_path, NONE)\n", "    check.check(tmp_path, PLAIN)\n    secrets.scan(tmp_path, Redactor())\n")
        x = x.replace("NONE = FileConfig()\n", "\n\ndef matcher_of(config: FileConfig) -> Matcher:\n    return Matcher(config.rules, Redactor(config.redaction))\n\n\nPLAIN = matcher_of(FileConfig())\n")
        x = x.replace("from replaymock.config.config_file import", "from replaymock.matching.matcher import Matcher\nfrom replaymock.redaction.redactor import Redactor\nfrom replaymock.config.config_file import", 1)
    else:
        x = x.replace("NONE = FileConfig()\n", "PLAIN = Redactor()\n").replace("scan(folder, FileConfig())", "scan(folder, PLAIN)").replace("scan(tmp_path, kept)", "scan(tmp_path, Redactor(kept.redaction))").replace("scan(tmp_path, cards)", "scan(tmp_path, Redactor(cards.redaction))")
        x = x.replace("from replaymock.config.config_file import", "from replaymock.redaction.redactor import Redactor\nfrom replaymock.config.config_file import", 1)
    p.write_text(x)
def redoc(mod, doc):
    p = path_of("replaymock." + mod); t = p.read_text(); n = ast.parse(t).body[0]
    ls = t.splitlines(keepends=True); ls[n.lineno-1:n.end_lineno] = [f'"""{doc}"""\n']; p.write_text("".join(ls))
redoc("redaction.json_context", "What the neighbours of a JSON member tell of its value; and whether a text can hold a secret at all.")
redoc("redaction.loose_text", "Names and values in text that is no JSON: assignments, HTML and XML, URL parameters, tables of values.\n")
redoc("redaction.nested_text", "Text inside text: base64, percent-encoding, data of events, arguments of calls.\n\nWhat is found is handed to a function, and what that makes of it is written back in the same form.\n")
redoc("redaction.placeholders", "The names of hidden values: `{{redacted:NAME}}`, with an ordinal for each further value of the same name.")
sub("replaymock/placeholders.py", ("  # noqa: S105 - no password", ""))

p = ROOT / "replaymock/redaction/redactor.py"; t = p.read_text()
t = re.sub(r"__all__ = .*\n__all__ \+= .*\n\n?", "", t); p.write_text(t)
tidy()
print(subprocess.run([str(ROOT/".venv/bin/ruff"), "check", "--output-format", "concise", *DIRS], cwd=ROOT, capture_output=True, text=True).stdout[-3000:])
