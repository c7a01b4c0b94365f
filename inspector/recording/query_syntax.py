"""The filter language: its tokens and its grammar (see docs/query.md); nothing is evaluated here.

::

    filter  = or
    or      = and { "or" and }
    and     = not { "and" not }
    not     = "not" not | "(" or ")" | test
    test    = value [ compare value { compare value } | [ "not" ] "in" set
              | [ "not" ] "contains" text | "~" text | "!~" text ]
    compare = "==" | "!=" | "<" | "<=" | ">" | ">="
    set     = "(" value { "," value } ")" | value ".." value
    value   = number | text | "none" | name | name ":" unit [ "@" reduction ]
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inspector.recording.errors import QueryError

MAX_LENGTH = 10_000
MAX_DEPTH = 60

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+(?:\.(?!\.)\d*)?|\.(?!\.)\d+)(?:[eE][-+]?\d+)?(?![\w/]))
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<quoted>`[^`]+`)
    | (?P<name>[^\W\d][\w]*(?:[./-](?![.])[\w]+)*|/[\w]+(?:[./-](?![.])[\w]+)*)
    | (?P<sign>\.\.|==|!=|<=|>=|!~|[<>()~,:@])
    )""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "contains", "none"})
_COMPARE = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True)
class Token:
    """One token: its kind (number, text, name, word, sign, end), its text and its place."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float
    at: int


@dataclass(frozen=True)
class Text:
    """Quoted text."""

    value: str
    at: int


@dataclass(frozen=True)
class Missing:
    """The word `none`: no label, no text, not a number."""

    at: int


@dataclass(frozen=True)
class Name:
    """A column or a built-in name."""

    value: str
    at: int


@dataclass(frozen=True)
class Unit:
    """The activity of one unit: ``layer:unit`` or ``layer:unit@reduction``."""

    layer: str
    unit: int
    reduction: str | None
    at: int


@dataclass(frozen=True)
class Compare:
    """One comparison of two values."""

    sign: str
    left: Value
    right: Value
    at: int


@dataclass(frozen=True)
class Among:
    """A value in a set of literals."""

    value: Value
    choices: tuple[Value, ...]
    at: int


@dataclass(frozen=True)
class Match:
    """Text that contains, or matches a pattern of ``*`` and ``?``; without regard to case."""

    value: Value
    pattern: str
    whole: bool
    at: int


@dataclass(frozen=True)
class Not:
    """What the inner test does not match."""

    inner: Test


@dataclass(frozen=True)
class Both:
    """What both tests match (`either` False), or at least one of them."""

    left: Test
    right: Test
    either: bool


Value = Number | Text | Missing | Name | Unit
Test = Compare | Among | Match | Not | Both | Name


def tokens_of(expression: str) -> list[Token]:
    """Return the tokens of an expression, the last of kind "end".

    Raises
    ------
    QueryError
        Saying at which character.
    """
    if len(expression) > MAX_LENGTH:
        raise QueryError("the filter is too long", value=len(expression), limit=MAX_LENGTH)
    tokens = []
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            start = at + len(expression[at:]) - len(expression[at:].lstrip())
            raise unreadable(expression, start, *_meant(expression, start))
        kind, text = match.lastgroup, match.group(match.lastgroup)
        start = match.start(kind)
        if kind == "text":
            text = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1], flags=re.DOTALL)
        elif kind == "quoted":
            kind, text = "name", text[1:-1]
        elif kind == "name" and text in _WORDS:
            kind = "word"
        tokens.append(Token(kind, text, start))
        at = match.end()
    tokens.append(Token("end", "", end))
    return tokens


def _meant(expression: str, at: int) -> tuple[str, str]:
    """Return what was expected where no token begins, and what to do."""
    sign = expression[at]
    if sign in "\"'`":
        return f"the quote {sign} to be closed", f"put {sign} behind the text too"
    if sign == "=":
        return "a comparison", "to compare, write =="
    return "a name, a number or quoted text", ""


def unreadable(expression: str, at: int, wanted: str, advice: str = "") -> QueryError:
    """Return the error for an expression that stops making sense at character `at`."""
    found = repr(expression[at : at + 12]) if at < len(expression.rstrip()) else "the end"
    return QueryError(
        f"the filter cannot be read at character {at + 1}: expected {wanted}, found {found}",
        advice=advice,
    )


def parse(expression: str) -> Test:
    """Return the tree of an expression.

    Raises
    ------
    QueryError
        Saying at which character, what was expected and what was found.
    """
    parser = _Parser(expression)
    tree = parser.either(0)
    if parser.now.kind != "end":
        raise parser.error("'and', 'or' or the end")
    return tree


