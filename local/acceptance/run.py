"""Runs scenarios phase by phase: those that share a stack at once, those that want it alone one after the other."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from common.errors import Misconfigured, Unavailable
from local.acceptance import one_server
from local.acceptance.check import Check, CouldNot
from local.acceptance.one_server import OneServer
from local.acceptance.scenarios import PHASES, Scenario
from local.acceptance.system import System
from local.sending.target import Unusable

CANNOT = (CouldNot, Unusable, Misconfigured, Unavailable, OSError, psutil.Error, subprocess.SubprocessError)


class Run:
    """Until a scenario has ended, it counts as one that did not run."""

    def __init__(self, stack: str, scenarios: Sequence[Scenario]) -> None:
        self.system, self.scenarios = OneServer() if stack == one_server.STACK else System(stack), scenarios
        self.results: dict[str, list[Check]] = {}
        self.reasons: dict[str, str] = {}
        self.moved = False  # it does not run any more as it was found

    def walk(self) -> None:
        """Through the whole list; afterwards the stack runs as it was found, or not at all."""
        account = self.system.account()
        if account and account["stack"] != self.system.stack:
            raise Misconfigured(
                f"a stack {account['stack']} runs here: say make down first, or STACK={account['stack']}"
            )
        reason = ""
        try:
            reason = self._tried(lambda: self._phases(running=bool(account)))
        finally:
            self._end(reason, running=bool(account))

    def _end(self, reason: str, *, running: bool) -> None:
        for one in self.scenarios:
            if one.name not in self.results:
                self.results[one.name] = []
                self.reasons.setdefault(one.name, reason or "its turn did not come")
                self._tell(one)
        reason = "" if running and not self.moved else self._tried(self.system.restart if running else self.system.stop)
        if reason:
            print(f"the stack is not as it was found: {reason}")

    def _phases(self, *, running: bool) -> None:
        if not running:
            self.system.start()
        self._all(self._prepare, [one for one in self.scenarios if one.prepare])
        for phase, variables in PHASES.items():
            mine = [one for one in self.scenarios if one.phase == phase]
            if mine and variables:
                self.moved = True
                self.system.restart(**variables)
            try:
                self._all(self._check, mine)
            finally:
                for one in mine:
                    if one.name in self.results:
                        self._tell(one)

    def _all(self, what: Callable[[Scenario], None], scenarios: Sequence[Scenario]) -> None:
        together = [one for one in scenarios if not one.alone]
        with ThreadPoolExecutor(max(1, len(together))) as pool:
            list(pool.map(what, together))
        for one in scenarios:
            if one.alone:
                what(one)

    def _prepare(self, one: Scenario) -> None:
        assert one.prepare
        prepare = one.prepare
        self._to_its_end(one, lambda: prepare(self.system))

    def _check(self, one: Scenario) -> None:
        self.results[one.name] = []
        if one.name not in self.reasons:
            self._to_its_end(one, lambda: self._go_through(one))

    def _go_through(self, one: Scenario) -> None:
        for check in one.checks(self.system):
            self.results[one.name].append(check)

    def _to_its_end(self, one: Scenario, what: Callable[[], None]) -> None:
        """Whatever ends it early, a reason stays: then it has not held."""
        self.reasons[one.name] = "it did not come to its end"
        if reason := self._tried(what):
            self.reasons[one.name] = reason
        else:
            del self.reasons[one.name]

    def _tried(self, what: Callable[[], None]) -> str:
        """Why it could not be done; empty if it was."""
        try:
            what()
        except CANNOT as error:
            return str(error) or type(error).__name__
        return ""

    def held(self, one: Scenario) -> bool:
        checks = self.results.get(one.name, [])
        return bool(checks) and one.name not in self.reasons and all(check.held for check in checks)

    @property
    def well(self) -> bool:
        return all(map(self.held, self.scenarios))

    def _tell(self, one: Scenario) -> None:
        print(f"{'ok  ' if self.held(one) else 'FAIL'} {one.name}: {one.about}")
        for check in self.results[one.name]:
            expected = "" if check.held else f", expected {check.expected}"
            print(f"       {'ok  ' if check.held else 'FAIL'} {check.what}: {check.seen}{expected}")
        if one.name in self.reasons:
            print(f"       FAIL it could not go on: {self.reasons[one.name]}")
        sys.stdout.flush()

    def report(self) -> dict[str, Any]:
        return {
            "stack": self.system.stack,
            "well": self.well,
            "scenarios": [
                {
                    "name": one.name,
                    "about": one.about,
                    "held": self.held(one),
                    "could_not": self.reasons.get(one.name),
                    "checks": [check._asdict() for check in self.results.get(one.name, [])],
                }
                for one in self.scenarios
            ],
        }

    def verdict(self) -> str:
        held = sum(map(self.held, self.scenarios))
        return f"{held} of {len(self.scenarios)} scenarios held on {self.system.stack}"
