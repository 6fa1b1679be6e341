"""The shop of the demo: articles, tokens, pictures."""

import contextlib
import struct
import zlib
from collections.abc import Iterator

import pytest

from replaymock.demo.shop import Article, Shop, Signer, picture


@contextlib.contextmanager
def a_shop() -> Iterator[Shop]:
    with contextlib.closing(Shop()) as shop:
        yield shop


def test_articles_come_in_pages_and_the_last_page_is_short() -> None:
    with a_shop() as shop:
        pages = [[article.id for article in shop.articles(page, 3)] for page in (1, 2, 3)]
    assert pages == [[1, 2, 3], [4, 5], []]


def test_an_added_article_is_found_by_its_number_until_it_is_removed() -> None:
    with a_shop() as shop:
        added = shop.add("Café crème", 350)
        assert added == Article(6, "Café crème", 350)
        assert (shop.article(6), shop.latest(), shop.count()) == (added, 6, 6)
        assert shop.remove(6)
        assert (shop.article(6), shop.remove(6), shop.count()) == (None, False, 5)


def test_the_number_of_a_removed_article_is_not_given_again() -> None:
    with a_shop() as shop:
        shop.remove(shop.add("Mug", 890).id)
        assert shop.add("Mug", 890).id == 7


def test_a_signer_knows_its_own_tokens() -> None:
    signer = Signer()
    assert signer.user(signer.token("ada")) == "ada"


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: f"x{token}", lambda _: "", lambda _: "é.é"])
def test_a_changed_token_is_nobodys(change) -> None:  # type: ignore[no-untyped-def]
    signer = Signer()
    assert signer.user(change(signer.token("ada"))) is None


def test_a_token_of_another_signer_is_nobodys() -> None:
    assert Signer().user(Signer().token("ada")) is None


def test_an_expired_token_is_nobodys() -> None:
    signer = Signer(seconds=-1)
    assert signer.user(signer.token("ada")) is None


def test_a_picture_is_a_whole_png() -> None:
    data = picture(1)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, data[8:]
    while rest:
        size = struct.unpack(">I", rest[:4])[0]
        kind, content = rest[4:8], rest[8 : 8 + size]
        assert struct.unpack(">I", rest[8 + size : 12 + size])[0] == zlib.crc32(kind + content)
        chunks[kind], rest = content, rest[12 + size :]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]


def test_each_article_has_a_picture_of_its_own() -> None:
    assert picture(1) == picture(1) != picture(2)
