rn("placeholders", ("TOKEN", "ORIGIN"), ("PLACEHOLDER", "REDACTED"))
def dedupe(mod, name):
    """Drops the second and later definitions of a name."""
    src = Src(path_of("replaymock." + mod)); d = top_defs(src)[name]
    ls = src.text.splitlines(keepends=True)
    for first, last, _ in sorted(d[1:], reverse=True): del ls[first-1:last]
    src.path.write_text("".join(ls))
# redaction
rn("redaction.columns", ("replace", "redact_table"), ("_changed", "_changed_row"), ("_field", "_csv_field"), ("_FIELDS", "_CSV_FIELDS"))
rn("redaction.members", ("replace_members", "redact_assignments"))
rn("redaction.markup", ("replace_in_tags", "redact_attributes"), ("_tag", "_changed_tag"))
rn("redaction.parameters", ("replace_parameters", "redact_url_parameters"), ("_NAME", "_PARAMETER_NAME"), ("_VALUE", "_PARAMETER_VALUE"), ("_WHOLE_VALUE", "_WHOLE_PARAMETER_VALUE"))
DOC = "Names and values in text that is no JSON: assignments, tags of HTML and XML, URL parameters, tables of comma-separated values."
merge("redaction.members redaction.markup redaction.parameters redaction.columns", "redaction.loose_text", DOC)
dedupe("redaction.loose_text", "Change")
rn("redaction.embedded", ("_LINE", "_EVENT_LINE"))
merge("redaction.encoded redaction.embedded", "redaction.nested_text", "Text inside text: base64, percent-encoding, data of events, arguments of calls. What is found is handed to the redactor and written back in the same form.")
dedupe("redaction.nested_text", "Change")
merge("redaction.places redaction.glance", "redaction.json_context", "What the neighbours of a JSON member tell of its value, and a quick look that tells when a JSON text surely holds no secret.")
merge("redaction.labels redaction.numbering", "redaction.placeholders", "How a hidden value is named in a cassette: `{{redacted:NAME}}`, with an ordinal for each further value of the same name.")
# cassettes
merge("cassettes.sidecars", "cassettes.reader", top=True)
# storage
# recording
rn("recording.volatile", ("without", "drop_volatile"))
merge("recording.volatile", "recording.merge")
merge("recording.turns recording.line", "recording.pipeline", top=True)
merge("recording.repeats", "recording.cassette_builder")
# matching
merge("matching.finding", "matching.index")
# proxy
merge("proxy.keeping", "proxy.relay", top=True)
merge("proxy.passing", "proxy.headers")
# replay
merge("replay.mode", "replay.engine", top=True)
merge("replay.socketplay", "replay.websocket", top=True)
# server
merge("server.accepting", "server.listener")
_t = path_of("replaymock.server.accepting")
if _t.exists(): subprocess.run(["git", "rm", "-qf", str(_t)], cwd=ROOT)
_l = path_of("replaymock.server.listener"); _s = Src(_l); _at = [n for n in _s.tree.body if isinstance(n, (ast.Import, ast.ImportFrom))][-1].end_lineno
_x = _s.text.splitlines(keepends=True); _x[_at:_at] = ["\ntry:\n    import resource\nexcept ImportError:  # not on Windows, which has no such limit\n    resource = None  # type: ignore[assignment]\n"]; _l.write_text("".join(_x))
merge("server.patience", "server.connections", top=True)
merge("server.admission", "server.access")
merge("server.fastpath.plainhead", "server.fastpath.acceptor")
