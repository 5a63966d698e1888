"""A user's own program as a node."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from functools import partial
from shutil import which
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field, StringConstraints

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.fields import Size
from cortex.operators.script.run import Ended, Limits, Programs
from cortex.operators.sinks.naming import sayable
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media

_PLACE = re.compile(r"\{\{([a-z0-9]+)\}\}|\{([a-z0-9]+)\}")
_PLACES = ("path", "asset", "blake3", "mime", "kind", "size", "scratch")
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
_MAX_OUTPUT = 1024 * 1024
_LEAD = 10_000
_CODES = {
    65: "FILE_DAMAGED",
    66: "FILE_UNREADABLE",
    69: "REQUIREMENT_MISSING",
    73: "EFFECT_FAILED",
    75: "TRY_AGAIN",
}
"""Exit codes of `sysexits.h`, and as what the node fails with them."""


def _is_argument(text: str) -> str:
    for match in _PLACE.finditer(text):
        if match[2] is not None and match[2] not in _PLACES:
            raise ValueError(f"there is no {{{match[2]}}}: it may be {', '.join(_PLACES)}; write {{{{ }}}} for braces")
    if "\0" in text:
        raise ValueError("an argument holds no zero byte")
    return text


Argument = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_is_argument)]
Variable = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
NodeId = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class ScriptOptions(NodeOptions):
    program: str = Field(
        min_length=1, max_length=1000, description="A name that is found on PATH, or a path from the root on."
    )
    arguments: tuple[Argument, ...] = Field(
        ("{path}",),
        max_length=200,
        description="Its arguments, one by one: there is no shell. {path}, {asset} (the UUID), {blake3}, {mime}, "
        "{kind}, {size} (bytes) and {scratch} (its folder) stand for what they say; {{path}} for the word in braces.",
    )
    nodes: tuple[NodeId, ...] = Field((), max_length=100, description="Earlier nodes whose outputs it gets on stdin.")
    environment: tuple[Variable, ...] = Field(
        (),
        max_length=100,
        description="Names of environment variables that are passed on to it, besides PATH, LANG, TZ.",
    )
    effects: bool = Field(
        False, description="It changes things besides its own folder; a dry run then only says that it would be run."
    )
    network: bool = Field(False, description="Whether it may open sockets.")
    fail_codes: tuple[Annotated[int, Field(ge=1, le=125)], ...] = Field(
        (), max_length=20, description="Exit codes that mean the verdict FAIL, such as [1] of grep."
    )
    within_s: float = Field(
        60, gt=0, le=86_400, description="Seconds that it may take for one asset; fewer where `timeout_s` says so."
    )
    memory: Size = Field(1024**3, ge=16 * 1024**2, description="Bytes of data that each of its processes may hold.")
    max_file: Size = Field(
        256 * 1024**2, ge=4096, le=2 * 1024**3, description="Bytes of each file it may write, and of its artifacts."
    )
    niceness: int = Field(5, ge=0, le=19, description="How much it stands back behind other programs.")


class _Artifact(msgspec.Struct, forbid_unknown_fields=True):
    file: str
    media_type: str
    name: str | None = None


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What a program may say on stdout."""

    values: dict[str, Any] = {}
    text: str | None = None
    verdict: Literal["PASS", "FAIL"] = "PASS"
    reason: str | None = None
    artifacts: list[_Artifact] = []


