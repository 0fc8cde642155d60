"""What is loaded when somebody first asks for it: a cold start pays for neither the largest page nor the forms."""

from starlette.responses import Response

from functions.dashboard.serving import Act, Done, Page, Sent, Shown

# The forms below an incident, by the last part of their path.
ACTS = ("acknowledge", "unacknowledge", "give-back", "resolve", "reopen", "assign", "comment", "summarize")


def incident() -> Page:
    from functions.dashboard.pages import incident

    return incident.page


def on_incident(name: str) -> Act:
    def act(sent: Sent) -> Done | Shown | Response:
        from functions.dashboard.pages.incident_actions import ACTS

        return ACTS[name](sent)

    return act


def in_setup(name: str) -> Act:
    def act(sent: Sent) -> Done | Shown | Response:
        from functions.dashboard.pages.setup_actions import ACTS

        return ACTS[name](sent)

    return act
