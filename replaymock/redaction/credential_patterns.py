"""The table of credential shapes, from the public formats of their issuers.

Each has a name, hints, and a pattern. The group `secret` of the pattern, if there is one, is the part to hide.
"""

from replaymock.redaction.credential_scanner import (
    Check,
    CredentialPattern,
    is_app_bearer,
    is_card_number,
    is_key_block,
    is_unreadable,
    is_url_password,
    is_user_and_password,
)


def _shape(
    name: str,
    hints: str,
    pattern: str,
    check: Check | None = None,
    *,
    in_code: Check = is_unreadable,
    has_spaces: bool = False,
) -> CredentialPattern:
    return CredentialPattern(name, tuple(hints.split()), pattern, check, in_code, has_spaces)


# An object in base64: a brace, then a quotation mark or white space.
_OBJECT = r"e(?:y[AIJ]|w[0ko])[\w\-]{5,}"
_FORMATS = (
    _shape("jwt", "eyJ ewo", rf"(?<![\w\-.]){_OBJECT}\.{_OBJECT}\.[\w\-]*"),
    _shape("jwe", "eyJ", r"(?<![\w\-.])eyJ[\w\-]{8,}\.[\w\-]*\.[\w\-]{12,}\.[\w\-]{8,}\.[\w\-]{16,}"),
    _shape(
        "pem",
        "-----BEGIN",
        r"-----BEGIN (?P<kind>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----"
        r"(?:[^\-]++|-(?!----))++-----END (?P=kind)-----",
        is_key_block,
        has_spaces=True,
    ),
    _shape(
        "url_password",
        "://",
        r"(?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^/\s:@?#\"'<>{}]{0,255}"
        r":(?P<secret>[^/\s@?#\"'<>{}]{1,255})@",
        in_code=is_url_password,
        has_spaces=True,
    ),
    _shape("bearer", "earer", r"\b[Bb]earer (?P<secret>[A-Za-z0-9._~+/=\-]{16,})", has_spaces=True),
    _shape(
        "basic",
        "asic",
        r"\b[Bb]asic (?P<secret>[A-Za-z0-9+/]{8,}={0,2})(?![A-Za-z0-9+/=])",
        is_user_and_password,
        has_spaces=True,
    ),
)

