"""What is compiled once in a process: templates, statements and addresses, for all applications its tests make.

A test gets an application and a database of its own. Without this each of them would compile every page, statement
and address anew, which took a third of the processor time of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache
from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart

STATEMENTS = 5_000  # more than the product has; a single application keeps 500


def share() -> None:
    """From now on every application of this process takes what an earlier one compiled."""
    registry.register("postgresql.psycopg", __name__, "Dialect")
    Flask.url_rule_class = LateRule


class Templates(BytecodeCache):
    """Templates as compiled by the first application that showed them."""

    kept: ClassVar[dict[tuple[str, str], bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if found := self.kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


class Dialect(PGDialect_psycopg):
    """The same PostgreSQL behind every engine, so that statements compiled for one serve the others.

    SQLAlchemy keeps compiled statements by their dialect, and each engine has its own: here they are all equal.
    """

    supports_statement_cache = True
    kept: ClassVar[LRUCache[Any, Any]] = LRUCache(STATEMENTS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dialect)

    def __hash__(self) -> int:
        return hash(Dialect)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine._compiled_cache = cls.kept


class LateRule(Rule):
    """An address that is read once in a process, and whose builder is compiled when the first link to it is made: most
    tests make a few links."""

    read: ClassVar[dict[str, tuple[list[RulePart], list[tuple[bool, str]], dict[str, BaseConverter]]]] = {}

    def _parse_rule(self, rule: str) -> list[RulePart]:
        if rule not in self.read:
            begun = len(self._trace)
            parts = list(super()._parse_rule(rule))
            self.read[rule] = parts, self._trace[begun:], dict(self._converters)
            return parts
        parts, trace, converters = self.read[rule]
        self._trace += trace
        self._converters |= converters
        self.arguments |= converters.keys()
        return parts

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(LateRule, self)._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build
