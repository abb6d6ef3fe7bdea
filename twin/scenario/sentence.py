"""Sentences of criteria: their words and grammar, by recursive descent; what they mean stands in `criteria`.

sentence := claim [window]
claim    := ("max" | "min" | "final" | "mean") "(" who "." quantity ")" compares
          | "no" who ("." flag | what it does)
          | "time" "to" (who "." flag | what it does ["of" who]) compares
          | "all" who "restored" "within" time
          | "tokens" ("lost" | "deferred" | "served") ["(" who ")"] compares
          | "energy" ["per" "token"] ["(" who ")"] compares
          | "revenue" ["lost"] ["(" who ")"] compares
          | "cost" ["of" "energy"] compares
who      := name ["'s" name]
compares := ("<" | "<=" | ">" | ">=") limit
window   := "after" time | "before" time | "between" time "and" time
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from twin import units
from twin.scenario.faults import advice, nearest

FUNCTIONS = ("max", "min", "final", "mean")
"""What may be asked of a recorded quantity."""
BEGINNINGS = (*FUNCTIONS, "no", "time", "all", "tokens", "energy", "revenue", "cost")
"""Words that a sentence begins with."""
OPERATORS = ("<=", ">=", "<", ">")
WINDOWS = ("after", "before", "between")
TOKENS = ("lost", "deferred", "served")
LONGEST = 400
"""Characters of a sentence."""
EXAMPLE = '"max(rack.die_temperature) < 88 degC" or "no rack throttles"'
FORMS = (
    '"max(rack.die_temperature) < 88 degC" (or min, final, mean), "no rack throttles", "time to throttle >= 60 s", '
    '"all loads restored within 15 min", "tokens lost < 0.1 %" (or deferred, served), "energy < 5 MWh" '
    '(or energy per token), "revenue > 100 USD" (or revenue lost), "cost < 1000 USD" (or cost of energy)'
)
"""Every form of a sentence, by an example."""
PIECE = re.compile(
    r"(?P<name>[A-Za-z_*][\w*?/-]*(?:\.\.[0-9]+[\w*?/-]*)*)|(?P<number>[0-9][\w.]*)|(?P<operator>[<>=!]+)|(?P<own>['\u2019]s?)"
    r"|(?P<sign>\S)",
    re.ASCII,
)


class Unclear(ValueError):
    """A sentence cannot be read; `column` counts from 1."""

    def __init__(self, column: int, text: str) -> None:
        super().__init__(text)
        self.column = column


@dataclass(frozen=True)
class Piece:
    """A part of a sentence, where it begins and ends (counted from 0), and what sort of part it is."""

    text: str
    start: int
    end: int
    sort: str = ""


@dataclass(frozen=True)
class Who:
    """Units that a sentence speaks of: a unit, kind, range or pattern, or those of a kind that a unit feeds."""

    name: Piece
    of: Piece | None = None
    """The unit that feeds them."""


@dataclass(frozen=True)
class Sentence:
    """A criterion as it is said; what is not said is None or empty."""

    measure: str
    who: Who | None = None
    quantity: Piece | None = None
    does: list[Piece] = field(default_factory=list)
    operator: str = ""
    limit: Piece | None = None
    opens: Piece | None = None
    closes: Piece | None = None


def parse(text: str) -> Sentence:
    """Read a sentence.

    Raises:
        Unclear: it is none; the column and one sentence why.
    """
    if len(text) > LONGEST:
        raise Unclear(LONGEST + 1, f"{len(text)} characters were found; at most {LONGEST} are wanted")
    return _Reading(text).sentence()


class _Reading:
    """One reading of one sentence, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces = [Piece(m.group(), *m.span(), str(m.lastgroup)) for m in PIECE.finditer(text)]
        self.at = 0

    def sentence(self) -> Sentence:
        first = self._piece()
        if first is None:
            self._stop(f"nothing was found; a sentence like {EXAMPLE} is wanted")
        word = first.text.lower()
        if word not in BEGINNINGS:
            self._no_beginning(first)
        self.at += 1
        read = self._compared if word in FUNCTIONS else getattr(self, f"_{word}")
        said: Sentence = read(word)
        opens, closes = self._window()
        if (rest := self._piece()) is not None:
            self._stop(f"{units.quoted(rest.text)} was not expected here; the sentence is already whole")
        return Sentence(said.measure, said.who, said.quantity, said.does, said.operator, said.limit, opens, closes)

    def _no_beginning(self, first: Piece) -> NoReturn:
        odd = units.odd_letter(first.text)
        if odd:
            self._stop(f"{odd} stands here; a sentence like {EXAMPLE} is wanted")
        following = self.pieces[self.at + 1].text if self.at + 1 < len(self.pieces) else ""
        known = FUNCTIONS if following == "(" and first.sort == "name" else BEGINNINGS
        near = advice(first.text, known) if nearest(first.text, known) else f"a sentence like {FORMS} is wanted"
        self._stop(f"{units.quoted(first.text)} begins no criterion; {near}")

    def _compared(self, word: str) -> Sentence:
        self._want("(")
        who = self._who()
        self._want(".")
        quantity = self._name("the name of a quantity")
        self._want(")")
        operator, limit = self._compares()
        return Sentence(word, who, quantity, [], operator, limit)

    def _no(self, word: str) -> Sentence:
        who = self._who()
        if self._takes("."):
            return Sentence(word, who, self._name("the name of a flag"))
        does = self._words(WINDOWS)
        if not does:
            self._stop(f'{self._found()} was found; what they do is wanted, e.g. "no rack throttles"')
        return Sentence(word, who, None, does)

    def _time(self, word: str) -> Sentence:
        self._want("to")
        if self.at + 1 < len(self.pieces) and self.pieces[self.at + 1].text in (".", "'s", "\u2019s"):
            who = self._who()
            self._want(".")
            said = Sentence(word, who, self._name("the name of a flag"))
        else:
            does = self._words(("of", *WINDOWS))
            if not does:
                self._stop(f'{self._found()} was found; what happens is wanted, e.g. "time to throttle >= 60 s"')
            said = Sentence(word, self._who() if self._takes("of") else None, None, does)
        operator, limit = self._compares()
        return Sentence(word, said.who, said.quantity, said.does, operator, limit)

    def _all(self, word: str) -> Sentence:
        who = self._who()
        self._want("restored")
        self._want("within")
        return Sentence("restored", who, operator="<=", limit=self._rest("a time", WINDOWS))

    def _tokens(self, word: str) -> Sentence:
        which = self._name(f"one of {', '.join(TOKENS)}")
        if which.text.lower() not in TOKENS:
            self.at -= 1
            self._stop(f"{units.quoted(which.text)} is not known of tokens; {advice(which.text, TOKENS)}")
        return self._amount(f"tokens {which.text.lower()}")

    def _energy(self, word: str) -> Sentence:
        if self._takes("per"):
            self._want("token")
            return self._amount("energy per token")
        return self._amount("energy")

    def _revenue(self, word: str) -> Sentence:
        return self._amount("revenue lost" if self._takes("lost") else "revenue")

    def _cost(self, word: str) -> Sentence:
        if self._takes("of"):
            self._want("energy")
            word = "cost of energy"
        operator, limit = self._compares()
        return Sentence(word, operator=operator, limit=limit)

    def _amount(self, measure: str) -> Sentence:
        who = None
        if self._takes("("):
            who = self._who()
            self._want(")")
        operator, limit = self._compares()
        return Sentence(measure, who, operator=operator, limit=limit)

    def _who(self) -> Who:
        name = self._name("a unit or a kind")
        if (own := self._piece()) is not None and own.sort == "own" and own.text != "'":
            self.at += 1
            return Who(self._name("a kind"), name)
        return Who(name)

    def _compares(self) -> tuple[str, Piece]:
        found = self._piece()
        if found is None or found.sort != "operator":
            self._stop(f"one of {' '.join(OPERATORS)} is wanted, and {self._found()} was found")
        if found.text not in OPERATORS:
            self._stop(f'"{found.text}" cannot be judged; one of {" ".join(OPERATORS)} is wanted')
        self.at += 1
        return found.text, self._rest("a limit", WINDOWS)

    def _window(self) -> tuple[Piece | None, Piece | None]:
        if self._takes("after"):
            return self._rest("a time", ()), None
        if self._takes("before"):
            return None, self._rest("a time", ())
        if self._takes("between"):
            opens = self._rest("a time", ("and",))
            self._want("and")
            return opens, self._rest("a time", ())
        return None, None

    def _piece(self) -> Piece | None:
        return self.pieces[self.at] if self.at < len(self.pieces) else None

    def _takes(self, text: str) -> bool:
        piece = self._piece()
        if piece is None or piece.text.lower() != text:
            return False
        self.at += 1
        return True

    def _want(self, text: str) -> None:
        if not self._takes(text):
            self._stop(f'"{text}" is wanted, and {self._found()} was found')

    def _name(self, wanted: str) -> Piece:
        piece = self._piece()
        if piece is None or piece.sort != "name":
            self._stop(f"{wanted} is wanted, and {self._found()} was found")
        self.at += 1
        return piece

    def _words(self, ends: tuple[str, ...]) -> list[Piece]:
        begin = self.at
        while (piece := self._piece()) is not None and piece.sort == "name" and piece.text.lower() not in ends:
            self.at += 1
        return self.pieces[begin : self.at]

    def _rest(self, wanted: str, ends: tuple[str, ...]) -> Piece:
        """All up to one of some words, or to the end."""
        begin = self.at
        while (piece := self._piece()) is not None and piece.text.lower() not in ends:
            self.at += 1
        if begin == self.at:
            self._stop(f"{wanted} is wanted, and {self._found()} was found")
        start, end = self.pieces[begin].start, self.pieces[self.at - 1].end
        return Piece(self.text[start:end], start, end)

    def _found(self) -> str:
        piece = self._piece()
        if piece is None:
            return "the end"
        return units.odd_letter(piece.text) or units.quoted(piece.text)

    def _stop(self, text: str) -> NoReturn:
        piece = self._piece()
        raise Unclear((len(self.text) if piece is None else piece.start) + 1, text)
