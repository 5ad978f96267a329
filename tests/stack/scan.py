"""SQL cut into tokens, for Trino's SQL and for Hive's."""

import re
from typing import NamedTuple

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMMON = rf"(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<back>`(?:[^`]|``)*`)|(?P<word>[^\W\d]\w*)|(?P<number>{_NUMBER})"
_TRINO = re.compile(rf"""{_COMMON}|(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")|(?P<symbol>.)""", re.S)
_HIVE = re.compile(rf"""{_COMMON}|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<symbol>.)""", re.S)
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}


class Token(NamedTuple):
    """A piece of SQL that means something, and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def upper(self):
        """The word in upper case; empty for what is no bare word."""
        return self.text.upper() if self.kind == "word" else ""


class SyntaxFault(Exception):
    """What stands at an offset isn't what the grammar wants there."""

    def __init__(self, sql, start, message):
        line, column = place(sql, start)
        super().__init__(f"line {line}:{column}: {message}")


def place(sql, start):
    """Line and column, from 1, of an offset."""
    return sql.count("\n", 0, start) + 1, start - (sql.rfind("\n", 0, start) + 1) + 1


def tokens(sql, hive=False):
    """The tokens of a statement; blanks and comments are left out."""
    pattern = _HIVE if hive else _TRINO
    return [Token(found.lastgroup, found.group(), found.start()) for found in pattern.finditer(sql) if found.lastgroup != "space"]


def hive_text(token):
    """What a literal of Hive says, without quotes and escapes."""

    def escaped(found):
        code = found.group(1)
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if len(code) == 3:
            return chr(int(code, 8))
        return _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)", escaped, token.text[1:-1], flags=re.S)


class Reader:
    """Tokens taken one by one."""

    def __init__(self, sql, hive=False):
        self.sql, self.tokens, self.at = sql, tokens(sql, hive), 0
        if self.tokens and self.tokens[-1].text == ";":
            self.tokens.pop()

    def peek(self, ahead=0):
        """The token to come; an empty one at the end."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token("end", "<EOF>", len(self.sql))

    def next(self):
        """Takes a token."""
        token = self.peek()
        self.at += 1
        return token

    def words(self, *words):
        """Takes these words, if they come."""
        if all(self.peek(at).upper == word or self.peek(at).text == word for at, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, *words):
        """Takes these words, and nothing else will do."""
        for word in words:
            if not self.words(word):
                self.fail(f"'{word}'")

    def string(self):
        """Takes a literal of Hive."""
        if self.peek().kind != "string":
            self.fail("STRING")
        return hive_text(self.next())

    def fail(self, expected):
        """What comes isn't what was expected."""
        token = self.peek()
        raise SyntaxFault(self.sql, token.start, f"mismatched input '{token.text}'. Expecting: {expected}")
