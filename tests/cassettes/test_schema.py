"""The JSON Schema of a cassette, made from the types."""

import re

import msgspec
import pytest

from replaymock.cassettes import schema
from replaymock.cassettes.writer import dump
from tests.support.factories import a_cassette


def test_the_schema_names_every_field_of_a_cassette_file() -> None:
    root = schema.json_schema()
    assert root["title"] == "replaymock cassette"
    for kind in (schema.FileCassette, schema.FileRequest, schema.FileResponse, schema.FilePart):
        assert set(root["$defs"][kind.__name__]["properties"]) == set(kind.__struct_fields__)
        assert root["$defs"][kind.__name__]["additionalProperties"] is False


def test_the_schema_is_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(schema.json_schema())) == schema.json_schema()


def test_only_what_a_hand_needs_to_write_is_required() -> None:
    definitions = schema.json_schema()["$defs"]
    assert definitions["FileCassette"]["required"] == ["request", "responses"]
    assert definitions["FileRequest"]["required"] == ["path"]
    assert "required" not in definitions["FileResponse"] or definitions["FileResponse"]["required"] == []


def test_what_is_written_fits_the_types() -> None:
    files = dump(a_cassette(), "items/GET.json")
    assert msgspec.json.decode(files["GET.json"], type=schema.FileCassette).version == 1


@pytest.mark.parametrize(
    "text", ['{"request":{"path":"/","pth":1},"responses":[]}', '{"responses":[]}', "[]", '{"x":1}']
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.compile("unknown|required|Expected")):
        msgspec.json.decode(text, type=schema.FileCassette)
