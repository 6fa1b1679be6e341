"""Names that denote a secret, and names that only sound like one."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from replaymock.redaction.wording import mentions


@lru_cache(maxsize=8192)
def plain_name(name: str) -> str:
    """A name as in the tables: lower case, without separators and endings such as `2`, `_v2`, `Confirmation`."""
    plain = _table_spelling(_decoded(name))
    if plain in SECRET_NAMES or len(plain) > _LONGEST_QUALIFIED:
        return plain
    return _QUALIFIERS.sub("", plain)


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a header, field, parameter or JSON key of this name is secret, in any spelling (`apiKey`, `api-key`)."""
    if "{{redacted" in name or "/" in name:
        return False  # a placeholder is not a name, and a path is that of a package or an operation
    plain = plain_name(name)
    if plain in SECRET_NAMES or (plain.endswith(SECRET_ENDINGS) and not plain.endswith(HARMLESS_ENDINGS)):
        # Else the answer would depend on the length and the rest of the text.
        spelled = _decoded(name)
        words = _words(spelled)
        is_told = spelled.encode("utf-8", "surrogatepass") in words or _has_secret_name(words)
        return is_told and NAME_HINT.search(spelled) is not None
    inner = _IN_BRACKETS.search(name, max(0, len(name) - _LONGEST_QUALIFIED))
    return inner is not None and is_secret_name(inner.group(1))


@lru_cache(maxsize=8192)
def hides_subtree(name: str) -> bool:
    """Whether everything below a JSON key of this name is secret, whatever its own name."""
    return is_secret_name(name) and plain_name(name) not in CONTAINERS


def is_ui_text_container(names: Iterable[str]) -> bool:
    """Whether values below these JSON keys are texts for people. There a password is a label or a message."""
    return any(plain_name(name) in TEXTS_FOR_PEOPLE for name in names)


def is_harmless_value(name: str, value: str) -> bool:
    """Whether a value under a secret name is harmless: a small number or a usual word, where the name allows both."""
    plain = plain_name(name)
    if plain in _SECRET_ONLY_IF:
        return _SECRET_ONLY_IF[plain].fullmatch(value) is None
    usual = value.strip().lower() in HARMLESS_WORDS or _SMALL_NUMBER.fullmatch(value) is not None
    return (usual and plain in AMBIGUOUS_NAMES) or _VERSION.fullmatch(value) is not None


def is_label(name: str, value: str) -> bool:
    """Whether a value under a secret name only describes it: the name itself, a sentence about it, or a stand-in.

    `Password`, `Passwort` and `Forgot password?` are labels, `super-secret-token` is not. In doubt a value is a secret.
    """
    if value in _TYPES or _STAND_IN.fullmatch(value) or _table_spelling(value) == _table_spelling(name):
        return True
    is_sentence = " " in value.strip() and (value[-1] in _ENDS or value == value.capitalize())
    is_word = value.isalpha() and value == value.capitalize()
    return (is_sentence or is_word) and _LABEL.fullmatch(value) is not None and mentions(value, name)


def is_wss_element(name: str, text: str) -> bool:
    """Whether an element is one of WS-Security that differs in every message."""
    return name.rpartition(":")[2] in _OF_MESSAGE_SECURITY and "oasis-200401-wss-wssecurity" in text


@lru_cache(maxsize=8192)
def is_secret_cookie(name: str) -> bool:
    """Whether a cookie of this name holds a secret. Session ids count, under the names that frameworks give them."""
    plain = plain_name(name.removeprefix("__Host-").removeprefix("__Secure-"))
    return (
        is_secret_name(name)
        or plain.endswith(COOKIE_ENDINGS)
        or plain.startswith(COOKIE_BEGINNINGS)
        or any(part in plain for part in COOKIE_PARTS)
    )


def is_setting_cookie(value: str) -> bool:
    """Whether the value of an `HttpOnly` cookie is a plain setting: a word, a language, a small number."""
    return _SETTING_OF_COOKIE.fullmatch(value) is not None


def may_name_secret(text: str) -> bool:
    """Whether a text may contain the name of a secret. Long texts are searched by the set of their words."""
    if len(text) > _WORTH_SPLITTING:
        words = _words(text)
        if len(words) < _MOST_WORDS:
            return _has_secret_name(words) or _ENCODED_LETTER.search(text) is not None
    lowered = text.lower()
    for word in _HINT_WORDS:
        if word in lowered:
            return NAME_HINT.search(text) is not None
    return False


