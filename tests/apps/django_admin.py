"""The admin of a Django site in Chromium: log in, add, change, delete, log out, past its checks of Origin and Referer."""

# /// script
# dependencies = ["django==5.2.19", "playwright==1.65.2"]
# ///

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from tests.apps.support import browsing, finish, serving, three_ways

EXPECTED = {
    "a stranger is asked to log in": "Log in | Django site admin",
    "a wrong password is refused": "Please enter the correct username and password for a staff account. "
    "Note that both fields may be case-sensitive.",
    "logged in": "WELCOME, ADA.",
    "no group at first": "0 groups",
    "added": "The group “Readers” was added successfully.",
    "it is listed": ["Readers"],
    "a name taken": "Group with this Name already exists.",
    "changed": "The group “Writers” was changed successfully.",
    "its new name is listed": ["Writers"],
    "asked before it is deleted": "Delete",
    "deleted": "The group “Writers” was deleted successfully.",
    "no group at last": "0 groups",
    "what was done, the last first": ["Deleted: Writers Group", "Writers", "Readers"],
    "logged out": "Logged out | Django site admin",
    "asked again to log in": "Log in | Django site admin",
    "errors in the console": [],
}


def backend() -> AbstractContextManager[str]:
    return serving(sys.executable, "-m", "tests.apps.backends.django_site", "PORT")


def click(page: Any, selector: str) -> None:
    """Clicks on what leads to another page, and waits for that."""
    with page.expect_navigation():
        page.click(selector)


def log_in(page: Any, password: str) -> None:
    page.fill("#id_username", "ada")
    page.fill("#id_password", password)
    click(page, "[type=submit][value='Log in']")


def save_group(page: Any, name: str) -> None:
    page.fill("#id_name", name)
    click(page, "[name=_save]")


def text(page: Any, selector: str) -> str:
    return " ".join(page.locator(selector).first.inner_text().split())


def listed(page: Any, selector: str = "#result_list tbody th") -> list[str]:
    return [" ".join(name.split()) for name in page.locator(selector).all_inner_texts()]


def visit(origin: str) -> Iterator[tuple[str, Any]]:
    with browsing() as (page, errors):
        page.goto(f"{origin}/admin/")
        yield "a stranger is asked to log in", page.title()
        log_in(page, "wrong pony")
        yield "a wrong password is refused", text(page, ".errornote")
        log_in(page, "correct horse")
        yield "logged in", text(page, "#user-tools").partition(" VIEW")[0]

        click(page, "#content-main >> text=Groups")
        yield "no group at first", text(page, ".paginator")
        click(page, "text=Add group")
        save_group(page, "Readers")
        yield "added", text(page, ".messagelist .success")
        yield "it is listed", listed(page)
        click(page, "text=Add group")
        save_group(page, "Readers")
        yield "a name taken", text(page, ".errorlist:not(.nonfield)")

        click(page, ".breadcrumbs >> text=Groups")
        click(page, "#result_list >> text=Readers")
        save_group(page, "Writers")
        yield "changed", text(page, ".messagelist .success")
        yield "its new name is listed", listed(page)

        click(page, "#result_list >> text=Writers")
        click(page, "a.deletelink")
        yield "asked before it is deleted", text(page, "#content h1")
        click(page, "[type=submit][value^=Yes]")
        yield "deleted", text(page, ".messagelist .success")
        yield "no group at last", text(page, ".paginator")

        click(page, "text=Home")
        yield "what was done, the last first", listed(page, ".actionlist li a, .actionlist li.deletelink")
        click(page, "#logout-form button")
        yield "logged out", page.title()
        page.goto(f"{origin}/admin/")
        yield "asked again to log in", page.title()
        yield "errors in the console", errors


if __name__ == "__main__":
    three_ways(backend, visit, EXPECTED)
    finish()