_CLOUDS_AND_HOSTS = (
    _shape(
        "aws_access_key_id",
        "AKIA ASIA AROA AIDA AGPA ANPA ANVA",
        r"\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z0-9]{16}\b",
    ),
    _shape("aws_mws_token", "amzn.mws.", r"\bamzn\.mws\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _shape("azure_storage_key", "AccountKey=", r"AccountKey=(?P<secret>[A-Za-z0-9+/= ]{40,100})"),
    _shape("azure_client_secret", "Q~", r"(?<![\w~.\-])[\w~.]{3}[0-9]Q~[\w~.\-]{30,33}[\w~\-](?![\w~\-])"),
    _shape("google_api_key", "AIza", r"\bAIza[\w\-]{35}"),
    _shape("google_oauth_token", "ya29.", r"\bya29\.[\w\-]{20,}"),
    _shape("google_oauth_secret", "GOCSPX-", r"\bGOCSPX-[\w\-]{28}"),
    _shape("google_refresh_token", "1//0", r"(?<![\w/])1//0[\w\-]{30,}"),
    _shape("firebase_server_key", ":APA91b", r"\bAAAA[\w\-]{7}:APA91b[\w\-]{100,}"),
    _shape("alibaba_access_key_id", "LTAI", r"\bLTAI[A-Za-z0-9]{20}\b"),
    _shape("tencent_secret_id", "AKID", r"\bAKID[A-Za-z0-9]{32}\b"),
    _shape("yandex_api_key", "AQVN", r"\bAQVN[\w\-]{35,38}\b"),
    _shape("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    _shape("heroku_key", "HRKU-", r"\bHRKU-[\w\-]{36,80}"),
    _shape("fly_token", "fo1_ fm2_ fm1", r"\b(?:fo1_[\w\-]{43}|fm[12][ar]?_[A-Za-z0-9+/=]{40,})"),
    _shape("netlify_token", "nfp_", r"\bnfp_[A-Za-z0-9]{36,}"),
    _shape("vercel_token", "vcp_ vci_ vca_ vcr_ vck_", r"\bvc[piark]_[A-Za-z0-9]{24,}"),
    _shape("render_key", "rnd_", r"\brnd_[A-Za-z0-9]{28,}"),
    _shape("cloudflare_origin_key", "v1.0-", r"\bv1\.0-[a-f0-9]{24}-[a-f0-9]{146}\b"),
    _shape("scaleway_key", "SCW", r"\bSCW[A-Z0-9]{17}\b"),
)
_CODE_AND_PACKAGES = (
    _shape("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
    _shape("github_pat", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
    _shape(
        "gitlab_token",
        "glpat- gloas- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- glffct-",
        r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|soat|imt|agent|ffct)-[\w\-.]{20,64}",
    ),
    _shape("gitlab_runner_token", "GR1348941", r"\bGR1348941[\w\-]{20,}"),
    _shape("bitbucket_password", "ATBB", r"\bATBB[A-Za-z0-9]{28,36}\b"),
    _shape("atlassian_token", "ATATT3 ATCTT3", r"\bAT[AC]TT3[\w\-=]{40,}"),
    _shape("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _shape("pypi_token", "pypi-", r"\bpypi-[\w\-]{50,}"),
    _shape("rubygems_key", "rubygems_", r"\brubygems_[a-f0-9]{48}\b"),
    _shape("cratesio_token", "cio", r"\bcio[A-Za-z0-9]{32}\b"),
    _shape("nuget_key", "oy2", r"\boy2[a-z0-9]{43}\b"),
    _shape("clojars_token", "CLOJARS_", r"\bCLOJARS_[a-z0-9]{60}\b"),
    _shape("docker_token", "dckr_pat_ dckr_oat_", r"\bdckr_[po]at_[\w\-]{27,}"),
    _shape("artifactory_key", "AKCp", r"\bAKCp[A-Za-z0-9]{60,80}\b"),
    _shape("sourcegraph_token", "sgp_", r"\bsgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}\b"),
    _shape("buildkite_token", "bkua_", r"\bbkua_[a-z0-9]{40}\b"),
    _shape("circleci_token", "CCIPAT_", r"\bCCIPAT_[A-Za-z0-9]{22}_[a-f0-9]{40}\b"),
    _shape("sonar_token", "sqp_ squ_ sqa_", r"\bsq[pua]_[a-f0-9]{40}\b"),
    _shape("artifactory_reference", "cmVmdGtu", r"\bcmVmdGtu[A-Za-z0-9]{50,60}\b"),
    _shape("postman_key", "PMAK-", r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b"),
)
_SECRETS_AND_INFRASTRUCTURE = (
    _shape("vault_token", "hvs. hvb. hvr.", r"\bhv[sbr]\.[\w\-]{24,}"),
    _shape("terraform_token", ".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w\-]{60,70}"),
    _shape("pulumi_token", "pul-", r"\bpul-[a-f0-9]{40}\b"),
    _shape(
        "doppler_token",
        "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w\-]{2,35}\.)?[A-Za-z0-9]{40,44}\b",
    ),
    _shape("onepassword_token", "ops_eyJ", r"\bops_eyJ[A-Za-z0-9+/=]{50,}"),
    _shape("age_secret_key", "AGE-SECRET-KEY-1", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
    _shape("databricks_token", "dapi", r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b"),
    _shape("planetscale_token", "pscale_", r"\bpscale_(?:tkn|pw|oauth)_[\w\-.=]{32,64}"),
    _shape("supabase_token", "sbp_ sb_secret_", r"\b(?:sbp_[a-f0-9]{40}|sb_secret_[\w\-]{20,})"),
    _shape("grafana_token", "glsa_ glc_eyJ", r"\b(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_eyJ[A-Za-z0-9+/=]{30,})"),
    _shape("sentry_token", "sntrys_eyJ sntryu_", r"\b(?:sntrys_eyJ[A-Za-z0-9+/=_\-]{40,}|sntryu_[a-f0-9]{64})"),
    _shape("new_relic_key", "NRAK- NRII- NRJS-", r"\b(?:NRAK-[A-Z0-9]{27}|NRII-[\w\-]{32}|NRJS-[a-f0-9]{19})"),
    _shape("dynatrace_token", "dt0", r"\bdt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b"),
    _shape("launchdarkly_key", "sdk- mob-", r"\b(?:sdk|mob)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    _shape("tailscale_key", "tskey-", r"\btskey-(?:[a-z]{2,12}-)?[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,50}"),
    _shape("clickhouse_key", "4b1d", r"\b4b1d[A-Za-z0-9]{38}\b"),
    _shape("okta_token", "SSWS ", r"\bSSWS (?P<secret>00[\w\-]{38,42})", has_spaces=True),
    _shape("posthog_key", "phx_", r"\bphx_[A-Za-z0-9]{40,60}\b"),
    _shape("prefect_key", "pnu_", r"\bpnu_[A-Za-z0-9]{36}\b"),
)
_MODELS = (
    _shape("anthropic_key", "sk-ant-", r"\bsk-ant-[\w\-]{20,}"),
    _shape("openai_key", "sk-", r"\bsk-(?:(?:proj|svcacct|admin)-[\w\-]{20,}|[A-Za-z0-9]{32,})"),
    _shape("openrouter_key", "sk-or-", r"\bsk-or-v1-[0-9a-f]{64}\b"),
    _shape("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _shape("replicate_token", "r8_", r"\br8_[A-Za-z0-9]{37}\b"),
    _shape("groq_key", "gsk_", r"\bgsk_[A-Za-z0-9]{52}\b"),
    _shape("perplexity_key", "pplx-", r"\bpplx-[A-Za-z0-9]{40,}\b"),
    _shape("nvidia_key", "nvapi-", r"\bnvapi-[\w\-]{60,70}"),
    _shape("langsmith_key", "lsv2_", r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b"),
    _shape("elevenlabs_key", "sk_", r"\bsk_[0-9a-f]{48}\b"),
    _shape("tavily_key", "tvly-", r"\btvly-(?:[a-z]{2,8}-)?[A-Za-z0-9\-]{30,50}"),
    _shape("xai_key", "xai-", r"\bxai-[A-Za-z0-9]{70,}\b"),
)
_MESSAGES_AND_MAIL = (
    _shape(
        "slack_token",
        "xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs-",
        r"\bxox(?:[abeoprs]|e\.xox[bp])-[A-Za-z0-9\-]{10,250}",
    ),
    _shape("slack_app_token", "xapp-", r"\bxapp-[0-9]-[A-Za-z0-9\-]{10,250}"),
    _shape(
        "slack_webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9+/]{20,80})",
    ),
    _shape("discord_token", "", r"(?<![\w\-.])[MNO][A-Za-z0-9]{23,27}\.[\w\-]{6}\.[\w\-]{27,40}(?![\w\-])"),
    _shape("discord_webhook", "/api/webhooks/", r"/api/webhooks/[0-9]{17,20}/(?P<secret>[\w\-]{60,80})"),
    _shape(
        "teams_webhook",
        "webhook.office.com",
        r"\.webhook\.office\.com/webhookb2/(?P<secret>[0-9a-f@\-]{70,75}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f"
        r"\-]{36})",
    ),
    _shape("telegram_bot_token", ":AA", r"(?<![0-9])[0-9]{8,10}:AA[\w\-]{33}\b"),
    _shape("twilio_key", "SK", r"\bSK[0-9a-f]{32}\b"),
    _shape("sendgrid_key", "SG.", r"\bSG\.[\w\-]{16,32}\.[\w\-]{16,64}"),
    _shape("mailgun_key", "key-", r"\bkey-[0-9a-f]{32}\b"),
    _shape("mailchimp_key", "-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    _shape("brevo_key", "xkeysib-", r"\bxkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}\b"),
    _shape("resend_key", "re_", r"\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b"),
    _shape("facebook_token", "EAA", r"\bEAA(?:CEdEose0cBA|[MC])[A-Za-z0-9]{20,}"),
    _shape("twitter_bearer", "AAAAAAAAAAAAAAAAAAAA", r"\bA{22}[A-Za-z0-9%]{60,}", is_app_bearer),
)
_MONEY_AND_SHOPS = (
    _shape("stripe_key", "k_live_ k_test_", r"\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,247}\b"),
    _shape("stripe_webhook_secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
    _shape("square_token", "sq0atp- sq0csp- sq0idp-", r"\bsq0(?:atp|csp|idp)-[\w\-]{22,60}"),
    _shape("braintree_token", "access_token$", r"\baccess_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}\b"),
    _shape(
        "plaid_token",
        "access-sandbox- access-production- access-development-",
        r"\baccess-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    ),
    _shape("razorpay_key", "rzp_live_ rzp_test_", r"\brzp_(?:live|test)_[A-Za-z0-9]{14,24}\b"),
    _shape("flutterwave_key", "FLWSECK", r"\bFLWSECK(?:_TEST)?-[a-h0-9]{12,32}(?:-X)?\b"),
    _shape("shopify_token", "shpat_ shpca_ shppa_ shpss_", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    _shape("shippo_token", "shippo_", r"\bshippo_(?:live|test)_[a-f0-9]{40}\b"),
    _shape("easypost_key", "EZAK EZTK", r"\bEZ[AT]K[A-Za-z0-9]{54}\b"),
    _shape("duffel_token", "duffel_", r"\bduffel_(?:live|test)_[\w\-=]{43}"),
)
_WORK = (
    _shape("airtable_token", "pat", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b"),
    _shape("notion_token", "ntn_ secret_", r"\b(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})\b"),
    _shape("linear_key", "lin_api_ lin_oauth_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{40,64}\b"),
    _shape("figma_token", "figd_", r"\bfigd_[\w\-]{40,}"),
    _shape("hubspot_token", "pat-na pat-eu", r"\bpat-(?:na|eu)[0-9]-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    _shape("dropbox_token", "sl.", r"\bsl\.(?:u\.)?[\w\-]{120,}"),
    _shape("contentful_token", "CFPAT-", r"\bCFPAT-[\w\-]{43}"),
    _shape("typeform_token", "tfp_", r"\btfp_[\w\-.]{40,}"),
    _shape("mapbox_token", "sk.eyJ", r"\bsk\.eyJ[\w\-]{20,}\.[\w\-]{20,}"),
    _shape("readme_key", "rdme_", r"\brdme_[a-z0-9]{70}\b"),
)

CREDENTIALS = (
    *_FORMATS,
    *_CLOUDS_AND_HOSTS,
    *_CODE_AND_PACKAGES,
    *_SECRETS_AND_INFRASTRUCTURE,
    *_MODELS,
    *_MESSAGES_AND_MAIL,
    *_MONEY_AND_SHOPS,
    *_WORK,
)

_LINKS = "reset/ password/ verify/ email/ confirm/ magic/ link/ invite/ invitation/ activate/ unsubscribe/ token/"
CONTEXTUAL = (
    _shape(
        "curl_password",
        "curl ",
        r"\bcurl [^\r\n]{0,500}?(?<=\s)(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,100}:"
        r"(?P<secret>(?=[^\s\"']*[0-9])[^\s\"'$<{*][^\s\"']{5,})",
        has_spaces=True,
    ),
    # A code that a device shows for typing (RFC 8628 section 6.1). Any other is a code of some user.
    _shape("user_code", "user_code=", r"\buser_code=(?P<secret>[A-Z0-9]{3,5}-[A-Z0-9]{3,5})(?![A-Za-z0-9])"),
    # The name of the subprotocol is the only header that a page can set on a WebSocket.
    _shape("kubernetes_token", "authorization.k8s.io.", r"\bauthorization\.k8s\.io\.(?P<secret>[\w\-]{16,})"),
    # What is mailed to log in, or to set a password.
    _shape(
        "link_token",
        _LINKS,
        r"/(?:reset|reset-?password|password-?reset|forgot-?password|verify|verify-?email|confirm|confirm-?email|magic"
        r"|magic-?link|login-?link|invite|invitation|activate|unsubscribe|token)/"
        r"(?P<secret>(?=[A-Za-z_\-]*[0-9])(?=[^A-Z/]*[A-Z])(?=[^a-z/]*[a-z])[\w\-]{20,}|[0-9a-f]{32,})(?![\w.%\-])",
    ),
)
"""Secrets of any shape, recognised by the text before them."""

PERSONAL_DATA = {
    "cards": _shape(
        "card_number",
        "",
        r"(?<![\w.\-])[2-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}(?![\w\-])",
        is_card_number,
        has_spaces=True,
    ),
    # Often shorter than any credential, which `has_spaces` also allows.
    "emails": _shape(
        "email",
        "@",
        r"(?<![\w.+\-])[\w][\w.+\-]{0,63}@[A-Za-z0-9][A-Za-z0-9.\-]{0,250}\.[A-Za-z]{2,24}\b",
        has_spaces=True,
    ),
}
"""Shapes of personal data. They are searched for only if a team asks for them by name."""
