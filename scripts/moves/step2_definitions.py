"""Definitions change house."""
import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))
from codemod import *
P = []
def mv(src, names, dst, doc=None, **k):
    if isinstance(names, str) and names != "*": names = names.split()
    have = top_defs(Src(path_of("replaymock." + src)))
    if names != "*":
        lost = [n for n in names if n not in have]
        if lost: print("NOT THERE", src, lost)
        names = [n for n in names if n in have]
    for p in move_defs(src, names, dst, doc, **k): P.append(f"[{src}->{dst}] {p}")
mv("http.uri", "is_template pattern specificity _blocks _anywhere _steps _TEMPLATE_PIECES",
   "cassettes.path_templates", "Path templates of cassettes and globs of rules, such as `/users/{id}` and `/files/**`, as one compiled pattern.")
mv("matching.canonical", "Location Selector parse_selector is_named _json_finder _EXAMPLES _WITHOUT_NAME", "http.selectors", "Selectors: the text that names a part of a message, such as `query:page` or `json:$.id` (RFC 9535).")
mv("matching.matcher", "SOCKET KnownBody", "cassettes.model", top=True)
mv("matching.matcher", "multipart_pairs _part_content", "cassettes.model")
mv("matching.matcher", "Difference differences _body_differences _field_differences _same _grouped _json_differences _member_step", "matching.differences",
   "How two canonical requests differ, field by field: what was recorded and what came.")
mv("cassettes.model", "standard_reason", "http.messages")
mv("http.problem", "miss_answer advice _is_another_value", "replay.miss_response", "The answer to a miss: a problem document that explains it, and what to do about it.")
mv("recording.causality", "write_name _ERRORS", "replay.sequence")
mv("recording.merge", "ERROR_STATUSES", "http.messages")
mv("config.settings", "Latency Direction parse_latency _FACTOR", "replay.faults")
mv("config.settings", "shown_url", "redaction.redactor")
mv("config.settings", "Upstream parse_upstream _split_url _URL", "proxy.routes", "Where requests go: which upstream a path belongs to.")
mv("proxy.relay", "Out", "http.rendered")
mv("proxy.client.response_parser", "Head", "http.messages")
mv("matching.naming", "is_cassette_name is_sidecar_name cassette_of mock_file mock_path METHODS _CASSETTE _SIDECAR_ENDING _LIKE_A_SIDECAR _SIDECAR _SIDECAR_ROOM", "cassettes.filenames",
   "What a file name says: cassette, sidecar of one, or plain mock at a path.")
mv("cassettes.model", "dump _dump_request _dump_request_body _dump_part _dump_content _dump_response _dump_response_body _dump_events _group_headers _pretty _MOST_OF_EVENTS",
   "cassettes.writer", "A cassette as the text of its file: two-space indent, fixed key order, LF, a final newline.")
mv("proxy.headers", "has_body content_length _is_chunked _MOST_DIGITS", "http.headers")
mv("proxy.relay", "Head", "proxy.client.response_parser") if False else None
mv("replay.pacing", "pauses_in SHORTEST_MS", "recording.response_capture")
mv("cli.options", "read_file _found _read _upwards", "config.discovery", "The configuration in force: a named file, or replaymock.toml and pyproject.toml found upwards from here.")
mv("telemetry.journal", "counted", "telemetry.console")

mv("http.uri", "PLACEHOLDER", "placeholders", "The two marks of a cassette: `{{redacted:NAME}}` for what is hidden, `{{origin}}` for the origin of the server.")
mv("http.origin", "TOKEN", "placeholders")
tidy()
print("\n".join(P))
