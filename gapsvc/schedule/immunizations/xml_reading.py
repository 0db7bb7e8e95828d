"""CDC's XML read into plain nodes that know their line; hostile or broken files are refused.

The reader has no use for document types or entities, so both are refused outright (no expansion, no external
reference). Size, depth and number of elements are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_ELEMENTS = 400_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a file was refused: file, element (a path with the line it starts on), what is wrong with it."""

    file: str
    element: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.element}: {self.reason}"


class Unreadable(Exception):
    """The file is not XML that this reader accepts."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Node:
    """An XML element: tag, the path of tags to it, the line it starts on, its text and its child elements."""

    tag: str
    path: str
    line: int
    text: str = ""
    children: "list[Node]" = field(default_factory=list["Node"])

    @property
    def where(self) -> str:
        """The element as an error names it."""
        return f"{self.path} (line {self.line})"

    def all(self, tag: str) -> "list[Node]":
        """The children with this tag, in order."""
        return [child for child in self.children if child.tag == tag]

    def walk(self) -> "Iterator[Node]":
        """This element and every element below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Builder:
    """expat's callbacks."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.parser = expat.ParserCreate()
        self.stack: list[Node] = []
        self.pieces: list[list[str]] = []
        self.root: Node | None = None
        self.elements = 0
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.EntityDeclHandler = self._refuse_entity
        self.parser.ExternalEntityRefHandler = self._refuse_entity

    def fail(self, reason: str, element: str | None = None) -> Unreadable:
        place = element or (self.stack[-1].path if self.stack else "document")
        return Unreadable(Problem(self.file, f"{place} (line {self.parser.CurrentLineNumber})", reason))

    def _refuse_doctype(self, *_: object) -> None:
        raise self.fail("a document type declaration is not accepted; CDC's files have none")

    def _refuse_entity(self, *_: object) -> int:
        raise self.fail("entities are not accepted; CDC's files have none")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise self.fail(f"more than {MAX_ELEMENTS} elements")
        if len(self.stack) >= MAX_DEPTH:
            raise self.fail(f"elements are nested more than {MAX_DEPTH} deep")
        path = f"{self.stack[-1].path}/{tag}" if self.stack else tag
        if [name for name in attributes if not name.startswith("xmlns") and not name.startswith("xsi:")]:
            raise self.fail(f"unexpected attributes {sorted(attributes)}; CDC's files have none", path)
        node = Node(tag, path, self.parser.CurrentLineNumber)
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)
        self.pieces.append([])

    def _text(self, text: str) -> None:
        if self.pieces:
            self.pieces[-1].append(text)

    def _end(self, _tag: str) -> None:
        node = self.stack.pop()
        node.text = " ".join("".join(self.pieces.pop()).split())
        if node.text and node.children:
            raise Unreadable(Problem(self.file, node.where, "has both text and child elements"))


def read_xml(file: str, content: bytes) -> Node:
    """The root element of `content`; `file` names it in errors. Raises `Unreadable`.

    Runs of white space in a text become one blank, and blanks around it are dropped: CDC wraps long texts.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(Problem(file, "document", f"is larger than {MAX_BYTES} bytes"))
    builder = _Builder(file)
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise builder.fail(f"not well-formed XML: {expat.ErrorString(error.code)}") from error
    if builder.root is None:
        raise Unreadable(Problem(file, "document", "is empty"))
    return builder.root