def _check_range(low: Value, high: Value) -> None:
    """Refuse a range of two literals that nothing lies in."""
    if isinstance(low, Number) and isinstance(high, Number):
        empty = low.value > high.value
        ends = (f"{low.value:g}", f"{high.value:g}")
    elif isinstance(low, Text) and isinstance(high, Text):
        empty = low.value > high.value
        ends = (repr(low.value), repr(high.value))
    else:
        return
    if empty:
        raise QueryError(
            f"the filter, at character {low.at + 1}: the range {'..'.join(ends)} is empty",
            advice=f"the smaller end comes first: {'..'.join(ends[::-1])}",
        )


class _Parser:
    """Recursive descent over the tokens; depth bounded."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = tokens_of(expression)
        self.place = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def error(self, wanted: str) -> QueryError:
        return unreadable(self.expression, self.now.at, wanted)

    def take(self, *texts: str) -> Token | None:
        token = self.now
        if token.kind in ("sign", "word") and token.text in texts:
            self.place += 1
            return token
        return None

    def either(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise QueryError("the filter is nested too deep", limit=MAX_DEPTH)
        left = self.both(depth)
        while self.take("or"):
            left = Both(left, self.both(depth), either=True)
        return left

    def both(self, depth: int) -> Test:
        left = self.negated(depth)
        while self.take("and"):
            left = Both(left, self.negated(depth), either=False)
        return left

    def negated(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise QueryError("the filter is nested too deep", limit=MAX_DEPTH)
        if self.take("not"):
            return Not(self.negated(depth + 1))
        if self.take("("):
            inner = self.either(depth + 1)
            if not self.take(")"):
                raise self.error("')'")
            return inner
        return self.test()

    def test(self) -> Test:
        left = self.value()
        if self.take("not"):
            return Not(self.membership(left, required=True))
        token = self.now
        if token.kind == "sign" and token.text in _COMPARE:
            return self.comparison(left)
        if self.take("~"):
            return Match(left, self.text(), True, token.at)
        if self.take("!~"):
            return Not(Match(left, self.text(), True, token.at))
        if token.kind == "word" and token.text in ("in", "contains"):
            return self.membership(left, required=False)
        if isinstance(left, Name):
            return left
        raise self.error("a comparison")

    def comparison(self, left: Value) -> Test:
        """Read ``a < b``, and ``a < b < c`` as both of its parts."""
        result: Test | None = None
        while self.now.kind == "sign" and self.now.text in _COMPARE:
            sign = self.now
            self.place += 1
            right = self.value()
            step = Compare(sign.text, left, right, sign.at)
            result = step if result is None else Both(result, step, either=False)
            left = right
        assert result is not None
        return result

    def membership(self, left: Value, *, required: bool) -> Test:
        token = self.now
        if self.take("contains"):
            return Match(left, self.text(), False, token.at)
        if not self.take("in"):
            raise self.error("'in' or 'contains'")
        if self.take("("):
            choices = [self.value()]
            while self.take(","):
                choices.append(self.value())
            if not self.take(")"):
                raise self.error("',' or ')'")
            return Among(left, tuple(choices), token.at)
        low = self.value()
        if not self.take(".."):
            raise self.error("'..' and the end of the range")
        high = self.value()
        _check_range(low, high)
        return Both(
            Compare(">=", left, low, token.at), Compare("<=", left, high, token.at), either=False
        )

    def text(self) -> str:
        if self.now.kind != "text":
            raise self.error("quoted text")
        self.place += 1
        return self.tokens[self.place - 1].text

    def value(self) -> Value:
        token = self.now
        if token.kind == "number":
            self.place += 1
            return Number(float(token.text), token.at)
        if token.kind == "text":
            self.place += 1
            return Text(token.text, token.at)
        if self.take("none"):
            return Missing(token.at)
        if token.kind == "name":
            self.place += 1
            return self.unit(token) if self.take(":") else Name(token.text, token.at)
        raise self.error("a value")

    def unit(self, layer: Token) -> Unit:
        token = self.now
        if token.kind != "number" or not token.text.isdecimal():
            raise self.error("the number of a unit")
        self.place += 1
        reduction = None
        if self.take("@"):
            if self.now.kind not in ("name", "word"):
                raise self.error("a reduction")
            reduction = self.now.text
            self.place += 1
        return Unit(layer.text, int(token.text), reduction, layer.at)
