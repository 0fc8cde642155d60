"""A small FastAPI app with what an API does: models, validation, a plain route in a thread, tasks after the answer."""

from fastapi import BackgroundTasks, FastAPI
from pydantic import BaseModel

from common import edge
from common.errors import Problem, Unavailable

app = FastAPI()


class Order(BaseModel):
    name: str
    count: int


@app.post("/orders")
async def orders(order: Order) -> dict[str, object]:
    return {"got": order.model_dump()}


@app.get("/plain/{number}")
def plain(number: int, q: str = "") -> dict[str, object]:
    return {"number": number, "q": q}


@app.get("/fail/{kind}")
async def fail(kind: str) -> None:
    if kind == "problem":
        raise Problem("too_long", "route is longer than 512.", field="attributes.route")
    if kind == "unavailable":
        raise Unavailable("Postgres", retry_after=7)
    raise KeyError("a bug")


def burst() -> None:
    raise KeyError("after the answer")


@app.get("/later")
async def later(tasks: BackgroundTasks) -> dict[str, bool]:
    tasks.add_task(burst)
    return {"answered": True}


asgi, gcp, aws, main = edge.app(app)
