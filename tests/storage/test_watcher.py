"""A watched folder: all of it is looked at first, and then what has changed is told by name."""

import asyncio
from pathlib import Path

import pytest

from replaymock.storage.watcher import Change, watch


@pytest.mark.parametrize("way", ["absolute", "relative"])
def test_changes_are_told_by_their_names_and_only_news_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "c" if way == "absolute" else Path("c")
    folder.mkdir()
    scanned = asyncio.Event()
    heard: set[Change] = set()

    def scan() -> bool:
        loop.call_soon_threadsafe(scanned.set)
        return False

    def on_changes(changes: list[Change]) -> bool:
        heard.update(changes)
        return any(name == "new/b.json" for name, _ in changes)

    async def story() -> None:
        news = watch(folder, scan, on_changes)
        told = asyncio.ensure_future(anext(news))
        async with asyncio.timeout(10):
            while not {"a.json", "new/b.json"} <= {name for name, _ in heard}:
                (folder / "a.json").write_text("{}")
                (folder / "new").mkdir(exist_ok=True)
                (folder / "new/b.json").write_text("{}")
                await asyncio.sleep(0.1)
            await told
        assert scanned.is_set()
        await news.aclose()  # type: ignore[attr-defined]

    loop = asyncio.new_event_loop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story())
