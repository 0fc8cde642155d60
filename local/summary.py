"""What a person sees when the stack is up: where it answers, with which key, what to try, how to stop."""

from local import parts, state

ERROR = (
    r'{"event_type": "error", "environment": "prod", "message": "upstream timed out", '
    r'"attributes": {"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT"}, "occurred_at": "%s"}'
)


def text(*, quiet: bool = False) -> str:
    """The same words for the first start and for every later `already running`."""
    env, account = state.read_env(), state.recall("running")
    lines = [f"Signals Copilot is running ({account.get('stack')}, ready in {account.get('seconds')} s)", ""]
    lines += [f"  {part.name:<10} {env[part.address]}{taken(part, env)}" for part in parts.PUBLIC if part.exists]
    lines += [f"  key        {env['PROJECT_API_KEY']}"] if "PROJECT_API_KEY" in env else []
    lines += [f"  sign in    with {env['ACCESS_TOKEN']}"] if env.get("ACCESS_TOKEN") and exists("dashboard") else []
    lines += [f"  model      {model(env)}"]
    lines += ["", "Try it:", *trials(env)] if exists("ingest") else []
    lines += ["", f"All variables: {state.ENV.relative_to(state.ROOT)} (set -a; . .local/env)"]
    lines += ["" if quiet else "Stop: Ctrl-C, or make down. Go on with the same data: make emulate."]
    lines += ["Remove everything: make down clean, then rm -rf .venv"]
    return "\n".join(lines)


def model(env: dict[str, str]) -> str:
    """Nobody should take the stand-in's words for a model's."""
    if parts.MODEL in state.recall("running").get("parts", {}):
        return "a stand-in, no real one: set GRADIENT_BASE_URL, GRADIENT_API_KEY and GRADIENT_MODEL"
    return env.get("GRADIENT_MODEL") or "none: summaries are the plain facts"


def trials(env: dict[str, str]) -> list[str]:
    """Lines a newcomer can paste: thirty errors at once are an incident; with a core_api it can be read there."""
    key = env.get("PROJECT_API_KEY", "YOUR_KEY")
    event = ERROR % "'$(date -u +%FT%TZ)'"
    lines = [
        f"  for i in $(seq 30); do echo '{event}'; done |",
        f"    curl -s {env['INGEST_API_URL']}/v1/events/batch -H 'X-Api-Key: {key}' --data-binary @-",
    ]
    if exists("core_api"):
        token = env.get("ACCESS_TOKEN", "YOUR_TOKEN")
        lines.append(f"  curl -s {env['CORE_API_URL']}/v1/incidents -H 'Authorization: Bearer {token}'")
    return lines


def taken(part: parts.Part, env: dict[str, str]) -> str:
    return "" if env[part.address].endswith(f":{part.port}") else f"  (port {part.port} was taken)"


def exists(name: str) -> bool:
    return any(part.name == name and part.exists for part in parts.PUBLIC)
