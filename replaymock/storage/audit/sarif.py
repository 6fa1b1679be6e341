"""Findings in the Static Analysis Results Interchange Format, version 2.1.0, as code scanners read them."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from replaymock import __version__
from replaymock.storage.audit.secrets import Finding


def sarif(findings: Sequence[Finding], folder: Path) -> dict[str, Any]:
    """The log of one run over a folder. Files are named from the working directory where the folder is below it."""
    kinds = sorted({finding.kind for finding in findings})
    driver = {"name": "replaymock", "version": __version__, "rules": [_rule(kind) for kind in kinds]}
    base = _base(folder)
    results = [_result(finding, kinds.index(finding.kind), base) for finding in findings]
    run = {"tool": {"driver": driver}, "results": results}
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _rule(kind: str) -> dict[str, Any]:
    advice = "Record it again, put a placeholder in its place, or exempt it in the table redact of the configuration."
    return {
        "id": kind,
        "shortDescription": {"text": _literal(f"A secret: {kind}")},
        "fullDescription": {"text": _literal(f"A value of the kind {kind} that is no placeholder.")},
        "help": {"text": f"{advice} If the file was published, have the secret revoked."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "secret"], "security-severity": "8.0"},
    }


def _result(finding: Finding, rule: int, base: str) -> dict[str, Any]:
    file = quote(os.fsencode(finding.file), safe="/")
    known = hashlib.sha256(f"{file}\n{finding.place}\n{finding.kind}".encode("utf-8", "surrogatepass")).hexdigest()
    physical = {"artifactLocation": {"uri": f"{base}{file}"}, "region": {"startLine": finding.line}}
    return {
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": _literal(f"A secret ({finding.kind}) at {finding.place}")},
        "locations": [{"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": finding.place}]}],
        # The same secret stays the same finding when lines before it come and go.
        "partialFingerprints": {"fileAndPlace/v1": known},
    }


def _base(folder: Path) -> str:
    """What is put before the name of a file below a folder: a relative reference, or else a file URI (RFC 3986)."""
    whole = Path(os.path.abspath(folder))  # noqa: PTH100 - `resolve` would lead out of the repository by a link
    if not whole.is_relative_to(Path.cwd()):
        return f"{whole.as_uri()}/"
    inside = whole.relative_to(Path.cwd()).parts
    return "".join(f"{quote(os.fsencode(part), safe='')}/" for part in inside)


def _literal(text: str) -> str:
    """Text as a message says it: braces stand for arguments there, and brackets before a parenthesis for links."""
    text = text.replace("{", "{{").replace("}", "}}")
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]") if "](" in text else text