class Script(MediaNode[ScriptOptions]):
    """Runs a program of your own on the file, and takes over what it says.

    `{program: pdftotext, arguments: ["{path}", "-"]}` is an example. The program gets JSON on stdin: `asset` (`uuid`,
    `blake3`, `size`, `mime`, `kind`, `path`), `node`, `nodes` (the outputs of the nodes that the options name, null for
    skipped ones), `scratch` and `dry_run`. It may answer with JSON on stdout, at most 1 MiB: `values` (an object, later
    read as `node.values.key`), `text`, `verdict` (`PASS`, `FAIL`), `reason`, and `artifacts`, a list of `file` (a name
    in the folder it was started in, which is its own and removed afterwards), `media_type` and maybe `name`. What does
    not begin with `{` is taken as `text`, up to 10,000 characters of it; an empty answer is one, too.

    Which programs may run is said on each machine by the setting `programs` (`CORTEX_PROGRAMS`), by default none: a
    stored pipeline must not run what it likes. There is no shell. It starts without sockets unless `network` is true,
    in a session of its own, with few environment variables; TMPDIR and HOME are its own folder. All its processes are
    killed when it ends or takes too long, at once when the run is paused `now` or aborted, and when Cortex dies; paused
    `now`, it is begun anew afterwards. Nothing else keeps it from changing files: unless `effects` is true it must not
    change anything outside its folder, for a dry run runs it as well.

    An exit code of 0 is success. Those of `fail_codes` are the verdict FAIL. 65 fails as `FILE_DAMAGED`, 66 as
    `FILE_UNREADABLE`, 69 as `REQUIREMENT_MISSING`, 73 as `EFFECT_FAILED`, 75 as `TRY_AGAIN` (all but the first are
    tried again in the next run), others and signals as `OPERATOR_FAILED`, with the last line of stderr as the message.
    Fails with `TIMED_OUT`, and with `OUTPUT_INVALID` for an answer that is none. It does not get ready
    (`REQUIREMENT_MISSING`) where the program is missing or may not run, or the network cannot be closed.
    """

    operator = "script.process"
    outputs = (
        Port(id="out", content_type="struct/script"),
        Port(id="files", content_type="artifact/*", cardinality="many", description="what the program made"),
    )
    reads = ()
    capabilities = frozenset({"effect", "program"})
    VALUES = OutputKey("values", dict, "What the program said, by key.")
    TEXT = OutputKey("text", str, "The text that it said.")
    EXIT_CODE = OutputKey("exit_code", int, "With which code it ended.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._programs = Programs()
        self._path = ""

    def named_nodes(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.options.nodes)))

    def open(self) -> None:
        from cortex.operators.script.keeper import can_close_network
        from cortex.settings import CortexSettings

        self._path = allowed(self.options.program, CortexSettings.load({}).programs)
        if not self.options.network and not can_close_network():
            raise LoomError(
                "REQUIREMENT_MISSING",
                "programs cannot be kept from the network here; `network: true` lets them have it",
            )
        self._programs = Programs()

    def close(self) -> None:
        self._programs.close()

    def halt(self, halted: bool) -> None:
        """Drops programs at work, until the pause is over."""
        self._programs.halt(halted)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        what = f"run {self.options.program} on {sayable(media.path)}"
        if self.options.effects:
            ctx.effect(what, lambda: self._run(ctx, media))
        else:
            self._run(ctx, media)

    def _run(self, ctx: NodeContext, media: Media) -> None:
        options = self.options
        seconds = options.within_s if (left := ctx.seconds_left) is None else min(options.within_s, left)
        if seconds <= 0:
            raise LoomError("TIMED_OUT")
        limits = Limits(seconds, options.memory, options.max_file, _MAX_OUTPUT, options.niceness, options.network)
        with tempfile.TemporaryDirectory(prefix="cortex-program-") as scratch:
            facts = _facts(media, scratch)
            command = [self._path, *(_filled(argument, facts) for argument in options.arguments)]
            given, environment = self._given(ctx, media, scratch), self._environment(scratch)
            renew = partial(ctx.progress, 0.0)
            ended = self._programs.run(command, scratch, given, environment, limits, renew)
            if ended.how != "exit" or ended.code not in (0, *options.fail_codes):
                raise _failure(options.program, ended)
            self._take_over(ctx, ended, scratch)

    def _take_over(self, ctx: NodeContext, ended: Ended, scratch: str) -> None:
        answer = _answer(ended.said)
        ctx.output(self.EXIT_CODE, ended.code)
        if answer.values:
            ctx.output(self.VALUES, answer.values)
        if answer.text is not None:
            ctx.output(self.TEXT, answer.text)
        left = self.options.max_file
        for artifact in answer.artifacts:
            data = _read_artifact(scratch, artifact.file, left)
            left -= len(data)
            ctx.artifact(artifact.name or artifact.file, data, artifact.media_type)
        if ended.code != 0:
            ctx.verdict(Branch.FAIL, answer.reason or _last_line(ended.complaint) or f"exit code {ended.code}")
        else:
            ctx.verdict(Branch(answer.verdict), answer.reason)

    def _given(self, ctx: NodeContext, media: Media, scratch: str) -> bytes:
        upstream = ctx.upstream_nodes()
        told = {
            "asset": {
                "uuid": str(media.asset.uuid),
                "blake3": media.asset.blake3.hex(),
                "size": media.size,
                "mime": media.mime,
                "kind": media.kind.value,
                "path": sayable(media.local),
            },
            "node": ctx.node,
            "nodes": {node: upstream.get(node) for node in self.options.nodes},
            "scratch": scratch,
            "dry_run": ctx.dry_run,
        }
        return msgspec.json.encode(told)

    def _environment(self, scratch: str) -> dict[str, str]:
        names = (*_PASSED_ON, *self.options.environment)
        return {**{name: os.environ[name] for name in names if name in os.environ}, "HOME": scratch, "TMPDIR": scratch}


