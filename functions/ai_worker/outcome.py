"""What becomes of an attempt: done, failed with a reason, or not today."""

from datetime import datetime

import msgspec

from common.clients.postgres.outputs import Output


class Done(msgspec.Struct, frozen=True):
    output: Output

    def __str__(self) -> str:
        return f"done by {self.output.model}, {self.output.evidence_held} of {self.output.evidence_given} hold"


class Failed(msgspec.Struct, frozen=True):
    reason: str

    def __str__(self) -> str:
        return self.reason


class Later(msgspec.Struct, frozen=True):
    until: datetime
    why: str

    def __str__(self) -> str:
        return self.why


Outcome = Done | Failed | Later