def _table_spelling(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())


def _decoded(name: str) -> str:
    return unquote(unquote(name)) if "%" in name else name


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode("utf-8", "surrogatepass").translate(_WORDS).split())


def _has_secret_name(words: frozenset[bytes]) -> bool:
    if any(_is_secret_word(word) for word in words):
        return True
    lowered = {word.lower() for word in words if len(word) <= _LONGEST_HALF}
    return not (_FIRST_HALVES.isdisjoint(lowered) or _SECOND_HALVES.isdisjoint(lowered))


@lru_cache(maxsize=16384)
def _is_secret_word(word: bytes) -> bool:
    name = word.decode("ascii")
    return is_secret_name(name) or (name != (bare := name.removesuffix("v")) and is_secret_name(bare))  # `api_key_v2`


# How forms name a member of an object: `card[cvc]`, `user[pin][]`.
_IN_BRACKETS = re.compile(r"\[([^\[\]]{2,64})\](?:\[[0-9]*\])*\Z")
_SEPARATORS = re.compile(r"[\x00-/:-`{-\x7f]")
_WORTH_SPLITTING = 512
_MOST_WORDS = 20_000
_LONGEST_HALF = 12
# Digits separate words like white space. Names differ by letters, and a word with digits is an id.
_WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-."
_WORDS = bytes(byte if byte in _WORD_BYTES else 32 for byte in range(256))
_ENCODED_LETTER = re.compile(r"%(?:25)*[4-7][0-9A-Fa-f]")
# Names that may be written with a space, as in `"API Key"`.
_FIRST_HALVES = frozenset(
    b"api app access private signing encryption session connection security verification recovery backup "
    b"subscription database mfa client code card".split()
)
_SECOND_HALVES = frozenset(b"key keys code codes string id url verifier factor number".split())
# A name of an app here, a key there; a key for an HTML element; the folder of a shell.
_SECRET_ONLY_IF = {
    "appid": re.compile(r"[0-9a-f]{32}"),
    "accesskey": re.compile(r".{2,}", re.DOTALL),
    "pwd": re.compile(r"(?!/[\w.\-]+/).*", re.DOTALL),
}
_SETTING_OF_COOKIE = re.compile(r"[A-Za-z]{1,8}(?:[_\-][A-Za-z]{2,8})?|[0-9]{1,3}|[0-9]\.[0-9]")
_SMALL_NUMBER = re.compile(r"[0-9]{1,3}")
# The version of a package whose name sounds like a secret: `"jsonwebtoken": "^9.0.2"`.
_VERSION = re.compile(r"[~^]?[0-9]{1,4}\.[0-9]{1,5}\.[0-9]{1,5}(?:-[a-z]{1,8}[0-9.]{0,6})?")
_TYPES = frozenset("string number integer boolean object array any unknown".split())
# A template variable, or a sign that a value is there: `{{ token }}`, `${TOKEN}`, `****`.
_STAND_IN = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|<%[^<>]*%>|<[a-zA-Z _\-]+>|[*\u2022]{3,}|[xX]{3,}")
_LABEL = re.compile(r"[^\W\d](?:[^\W\d]|[ \u00a0.,:;?!'’()…/\-]|(?<=[ (])[0-9]{1,2}\+?(?= )){1,100}(?:[._\-]v[0-9])?")
_ENDS = "?!:…"
_OF_MESSAGE_SECURITY = frozenset("Nonce Created Expires DigestValue".split())
_LONGEST_QUALIFIED = 200
# Possessive: a name may contain a long number, and there is only one way to match it.
_QUALIFIERS = re.compile(
    r"(?<=[a-z])(?:v?[0-9]++|confirmation|confirm|again|repeat|hash|value|string|header|plain)++\Z"
)

