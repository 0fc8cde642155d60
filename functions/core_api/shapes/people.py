"""Projects, their keys, and access tokens."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from functions.core_api.parameters import LABEL, Name, rfc3339
from functions.core_api.shapes.base import LATER, Body, Next, Org, Project, Shape, Time, Uuid

Role = Literal["viewer", "responder", "admin"]


class ProjectShape(Shape):
    id: Project
    org_id: Org
    name: str = Field(examples=["Web shop"])
    created_at: Time
    events_per_minute: int | None = Field(examples=[None], description="How many ingest takes; null: any number.")
    ai_tokens_per_day: int | None = Field(
        examples=[None], description="What a model may read and write for its summaries; null: MODEL_TOKENS_PER_DAY."
    )


class Projects(Shape):
    projects: list[ProjectShape]
    next: Next


class NewProject(Body):
    id: str = Field(pattern=LABEL, examples=["shop"])
    name: Name = Field(examples=["Web shop"])


class Key(Shape):
    """A project key without its secret."""

    id: Uuid
    project_id: Project
    name: str = Field(examples=["production"])
    created_at: Time
    revoked_at: datetime | None = Field(examples=[None])
    last_used_at: datetime | None = Field(examples=[LATER])


class Keys(Shape):
    keys: list[Key]
    next: Next


class NewKey(Body):
    name: Name = Field(examples=["production"])


class MadeKey(Key):
    key: str = Field(examples=["sck_…"], description="Shown this once.")


class Token(Shape):
    """An access token without its secret."""

    id: Uuid
    name: str = Field(examples=["anna"])
    role: Role = Field(examples=["responder"])
    created_at: Time
    expires_at: datetime | None = Field(examples=[None])
    revoked_at: datetime | None = Field(examples=[None])
    last_used_at: datetime | None = Field(examples=[LATER])


class Tokens(Shape):
    tokens: list[Token]
    next: Next


class NewToken(Body):
    """A token belongs to one person: its name is what the timeline says, and who can be assigned.

    `engine` and `clock` are nobody's names: the timeline says them of what happens by itself.
    """

    name: Name = Field(examples=["anna"])
    role: Role = Field(examples=["responder"])
    expires_at: Annotated[datetime, BeforeValidator(rfc3339)] | None = Field(default=None, examples=[None])


class MadeToken(Token):
    token: str = Field(examples=["sct_…"], description="Shown this once.")
