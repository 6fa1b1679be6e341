"""The ways in which loose text says a name and its value: members, elements, settings, log lines.

Each expression matches what stands before a name, the name, what is between, and the value.
"""

import re
from collections.abc import Callable

Change = Callable[[re.Match[str]], str]


def replace_members(text: str, change: Change) -> str:
    """Text with each name and value that stand together replaced by what `change` makes of the match."""
    # A look for what an expression needs costs far less than the expression.
    if '\\"' in text:
        text = _ESCAPED_MEMBER.sub(change, text)
    if _BEFORE_VALUE.search(text):
        for expression in (_NUMBER_MEMBER, _QUOTED_MEMBER, _VARIABLE):
            text = expression.sub(change, text)
    if "-H" in text or "--header" in text:
        text = _HEADER_OPTION.sub(change, text)
    if "&" in text:
        text = _ENTITY_MEMBER.sub(change, text)
    if "<" in text:
        return _ELEMENT.sub(change, text)
    if "\n" in text:
        # In one line, `token: invalid` is rather a message to people than a setting.
        text = _SETTING.sub(change, text)
    return _LOGGED.sub(change, text) if "=" in text else text


_BEFORE_VALUE = re.compile(r"""[:=]\s*+["']|["']\s*+:""")
_ESCAPED_MEMBER = re.compile(
    r'(?<!\\)(\\{1,8}")([A-Za-z0-9_.\-]{2,64})(\\{1,8}"\s*:\s*\\{1,8}")((?:[^"\\]|\\{1,8}[^"\\])+)'
)
# JSON in an attribute, as in `data-page="{&quot;token&quot;:&quot;S&quot;}"`.
_ENTITY_MEMBER = re.compile(
    r"(&quot;|&#34;|&#x22;)([A-Za-z0-9_.\-]{2,64})(\1\s*:\s*\1)((?:[^&\"<>]|&(?!quot;|#34;|#x22;))+)"
)
_NUMBER_MEMBER = re.compile(r'(")([A-Za-z0-9_.\-]{2,64})("\s*:\s*)(-?[0-9][0-9.eE+\-]*)')
_QUOTED_MEMBER = re.compile(
    r"""(["']?(?<![A-Za-z0-9_.\-]))([A-Za-z_][A-Za-z0-9_.\-]{1,63})(["']?\s*:\s*(?:"|')|\s+=\s*(?:"|'))"""
    r"""((?<=")(?:[^"\\]|\\.)+(?=")|(?<=')(?:[^'\\\n]|\\.)+(?='))"""
)
_VARIABLE = re.compile(
    r"""(\b(?:var|let|const)\s+|\bwindow\.)([A-Za-z_][A-Za-z0-9_]{1,63})(=(?:"|'))"""
    r"""((?<=")(?:[^"\\\n]|\\.)+(?=")|(?<=')(?:[^'\\\n]|\\.)+(?='))"""
)
# As in `curl -H 'X-Api-Key: S'`.
_HEADER_OPTION = re.compile(
    r"""((?:-H|--header)[ =]?["'])([A-Za-z][A-Za-z0-9\-]{1,63})(:[ ]?+(?:(?:Bearer|Basic|Token|Digest)[ ]+)?+)"""
    r"""((?=[^"'\r\n]*[0-9])[^"'\r\n$<{*][^"'\r\n]{5,})"""
)
_ELEMENT = re.compile(
    r"(<)([A-Za-z_][A-Za-z0-9_.:\-]{1,63})((?:\s[^<>]*)?>(?:<!\[CDATA\[)?)([^<>\[\]]+)(?=(?:\]\]>)?</)"
)
# `password: S`, `export PASSWORD=S`, `Authorization: Bearer S`. What has no digit is rather a word of a schema.
_SETTING = re.compile(
    r"^([ \t]*(?:-[ \t]+)?(?:export[ \t]+)?)([A-Za-z_][A-Za-z0-9_.\-]{1,63})"
    r"([ \t]*[:=][ \t]*(?:(?:Bearer|Basic|Token|Digest)[ \t]+)?)"
    r"""((?=[^\s0-9]*[0-9])[^\s"'{}\[\]|*!<>$][^\s"'<>]{5,})(?=[ \t]*\r?$)""",
    re.MULTILINE,
)
_LOGGED = re.compile(
    r"""([ \t](?:--?)?)([A-Za-z_][A-Za-z0-9_.\-]{1,63})(=)"""
    r"""((?=[^\s0-9]*[0-9])[^\s"'<>(){}\[\];,$][^\s"'<>(){}\[\];,]{5,})"""
)
