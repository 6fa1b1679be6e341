"""`python -m benchmarks.unredacted` is `python -m replaymock` that hides nothing, to see what hiding costs."""

from dataclasses import replace

from replaymock import app
from replaymock.cli import main
from replaymock.http.headers import Headers
from replaymock.http.messages import Request, Response
from replaymock.redaction.placeholders import PlaceholderFactory
from replaymock.redaction.redactor import Redactor, decode_request


class Unredacting(Redactor):
    """Decodes what has to be decoded, and looks for nothing."""

    def request(self, request: Request, label: PlaceholderFactory) -> Request:
        """The request without content coding."""
        return replace(decode_request(request))

    def response(self, response: Response, label: PlaceholderFactory, path: str = "") -> Response:
        """The response as it is."""
        return response

    def headers(self, headers: Headers, label: PlaceholderFactory) -> Headers:
        """The fields as they are."""
        return headers

    def message(self, data: bytes, label: PlaceholderFactory, *, is_text: bool) -> bytes:
        """The message as it is."""
        return data

    def text(self, text: str, label: PlaceholderFactory) -> str:
        """The text as it is."""
        return text


if __name__ == "__main__":
    app.Redactor = Unredacting  # type: ignore[misc]
    main()
