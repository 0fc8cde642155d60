"""`python -m local.model --port 9000`: the stand-in model, on loopback."""

import argparse

import uvicorn

if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, default=9000)
    given = words.parse_args()
    uvicorn.run(
        "local.model.app:asgi", host=given.host, port=given.port, log_level="warning", timeout_graceful_shutdown=1
    )
