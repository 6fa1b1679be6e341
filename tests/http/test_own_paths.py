"""The paths of this server itself."""

from replaymock.http.own_paths import OWN_PREFIX, SESSION_BASE


def test_a_base_path_of_a_session_is_an_own_path() -> None:
    assert SESSION_BASE.startswith(f"{OWN_PREFIX}/")
    assert SESSION_BASE.endswith("/")
