"""Which write a changed response is put down to."""

import pytest

from replaymock.matching.canonical import CanonicalRequest
from replaymock.recording.causality import WriteHistory
from replaymock.replay.sequence import write_name

MUTATION = {"operationName": "AddItem", "query": "mutation AddItem { add }", "variables": {}}
QUERY = {"operationName": "Items", "query": "query Items { items }", "variables": {}}


def read(history: WriteHistory, path: str, *, ended: float = 0, is_news: bool = True) -> str:
    file = f"{path[1:]}/GET.json"
    found = history.attribute(file, CanonicalRequest("GET", path))
    history.fetch_completed(file, ended, is_news=is_news)
    return found


def write(history: WriteHistory, method: str, path: str) -> None:
    history.record_write(f"{method} {path}", path)


def after(path: str, *writes: str) -> str:
    """What the second GET of a path is put down to, with these writes between the two."""
    history = WriteHistory()
    read(history, path)
    for name in writes:
        write(history, *name.split(" "))
    return read(history, path)


def test_nothing_is_put_down_to_a_write_before_the_first_fetch() -> None:
    history = WriteHistory()
    write(history, "POST", "/items")
    assert read(history, "/items") == ""


def test_nothing_is_put_down_to_a_write_that_was_fetched_after_already() -> None:
    history = WriteHistory()
    read(history, "/items")
    write(history, "POST", "/items")
    assert [read(history, "/items"), read(history, "/items")] == ["POST /items", ""]


def test_a_write_is_counted_from_the_beginning_of_the_session() -> None:
    history = WriteHistory()
    write(history, "POST", "/items")
    read(history, "/items")
    write(history, "POST", "/items")
    assert read(history, "/items") == "POST /items x2"


def test_a_write_that_was_under_way_when_nothing_new_was_fetched_is_still_to_show() -> None:
    history = WriteHistory()
    read(history, "/items")
    history.record_write("POST /items", "/items", 2.0)
    assert read(history, "/items", ended=1.0, is_news=False) == "POST /items"
    assert [read(history, "/items", ended=ended) for ended in (3.0, 4.0)] == ["POST /items", ""]


def test_a_write_that_has_shown_while_it_was_under_way_shows_no_second_time() -> None:
    history = WriteHistory()
    read(history, "/job")
    history.record_write("POST /job", "/job", 9.0)
    found = [read(history, "/job", ended=ended, is_news=ended != 2) for ended in (1.0, 2.0, 3.0)]
    assert found == ["POST /job", "", ""]


@pytest.mark.parametrize(
    ("path", "writes", "found"),
    [
        ("/items", ["POST /items", "PUT /items/3"], "PUT /items/3"),
        ("/items/3", ["PUT /items/3", "POST /items"], "POST /items"),
        ("/items/3", ["DELETE /items/4"], "DELETE /items/4"),
        ("/items", ["POST /items", "POST /beacon"], "POST /items"),
        ("/api/items", ["POST /api/items", "POST /api/beacon"], "POST /api/items"),
        ("/api/users/me", ["PUT /api/users/settings", "POST /api/beacon"], "PUT /api/users/settings"),
        ("/items/", ["DELETE /items/3/", "POST /beacon/"], "DELETE /items/3/"),
        ("/users/1/posts", ["POST /users/1/posts/3/comments", "POST /beacon"], "POST /users/1/posts/3/comments"),
        ("/", ["POST /add", "POST /beacon"], "POST /beacon"),
        ("/cart", ["POST /beacon"], "POST /beacon"),
    ],
)
def test_the_last_of_the_closest_writes_is_named(path: str, writes: list[str], found: str) -> None:
    assert after(path, *writes) == found


def test_of_strangers_those_in_parts_that_are_read_come_first() -> None:
    history = WriteHistory()
    for path in ("/cart", "/orders/7"):
        read(history, path)
    write(history, "POST", "/orders/7/pay")
    write(history, "POST", "/beacon")
    assert read(history, "/cart") == "POST /orders/7/pay"


@pytest.mark.parametrize(
    ("request_", "status", "name"),
    [
        (CanonicalRequest("POST", "/items"), 201, "POST /items"),
        (CanonicalRequest("DELETE", "/items"), 303, "DELETE /items"),
        (CanonicalRequest("POST", "/items"), 422, ""),
        (CanonicalRequest("GET", "/items"), 200, ""),
        (CanonicalRequest("POST", "/items", kind="json", body=MUTATION), 200, "POST /items AddItem"),
        (CanonicalRequest("POST", "/items", kind="json", body=QUERY), 200, ""),
        (CanonicalRequest("POST", "/items", kind="json", body={"a": 1}), 200, "POST /items"),
    ],
)
def test_a_write_is_named_by_method_path_and_operation(request_: CanonicalRequest, status: int, name: str) -> None:
    assert write_name(request_, "/items", status) == name


def test_a_write_is_not_told_by_a_name_that_became_known_to_be_secret() -> None:
    history, shown = WriteHistory(), lambda text: text.replace("hunter2", "X")
    read(history, "/users/X")
    write(history, "POST", "/users/hunter2")
    history.hide(shown, shown)
    assert read(history, "/users/X") == "POST /users/X"
    assert history.counts == {"POST /users/X": 1}


def test_what_was_fetched_from_a_file_was_fetched_from_the_one_it_is_renamed_to() -> None:
    history = WriteHistory()
    read(history, "/old")
    write(history, "POST", "/items")
    history.renamed("old/GET.json", "new/GET.json")
    assert read(history, "/new") == "POST /items"
