"""If-Match and If-None-Match as RFC 9110 has them."""

import pytest

from api.http.conditions import is_known, version_in
from api.http.problem import Problem
from commands.base import ChangedSince
from tests.api.stage import Person, done, refused


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("*", None),
        (' "3" ', 3),
        ('W/"3"', 3),
        ('"2", W/"3", "1"', 3),
        ('"3","abc","3-gzip"', 3),
        (',"3",, "1",', 3),
        ('"a,b", "3"', 3),
        ('"0"', 0),
    ],
)
def test_if_match_holds_by_its_highest_version(header: str, version: int | None) -> None:
    assert version_in(header.encode()) == version


@pytest.mark.parametrize("header", ["3", "", '"3', '3"', '"1" "2"', 'w/"3"', '"3", 4', "*, *", ","])
def test_if_match_that_is_no_list_of_tags_is_malformed(header: str) -> None:
    with pytest.raises(Problem) as refusal:
        version_in(header.encode())
    assert refusal.value.status == 400


@pytest.mark.parametrize("header", ['"abc"', '""', '"03"', '"-1"', '"3-gzip", W/"x"'])
def test_if_match_with_foreign_tags_only_has_failed(header: str) -> None:
    with pytest.raises(ChangedSince):
        version_in(header.encode())


@pytest.mark.parametrize(
    ("header", "known"),
    [('"1"', True), ('W/"1"', True), ('"7", "1"', True), ("*", True), ('"2"', False), ("1", False)],
)
def test_if_none_match_compares_weakly(header: str, known: bool) -> None:
    assert is_known(header.encode(), b'"1"') is known


async def test_a_change_answers_as_its_if_match_says(ana: Person) -> None:
    await ana.task(await ana.project())
    for header, status, code in (
        ("1", 400, "malformed_request"),
        ('"abc"', 412, "changed_since"),
        ('"2"', 412, "changed_since"),
    ):
        headers = {"if-match": header}
        response = await ana.patch("/task/ENG-1", {"title": "New"}, headers=headers)
        refused(response, status, code)
    for number, header in enumerate(('W/"1"', '"1", "2"', "*")):
        headers = {"if-match": header}
        done(await ana.patch("/task/ENG-1", {"title": f"New {number}"}, headers=headers), 200)


async def test_only_a_resource_without_derived_members_gets_304(ana: Person) -> None:
    path = f"/org/{ana.org_id}"
    tag = (await ana.get(path)).headers["etag"]

    known = await ana.get(path, headers={"if-none-match": f"W/{tag}"})

    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
