"""How a setting is declared: once, with its default, its help, its unit and its limits.

The same declarations become TOML and JSON files, command-line flags and the forms of the window.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from napari_tap_events.errors import SettingsError

FrameRange = str
"""Frames `A:B` as in Python: A included, B not; either end may be left out."""


def setting(
    default: Any,
    help: str,
    *,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    least: int | None = None,
    advanced: bool = False,
    also: str = "",
) -> Any:
    """Declare a setting: default, one sentence of help, unit, inclusive limits, least length, and whether forms fold it away.

    `also` is a second name of its flag, with the dashes.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced, "also": also}
    return Field(default, description=help, ge=low, le=high, min_length=least, json_schema_extra=extra)


class Settings(BaseModel):
    """Values that do not change once made; unknown names and values outside their limits are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True
    )  # built when first used: napari imports all of them

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Build settings, turning a refused value into one clear sentence.

        Raises
        ------
        SettingsError
            Naming the setting, the value that came and what is allowed.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(_sentence(cls, error)) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read settings from a TOML file.

        Raises
        ------
        SettingsError
            When it cannot be read, or holds something else.
        """
        return cls.checked(**read_toml(path, set(cls.model_fields)))

    @classmethod
    def declared(cls) -> dict[str, FieldInfo]:
        """Return the declarations, by name, in their order."""
        return dict(cls.model_fields)


def not_one_fold(folds: int | None) -> int | None:
    """Let numbers of folds pass, but not 1: a check for pydantic."""
    if folds == 1:
        raise PydanticCustomError("one_fold", "one fold holds nothing out, choose 0 for a single split, or 2 and more")
    return folds


def read_toml(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Read the values in a TOML file; names that are not among the known ones are refused.

    Raises
    ------
    SettingsError
        When the file cannot be read, or has an unknown name.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the settings file '{path}' cannot be read: {error}.") from None
    unknown = [name for name in values if name not in known]
    if unknown:
        raise SettingsError(f"the settings file '{path.name}' names '{unknown[0]}'; there are: {', '.join(sorted(known))}.")
    return values


def unit_of(field: FieldInfo) -> str | None:
    """Return the unit of a declared setting, or None."""
    extra = field.json_schema_extra
    return extra.get("unit") if isinstance(extra, dict) else None  # type: ignore[return-value]


def second_flag(field: FieldInfo) -> str:
    """Return the second name of a setting's flag, or ""."""
    extra = field.json_schema_extra
    return str(extra.get("also") or "") if isinstance(extra, dict) else ""


def is_advanced(field: FieldInfo) -> bool:
    """Say whether forms fold this setting away."""
    extra = field.json_schema_extra
    return bool(extra.get("advanced")) if isinstance(extra, dict) else False


def _sentence(cls: type[Settings], error: ValidationError) -> str:
    problem = error.errors()[0]
    name = ".".join(str(part) for part in problem["loc"]) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"there is no setting '{name}'; there are: {', '.join(cls.model_fields)}."
    flag = "--" + name.replace("_", "-")
    if problem["type"] == "missing":
        return f"the setting {name} is needed: say {flag}."
    return f"the setting {name} = {problem['input']!r} will not do: {problem['msg'].lower()}; change {flag}."


def frame_range(text: FrameRange, n_frames: int, what: str) -> range:
    """Turn `A:B` into a range of frames of a movie.

    Raises
    ------
    SettingsError
        When the text is no range, ends beyond the movie, or leaves fewer than two of its frames.
    """
    parts = text.split(":") if text else ["", ""]
    try:
        start, stop = (int(part) if part.strip() else None for part in parts)
    except ValueError:
        raise SettingsError(f"{what} = '{text}' is no range of frames; write it as 0:60, :60 or 60:.") from None
    if any(limit is not None and not -n_frames <= limit <= n_frames for limit in (start, stop)):
        raise SettingsError(f"{what} = '{text}' goes beyond the movie, which has the frames 0:{n_frames}.")
    frames = range(n_frames)[start:stop]
    if len(frames) < 2:
        raise SettingsError(f"{what} = '{text}' leaves {len(frames)} of {n_frames} frames; at least 2 are needed.")
    return frames
