"""Clients as the server hands them to what answers: what was sent to each is kept."""

from replaymock.http.messages import ResponseHead
from replaymock.http.rendered import RenderedResponse


class Callers:
    """The caller's end: how the answer went out."""

    def __init__(self) -> None:
        self.client = object()
        self.log: list[str] = []
        self.head: ResponseHead | None = None
        self.answered: RenderedResponse | None = None
        self.body = b""

    def answer(self, answer: RenderedResponse) -> None:
        self.answered = answer
        self.log.append("answer")

    def begin(self, head: ResponseHead, _length: int | None) -> None:
        self.head = head
        self.log.append("begin")

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        self.begin(head, length)
        self.body += body

    async def write(self, data: bytes) -> None:
        self.body += data

    def finish(self) -> None:
        self.log.append("finish")

    def abort(self) -> None:
        self.log.append("abort")
