"""A definition compiled for whoever wants to know; nothing is stored."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from loom.api.answers import answer, route
from loom.api.bodies import PeoplesBody, decoded_object
from loom.api.serving import TheOperators
from loom.graph.compiler import compile_definition
from loom.graph.diagnostics import errors
from loom.graph.plan import SOURCE, AssetFilter, Inbound, Intake, Plan, Step
from loom.model import Branch
from loom.shapes import DiagnosticShape

router = APIRouter(prefix="/pipelines/compile", tags=["pipelines"])


class InboundShape(msgspec.Struct, frozen=True):
    """One edge into a step, by the id of the node it comes from; `bucket` is there when it is for that bucket alone."""

    node: str
    branch: Branch | None
    bucket: str | UnsetType = UNSET


class FeedShape(msgspec.Struct, frozen=True):
    """Where values come from: a key of a node's outputs, null for all of them as one object."""

    node: str
    key: str | None


class IntakeShape(msgspec.Struct, frozen=True, kw_only=True):
    """What enters a step at its input for values; `fans_out`: it is computed once for each item."""

    values: list[FeedShape]
    many: bool
    fans_out: bool


class SourceShape(msgspec.Struct, frozen=True, kw_only=True):
    node: str
    operator: str
    config: dict[str, Any]


class StepShape(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a plan; its config has every default filled in."""

    index: int
    node: str
    operator: str
    operator_version: str
    signature: str
    config: dict[str, Any]
    enabled: bool
    inbound: list[InboundShape]
    reads: list[str]
    intake: IntakeShape | None
    filter: AssetFilter | None
    timeout_s: float | None
    retries: int


class PlanShape(msgspec.Struct, frozen=True, kw_only=True):
    """The steps in the order in which they are carried out."""

    pipeline: str
    digest: str
    dry_run: bool
    match: AssetFilter
    source: SourceShape
    steps: list[StepShape]


class CompiledShape(msgspec.Struct, frozen=True, kw_only=True):
    """`valid`: no diagnostic is an error. `plan` is null when it is not valid or has an operator unknown here."""

    valid: bool
    plan: PlanShape | None
    diagnostics: list[DiagnosticShape]


@router.post("", **route(CompiledShape, dict[str, Any]))
def compile_pipeline(operators: TheOperators, body: PeoplesBody) -> Response:
    """Compiles a definition or a bare graph and says all that there is to say of it."""
    compiled = compile_definition(decoded_object(body), operators, unknown_operators="warning")
    return answer(
        CompiledShape(
            valid=not errors(compiled.diagnostics),
            plan=None if compiled.plan is None else _plan(compiled.plan),
            diagnostics=list(compiled.diagnostics),
        )
    )


def _plan(plan: Plan) -> PlanShape:
    source = plan.source
    return PlanShape(
        pipeline=plan.pipeline,
        digest=plan.digest.hex(),
        dry_run=plan.dry_run,
        match=plan.match,
        source=SourceShape(node=source.node, operator=source.operator, config=source.config),
        steps=[_step(plan, step) for step in plan.steps],
    )


def _step(plan: Plan, step: Step) -> StepShape:
    return StepShape(
        index=step.index,
        node=step.node,
        operator=step.operator,
        operator_version=step.operator_version,
        signature=step.signature.hex(),
        config=step.config,
        enabled=step.enabled,
        inbound=[_inbound(plan, edge) for edge in step.inbound],
        reads=list(step.reads),
        intake=None if step.intake is None else _intake(plan, step.intake),
        filter=step.filter,
        timeout_s=step.timeout_s,
        retries=step.retries,
    )


def _inbound(plan: Plan, edge: Inbound) -> InboundShape:
    node = plan.source.node if edge.upstream == SOURCE else plan.steps[edge.upstream].node
    return InboundShape(node, edge.branch, UNSET if edge.bucket is None else edge.bucket)


def _intake(plan: Plan, intake: Intake) -> IntakeShape:
    values = [FeedShape(plan.steps[feed.upstream].node, feed.key) for feed in intake.feeds]
    return IntakeShape(values=values, many=intake.many, fans_out=intake.fans_out)
