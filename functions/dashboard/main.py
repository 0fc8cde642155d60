"""dashboard: what is broken, since when, how bad, who has it; pages made here, complete without scripts."""

from common import edge
from functions.dashboard.application import app

asgi, gcp, aws, main = edge.app(app)
