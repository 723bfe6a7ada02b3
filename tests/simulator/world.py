"""The world around a simulated ledger: what providers send, what its keeper changes, and a clock that jumps.

All of it follows from one source of random numbers and from what the model has by then.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from tests.oracle.facts import Record
from tests.sequencer.test_against_oracle import AUTHORIZATIONS, KINDS, LATER, NAMED, PARTIES, PLACES
from tests.simulator.model import Asked, Model, Row
from tests.simulator.operations import Adopt, Correct, Import, Operation, Register, Rotate
from tests.simulator.rules import random_variant

PROVIDERS: Final = ("north", "south", "west")
EDGES: Final = tuple(
    map(
        date.fromisoformat,
        (
            *("2025-01-01", "2025-01-13", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-02-03"),
            *("2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01", "2027-04-01", "2027-07-01", "2027-10-01"),
            *("2028-01-01", "2028-04-01", "2029-01-01"),
        ),
    )
)
"""The first days of quarters, years, and of what the rule begins or ends with; records come on both sides of them."""

_OPENED: Final = ("2024-05-05", "2024-12-31")
_BASES: Final = (*[""] * 6, "LICENSE", "LPP", "AIA", "NVEU", "UVEU")
_CHIPS: Final = (*["H100"] * 6, "GB300", "L40")
_BULK: Final = (10, 30, 70, 110)
"""Rows of a large file: enough for the bulk lane of the rulebook, and for leaves that are written by SQL."""
_EDGE_MAX: Final = 70_000


class World:
    """Where operations come from; `waiting` are those that were sent and have not arrived, or arrive again."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.today = date(2025, 1, 2)
        self.now = datetime(2025, 1, 2, 9, tzinfo=UTC)
        self.waiting: list[Operation] = []
        self._numbers = count(1)

    def beginning(self) -> list[Operation]:
        """Give what a ledger is set up with."""
        rules = [self._adoption()] if self.random.random() < 0.9 else []
        return [Register("parties", PARTIES), Register("authorizations", AUTHORIZATIONS), *rules]

    def next(self, model: Model) -> Operation:
        """Give what arrives next: something new, or what has waited, in any order."""
        self._pass_time()
        if self.waiting and self.random.random() < 0.3:
            return self.waiting.pop(self.random.randrange(len(self.waiting)))
        made = self._made(model)
        late = self.random.random()
        if late < 0.12:
            self.waiting.append(made)  # it arrives later than what is sent after it
            made = self._made(model)
        elif late < 0.2:
            self.waiting.append(made)  # it arrives twice
        return made

    def _pass_time(self) -> None:
        """Let hours pass, or more: to a day before or after an edge. The machine's clock may be set back, too."""
        choice = self.random.random()
        if choice < 0.15:
            later = [edge for edge in EDGES if edge > self.today] or [self.today + timedelta(days=400)]
            self.today = later[0] + timedelta(days=self.random.choice((-1, 0, 0, 1)))
        elif choice < 0.5:
            self.today += timedelta(days=self.random.randrange(9))
        self.now = datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)
        self.now += timedelta(microseconds=self.random.randrange(86_400_000_000))
        if choice > 0.97:
            self.now -= timedelta(days=self.random.randrange(500))

    def _made(self, model: Model) -> Operation:
        """Make an operation."""
        choice = self.random.random()
        if choice < 0.10:
            return self._registration()
        if choice < 0.15:
            return self._adoption()
        if choice < 0.25 and model.oracle.history:
            return self._correction(model)
        if 0.25 <= choice < 0.33:
            return Rotate(lost=self.random.random() < 0.4)
        return self._import(model)

    # --- the keeper ---------------------------------------------------------------------------------------

    def _adoption(self) -> Adopt:
        variant = random_variant(self.random)
        return Adopt(variant, variant.rulebook().digest)

    def _registration(self) -> Register:
        """Make a change of a register; what may be changed has known forms, what is impossible among them."""
        random, day = self.random, self._day().isoformat()
        party = random.choice(PARTIES)["party"]
        choice = random.randrange(6)
        if choice == 0:
            register, row = random.choice(LATER)
            return Register(register, (row,))
        if choice == 1:
            parent = random.choice(["", "", *(row["party"] for row in PARTIES), "NOBODY"])
            headquarters = random.choice(("AE", "US", "FR", "IN", "KH", "SG"))
            return Register("parties", ({"party": party, "name": "-", "headquarters": headquarters, "parent": parent},))
        if choice == 2:
            number = random.randrange(3)
            chip = {"chip": f"NEW{number}", "name": "-", "tpp": str(1000 + number * random.randrange(3))}
            return Register("chips", (chip | {"class": random.choice(("3A090.a", "3A090.b"))},))
        if choice == 3:
            percent = str(random.choice((0, 10, 33, 100)))
            place = random.choice(("AE", "IN", "SA"))
            return Register("assurances", ({"destination": place, "uplift_percent": percent, "valid_from": day},))
        ends = {"valid_to": (self.today + timedelta(days=random.randrange(400))).isoformat()}
        if choice == 4:
            row = {"party": party, "basis": "UVEU", "valid_from": min(day, ends["valid_to"])}
        else:
            row = {"party": party, "basis": "NVEU", "valid_from": min(day, ends["valid_to"])}
            row["destination"] = random.choice(("AE", "IN", "SA"))
        return Register("authorizations", (row | (ends if random.random() < 0.5 else {}),))

    # --- providers ----------------------------------------------------------------------------------------

    def _correction(self, model: Model) -> Correct:
        random = self.random
        named = random.choice(model.oracle.history[-25:])
        reference = named.given["reference"] if random.random() < 0.97 else "none"
        quantity = max(1, random.choice((named.quantity - 1, named.quantity + 1, named.quantity // 2, 20)))
        flags = {"accept_refusal": random.random() < 0.3, "dry_run": random.random() < 0.1}
        return Correct(named.provider, reference, quantity, **flags)

    def _import(self, model: Model) -> Import:
        """Make a file of one record, of some, or now and then of many."""
        random = self.random
        provider, size = random.choice(PROVIDERS), random.random()
        many = 1 if size < 0.5 else random.randrange(2, 8) if size < 0.93 else random.choice(_BULK)
        mistakes = 0.15 if random.random() < 0.4 else 0.0
        rows: list[Asked] = []
        for _ in range(many):
            rows.append(self._row(model, provider, rows, mistakes, plain=many > 8 and random.random() < 0.9))
        if many == 1 and random.random() < 0.5:
            rows = [self._at_edge(model, provider, rows[0])]
        return Import(provider, tuple(rows), random.random() < 0.6, random.random() < 0.08)

    def _row(self, model: Model, provider: str, before: Sequence[Asked], mistakes: float, *, plain: bool) -> Asked:
        """Make a row of a file: new, or a record again, or one under a reference that is taken."""
        random = self.random
        own = [record for record in model.oracle.history if record.provider == provider]
        known: list[Mapping[str, str]] = [record.given for record in own]
        known += [row.given for row in before if not row.fault]
        if known and random.random() < 0.05:
            again = random.choice(known)
            row = {name: value for name, value in again.items() if value}
            return Asked(row | ({"quantity": "3"} if mistakes and "quantity" in row else {"evidence": "again"}))
        row = self._new(own, before, plain=plain)
        if random.random() < mistakes:
            return self._mistaken(row)
        return Asked(row)

    def _new(self, own: Sequence[Record], before: Sequence[Asked], *, plain: bool) -> Row:
        """Make a new record; one with `under` may name any of the provider's, also one that is still to arrive."""
        random = self.random
        kind = "allocation" if plain else random.choice(KINDS)
        day = random.choice(_OPENED) if kind == "opening" else self._day().isoformat()
        row = {"reference": f"r{next(self._numbers)}", "kind": kind, "date": day}
        quantity = random.choice(
            (random.randint(1, 120), random.choice((1, 20, 21, 94, 95)), random.randint(1, 60_000))
        )
        if plain:
            quantity = random.randint(1, 30)
        if random.random() < 0.01:
            quantity = 10**9
        row["quantity"] = str(quantity * 1000 if kind == "opening" and quantity < 10_000 else quantity)
        whole = {"destination": random.choice(PLACES), "consignee": random.choice(PARTIES)["party"]}
        whole |= {"chip": random.choice(_CHIPS), "basis": "" if plain else random.choice(_BASES)}
        if kind in ("opening", "allocation") or (kind == "delivery" and random.random() < 0.3):
            licensed = kind == "allocation" and random.random() < 0.1
            return row | whole | ({"license_number": "D1234567"} if licensed else {})
        named = self._named(kind, own, before)
        row |= {"under": named["reference"]}
        if random.random() < 0.95:
            row["date"] = max(day, named["date"])
        if kind == "reversal":
            del row["quantity"]
            return row | {"note": "wrong"}
        if random.random() < 0.1:
            row |= {name: named.get(name, "") for name in whole}
        elif random.random() < 0.05:
            row |= whole
        return row

    def _named(self, kind: str, own: Sequence[Record], before: Sequence[Asked]) -> Row:
        """Give the record that one of a kind names: a fitting one, nearly always."""
        random = self.random
        given: list[Row] = [dict(record.given) for record in own] + [row.given for row in before if not row.fault]
        if random.random() < 0.1:
            arriving = (row for late in self.waiting if isinstance(late, Import) for row in late.rows)
            given += [row.given for row in arriving if not row.fault]
        fitting = [row for row in given if row["kind"] in NAMED[kind]]
        found = given if random.random() < 0.03 else fitting
        return random.choice(found[-40:]) if found else {"reference": "none", "date": "2025-01-01"}

    def _mistaken(self, row: Row) -> Asked:
        """Spoil the form of a row."""
        choice = self.random.randrange(4)
        if choice == 0:
            return Asked(row | {"date": "2026-02-30"}, ("date", "malformed"))
        if choice == 1 and "quantity" in row:
            return Asked(row | {"quantity": "0"}, ("quantity", "out-of-range"))
        if choice == 2 and "destination" in row:
            return Asked(row | {"destination": "XX"}, ("destination", "unknown-country"))
        return Asked(row | {"consignee": "NOBODY"}, ("consignee", "unknown-party"))

    def _day(self) -> date:
        """Give a legal date: about today, or at an edge; not before the count begins."""
        random = self.random
        if random.random() < 0.3:
            return max(EDGES[0], random.choice(EDGES) - timedelta(days=random.randrange(2)))
        return max(EDGES[0], self.today + timedelta(days=random.randrange(-40, 10)))

    def _at_edge(self, model: Model, provider: str, asked: Asked) -> Asked:
        """Give a record the greatest quantity that is admitted, or one more: boundaries are where code is wrong."""
        if asked.fault or "quantity" not in asked.given or model.find(provider, asked.given["reference"]):
            return asked
        low, high = 0, _EDGE_MAX
        while low < high:
            middle = (low + high + 1) // 2
            mark = model.mark()
            (tried,) = model.answers(provider, [Asked(asked.given | {"quantity": str(middle)})])
            model.go_back(mark)
            low, high = (middle, high) if tried["outcome"] == "admitted" else (low, middle - 1)
        return Asked(asked.given | {"quantity": str(max(1, low + self.random.randrange(2)))})
