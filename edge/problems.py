"""The one table from kinds of problems to HTTP, as RFC 9457 problem details. Input is never echoed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.core.errors import Kind, Problem, Unavailable
from server.core.logging import logger, trace_id

log = logger(__name__)

STATUS: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Kind.REFUSED: 422,
    Kind.UPGRADE: 426,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}


class ProblemOut(BaseModel):
    """Problem details. `code` is stable and meant for programs, `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any]
    trace_id: str


def _documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


# Every route can answer these; a router passes them as `responses`.
PUBLIC_PROBLEMS = _documented(400, 404, 409, 413, 422, 429, 503)
PROBLEMS = PUBLIC_PROBLEMS | _documented(401, 403)


def problem_response(
    status: int,
    code: str,
    detail: str,
    facts: Mapping[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body = ProblemOut(
        type=f"urn:callout:problem:{code}",
        title=HTTPStatus(status).phrase if status in HTTPStatus else "Problem",
        status=status,
        detail=detail,
        code=code,
        facts={name: _plain(value) for name, value in (facts or {}).items()},
        trace_id=trace_id.get(),
    )
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else _listed(value)


def _listed(value: object) -> object:
    return [str(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else str(value)


async def _named(_request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    log.info("problem", code=problem.code)
    wait = str(problem.facts.get("retry_after_s", 2))
    headers = {"Retry-After": wait} if problem.kind in {Kind.UNAVAILABLE, Kind.TOO_MANY} else {}
    if problem.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(STATUS[problem.kind], problem.code, str(problem), problem.facts, headers)


async def _invalid(_request: Request, wrong: Exception) -> JSONResponse:
    assert isinstance(wrong, RequestValidationError)
    errors = wrong.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return problem_response(400, "malformed", "The body is not valid JSON.")
    listed = [f"{_where(error['loc'])}: {error['msg']}" for error in errors[:20]]
    return problem_response(422, "invalid", "Some values can't be accepted: " + "; ".join(listed), {"errors": listed})


def _where(location: tuple[int | str, ...]) -> str:
    # Keys of hostile bodies appear in locations; keep what is printable and short.
    path = ".".join(str(part) for part in location)
    return path.encode("ascii", "replace").decode()[:100]


async def _http(_request: Request, wrong: Exception) -> JSONResponse:
    assert isinstance(wrong, HTTPException)
    status = wrong.status_code
    code = HTTPStatus(status).name.lower() if status in HTTPStatus else "http"
    headers = dict(wrong.headers) if wrong.headers else None
    return problem_response(status, code, str(wrong.detail), headers=headers)


async def _unavailable(_request: Request, wrong: Exception) -> JSONResponse:
    log.warning("database unavailable", error=type(wrong).__name__)
    return await _named(_request, Unavailable())


async def _against_a_constraint(_request: Request, wrong: Exception) -> JSONResponse:
    """Answer for the last line of defence: the database refused what the use case let through."""
    assert isinstance(wrong, psycopg.Error)
    facts = {"constraint": wrong.diag.constraint_name or ""}
    match wrong:
        case psycopg.errors.ForeignKeyViolation():
            return problem_response(422, "unknown_reference", "Something this refers to does not exist.", facts)
        case psycopg.errors.UniqueViolation():
            return problem_response(409, "already_exists", "This exists already.", facts)
        case psycopg.errors.CheckViolation() | psycopg.errors.ExclusionViolation():
            return problem_response(422, "against_rule", "This breaks a rule of the data.", facts)
    return await _unexpected(_request, wrong)


async def _unexpected(_request: Request, wrong: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=wrong)
    return problem_response(500, "internal", "Something went wrong on our side; nothing was changed.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _named)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.OperationalError, _unavailable)
    app.add_exception_handler(PoolTimeout, _unavailable)
    app.add_exception_handler(psycopg.errors.QueryCanceled, _unavailable)
    # This process stood still, its machine suspended say, for longer than the database waits.
    app.add_exception_handler(psycopg.errors.IdleInTransactionSessionTimeout, _unavailable)
    app.add_exception_handler(psycopg.IntegrityError, _against_a_constraint)
    app.add_exception_handler(Exception, _unexpected)
