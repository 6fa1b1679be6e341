"""Which headers a signature says it covers."""

import pytest

from replaymock.http.headers import Headers
from replaymock.http.signing import is_presigned, signed_headers

NO = frozenset[str]()


def authorized(value: str) -> Headers:
    return (("Host", "localhost:8081"), ("authorization", value))


@pytest.mark.parametrize(
    ("headers", "query", "names"),
    [
        (
            authorized(
                "AWS4-HMAC-SHA256 Credential=k/20260101/x/s3/aws4_request, SignedHeaders=host;range, Signature=f"
            ),
            "",
            "host range",
        ),
        (
            authorized("AWS4-ECDSA-P256-SHA256 Credential=k,SignedHeaders=Host;X-Amz-Date,Signature=f"),
            "",
            "host x-amz-date",
        ),
        (authorized("GOOG4-RSA-SHA256 Credential=k, SignedHeaders=host;origin, Signature=f"), "", "host origin"),
        (
            authorized("TC3-HMAC-SHA256 Credential=k, SignedHeaders=content-type;host, Signature=f"),
            "",
            "content-type host",
        ),
        (authorized("HMAC-SHA256 Credential=k&SignedHeaders=x-ms-date;host&Signature=f"), "", "x-ms-date host"),
        (authorized("OSS4-HMAC-SHA256 Credential=k,AdditionalHeaders=host;range,Signature=f"), "", "host range"),
        (authorized("q-sign-algorithm=sha1&q-header-list=host;range&q-signature=f"), "", "host range"),
        (
            authorized('Signature keyId="k",headers="(request-target) host Range",signature="f"'),
            "",
            "(request-target) host range",
        ),
        ((("Signature", 'keyId="k",algorithm="x",headers="date digest",signature="f"'),), "", "date digest"),
        (
            (("Signature-Input", 'a=("@method" "range";sf "content-digest");created=1;keyid="origin", b=("Referer")'),),
            "",
            "@method range content-digest referer",
        ),
        ((("X-Ca-Signature-Headers", "X-Ca-Key,X-Ca-Nonce"),), "", "x-ca-key x-ca-nonce"),
        ((), "a=1&X-Amz-SignedHeaders=host%3Brange&X-Amz-Signature=f", "host range"),
        ((), "X-Goog-SignedHeaders=host", "host"),
        ((), "x-oss-additional-headers=host%3Brange", "host range"),
    ],
)
def test_a_signature_names_what_it_covers(headers: Headers, query: str, names: str) -> None:
    assert signed_headers(headers, query) == frozenset(names.split())
    assert is_presigned(query) is bool(query)


def test_a_shared_key_covers_conditions_and_ranges_and_its_lite_form_does_not() -> None:
    assert {"range", "if-match", "if-none-match"} <= signed_headers(authorized("SharedKey account:f"))
    assert signed_headers(authorized("SharedKeyLite account:f")) == NO


@pytest.mark.parametrize(
    "value", ["Bearer headers", "Basic YTpi", 'Digest username="u", uri="/x"', "AWS key:signature", ""]
)
def test_other_credentials_cover_nothing(value: str) -> None:
    assert signed_headers(authorized(value), "page=2&headers=range") == NO
    assert not is_presigned("page=2&headers=range&note=X-Amz-SignedHeaders")
