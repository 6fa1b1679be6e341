"""GraphQL over HTTP: what a request asks for, however it is written (GraphQL specification, section 2.1)."""

import re
from typing import Any


def canonical(value: Any) -> Any:
    """Normalises a parsed JSON body that is a GraphQL request or a batch of them; any other is returned unchanged.

    Insignificant white space, commas and comments of the query are removed. An absent `variables` equals `{}`.
    """
    if isinstance(value, list):
        return [_canonical_request(item) for item in value]
    return _canonical_request(value)


def _canonical_request(value: Any) -> Any:
    if not is_request(value):
        return value
    # Members that the specification does not define may change the answer, so they stay. `extensions` is for tracing.
    others = {name: member for name, member in value.items() if name not in _MEMBERS}
    return others | {
        "operationName": value.get("operationName") or _only_operation(value["query"]),
        "query": normal_query(value["query"]),
        "variables": value.get("variables") or {},
    }


def is_request(value: Any) -> bool:
    """Whether a parsed JSON body is a GraphQL request."""
    query = value.get("query") if isinstance(value, dict) else None
    return isinstance(query, str) and "{" in query and bool(_START.match(query))


def operation_name(value: Any) -> str:
    """The name of the operation that a request runs; empty if it has none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not is_request(value):
        return ""
    name = value.get("operationName") or _only_operation(value["query"])
    return name if isinstance(name, str) else ""


def is_read(value: Any) -> bool:
    """Whether a request, or every request of a batch, only reads."""
    batch = value if isinstance(value, list) else [value]
    return bool(batch) and all(is_request(item) and not _is_mutation(item["query"]) for item in batch)


def _is_mutation(query: str) -> bool:
    return bool(_MUTATION.search(_TOKENS.sub(_unquoted, query)))


def normal_query(query: str) -> str:
    """Writes the tokens of a query one space apart. Strings stay unchanged; comments and commas are removed."""
    return " ".join(match.group() for match in _TOKENS.finditer(query) if match.group()[0] not in "#,\ufeff")


def _only_operation(query: str) -> str:
    named = _OPERATION.findall(query)
    return named[0] if len(named) == 1 else ""


def _unquoted(match: re.Match[str]) -> str:
    return "" if match.group()[0] in '"#' else match.group()


_MEMBERS = frozenset(("query", "operationName", "variables", "extensions"))
_MUTATION = re.compile(r"(?:^|[\s}])mutation\b")
_START = re.compile(r"[\s,\ufeff]*(?:#[^\n]*\n[\s,]*)*(?:\{|(?:query|mutation|subscription|fragment)\b)")
_OPERATION = re.compile(r"(?:^|[\s}])(?:query|mutation|subscription)\s+([A-Za-z_][A-Za-z0-9_]*)")
# Possessive and without a closing delimiter: a string can be matched in only one way, and an unterminated one is the
# rest of the text.
_TOKENS = re.compile(
    r'"""(?:[^"\\]++|\\(?:""")?+|"(?!""))*+(?:""")?|"(?:[^"\\\n]++|\\.)*+"?|#[^\n]*|\.\.\.|[A-Za-z0-9_.+\-]+|[^\s\w]'
)