def allowed(program: str, programs: tuple[str, ...]) -> str:
    """The path of a program that may be run here. Raises `REQUIREMENT_MISSING` with a sentence that says why not."""
    path = program if program.startswith("/") else which(program) if "/" not in program else None
    if program not in programs and path not in programs:
        raise LoomError(
            "REQUIREMENT_MISSING",
            f"the program {program!r} may not be run on this machine: CORTEX_PROGRAMS does not name it",
        )
    if path is None or which(path) is None:
        raise LoomError("REQUIREMENT_MISSING", f"the program {program!r} is not installed on this machine")
    return path


def _facts(media: Media, scratch: str) -> dict[str, str]:
    return {
        "path": media.local,
        "asset": str(media.asset.uuid),
        "blake3": media.asset.blake3.hex(),
        "mime": media.mime,
        "kind": media.kind.value,
        "size": str(media.size),
        "scratch": scratch,
    }


def _filled(argument: str, facts: dict[str, str]) -> str:
    return _PLACE.sub(lambda match: f"{{{match[1]}}}" if match[1] is not None else facts[match[2]], argument)


def _answer(said: bytes) -> _Answer:
    """Raises `OUTPUT_INVALID`."""
    text = said.strip()
    if not text.startswith(b"{"):
        return _Answer(text=text.decode("utf-8", "replace")[:_LEAD].replace("\0", "") if text else None)
    try:
        return msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LoomError("OUTPUT_INVALID", f"what the program said is not an answer: {error}") from error


def _read_artifact(scratch: str, name: str, limit: int) -> bytes:
    """Raises `OUTPUT_INVALID` for what is no file of that folder."""
    if not name or name != os.path.basename(name) or name in (".", "..") or "\0" in name:
        raise LoomError("OUTPUT_INVALID", f"{name!r} is not the name of a file in the program's folder")
    try:
        descriptor = os.open(os.path.join(scratch, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise LoomError("OUTPUT_INVALID", f"the artifact {name!r} cannot be read: {error.strerror}") from error
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LoomError("OUTPUT_INVALID", f"the artifact {name!r} is not a file")
        if os.fstat(descriptor).st_size > limit:
            raise LoomError("OUTPUT_INVALID", "the artifacts together are larger than `max_file`")
        return file.read(limit)


def _failure(program: str, ended: Ended) -> LoomError:
    said = _last_line(ended.complaint)
    if ended.how == "error":
        return LoomError("REQUIREMENT_MISSING", f"{program} cannot be started: {os.strerror(ended.code)}")
    if ended.how == "signal":
        return LoomError("OPERATOR_FAILED", f"{program} was ended by signal {ended.code}{f': {said}' if said else ''}")
    code = _CODES.get(ended.code, "OPERATOR_FAILED")
    return LoomError(code, said or f"{program} ended with the exit code {ended.code}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""
