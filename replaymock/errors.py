"""What can go wrong, named for what the user did; turned into responses in `http.problem`, into exit codes in `cli`.

ReplaymockError
|-- UsageError       an option, configuration or environment that cannot work (exit code 2)
|-- CassetteError    a cassette that cannot be read: file, line, column, reason
|-- RequestRefused   a request this server does not take: status and code
`-- UpstreamError    the backend did not give a whole answer: status, code, what to do
"""


class ReplaymockError(Exception):
    """Everything this package raises on purpose."""


class UsageError(ReplaymockError):
    """An option, configuration or environment that cannot work; the text says what to do."""


class CassetteError(ReplaymockError):
    """A cassette that cannot be read. `line` and `column` count from 1; `request` is its own, if that could be read."""

    def __init__(self, file: str, line: int, column: int, reason: str, request: object = None) -> None:
        super().__init__(f"{file}:{line}:{column}: {reason}")
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason
        self.request = request

    def about(self, request: object) -> "CassetteError":
        """The same error with the request of the cassette, which could be read."""
        return CassetteError(self.file, self.line, self.column, self.reason, request)


class RequestRefused(ReplaymockError):
    """A request that is answered with an error of this server: `status`, `code` and a sentence for the client."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class UpstreamError(RequestRefused):
    """The backend did not give a whole answer; `detail` names the cause and the remedy."""
