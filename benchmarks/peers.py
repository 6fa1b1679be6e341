"""Other servers that do what replaymock does, measured where they are installed: one recipe each, and their table.

A recipe writes what its server needs into a folder, and gives the command that serves it on a port.
"""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, material


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer is to run: an empty folder, its port, how many bodies, and the port to record from."""

    folder: Path
    port: int
    count: int = 0
    upstream: int = 0

    @property
    def origin(self) -> str:
        """What is recorded from."""
        return f"http://127.0.0.1:{self.upstream}"


Recipe = Callable[[Place], list[str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server, how to see that it is installed, and its recipes; None for what it cannot do."""

    name: str
    version: Callable[[], str]
    replay: Recipe | None = None
    record: Recipe | None = None


def installed() -> tuple[list[tuple[Peer, str]], list[str]]:
    """The peers that are here with their versions, and the names of those that are not."""
    found = [(peer, peer.version()) for peer in PEERS]
    return [(peer, version) for peer, version in found if version], [
        peer.name for peer, version in found if not version
    ]


def _nginx(place: Place) -> list[str]:
    material.files(place.folder / "files", place.count)
    # Where it is root it would else give up the right to read our folder.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    (place.folder / "nginx.conf").write_text(_NGINX % {"user": user, "folder": place.folder, "port": place.port})
    return ["nginx", "-p", str(place.folder), "-c", str(place.folder / "nginx.conf"), "-e", "stderr"]


def _mitmproxy_replay(place: Place) -> list[str]:
    har = {"log": {"version": "1.2", "creator": {"name": "bench", "version": "1"}, "entries": _har(place.count)}}
    file = place.folder / "flows.har"
    file.write_text(json.dumps(har))
    settings = ["server_replay_reuse=true", "server_replay_extra=404", "server_replay_ignore_host=true"]
    settings += ["server_replay_ignore_port=true", "connection_strategy=lazy", "server_replay_refresh=false"]
    line = [*_mitmproxy("http://127.0.0.1:9", place), "--server-replay", str(file)]
    return line + [word for setting in settings for word in ("--set", setting)]


def _mitmproxy_record(place: Place) -> list[str]:
    return [*_mitmproxy(place.origin, place), "--save-stream-file", str(place.folder / "flows")]


def _mitmproxy(upstream: str, place: Place) -> list[str]:
    line = ["mitmdump", "--quiet", "--mode", f"reverse:{upstream}", "--listen-host", "127.0.0.1"]
    return [*line, "--listen-port", str(place.port), "--set", f"confdir={place.folder}"]


def _har(count: int) -> list[dict[str, object]]:
    common = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1}
    timed = {"startedDateTime": "2026-11-22T13:00:00.000Z", "time": 1, "cache": {}}
    timed["timings"] = {"send": 0, "wait": 1, "receive": 0}
    made: list[dict[str, object]] = []
    for number in range(count):
        url = "http://127.0.0.1" + material.PATH.replace("{n}", str(number))
        text = material.body(number)
        content = {"size": len(text), "mimeType": material.JSON, "text": text}
        # Without a length it would close the connection after each answer.
        fields = {"Content-Type": material.JSON, "Content-Length": str(len(text))}
        headers = [{"name": name, "value": value} for name, value in fields.items()]
        request = {**common, "method": "GET", "url": url, "headers": [], "queryString": []}
        response = {**common, "status": 200, "statusText": "OK", "headers": headers, "content": content}
        made.append({**timed, "request": request, "response": {**response, "redirectURL": ""}})
    return made


def _json_server(place: Place) -> list[str]:
    items = [{**json.loads(material.body(number)), "id": str(number)} for number in range(place.count)]
    (place.folder / "db.json").write_text(json.dumps({"items": items}))
    (place.folder / "routes.json").write_text('{"/api/*": "/$1"}')
    line = ["json-server", "--quiet", "--host", "127.0.0.1", "--port", str(place.port)]
    return [*line, "--routes", str(place.folder / "routes.json"), str(place.folder / "db.json")]


def _mockoon_replay(place: Place) -> list[str]:
    return _mockoon(place, [_mockoon_route(number) for number in range(place.count)], {"proxyMode": False})


