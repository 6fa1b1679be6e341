"""The tables of redaction: names that mean a secret, and shapes of known credentials, from their public formats."""

import re
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct


class Shape(Struct, frozen=True):
    """A kind of credential. `hint` is text every match contains; a group named `secret` is the part to hide."""

    name: str
    hint: str
    expression: re.Pattern[str]


@lru_cache(maxsize=8192)
def plain_name(name: str) -> str:
    """A name as the tables spell it: lower case, no separators, without endings like `2`, `_v2`, `Confirmation`."""
    if "%" in name:
        name = unquote(unquote(name))
    return _QUALIFIERS.sub("", _SEPARATORS.sub("", name.lower()))


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a header, field, parameter or JSON key so named holds a secret, in any spelling (`apiKey`, `api-key`)."""
    plain = plain_name(name)
    return plain in SECRET_NAMES or (plain.endswith(SECRET_ENDINGS) and not plain.endswith(HARMLESS_ENDINGS))


@lru_cache(maxsize=8192)
def hides_below(name: str) -> bool:
    """Whether all that is below a JSON key so named is secret, however it is named itself."""
    return is_secret_name(name) and plain_name(name) not in CONTAINERS


def is_harmless_value(name: str, value: str) -> bool:
    """Whether a value under a secret name is none: a small number or a usual word where both occur."""
    usual = value.lower() in HARMLESS_WORDS or _SMALL_NUMBER.fullmatch(value) is not None
    return usual and plain_name(name) in COUNTS_TOO


@lru_cache(maxsize=8192)
def is_secret_cookie(name: str) -> bool:
    """Whether a cookie of this name holds a secret: also session ids, under the names frameworks give them."""
    plain = _SEPARATORS.sub("", name.lower())
    return is_secret_name(name) or plain.endswith(COOKIE_ENDINGS) or plain.startswith(COOKIE_BEGINNINGS)


def may_name_secret(text: str) -> bool:
    """Whether `NAME_HINT` is in a text; quick where not even a word of it is."""
    lowered = text.lower()
    for word in _HINT_WORDS:
        if word in lowered:
            return NAME_HINT.search(text) is not None
    return False


def _shape(name: str, hint: str, expression: str) -> Shape:
    return Shape(name, hint, re.compile(expression))


_SEPARATORS = re.compile(r"[^a-z0-9]")
_SMALL_NUMBER = re.compile(r"[0-9]{1,3}")
_QUALIFIERS = re.compile(r"(?<=[a-z])(?:v?[0-9]+|confirmation|confirm|again|repeat|hash|value|string|header|plain)+\Z")

SECRET_NAMES = frozenset(
    (
        "password passwd passwort pwd pass passphrase passcode secret secrets token tokens jwt auth authorization "
        "proxyauthorization apikey apikeys appkey authkey accesskey secretkey privatekey signingkey encryptionkey "
        "sessionid sessionkey session credential credentials csrf xsrf otp totp mfacode pin cvv cvc sig signature "
        "assertion clientassertion samlresponse samlrequest codeverifier authcode authorizationcode "
        "awsaccesskeyid xamzsignature xamzcredential xamzsecuritytoken subscriptionkey ocpapimsubscriptionkey "
        "connectionstring dsn databaseurl accesskeyid bearer cookie setcookie phpsessid authenticationinfo "
        "proxyauthenticationinfo twofactorcode mfacodes recoverycode recoverycodes backupcode backupcodes "
        "verificationcode securitycode accesstokens refreshtokens authtokens apitokens"
    ).split()
)
SECRET_ENDINGS = tuple(
    (
        "password passwd passphrase secret apikey token accesskey secretkey privatekey subscriptionkey sessionid "
        "credentials connectionstring passwords secrets apikeys"
    ).split()
)
# Names of secrets that are also given to objects full of harmless things: `"session": {"user": …}`. In these only the
# members with secret names of their own are hidden; below any other secret name everything is,
CONTAINERS = frozenset(
    (
        "session auth authorization authenticationinfo cookie pass pin sig signature assertion otp totp dsn tokens "
        "credentials"
    ).split()
)
# but for what says how long and for what a secret is good, and what describes a field (JSON Schema, OpenAPI).
HARMLESS_BELOW = frozenset(
    (
        "type tokentype expires expiresin expiresat expiry exp iat createdat scope scopes minlength maxlength minimum "
        "maximum format description title enum pattern name in scheme bearerformat readonly writeonly required "
        "properties items ref nullable deprecated flows authorizationurl tokenurl refreshurl openidconnecturl label "
        "placeholder hint help"
    ).split()
)
# Objects of words for people: what stands under `password` there is a label or a complaint.
TEXTS_FOR_PEOPLE = frozenset("error errors message messages label labels translation translations i18n".split())
# Names under which a number is a count or an id, and a word as here a choice.
COUNTS_TOO = frozenset("tokens pass auth session authorization sig cookie credentials bearer".split())
HARMLESS_WORDS = frozenset(
    (
        "basic digest bearer none null true false include omit same-origin oauth oauth2 jwt apikey required optional"
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
COOKIE_ENDINGS = ("session", "sess", "sid", "auth", "rememberme", "remember", "login")
COOKIE_BEGINNINGS = ("session", "aspsession", "wordpressloggedin", "phpsess", "jsession")

# A text without a match of this holds no secret name, so most bodies are never looked at token by token.
NAME_HINT = re.compile(
    r"pass|pwd|secret|token|jwt|auth|key|sess|credential|csrf|xsrf|otp|mfa|pin|cvv|cvc|sig|assertion|saml|code.?verifier"
    r"|connection.?string|dsn|database.?url|bearer|cookie|(?:factor|recovery|backup|verification|security).?code",
    re.IGNORECASE,
)

_HINT_WORDS = (
    "pass pwd secret token jwt auth key sess credential csrf xsrf otp mfa pin cvv cvc sig assertion saml verifier "
    "connection dsn database bearer cookie factor recovery backup verification security"
).split()

# Letters and digits that a JSON text spells as escapes, so that neither names nor shapes are seen in it.
ASCII_ESCAPE = re.compile(r"\\u00[2-7]")

SHAPES = (
    _shape("jwt", "eyJ", r"\beyJ[A-Za-z0-9_\-]{6,}\.eyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]*"),
    _shape(
        "pem",
        "-----BEGIN",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _shape(
        "url_password",
        "://",
        r"(?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^/\s:@?#\"'<>{}]{0,255}"
        r":(?P<secret>[^/\s@?#\"'<>{}]{1,255})@",
    ),
    _shape("bearer", "earer ", r"\b[Bb]earer (?P<secret>[A-Za-z0-9._~+/=\-]{16,})"),
    _shape("aws_access_key_id", "A", r"\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z0-9]{16}\b"),
    _shape("github_token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
    _shape("github_pat", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
    _shape("gitlab_token", "gl", r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|soat|imt)-[A-Za-z0-9_\-.]{20,64}"),
    _shape("slack_token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,250}"),
    _shape("slack_app_token", "xapp-", r"\bxapp-[0-9]-[A-Za-z0-9\-]{10,250}"),
    _shape(
        "slack_webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9+/]{20,80})"
    ),
    _shape("stripe_key", "k_", r"\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,247}\b"),
    _shape("stripe_webhook_secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
    _shape("google_api_key", "AIza", r"\bAIza[A-Za-z0-9_\-]{35}"),
    _shape("google_oauth_token", "ya29.", r"\bya29\.[A-Za-z0-9_\-]{20,}"),
    _shape("google_oauth_secret", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_\-]{28}"),
    _shape("anthropic_key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_\-]{20,}"),
    _shape("openai_key", "sk-", r"\bsk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{20,}|[A-Za-z0-9]{32,})"),
    _shape("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _shape("pypi_token", "pypi-", r"\bpypi-[A-Za-z0-9_\-]{50,}"),
    _shape("sendgrid_key", "SG.", r"\bSG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}"),
    _shape("twilio_key", "SK", r"\bSK[0-9a-f]{32}\b"),
    _shape("mailgun_key", "key-", r"\bkey-[0-9a-f]{32}\b"),
    _shape("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _shape("digitalocean_token", "do", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    _shape("shopify_token", "shp", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    _shape("square_token", "sq0", r"\bsq0(?:atp|csp|idp)-[A-Za-z0-9_\-]{22,60}"),
    _shape("telegram_bot_token", ":AA", r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}\b"),
    _shape("discord_webhook", "/api/webhooks/", r"/api/webhooks/[0-9]{17,20}/(?P<secret>[A-Za-z0-9_\-]{60,80})"),
    _shape("vault_token", "hv", r"\bhv[sbr]\.[A-Za-z0-9_\-]{24,}"),
    _shape("databricks_token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    _shape("new_relic_key", "NRAK-", r"\bNRAK-[A-Z0-9]{27}\b"),
    _shape("linear_key", "lin_api_", r"\blin_api_[A-Za-z0-9]{40}\b"),
    _shape("azure_storage_key", "AccountKey=", r"AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,100})"),
)
