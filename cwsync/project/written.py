"""What the parts of cwsync.yaml have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Written(BaseModel):
    """A part of cwsync.yaml: fields that are not known are errors, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, hide_input_in_errors=True)