def _mockoon_proxy(place: Place) -> list[str]:
    return _mockoon(place, [], {"proxyMode": True, "proxyHost": place.origin})


def _mockoon(place: Place, routes: list[dict[str, object]], proxy: dict[str, object]) -> list[str]:
    children = [{"type": "route", "uuid": route["uuid"]} for route in routes]
    mock = {"uuid": _uuid(0, 0), "lastMigration": 33, "name": "bench", "routes": routes, "rootChildren": children}
    file = place.folder / "mockoon.json"
    file.write_text(json.dumps({**mock, **proxy}))
    line = ["mockoon-cli", "start", "--repair", "--disable-log-to-file", "--disable-admin-api"]
    return [*line, "--data", str(file), "--port", str(place.port), "--hostname", "127.0.0.1"]


def _mockoon_route(number: int) -> dict[str, object]:
    response = {
        "uuid": _uuid(1, number),
        "body": material.body(number),
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": material.JSON}],
        "bodyType": "INLINE",
        "disableTemplating": True,
        "default": True,
    }
    path = material.PATH.replace("{n}", str(number)).lstrip("/")
    return {"uuid": _uuid(2, number), "type": "http", "method": "get", "endpoint": path, "responses": [response]}


def _uuid(kind: int, number: int) -> str:
    return f"00000000-0000-4000-8{kind:03d}-{number:012d}"


def _talkback_replay(place: Place) -> list[str]:
    tapes = place.folder / "tapes"
    tapes.mkdir()
    meta = {"createdAt": "2026-11-22T13:00:00.000Z", "host": "http://127.0.0.1:9", "resHumanReadable": True}
    headers = {"content-type": [material.JSON]}
    for number in range(place.count):
        request = {"url": material.PATH.replace("{n}", str(number)), "method": "GET", "headers": {}, "body": ""}
        response = {"status": 200, "headers": headers, "body": json.loads(material.body(number))}
        (tapes / f"{number}.json5").write_text(json.dumps({"meta": meta, "req": request, "res": response}))
    return _talkback(place, "http://127.0.0.1:9", "DISABLED")


def _talkback_record(place: Place) -> list[str]:
    return _talkback(place, place.origin, "NEW")


def _talkback(place: Place, host: str, mode: str) -> list[str]:
    options = {"host": host, "port": place.port, "path": str(place.folder / "tapes"), "record": mode}
    options |= {"allowHeaders": [], "silent": True, "summary": False}
    return ["node", "-e", f"require('talkback')({json.dumps(options)}).start()"]


def _talkback_version() -> str:
    if not shutil.which("node"):
        return ""
    line = ["node", "-p", "require('talkback/package.json').version"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return done.stdout.strip()


PEERS = (
    Peer("nginx", lambda: machine.version_of("nginx", "-v"), _nginx),
    Peer("talkback", _talkback_version, _talkback_replay, _talkback_record),
    Peer("json-server", lambda: machine.version_of("json-server", "--version"), _json_server),
    Peer("mitmproxy", lambda: machine.version_of("mitmdump", "--version"), _mitmproxy_replay, _mitmproxy_record),
    Peer("Mockoon", lambda: machine.version_of("mockoon-cli", "--version"), _mockoon_replay, _mockoon_proxy),
)

_NGINX = """\
daemon off;
%(user)s
worker_processes 1;
pid %(folder)s/nginx.pid;
events { worker_connections 1024; }
http {
    access_log off;
    error_log stderr;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    open_file_cache max=200000 inactive=1h;
    open_file_cache_valid 1h;
    types { }
    default_type "application/json; charset=utf-8";
    server {
        listen 127.0.0.1:%(port)d;
        root %(folder)s/files;
        add_header Vary Origin;
        add_header Access-Control-Allow-Origin *;
        add_header Cache-Status "replaymock; hit";
        client_body_temp_path %(folder)s/body;
        proxy_temp_path %(folder)s/proxy;
        fastcgi_temp_path %(folder)s/fastcgi;
        uwsgi_temp_path %(folder)s/uwsgi;
        scgi_temp_path %(folder)s/scgi;
    }
}
"""
