"""The promises that teams make and no guideline times: `guidelines/promises.yaml`, read and checked at start. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from services.pathway.guideline import Due, GuidelineError


@dataclass(frozen=True, slots=True)
class Promises:
    """Each promise's time, in working days or hours, and the interval between response checks, in weeks."""

    promises: Mapping[str, Due]
    response_check_weeks: int


def load_promises(directory: Path) -> Promises:
    """Read the promises.

    Raises:
        GuidelineError: the file is missing or says something that cannot be.
    """
    path = directory / "promises.yaml"
    try:
        return TypeAdapter(Promises).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        message = f"{path}: cannot be read as promises: {error}; compare it with guidelines/README.md"
        raise GuidelineError(message) from error
