"""Finds the project that a path names, by its id or by a key that it has or had."""

import re
from uuid import UUID

from litestar.params import FromPath

from api.http.request import ApiRequest, uuid_or_none
from commands.project_claims import project_key_claim
from domain.base import NotFound, ProjectId

PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")

ProjectRef = FromPath[str]
"""The id of a project, or its key such as ENG."""


async def project_id_of(request: ApiRequest, ref: str) -> ProjectId:
    """Return the id of the project that *ref* names in the caller's organization.

    :raises NotFound: there is none. Whether the caller sees it is asked later.
    """
    project_id = uuid_or_none(ref)
    if project_id is not None:
        return ProjectId(project_id)
    key = ref.upper() if ref.isascii() else ""
    if PROJECT_KEY.fullmatch(key) is None:
        raise NotFound
    org_id = await request.own_organization()
    found: UUID | None = await request.api.system.log.holder(project_key_claim(org_id, key))
    if found is None:
        raise NotFound
    return ProjectId(found)
