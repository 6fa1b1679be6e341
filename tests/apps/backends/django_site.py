"""A Django site with its admin, a fresh database and a new secret key: `python -m tests.apps.backends.django_site PORT`."""

import secrets
import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

PROCESSORS = ["template.context_processors.request", "contrib.auth.context_processors.auth"]
PROCESSORS += ["contrib.messages.context_processors.messages"]
MIDDLEWARE = ["middleware.security.SecurityMiddleware", "contrib.sessions.middleware.SessionMiddleware"]
MIDDLEWARE += ["middleware.common.CommonMiddleware", "middleware.csrf.CsrfViewMiddleware"]
MIDDLEWARE += ["contrib.auth.middleware.AuthenticationMiddleware", "contrib.messages.middleware.MessageMiddleware"]
APPS = ["admin", "auth", "contenttypes", "sessions", "messages", "staticfiles"]


def configure(folder: Path) -> None:
    settings.configure(
        SECRET_KEY=secrets.token_hex(32),
        DEBUG=True,  # so that runserver serves the static files
        ALLOWED_HOSTS=["127.0.0.1"],  # a Host or Origin other than its own is refused
        ROOT_URLCONF="tests.apps.backends.django_urls",
        STATIC_URL="/static/",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "site.sqlite3")}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        INSTALLED_APPS=[f"django.contrib.{name}" for name in APPS],
        MIDDLEWARE=[f"django.{name}" for name in MIDDLEWARE],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": [f"django.{name}" for name in PROCESSORS]},
            }
        ],
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        configure(Path(folder))
        django.setup()
        call_command("migrate", verbosity=0)
        from django.contrib.auth.models import User

        User.objects.create_superuser("ada", "ada@example.test", "correct horse")
        call_command("runserver", f"127.0.0.1:{sys.argv[1]}", use_reloader=False)


if __name__ == "__main__":
    main()
