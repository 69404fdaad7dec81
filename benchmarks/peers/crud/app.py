"""The routes, at the paths of our API."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, HTTPException, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.peers.crud.bodies import (
    MOVES,
    Login,
    Move,
    NewProject,
    NewTask,
    Plan,
    Profile,
    ProjectShown,
    Registration,
    TaskPage,
    TaskShown,
    TaskStatus,
    Token,
)
from benchmarks.peers.crud.database import Caller, Session, engine, hashed, record, token_of
from benchmarks.peers.crud.tables import Organization, Project, Table, Task, User, now

SALT_BYTES = 16


@asynccontextmanager
async def tables(app: FastAPI) -> AsyncGenerator[None]:
    """Create the tables before the first request."""
    async with engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=tables)


@app.get("/api/health")
async def health() -> dict[str, str]:
    """Say that the service answers."""
    return {"status": "ok"}


@app.post("/api/auth/register", status_code=201)
async def register(session: Session, data: Registration) -> Profile:
    """Create a user with an organization."""
    organization = Organization(**data.organization.model_dump())
    session.add(organization)
    await session.flush()
    user = User(
        organization_id=organization.id,
        email=data.email,
        name=data.name,
        password=hashed(data.password, os.urandom(SALT_BYTES)),
    )
    session.add(user)
    await session.commit()
    return Profile.model_validate(user)


@app.post("/api/auth/login")
async def log_in(session: Session, data: Login) -> Token:
    """Return an access token."""
    user = await session.scalar(select(User).where(User.email == data.email))
    if user is None or hashed(data.password, user.password[:SALT_BYTES]) != user.password:
        raise HTTPException(401, "wrong e-mail address or password")
    return Token(access_token=token_of(user))


@app.get("/api/auth/profile")
async def profile(caller: Caller) -> Profile:
    """Return who is logged in."""
    return Profile.model_validate(caller)


@app.patch("/api/org/{organization_id}/plan")
async def change_plan(session: Session, caller: Caller, organization_id: UUID, data: Plan) -> Plan:
    """Change the plan of the caller's organization."""
    organization = await session.get(Organization, caller.organization_id)
    if organization is None or organization.id != organization_id:
        raise HTTPException(404, "no such organization")
    organization.plan = data.plan
    await session.commit()
    return data


@app.post("/api/project", status_code=201, response_model=ProjectShown)
async def create_project(
    session: Session, request: Request, caller: Caller, data: NewProject
) -> Project:
    """Create a project."""
    project = Project(organization_id=caller.organization_id, **data.model_dump())
    session.add(project)
    await session.flush()
    record(session, request, caller, project.id, "project.created", name=data.name)
    await session.commit()
    return project


@app.post("/api/project/{project_id}/tasks", status_code=201, response_model=TaskShown)
async def create_task(
    session: Session, request: Request, caller: Caller, project_id: UUID, data: NewTask
) -> Task:
    """Create a task."""
    project = await _project_here(session, caller, project_id)
    if project.archived:
        raise HTTPException(409, "the project is archived")
    task = Task(
        organization_id=caller.organization_id,
        project_id=project_id,
        project_key=project.key,
        created_by=caller.id,
        **data.model_dump(),
    )
    session.add(task)
    await session.flush()
    record(session, request, caller, task.id, "task.created", title=data.title)
    await session.commit()
    return task


@app.get("/api/project/{project_id}/tasks")
async def list_tasks(  # noqa: PLR0913, PLR0917 - one parameter per filter
    session: Session,
    caller: Caller,
    project_id: UUID,
    status: TaskStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: int | None = None,
) -> TaskPage:
    """List the tasks of a project, newest first."""
    await _project_here(session, caller, project_id)
    wanted = select(Task).where(Task.project_id == project_id, Task.deleted.is_(False))
    if status is not None:
        wanted = wanted.where(Task.status == status)
    if cursor is not None:
        wanted = wanted.where(Task.number < cursor)
    rows = (await session.scalars(wanted.order_by(Task.number.desc()).limit(limit + 1))).all()
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    items = [TaskShown.model_validate(row) for row in rows[:limit]]
    return TaskPage(items=items, next_cursor=more)


@app.get("/api/task/{task_id}", response_model=TaskShown)
async def get_task(session: Session, caller: Caller, task_id: UUID) -> Task:
    """Return a task."""
    return await _task_here(session, caller, task_id)


@app.post("/api/task/{task_id}/status", response_model=TaskShown)
async def change_task_status(
    session: Session, request: Request, caller: Caller, task_id: UUID, data: Move
) -> Task:
    """Change the status of a task."""
    task = await _task_here(session, caller, task_id, lock=True)
    before = TaskStatus(task.status)
    if data.status not in MOVES[before]:
        raise HTTPException(409, f"a task that is {before} cannot become {data.status}")
    task.status, task.updated_at, task.version = data.status, now(), task.version + 1
    changed = {"before": before, "after": data.status}
    record(session, request, caller, task.id, "task.status_changed", **changed)
    await session.commit()
    return task


async def _project_here(session: AsyncSession, caller: User, project_id: UUID) -> Project:
    """Return a project of the caller's organization."""
    project = await session.get(Project, project_id)
    if project is None or project.organization_id != caller.organization_id:
        raise HTTPException(404, "no such project")
    return project


async def _task_here(
    session: AsyncSession, caller: User, task_id: UUID, *, lock: bool = False
) -> Task:
    """Return a task of the caller's organization; with *lock* nobody else changes it meanwhile."""
    task = await session.get(Task, task_id, with_for_update=lock or None)
    if task is None or task.deleted or task.organization_id != caller.organization_id:
        raise HTTPException(404, "no such task")
    return task