SECRET_NAMES = frozenset(
    (
        "password passwd passwort pwd pass passphrase passcode secret secrets token tokens jwt auth authorization "
        "proxyauthorization apikey apikeys appkey authkey accesskey secretkey privatekey signingkey encryptionkey "
        "sessionid sessionkey session credential credentials csrf xsrf otp totp mfacode pin cvv cvc sig signature "
        "assertion clientassertion samlresponse samlrequest codeverifier authcode authorizationcode "
        "awsaccesskeyid xamzsignature xamzcredential xamzsecuritytoken subscriptionkey ocpapimsubscriptionkey "
        "connectionstring dsn databaseurl accesskeyid bearer cookie setcookie phpsessid authenticationinfo "
        "proxyauthenticationinfo twofactorcode mfacodes recoverycode recoverycodes backupcode backupcodes "
        "xgoogsignature xgoogcredential xhubsignature xslacksignature stripesignature xtwiliosignature "
        "appid verificationcode securitycode accesstokens refreshtokens authtokens apitokens ssn socialsecuritynumber"
    ).split()
)
SECRET_ENDINGS = tuple(
    (
        "password passwd passphrase secret apikey token accesskey secretkey privatekey subscriptionkey sessionid "
        "credentials connectionstring passwords secrets apikeys"
    ).split()
)
# Names of secrets that are also given to objects of harmless values: `"session": {"user": …}`. In these, only members
# with secret names are hidden. Below any other secret name everything is hidden.
CONTAINERS = frozenset(
    (
        "session auth authorization authenticationinfo cookie pass pin sig signature assertion otp totp dsn tokens "
        "credentials appid"
    ).split()
)
# Except what says how long and for what a secret is valid, and what describes a field (JSON Schema, OpenAPI).
HARMLESS_BELOW = frozenset(
    (
        "type tokentype expires expiresin expiresat expiry exp iat createdat scope scopes minlength maxlength minimum "
        "maximum format description title enum pattern name in scheme bearerformat readonly writeonly required "
        "properties items ref nullable deprecated flows authorizationurl tokenurl refreshurl openidconnecturl label "
        "placeholder hint help example examples min max rules component widget "
        "minitems maxitems uniqueitems"
    ).split()
)
# Objects of texts for people.
TEXTS_FOR_PEOPLE = frozenset(
    (
        "error errors message messages label labels translation translations in locale locales text texts "
        "placeholders hints titles captions tooltips errormessages validationmessages fielderrors"
    ).split()
)
# Names under which a number may be a count or an id, and a word from `HARMLESS_WORDS` a choice.
AMBIGUOUS_NAMES = frozenset("appid tokens pass auth session authorization sig cookie credentials bearer".split())
HARMLESS_WORDS = frozenset(
    (
        "basic digest bearer token none null true false include omit same-origin oauth oauth2 jwt apikey required "
        "optional"
    ).split()
)
HARMLESS_ENDINGS = tuple(
    (
        "pagetoken nexttoken prevtoken previoustoken continuationtoken synctoken pagingtoken cursortoken "
        "starttoken resumetoken skiptoken markertoken counttoken maxtoken eostoken bostoken unktoken padtoken "
        "paginationtoken continuetoken deltatoken canceltoken cancellationtoken "
        # The CORS header, and the list of key ids in WebAuthn: neither is secret.
        "allowcredentials"
    ).split()
)
COOKIE_ENDINGS = tuple("session sess sid auth rememberme remember login identity".split())
COOKIE_BEGINNINGS = tuple(
    (
        "session sess ssess aspsession aspnetcore aspxauth wordpresslogged wordpresssec phpsess jsession remember "
        "moodlesession oauth2proxy cfclearance"
    ).split()
)
COOKIE_PARTS = ("csrf", "xsrf", "antiforgery", "sessionid", "authtoken")

# A text without a match contains no secret name, so most bodies are never searched token by token.
NAME_HINT = re.compile(
    r"pass|pwd|secret|token|jwt|auth|key|sess|credential|csrf|xsrf|otp|mfa|pin|cvv|cvc|sig|assertion|saml|code.?verifier"
    r"|connection.?string|dsn|database.?url|bearer|cookie|(?:factor|recovery|backup|verification|security).?code"
    r"|ssn|social.?security|app.?id",
    re.IGNORECASE,
)

_HINT_WORDS = (
    "pass pwd secret token jwt auth key sess credential csrf xsrf otp mfa pin cvv cvc sig assertion saml verifier "
    "connection dsn database bearer cookie factor recovery backup verification security ssn social app"
).split()

# Letters and digits written as escapes in JSON. They hide names and shapes from a search of the text.
ASCII_ESCAPE = re.compile(r"\\u00[2-7]")
