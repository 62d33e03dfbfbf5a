# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Go's text/template as Prometheus parses it in labels and annotations: syntax, and what the text refers to.

As in Prometheus nothing is executed: a wrong number of arguments passes here (and fails when the alert fires).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PROMETHEUS_FUNCTIONS = """
query first label value strvalue args reReplaceAll safeHtml match title toUpper toLower graphLink tableLink
sortByLabel stripPort stripDomain humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp
toTime toDuration now pathPrefix externalURL parseDuration urlQueryEscape tmpl
"""
_BUILTINS = "and call html index slice js len not or print printf println urlquery eq ge gt le lt ne"
FUNCTIONS = frozenset(f"{_PROMETHEUS_FUNCTIONS} {_BUILTINS}".split())
_VARIABLES = ("$", "$labels", "$externalLabels", "$externalURL", "$value")
_BLOCKS = frozenset({"if", "range", "with", "define", "block"})
_KEYWORDS = _BLOCKS | {"else", "end", "template", "break", "continue"}
MAX_NESTING = 50

_SIMPLE = re.compile(
    r"\{\{(?:- )? *\$(?:labels\.([A-Za-z_][A-Za-z0-9_]*)|(value))(?: *\| *(humanize[a-zA-Z0-9]*))? *(?: -)?\}\}"
)
_COMMENT = re.compile(r"\{\{(?:-[ \t\r\n])?/\*(?:(?!\*/).)*\*/(?:[ \t\r\n]-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""
    (?P<space> [ \t\r\n]+ )
  | (?P<string> "(?:[^"\\\n]|\\.)*" | `[^`]*` )
  | (?P<char> '(?:[^'\\\n]|\\.[^'\n]*)' )
  | (?P<number> [+-]?(?:0[xXbBoO][0-9a-fA-F_]+|\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?)i? )
  | (?P<variable> \$\w* )
  | (?P<field> \.\w+ )
  | (?P<dot> \. )
  | (?P<word> \w+ )
  | (?P<declare> :=|= )
  | (?P<sign> [|(),] )
  | (?P<bad> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = re.compile(r"(?:[ \t\r\n]+-)?\}\}")
_CONSTANTS = frozenset({"string", "char", "number", "dot"})
_NAMES = frozenset({"variable", "field", "word"})
_NOT_BEHIND_NAMES = frozenset({"variable", "word", "string", "char", "number"})


class TemplateError(ValueError):
    """The text is no template that Prometheus would parse."""


@dataclass(slots=True)
class Template:
    """What a template refers to. The sets of fields and functions are for the whole text."""

    labels: list[str] = field(default_factory=list)
    """Names behind `$labels.` and `.Labels.`, and in `index $labels "name"`."""
    value_uses: list[str] = field(default_factory=list)
    """The function `$value` is piped into, or "", once for each use."""
    fields: list[str] = field(default_factory=list)
    """First fields of the alert's data (`.Value` → "Value"), where the dot has not been changed."""
    functions: set[str] = field(default_factory=set)


_NOTHING = Template()


def parse(text: str) -> Template:
    """What the template refers to; TemplateError says what is wrong with it."""
    if "{{" not in text:
        return _NOTHING
    return _Parser(text).run()


@dataclass(slots=True)
class _Block:
    keyword: str
    variables: int
    moves_dot: bool
    has_else: bool = False


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.result = Template()
        self.variables = list(_VARIABLES)
        self.blocks: list[_Block] = []
        self.kinds: list[str] = []
        self.tokens: list[str] = []
        self.at = 0
        self.depth = 0

    def run(self) -> Template:
        text, position = self.text, 0
        while (start := text.find("{{", position)) >= 0:
            simple = _SIMPLE.match(text, start)
            if simple is not None and (simple[3] is None or simple[3] in FUNCTIONS):
                self._simple(*simple.groups())
                position = simple.end()
                continue
            comment = _COMMENT.match(text, start)
            if comment is not None:
                position = comment.end()
                continue
            position = self._tokenize(start)
            self._action()
        if self.blocks:
            raise TemplateError(f"unexpected end of text: {{{{{self.blocks[-1].keyword}}}}} has no {{{{end}}}}")
        return self.result

    def _simple(self, label: str | None, value: str | None, function: str | None) -> None:
        if function:
            self.result.functions.add(function)
        if label:
            self.result.labels.append(label)
        if value:
            self.result.value_uses.append(function or "")

    # -- tokens of one action

    def _tokenize(self, start: int) -> int:
        """Reads the tokens up to `}}`; returns the position behind it."""
        text, position = self.text, start + 2
        if text.startswith("-", position) and text[position + 1 : position + 2].isspace():
            position += 1
        if text.startswith("/*", position):
            raise TemplateError("unclosed comment, or one that does not end right before the closing braces")
        kinds, tokens = self.kinds, self.tokens = [], []
        while True:
            closing = _CLOSING.match(text, position)
            if closing is not None:
                kinds.append("end")
                tokens.append("}}")
                self.at = 0
                return closing.end()
            match = _TOKEN.match(text, position)
            if match is None:
                raise TemplateError("unclosed action: }} is missing")
            kind = match.lastgroup or ""
            if kind == "bad":
                raise TemplateError(f"unexpected {match[0]!r} in action{_advice(match[0])}")
            if kinds and _runs_together(kinds[-1], kind, match[0]):
                raise TemplateError(f"bad character {match[0][0]!r} behind {tokens[-1]!r}")
            kinds.append(kind)
            tokens.append(match[0])
            position = match.end()

    def _peek(self) -> str:
        """The kind of the next token that is no blank."""
        while self.kinds[self.at] == "space":
            self.at += 1
        return self.kinds[self.at]

    def _unexpected(self, context: str) -> TemplateError:
        return TemplateError(f"unexpected {self.tokens[self.at]!r} in {context}")

    # -- actions

    def _action(self) -> None:
        word = self.tokens[self.at] if self._peek() == "word" else ""
        if word not in _KEYWORDS:
            self._pipeline("command", "end")
            self._end("command")
            return
        self.at += 1
        if word in _BLOCKS:
            self._open(word)
        elif word == "else":
            self._else()
        elif word == "end":
            self._close()
        elif word == "template":
            self._name("template clause")
            if self._peek() != "end":
                self._pipeline("template clause", "end")
        elif not any(block.keyword == "range" for block in self.blocks):
            raise TemplateError(f"{{{{{word}}}}} outside {{{{range}}}}")
        self._end(word)

    def _end(self, context: str) -> None:
        if self._peek() != "end":
            raise self._unexpected(context)

    def _name(self, context: str) -> None:
        if self._peek() != "string":
            raise self._unexpected(context)
        self.at += 1

    def _open(self, word: str) -> None:
        variables = len(self.variables)
        if word in {"define", "block"}:
            self._name(f"{word} clause")
        if word == "define":
            variables, self.variables = len(self.variables), [*self.variables[:1]]
        else:
            self._pipeline(word, "end")
        if len(self.blocks) >= MAX_NESTING:
            raise TemplateError(f"nests deeper than {MAX_NESTING} blocks")
        self.blocks.append(_Block(word, variables, moves_dot=word != "if"))

    def _else(self) -> None:
        if not self.blocks or self.blocks[-1].has_else or self.blocks[-1].keyword in {"define", "block"}:
            raise TemplateError("unexpected {{else}}")
        block = self.blocks[-1]
        del self.variables[block.variables :]
        if self._peek() == "word" and self.tokens[self.at] == block.keyword and block.keyword in {"if", "with"}:
            self.at += 1
            self._pipeline(block.keyword, "end")
        else:
            block.has_else = True

    def _close(self) -> None:
        if not self.blocks:
            raise TemplateError("unexpected {{end}}")
        block = self.blocks.pop()
        if block.keyword == "define":
            self.variables = list(_VARIABLES)
        else:
            del self.variables[block.variables :]

    # -- pipelines

    def _pipeline(self, context: str, closing: str) -> None:
        self._declarations(context)
        stage, previous = 0, ""
        while True:
            if self._peek() == closing or (closing == ")" and self.tokens[self.at] == ")"):
                if stage == 0:
                    raise TemplateError(f"missing value for {context}")
                return
            first = self._command(stage)
            if stage and previous in {"$value", ".Value"}:
                self.result.value_uses[-1] = first
            previous = first if self.piped_alone else ""
            stage += 1
            if self.tokens[self.at] == "|" and self.kinds[self.at] == "sign":
                self.at += 1

    piped_alone = False
    """The command just read is a single operand."""

    def _declarations(self, context: str) -> None:
        start = self.at
        names: list[str] = []
        while self._peek() == "variable":
            names.append(self.tokens[self.at])
            self.at += 1
            if self._peek() == "declare":
                self.at += 1
                self.variables.extend(names)
                return
            if not (self.tokens[self.at] == "," and context == "range" and len(names) == 1):
                break
            self.at += 1
        self.at = start

    def _command(self, stage: int) -> str:
        """Reads one command; returns the text of its first operand."""
        operands: list[str] = []
        while self._peek() not in {"end"} and self.tokens[self.at] not in {"|", ")"}:
            if stage and not operands and self._is_constant():
                raise TemplateError(f"non executable command in pipeline stage {stage + 1}")
            begin = self.at
            operands.append(self._operand())
            after = self.kinds[self.at]
            if after not in {"space", "end"} and self.tokens[self.at] not in {"|", ")"}:
                raise self._unexpected(f"operand {''.join(self.tokens[begin : self.at])}")
        if not operands:
            raise self._unexpected("command")
        self._index(operands)
        self.piped_alone = len(operands) == 1
        return operands[0]

    def _is_constant(self) -> bool:
        return self.kinds[self.at] in _CONSTANTS or self.tokens[self.at] in {"true", "false", "nil"}

    def _index(self, operands: list[str]) -> None:
        """`index $labels "name"` is a label too."""
        if len(operands) == 3 and operands[0] == "index" and operands[1] in {"$labels", ".Labels"}:
            name = operands[2]
            if name[:1] in {'"', "`"}:
                self.result.labels.append(name[1:-1])

    def _operand(self) -> str:
        kind, text = self.kinds[self.at], self.tokens[self.at]
        start = self.at
        if kind == "sign" and text == "(":
            self._parenthesis()
        elif kind == "word":
            self._word(text)
        elif kind == "variable":
            if text not in self.variables:
                raise TemplateError(f"undefined variable {text!r}{_advice(text)}")
            self.at += 1
        elif kind in _CONSTANTS or kind == "field":
            self.at += 1
        else:
            raise self._unexpected("operand")
        fields = [text] if kind == "field" else []
        while self.kinds[self.at] == "field":
            if kind in _CONSTANTS:
                raise TemplateError(f"unexpected . after term {text!r}")
            fields.append(self.tokens[self.at])
            self.at += 1
        self._refer(text if kind == "variable" else "", [name[1:] for name in fields])
        return "".join(self.tokens[start : self.at])

    def _word(self, token: str) -> None:
        if token not in {"true", "false", "nil"}:
            if token not in FUNCTIONS:
                raise TemplateError(f"function {token!r} not defined{_advice(token)}")
            self.result.functions.add(token)
        self.at += 1

    def _parenthesis(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise TemplateError(f"nests deeper than {MAX_NESTING} parentheses")
        self.at += 1
        self._pipeline("parenthesized pipeline", ")")
        self.at += 1
        self.depth -= 1

    def _refer(self, variable: str, fields: list[str]) -> None:
        result = self.result
        moved = any(block.moves_dot for block in self.blocks)
        if variable == "$value":
            result.value_uses.append("")
        elif variable == "$labels" and fields:
            result.labels.append(fields[0])
        elif (variable == "$" or (not variable and not moved)) and fields:
            result.fields.append(fields[0])
            if fields[0] == "Labels" and len(fields) > 1:
                result.labels.append(fields[1])
            elif fields[0] == "Value":
                result.value_uses.append("")


def _runs_together(before: str, kind: str, text: str) -> bool:
    """Names end at a blank, a bracket or one of . , | : only; numbers at anything but a letter."""
    if before == "number":
        return kind == "word"
    return before in _NAMES and (kind in _NOT_BEHIND_NAMES or text == "=")


def _advice(token: str) -> str:
    if token.startswith("$"):
        return " (Prometheus defines $labels, $externalLabels, $externalURL and $value)"
    if token in {"default", "quote", "upper", "lower", "include", "tpl", "toYaml", "join", "replace"}:
        return " (that is a function of Helm or Jinja)"
    return ""
