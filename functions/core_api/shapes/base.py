"""What the shapes of answers have in common. They describe and document; answers are not built from them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ID, OTHER_ID = "0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"
AT, LATER = "2025-01-15T10:05:00Z", "2025-01-15T10:40:00Z"

Uuid = Annotated[UUID, Field(examples=[ID])]
Time = Annotated[datetime, Field(examples=[AT])]
Next = Annotated[str | None, Field(description="The cursor of the next page; null on the last.", examples=[None])]
Project = Annotated[str, Field(examples=["shop"])]
Org = Annotated[str, Field(examples=["acme"])]
Environment = Annotated[str, Field(examples=["prod"])]


class Shape(BaseModel):
    """One object of an answer. More properties may be added; none is renamed."""

    model_config = ConfigDict(extra="allow")


class Body(BaseModel):
    """What is sent to us: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid")


class ProblemShape(Shape):
    """RFC 9457. `code` is stable and made for programs, `detail` for people."""

    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["unknown_parameter"])
    detail: str = Field(examples=["There is no such parameter. There are none here."])
    field: str | None = Field(default=None, examples=["limti"], description="What is wrong, where it has a name.")
    errors: list[dict[str, Any]] | None = Field(
        default=None, examples=[None], description="If several things are wrong."
    )
    incident: dict[str, Any] | None = Field(
        default=None, examples=[None], description="Its state, if that is why: 409."
    )
    job: dict[str, Any] | None = Field(default=None, examples=[None], description="Its state, if that is why: 409.")
