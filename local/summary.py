"""What a person sees when the stack is up: where it answers, with which key, what to try, how to stop."""

from local import parts, state

EVENT = '{"event_type": "error", "message": "it works", "occurred_at": "2026-01-01T00:00:00Z"}'


def text(*, quiet: bool = False) -> str:
    """The same words for the first start and for every later `already running`."""
    env, account = state.read_env(), state.recall("running")
    lines = [f"Signals Copilot is running ({account.get('stack')}, ready in {account.get('seconds')} s)", ""]
    lines += [f"  {part.name:<10} {env[part.address]}" for part in parts.PUBLIC if part.exists]
    lines += [f"  key        {env['PROJECT_API_KEY']}"] if "PROJECT_API_KEY" in env else []
    lines += ["", "Try it:", *trials(env)] if (state.ROOT / "functions/ingest/main.py").exists() else []
    lines += ["", f"All variables: {state.ENV.relative_to(state.ROOT)} (set -a; . .local/env)"]
    lines += ["" if quiet else "Stop: Ctrl-C, or make down. Go on with the same data: make emulate."]
    lines += ["Remove everything: make down clean, then rm -rf .venv"]
    return "\n".join(lines)


def trials(env: dict[str, str]) -> list[str]:
    """Lines a newcomer can paste."""
    return [
        f"  curl -s {env['INGEST_API_URL']}/v1/events -H 'X-Api-Key: {env.get('PROJECT_API_KEY', 'YOUR_KEY')}' \\",
        f"       -d '{EVENT}'",
    ]
