"""The operator's own route: ``POST /admin/reload``; the gate asks for the admin key before it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from api.problems import problem
from matcher.index import IndexBusy, OccupationIndexError


def router() -> APIRouter:
    """Return the admin routes; ``app.state.holder`` must be there."""
    routes = APIRouter(include_in_schema=True)
    routes.add_api_route(
        "/admin/reload",
        reload,
        methods=["POST"],
        status_code=202,
        operation_id="reloadIndex",
        tags=["operations"],
        summary="Take a new version of the index",
        response_model=None,
        responses={
            202: {"description": "The index that answers from now on; the other workers follow within a second."},
            409: {"description": "The version is missing, corrupt or foreign; the old index still answers."},
        },
    )
    return routes


async def reload(
    request: Request,
    version: Annotated[
        str | None,
        Query(
            pattern="^[0-9a-f]{16}$", description="A version in the index's folder to point at; by default, what the pointer names."
        ),
    ] = None,
) -> Any:
    """Check the index that the pointer names (or ``version``), and answer with it from now on."""
    try:
        digest = await request.app.state.holder.reload(version)
    except IndexBusy:
        return problem(409, "another process is writing the index; try again when it has ended")
    except (OccupationIndexError, OSError):
        # The log has the file's name; a caller over the network gets no paths.
        return problem(409, "the version is missing, corrupt or foreign; the old index still answers, and the log says which file")
    return JSONResponse({"index": digest}, status_code=202)
