"""Settings in layers: flags over environment over files over defaults, each value with where it came from."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from loom.errors import LoomError
from loom.graph.sizes import parse_size

S = TypeVar("S")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_BEFORE_HOST = re.compile(r"^([^:/]+://[^:/@]*:)[^@]*@(?:[^/?]*@)?")
_IN_QUERY = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


class Place(NamedTuple):
    """What a default may depend on: the environment and the values of the settings before it."""

    environ: Mapping[str, str]
    values: Mapping[str, Any]


class Rule(NamedTuple):
    """How one setting is read. `read` takes the raw value and the folder that relative paths are below, and raises
    `ValueError` for what it cannot take."""

    env: str
    read: Callable[[Any, Path], Any]
    default: Callable[[Place], Any]
    shown: Callable[[Any], str]


class Row(NamedTuple):
    """One line of `loom config` and `cortex config`; secrets are masked."""

    name: str
    value: str
    origin: str


def setting(
    env: str, read: Callable[[Any, Path], Any], default: Any = None, *, of: Callable[[Place], Any] | None = None,
    shown: Callable[[Any], str] = str,
) -> Any:  # fmt: skip
    """A field of a settings class. `of` computes a default that depends on the machine or on other settings; `shown`
    is what may be read of a value."""
    return dataclasses.field(metadata={"rule": Rule(env, read, of or (lambda _: default), shown)})


def rules(settings: type[Any]) -> dict[str, Rule]:
    """The settings of a class, by name."""
    return {field.name: field.metadata["rule"] for field in dataclasses.fields(settings) if "rule" in field.metadata}


def load(
    settings: type[S], file: str, flags: Mapping[str, Any], environ: Mapping[str, str], cwd: Path | None = None
) -> S:
    """An instance of the settings class with the values of all layers. A flag that is None was not given, an empty
    variable is not set, nor is what is an empty text in a file. `file` is looked for in `cwd` (default: the current
    folder), then in the user's configuration folder; the first that has a setting wins. Raises `CONFIG_INVALID`."""
    here = (cwd or Path.cwd()).absolute()
    wanted = rules(settings)
    files = [(path, _read_file(path, wanted)) for path in (here / file, config_folder(environ) / file)]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, rule in wanted.items():
        found = _given(name, rule, flags, environ, files, here)
        if found is None:
            values[name], origins[name] = rule.default(Place(environ, values)), "default"
        else:
            raw, origin, folder = found
            values[name], origins[name] = _value(rule, raw, folder, f"{name} ({origin})"), origin
    make: Callable[..., S] = settings
    return make(**values, origins=origins)


def rows(settings: Any) -> list[Row]:
    """Every setting of an instance with its value as text and its origin."""
    return [
        Row(name, _text(getattr(settings, name), rule.shown), settings.origins[name])
        for name, rule in rules(type(settings)).items()
    ]


def _given(
    name: str,
    rule: Rule,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    files: Iterable[tuple[Path, Mapping[str, Any]]],
    here: Path,
) -> tuple[Any, str, Path] | None:
    if flags.get(name) is not None:
        return flags[name], f"flag --{name.replace('_', '-')}", here
    if environ.get(rule.env):
        return environ[rule.env], f"environment {rule.env}", here
    for path, content in files:
        if content.get(name, "") != "":
            return content[name], f"file {path}", path.parent
    return None


def _value(rule: Rule, raw: Any, folder: Path, where: str) -> Any:
    try:
        return rule.read(raw, folder)
    except ValueError as error:
        raise LoomError("CONFIG_INVALID", f"{where}: {error}") from error


def _read_file(path: Path, wanted: Mapping[str, Rule]) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise LoomError("CONFIG_INVALID", f"{path} cannot be read: {error.strerror}") from error
    import tomllib

    try:
        content = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise LoomError("CONFIG_INVALID", f"{path} is not valid TOML: {error}") from error
    for key in content:
        if key not in wanted:
            raise LoomError("CONFIG_INVALID", f"{path}: there is no setting {key!r}; there are {', '.join(wanted)}")
    return content


def _text(value: Any, shown: Callable[[Any], str]) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, tuple) else shown(value)


def masked(_: str) -> str:
    """For a secret."""
    return "***"


def without_password(url: str) -> str:
    """For a URL: all of it but the password, be it before the host or in the query."""
    return _IN_QUERY.sub(r"\1***", _BEFORE_HOST.sub(r"\1***@", url))


def text(raw: Any, _: Path) -> str:
    """Text, not empty."""
    if not isinstance(raw, str) or not raw:
        raise ValueError("must be text")
    return raw


def names(raw: Any, _: Path) -> tuple[str, ...]:
    """A list of texts, or one text with commas."""
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ValueError("must be a list of texts")
    return tuple(part.strip() for part in parts if part.strip())


def flag(raw: Any, _: Path) -> bool:
    """A truth value, as such or as one of 1, true, yes, on, 0, false, no, off."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _TRUE | _FALSE:
        return raw.lower() in _TRUE
    raise ValueError("must be true or false")


def whole(least: int, most: int) -> Callable[[Any, Path], int]:
    """A whole number within bounds."""

    def read(raw: Any, _: Path) -> int:
        if isinstance(raw, str) and raw.strip().lstrip("-").isdecimal() and len(raw) < 20:
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            raise ValueError(f"must be a whole number between {least} and {most}")
        return raw

    return read


def seconds(raw: Any, _: Path) -> float:
    """A length of time above 0, at most a week."""
    try:
        value = float(raw) if isinstance(raw, (str, int, float)) and not isinstance(raw, bool) else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value <= 604_800:
        raise ValueError("must be a number of seconds above 0, at most 604800")
    return value


def size(raw: Any, _: Path) -> int:
    """Bytes, as a number or such as `1GB`."""
    return parse_size(raw)


def size_from(least: int) -> Callable[[Any, Path], int]:
    """Bytes as `size`, and not less than so many."""

    def read(raw: Any, base: Path) -> int:
        value = size(raw, base)
        if value < least:
            raise ValueError(f"must be at least {least // 1024**2}MB")
        return value

    return read


def one_of(*choices: str) -> Callable[[Any, Path], str]:
    def read(raw: Any, _: Path) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(raw)

    return read


def folder(raw: Any, base: Path) -> Path:
    """A path; `~` is the home folder, a relative one is below the folder of the file or the current folder."""
    if not isinstance(raw, (str, os.PathLike)) or not os.fspath(raw):
        raise ValueError("must be a path")
    try:
        path = Path(raw).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    return Path(os.path.normpath(base / path))


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's programs keep their data."""
    return _user_folder(environ, "XDG_DATA_HOME", ".local/share", "Library/Application Support")


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's programs keep what can be made again."""
    return _user_folder(environ, "XDG_CACHE_HOME", ".cache", "Library/Caches")


def config_folder(environ: Mapping[str, str]) -> Path:
    """Where `loom.toml` and `cortex.toml` of a user lie."""
    return _user_folder(environ, "XDG_CONFIG_HOME", ".config", "Library/Application Support") / "loom"


def _user_folder(environ: Mapping[str, str], variable: str, elsewhere: str, mac: str) -> Path:
    given = environ.get(variable, "")
    if given.startswith("/"):
        return Path(given)
    home = Path(environ.get("HOME") or Path.home())
    return home / (mac if sys.platform == "darwin" else elsewhere)
