"""Events as `--json` spells them: names, members and their order."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from replaymock.telemetry.events import (
    Broken,
    Changed,
    Dropped,
    Event,
    Hidden,
    MissOccurred,
    Ready,
    Recorded,
    Reloaded,
    ServedRequest,
    Summary,
    Warned,
)

DOCUMENTED = Path(__file__).parents[2] / "docs" / "configuration.md"
SPELLED = [
    (
        Ready("http://localhost:1", 1, 2, 3, command="record", folder="c", upstreams=("to http://a.test",)),
        '{"url":"http://localhost:1","port":1,"pid":2,"cassettes":3}',
    ),
    (
        Ready("http://localhost:1", 1, 2, 3, workers=4),
        '{"url":"http://localhost:1","port":1,"pid":2,"cassettes":3,"workers":4}',
    ),
    (
        ServedRequest("GET", "/a", 200, "hit", "a.json", 1.23456),
        '{"method":"GET","target":"/a","status":200,"outcome":"hit","file":"a.json","elapsed_ms":1.235}',
    ),
    (
        ServedRequest("GET", "/a", 404, "miss", "", 0.0),
        '{"method":"GET","target":"/a","status":404,"outcome":"miss","file":null,"elapsed_ms":0.0}',
    ),
    (
        MissOccurred("never recorded", "record it", {"path": "/a"}, [], "Record it."),
        '{"reason":"never recorded","hint":"record it","request":{"path":"/a"},"nearest":[],"advice":"Record it."}',
    ),
    (
        MissOccurred("differs", "ignore = []", {"path": "/a"}, [{"file": "b"}], "Put it.", "at the top of a.toml"),
        '{"reason":"differs","hint":"ignore = []","where":"at the top of a.toml","request":{"path":"/a"},'
        '"nearest":[{"file":"b"}],"advice":"Put it."}',
    ),
    (Recorded("a/GET.json"), '{"file":"a/GET.json"}'),
    (Hidden(("a", "b")), '{"files":["a","b"]}'),
    (
        Changed(("a",), ("json:$.b",), "volatile = []", "here"),
        '{"files":["a"],"only_in":["json:$.b"],"hint":"volatile = []"}',
    ),
    (Reloaded(3), '{"cassettes":3}'),
    (Broken("a.json:1:1: no JSON"), '{"message":"a.json:1:1: no JSON"}'),
    (Warned("mind"), '{"message":"mind"}'),
    (Dropped(7), '{"count":7}'),
    (
        Summary(1, 2, 3, 4, 5, 6, 7, 8, 9, is_recording=True),
        '{"requests":1,"hits":2,"misses":3,"recorded":4,"unchanged":5,"unused":6,"redacted":7,"redacted_files":8,'
        '"failed_writes":9}',
    ),
]


@pytest.mark.parametrize(("event", "spelled"), SPELLED)
def test_an_event_has_its_members_in_their_order(event: Event, spelled: str) -> None:
    assert msgspec.json.encode(event.to_json()).decode() == spelled


@pytest.mark.parametrize("event", [event for event, _ in SPELLED])
def test_an_event_arrives_whole_from_another_process(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_every_event_is_documented_by_its_name() -> None:
    section = DOCUMENTED.read_text(encoding="utf-8").partition("## Events of `--json`")[2].partition("\n## ")[0]
    assert {kind.name for kind in get_args(Event)} == set(re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE))
    assert {type(event) for event, _ in SPELLED} == set(get_args(Event))
