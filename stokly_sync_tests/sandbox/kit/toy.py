"""A sandbox system as small as can be, on which the kit is tried."""

from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, SandboxSystem, TokenBucket


class ToySwitches(msgspec.Struct):
    """One switch."""

    greeting: str = "hello"


class Toy(SandboxSystem):
    """Counts the calls it really handled in `handled`."""

    name: ClassVar[str] = "toy"
    switches: ToySwitches

    def __init__(self) -> None:
        super().__init__(switches=ToySwitches())
        self.handled = 0
        self.seeded: list[str] = []
        self.limiter = TokenBucket(1, 1)
        self._app = Starlette(routes=[Route("/things/{id}", self._thing, methods=["GET", "POST"])])

    async def _thing(self, request: Request) -> Response:
        if not self.limiter.take().allowed:
            return JsonResponse({"message": "slow down"}, 429)
        body = await request.body()
        self.handled += 1
        self.touch()
        content = {"id": request.path_params["id"], "handled": self.handled, "length": len(body)}
        return JsonResponse({**content, "greeting": self.switches.greeting})

    @property
    def app(self) -> Starlette:
        return self._app

    def settings_env(self, base_url: str) -> dict[str, str]:
        return {"TOY_BASE_URL": base_url}

    def set_limits(self, on: bool) -> None:
        self.limiter.on = on

    def seed(self, seed: str) -> None:
        self.seeded.append(seed)

    def dump(self) -> Any:
        return {"handled": self.handled}

    def load(self, state: Any) -> None:
        self.handled = state["handled"]
