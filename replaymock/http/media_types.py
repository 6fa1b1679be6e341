"""What a media type says about content: JSON, text in a charset, or binary; and its file extension."""

import codecs
import re


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON (RFC 6839 section 3.1 for `+json`)."""
    return media_type in _JSON_TYPES or media_type.endswith("+json")


def is_code(media_type: str) -> bool:
    """Whether a media type is that of scripts, styles, drawings, or maps of their sources."""
    return media_type in _CODE_TYPES or media_type.startswith("text/javascript1.")


def is_textual(media_type: str) -> bool:
    """Whether a media type consists of characters. An absent one counts as such."""
    return (
        not media_type
        or media_type.startswith(("text/", "multipart/"))
        or media_type in _TEXT_TYPES
        or media_type in _CODE_TYPES
        or is_json(media_type)
        or media_type.endswith(("+xml", "+text", "+yaml", "+jwt", "json-seq"))
    )


def is_text(media_type: str, body: bytes) -> bool:
    """Whether a body is text: by its type, or because it is UTF-8 and not of an image, audio, video or font type."""
    if is_textual(media_type):
        return True
    if media_type.startswith(_OF_MEDIA) or b"\0" in body:
        return False
    try:
        body.decode("utf-8")
    except UnicodeError:
        return False
    return True


def is_rewritable(media_type: str) -> bool:
    """Whether the upstream's origin is replaced in bodies of this media type."""
    return bool(media_type) and is_textual(media_type)


def charset(content_type: str) -> str:
    """The Python codec for the charset of a content type. UTF-8 if it names none, or an unknown one."""
    match = _CHARSET.search(content_type)
    if match and match.group(1).lower() in _NO_CHARSETS:
        return "utf-8"
    try:
        # Encoding an empty string fails for codecs that are not for text, such as hex.
        "".encode(match.group(1) if match else "utf-8")
        return codecs.lookup(match.group(1)).name if match else "utf-8"
    except (LookupError, UnicodeError):
        return "utf-8"


# Codecs of Python that are not charsets, and fail on some texts.
_NO_CHARSETS = frozenset("idna punycode unicode_escape raw_unicode_escape undefined".split())


def extension(media_type: str) -> str:
    """The file extension for a body of this media type, without the dot."""
    if is_json(media_type):
        return "json"
    listed = _EXTENSIONS.get(media_type)
    if listed:
        return listed
    return "txt" if media_type.startswith("text/") else "bin"


def media_type_of(file_extension: str) -> str:
    """The media type for a file extension without the dot; `application/octet-stream` for unknown ones."""
    for media_type, listed in _EXTENSIONS.items():
        if listed == file_extension:
            return media_type
    return "application/json" if file_extension == "json" else "application/octet-stream"


_OF_MEDIA = ("image/", "audio/", "video/", "font/")
FORM_TYPE = "application/x-www-form-urlencoded"
TABLES = frozenset(("text/csv", "application/csv", "text/tab-separated-values"))
_JSON_TYPES = frozenset(
    (
        "application/json text/json application/x-json application/json5 application/x-amz-json-1.0 "
        "application/x-amz-json-1.1 application/csp-report"
    ).split()
)
# JavaScript by all its names (RFC 9239), languages compiled to it, styles, drawings, and shader languages.
_CODE_TYPES = frozenset(
    (
        "text/javascript application/javascript application/x-javascript text/x-javascript application/ecmascript "
        "text/ecmascript application/x-ecmascript text/x-ecmascript text/jscript text/livescript text/babel text/jsx "
        "text/x-jsx text/tsx application/typescript text/typescript application/x-typescript text/x-typescript "
        "text/coffeescript text/x-coffeescript text/x-vue text/css text/x-scss text/scss text/x-sass text/sass "
        "text/x-less text/less text/stylus image/svg+xml application/source-map application/x-sourcemap text/wat "
        "text/x-wat application/wat x-shader/x-vertex x-shader/x-fragment"
    ).split()
)
_TEXT_TYPES = frozenset(
    (
        "application/xml application/graphql application/x-ndjson application/ndjson application/jsonl "
        "application/x-jsonlines application/stream+json application/yaml application/x-yaml application/toml "
        "application/x-sh "
        "application/sql application/rtf application/x-www-form-urlencoded application/x-mpegurl "
        "application/vnd.apple.mpegurl application/x-httpd-php application/jwt application/jose application/csv "
        "application/x-pem-file application/pem-certificate-chain message/http"
    ).split()
)
_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/svg+xml": "svg",
    "image/x-icon": "ico",
    "image/vnd.microsoft.icon": "ico",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/wasm": "wasm",
    "application/x-protobuf": "pb",
    "application/grpc": "grpc",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "text/html": "html",
    "text/css": "css",
    "text/csv": "csv",
    "text/javascript": "js",
    "application/javascript": "js",
    "text/plain": "txt",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/x-ndjson": "ndjson",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._\-]+)", re.IGNORECASE)
