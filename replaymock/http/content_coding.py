"""Content codings (RFC 9110 section 8.4.1): decodes them within a bound, and encodes them again.

Decoding never yields more than `limit` bytes, whatever the input claims.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
from backports import zstd

from replaymock.http.headers import list_items

MOST_CODINGS = 4
"""How many nested codings are decoded at most."""


class CodingError(ValueError):
    """The body is not in the coding it claims, is cut short, or decodes to more than the limit."""


class TooLarge(CodingError):
    """The body decodes to more than the limit."""


class Codec(Protocol):
    """A streaming decoder or encoder."""

    def steps(self, data: bytes) -> Iterator[bytes]:
        """Yields the output for `data`, flushed as far as the coding allows. Decoders yield it in small pieces."""

    def finish(self) -> bytes:
        """Gives the rest of the output. CodingError if the stream is cut short."""


def is_supported(names: list[str]) -> bool:
    """Whether every coding of a `Content-Encoding` is supported here, and there are at most `MOST_CODINGS`."""
    return len(names) <= MOST_CODINGS and all(name in _CODINGS for name in names)


def parse(value: str) -> list[str]:
    """Reads the codings of a `Content-Encoding` value, in the order they were applied, without `identity`."""
    return [name for name in list_items(value) if name != "identity"]


def decode(data: bytes, names: list[str], limit: int) -> bytes:
    """Decodes a body. CodingError if that fails or takes more than `limit` bytes."""
    chain = decoder(names, limit)
    return chain.feed(data) + chain.finish()


def encode(data: bytes, names: list[str]) -> bytes:
    """Encodes a body. The same input gives the same bytes on every run."""
    for name in names:
        data = _CODINGS[name].encode(data)
    return data


def is_accepted(accept_encoding: str, names: list[str]) -> bool:
    """Whether an `Accept-Encoding` value gives every coding a weight above zero (RFC 9110 section 12.5.3)."""
    weights = dict(_weighted(item) for item in list_items(accept_encoding))
    return all(weights.get(name, weights.get("*", 0.0)) > 0 for name in names)


def restrict_to_supported(accept_encoding: str) -> str:
    """Removes the codings from an `Accept-Encoding` value that cannot be decoded here."""
    supported = [
        item for item in list_items(accept_encoding) if item.partition(";")[0].strip() in (*_CODINGS, "identity")
    ]
    return ", ".join(supported) or "identity"


class CodecChain:
    """Several codecs, applied one after the other."""

    def __init__(self, codecs: list[Codec]) -> None:
        self._codecs = codecs

    def feed(self, data: bytes) -> bytes:
        """Gives the output of the last codec."""
        return b"".join(self.steps(data))

    def steps(self, data: bytes) -> Iterator[bytes]:
        """Yields the output of the last codec. Decoders yield it in small pieces."""
        return _through(self._codecs, data)

    def finish(self) -> bytes:
        """Gives the rest of every codec, passed through those after it."""
        data = b""
        for codec in self._codecs:
            data = (b"".join(codec.steps(data)) if data else b"") + codec.finish()
        return data


def decoder(names: list[str], limit: int) -> CodecChain:
    """A decoder for codings in the order they were applied. `limit` bounds the output of each."""
    return CodecChain([_CODINGS[name].decoder(limit) for name in reversed(names)])


def encoder(names: list[str]) -> CodecChain:
    """An encoder that flushes after each piece, so that a live stream is not held up."""
    return CodecChain([_CODINGS[name].encoder() for name in names])


def _through(codecs: list[Codec], data: bytes) -> Iterator[bytes]:
    if not codecs:
        yield data
        return
    for piece in codecs[0].steps(data):
        yield from _through(codecs[1:], piece)


class _Inflate:
    """gzip (with concatenated members) and deflate, which servers send as zlib or raw (RFC 9110 section 8.4.1.2)."""

    def __init__(self, wbits: int, limit: int) -> None:
        self._wbits = wbits
        self._remaining = limit
        self._head = b""
        self._object = zlib.decompressobj(wbits)

    def steps(self, data: bytes) -> Iterator[bytes]:
        out = b""
        # A full step may leave output behind even if all input is consumed.
        while data or len(out) == _STEP:
            if self._object.eof:
                if not data:
                    return
                self._object = zlib.decompressobj(self._wbits)
            out = self._step(data)
            yield out
            data = self._object.unused_data if self._object.eof else self._object.unconsumed_tail

    def finish(self) -> bytes:
        if self._head and not self._object.eof:
            raise CodingError("the compressed body is cut short")
        return b""

    def _step(self, data: bytes) -> bytes:
        try:
            out = self._object.decompress(data, _STEP)
        except zlib.error as error:
            if len(self._head) >= _ZLIB_HEADER or self._wbits != zlib.MAX_WBITS:
                raise CodingError(str(error)) from error
            self._object = zlib.decompressobj(-zlib.MAX_WBITS)
            self._wbits = -zlib.MAX_WBITS
            return self._step(self._head + data)
        self._head = (self._head + data)[:_ZLIB_HEADER]
        self._remaining = _spend(self._remaining, out)
        return out


class _Brotli:
    """br (RFC 7932), decoded in steps, so that a decompression bomb is noticed after one step."""

    def __init__(self, limit: int) -> None:
        self._object = brotli.Decompressor()
        self._remaining = limit
        self._started = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        self._started = self._started or bool(data)
        out = self._step(data)
        yield out
        # brotli 1.2: `can_accept_more_data()` is true while output is still buffered, so only b"" means the end.
        while out and not self._object.is_finished():
            out = self._step(b"")
            yield out

    def finish(self) -> bytes:
        if self._started and not self._object.is_finished():
            raise CodingError("the compressed body is cut short")
        return b""

    def _step(self, data: bytes) -> bytes:
        try:
            out: bytes = self._object.process(data, output_buffer_limit=_STEP)
        except brotli.error as error:
            raise CodingError(str(error)) from error
        self._remaining = _spend(self._remaining, out)
        return out


class _Zstd:
    """zstd (RFC 8878), with concatenated frames."""

    def __init__(self, limit: int) -> None:
        self._object = zstd.ZstdDecompressor()
        self._remaining = limit
        self._started = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._object.needs_input or self._object.eof):
            if self._object.eof:
                self._object = zstd.ZstdDecompressor()
            yield self._step(data)
            data = self._object.unused_data if self._object.eof else b""
            if self._object.eof and not data:
                break

    def finish(self) -> bytes:
        if self._started and not self._object.eof:
            raise CodingError("the compressed body is cut short")
        return b""

    def _step(self, data: bytes) -> bytes:
        self._started = True
        try:
            out = self._object.decompress(data, _STEP)
        except zstd.ZstdError as error:
            raise CodingError(str(error)) from error
        self._remaining = _spend(self._remaining, out)
        return out


class _GzipEncoder:
    def __init__(self) -> None:
        self._object = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)

    def steps(self, data: bytes) -> Iterator[bytes]:
        yield self._object.compress(data) + self._object.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._object.flush()


class _DeflateEncoder(_GzipEncoder):
    def __init__(self) -> None:
        self._object = zlib.compressobj()


class _BrotliEncoder:
    def __init__(self) -> None:
        self._object = brotli.Compressor(quality=4)

    def steps(self, data: bytes) -> Iterator[bytes]:
        yield self._object.process(data) + self._object.flush()

    def finish(self) -> bytes:
        out: bytes = self._object.finish()
        return out


class _ZstdEncoder:
    def __init__(self) -> None:
        self._object = zstd.ZstdCompressor()

    def steps(self, data: bytes) -> Iterator[bytes]:
        yield self._object.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._object.flush(zstd.ZstdCompressor.FLUSH_FRAME)


class _Coding:
    """One row of the table: how to decode in steps, encode in steps, and encode at once."""

    def __init__(
        self, decoder: Callable[[int], Codec], encoder: Callable[[], Codec], encode: Callable[[bytes], bytes]
    ) -> None:
        self.decoder = decoder
        self.encoder = encoder
        self.encode = encode


def _spend(remaining: int, out: bytes) -> int:
    if len(out) > remaining:
        raise TooLarge("the body decodes to more than the limit")
    return remaining - len(out)


def _weighted(item: str) -> tuple[str, float]:
    name, _, parameter = item.partition(";")
    key, _, weight = parameter.strip().partition("=")
    try:
        return name.strip(), float(weight) if key == "q" else 1.0
    except ValueError:
        return name.strip(), 0.0


_STEP = 1 << 16
_ZLIB_HEADER = 2

_GZIP = _Coding(
    lambda limit: _Inflate(zlib.MAX_WBITS | 16, limit), _GzipEncoder, lambda data: gzip.compress(data, 6, mtime=0)
)
_CODINGS = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _Coding(lambda limit: _Inflate(zlib.MAX_WBITS, limit), _DeflateEncoder, zlib.compress),
    "br": _Coding(_Brotli, _BrotliEncoder, lambda data: bytes(brotli.compress(data, quality=5))),
    "zstd": _Coding(_Zstd, _ZstdEncoder, zstd.compress),
}
