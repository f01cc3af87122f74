"""An official document by GB/T 9704-2012: page, grid, fonts, red head, levels, tables, signature and imprint.

Page A4, top margin 37 mm, left 28 mm, text block 156 × 225 mm, 22 lines of 28 letters (5.2); body in 16 pt
imitation Song (仿宋), title 22 pt small-heading Song (小标宋), levels 一、 in Hei and （一） in Kai (7.3.3). Numbers in
brackets are clauses of the standard. The fonts belong to the reader's machine: each is named with the names it goes by
elsewhere (``altName``), so that a machine without 仿宋_GB2312 takes 仿宋 and not whatever comes first.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from documents.files import settle_zip, write_atomically
from documents.model import OfficialHead, Origin
from documents.table import Table
from documents.wording import chinese_date, names, numeral, printable
from documents.wordprocessing import (
    ALSO_KNOWN_AS,
    BODY,
    BODY_PT,
    CHAR_SPACE,
    HEI,
    KAI,
    LEFT_MM,
    LETTER_TWIPS,
    LINE_PITCH_TWIPS,
    NUMBER_PT,
    PAGE_HEIGHT_MM,
    PAGE_WIDTH_MM,
    SMALL_PT,
    TABLE_PT,
    TEXT_HEIGHT_MM,
    TEXT_WIDTH_MM,
    TITLE,
    TITLE_PT,
    TOP_MM,
    TWIPS_PER_MM,
    add_field,
    bookmark,
    imprint_xml,
    indent_first_line,
    off_grid,
    pitch_letters,
    red_line_below,
    set_fonts,
    table_xml,
)

_KEPT_BEFORE_SIGNATURE = 6
_RED = RGBColor(0xFF, 0x00, 0x00)
_BREAK_AFTER, _BREAK_BEFORE = "的》）、年月日况于", "《（专工情"


class OfficialDocument:
    """Writes a document downwards. Headings and tables number themselves."""

    def __init__(self, origin: Origin, title: str) -> None:
        self._origin, self._title = origin, title
        self._document = Document()
        self._heading_numbers = [0, 0, 0]
        self._tables = 0
        self._set_properties()
        self._set_page()
        self._set_styles()
        self._name_fonts()
        self._number_pages()
        self._say_drill()

    # --- set-up ---

    def _set_properties(self) -> None:
        properties = self._document.core_properties
        created = datetime.combine(self._origin.as_of, datetime.min.time())
        properties.author = properties.last_modified_by = properties.comments = ""
        properties.title, properties.subject = printable(self._title), printable(self._origin.campaign_name)
        properties.created = properties.modified = created
        properties.revision = 1

    def _set_page(self) -> None:
        section = self._document.sections[0]
        below = PAGE_HEIGHT_MM - TOP_MM - TEXT_HEIGHT_MM
        section.page_width, section.page_height = Mm(PAGE_WIDTH_MM), Mm(PAGE_HEIGHT_MM)
        section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(below)
        section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(PAGE_WIDTH_MM - LEFT_MM - TEXT_WIDTH_MM)
        # The page number stands 7 mm below the text block (7.5); the footer's own height is about 5 mm.
        section.footer_distance, section.header_distance = Mm(below - 7 - 5), Mm(15)
        properties: Any = section._sectPr
        for grid in properties.findall(qn("w:docGrid")):
            properties.remove(grid)
        grid = OxmlElement("w:docGrid")
        grid.set(qn("w:type"), "linesAndChars")
        grid.set(qn("w:linePitch"), str(LINE_PITCH_TWIPS))
        grid.set(qn("w:charSpace"), str(CHAR_SPACE))
        properties.append(grid)

    def _set_styles(self) -> None:
        styles = self._document.styles
        normal: Any = styles["Normal"]
        set_fonts(normal.element.get_or_add_rPr(), BODY)
        normal.font.size = Pt(BODY_PT)
        body = normal.paragraph_format
        body.space_before = body.space_after = Pt(0)
        body.line_spacing_rule, body.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(LINE_PITCH_TWIPS / 20)
        body.widow_control = False
        # The grid is declared in the section; lines and letters keep its pitch by themselves, because LibreOffice
        # gives a letter wider than the grid's cell two cells.
        off_grid(normal.element.get_or_add_pPr())
        pitch_letters(normal.element.get_or_add_rPr())
        for level, (font, bold) in enumerate(((HEI, False), (KAI, False), (BODY, True)), start=1):
            heading: Any = styles[f"Heading {level}"]
            set_fonts(heading.element.get_or_add_rPr(), font)
            heading.font.size, heading.font.bold, heading.font.italic = Pt(BODY_PT), bold, False
            heading.font.color.rgb = RGBColor(0, 0, 0)
            shape = heading.paragraph_format
            shape.space_before = shape.space_after = Pt(0)
            shape.keep_with_next = True
            indent_first_line(heading.element.get_or_add_pPr())
        table_text: Any = styles.add_style("Table Text", WD_STYLE_TYPE.PARAGRAPH)
        table_text.base_style = normal
        table_text.font.size = Pt(TABLE_PT)
        table_text.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
        language = self._document.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
        if language is not None:
            language.set(qn("w:val"), "en-US")
            language.set(qn("w:eastAsia"), "zh-CN")

    def _name_fonts(self) -> None:
        """Say under which other names the fonts are known, so that the reader's program finds a kin."""
        part: Any = next(
            part for part in self._document.part.package.iter_parts() if str(part.partname) == "/word/fontTable.xml"
        )
        entries = "".join(
            f'<w:font w:name={quoteattr(name)}><w:altName w:val={quoteattr(others)}/><w:charset w:val="86"/>'
            f'<w:family w:val="auto"/><w:pitch w:val="default"/></w:font>'
            for name, others in ALSO_KNOWN_AS.items()
        )
        part._blob = part.blob.replace(b"</w:fonts>", entries.encode() + b"</w:fonts>")

    def _number_pages(self) -> None:
        """— 1 — outside: right on odd pages, left on even ones, one letter in (7.5)."""
        self._document.settings.odd_and_even_pages_header_footer = True
        section = self._document.sections[0]
        for footer, align in ((section.footer, "right"), (section.even_page_footer, "left")):
            paragraph = footer.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if align == "right" else WD_ALIGN_PARAGRAPH.LEFT
            shape = paragraph.paragraph_format
            shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
            if align == "right":
                shape.right_indent = Pt(NUMBER_PT)
            else:
                shape.left_indent = Pt(NUMBER_PT)
            self._run(paragraph, "— ", "宋体", NUMBER_PT)
            add_field(self._run(paragraph, "", "宋体", NUMBER_PT), "PAGE", "1")
            self._run(paragraph, " —", "宋体", NUMBER_PT)

    def _say_drill(self) -> None:
        """What a rehearsal's document is stands at the head of every page."""
        if not self._origin.drill:
            return
        section = self._document.sections[0]
        for header in (section.header, section.even_page_header):
            paragraph = header.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
            self._run(paragraph, self._origin.drill, KAI, SMALL_PT)

    # --- head ---

    def red_head(self, head: OfficialHead) -> None:
        """Red name of the issuer, document number, red line, title, addressees."""
        banner = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        banner.paragraph_format.space_before = Mm(28)
        banner.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
        lines = _balanced(head.banner, 17)
        size = min(46, math.floor(TEXT_WIDTH_MM * TWIPS_PER_MM / 20 / max(map(len, lines))))
        for number, line in enumerate(lines):
            run = self._run(banner, line, TITLE, size)
            run.font.color.rgb = _RED
            if number < len(lines) - 1:
                run.add_break()
        self._blank(2)
        number_line = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        self._run(number_line, head.number, BODY, BODY_PT)
        red_line_below(number_line._p.get_or_add_pPr())
        self._blank(2)
        self.title(head.title)
        self._blank(1)
        if head.addressees:
            self._run(self._paragraph(), f"{'，'.join(head.addressees)}：", BODY, BODY_PT)

    def title(self, text: str) -> None:
        """The title, on lines of like length."""
        paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        paragraph.paragraph_format.line_spacing = Pt(36)
        lines = text.split("\n") if "\n" in text else _balanced(text, 19)
        for number, line in enumerate(lines):
            run = self._run(paragraph, line, TITLE, TITLE_PT)
            if number < len(lines) - 1:
                run.add_break()

    def cover(self, above: str, title: str, below: tuple[str, ...]) -> None:
        """A cover page without a page number: a line above, the title, lines below at the foot."""
        self._document.sections[0].different_first_page_header_footer = True
        self._blank(3)
        self._run(self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER), above, KAI, BODY_PT)
        self._blank(2)
        paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        paragraph.paragraph_format.line_spacing = Pt(48)
        lines = title.split("\n") if "\n" in title else _balanced(title, 13)
        for number, line in enumerate(lines):
            run = self._run(paragraph, line, TITLE, 32)
            if number < len(lines) - 1:
                run.add_break()
        self._blank(10)
        for line in below:
            self._run(self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER), line, BODY, BODY_PT)
        self.page_break()

    def page_break(self) -> None:
        self._paragraph().paragraph_format.page_break_before = True

    # --- body ---

    def heading(self, text: str, level: int = 1) -> None:
        """一、 then （一） then 1., numbered by themselves."""
        self._heading_numbers[level - 1] += 1
        self._heading_numbers[level:] = [0] * (3 - level)
        number = self._heading_numbers[level - 1]
        label = (f"{numeral(number)}、", f"（{numeral(number)}）", f"{number}. ")[level - 1]
        paragraph = self._document.add_paragraph(style=f"Heading {level}")
        font = (HEI, KAI, BODY)[level - 1]
        run = self._run(paragraph, label + text, font, BODY_PT)
        if level == 1:
            bookmark(run, f"_chapter{number}", number)

    def paragraph(self, text: str, *, lead: str = "") -> None:
        """A paragraph, first line two letters in; ``lead`` is set in Hei before it."""
        paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.JUSTIFY)
        indent_first_line(paragraph._p.get_or_add_pPr())
        if lead:
            self._run(paragraph, lead, HEI, BODY_PT)
        self._run(paragraph, text, BODY, BODY_PT)

    def items(self, texts: tuple[str, ...]) -> None:
        """Numbered sentences: 1. 2. 3."""
        for number, text in enumerate(texts, start=1):
            self.paragraph(f"{number}. {text}")

    def remark(self, text: str) -> None:
        """A smaller note below a table or at the end of a part."""
        paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.LEFT)
        paragraph.paragraph_format.line_spacing = Pt(18)
        paragraph.paragraph_format.space_after = Pt(6)
        self._run(paragraph, text, BODY, SMALL_PT)

    def table(self, table: Table) -> None:
        """A bordered table with its caption above; the header is repeated on each page, no row is torn apart."""
        self._tables += 1
        caption = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        caption.paragraph_format.keep_with_next = True
        caption.paragraph_format.line_spacing = Pt(22)
        caption.paragraph_format.space_before = Pt(6)
        self._run(caption, f"表{self._tables}　{table.caption}", HEI, SMALL_PT)
        body: Any = self._document.element.body
        body.insert(len(body) - 1, parse_xml(table_xml(table)))
        if table.note:
            self.remark(table.note)
        else:
            self._spacer(10)

    def picture(self, image: bytes, caption: str) -> None:
        """A picture as wide as the text, its caption below."""
        paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
        paragraph.paragraph_format.keep_with_next = True
        paragraph.add_run().add_picture(io.BytesIO(image), width=Mm(TEXT_WIDTH_MM - 2))
        below = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        below.paragraph_format.line_spacing = Pt(22)
        self._run(below, caption, HEI, SMALL_PT)

    def contents(self, chapters: tuple[str, ...]) -> None:
        """A list of the level-one headings to come, with page numbers the reader's program fills in."""
        heading = self._paragraph(align=WD_ALIGN_PARAGRAPH.CENTER)
        self._run(heading, "目　　录", TITLE, TITLE_PT)
        self._blank(1)
        for number, chapter in enumerate(chapters, start=1):
            paragraph = self._paragraph()
            stops = paragraph.paragraph_format.tab_stops
            stops.add_tab_stop(Mm(TEXT_WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
            self._run(paragraph, f"{numeral(number)}、{chapter}\t", BODY, BODY_PT)
            add_field(self._run(paragraph, "", BODY, BODY_PT), f"PAGEREF _chapter{number} \\h", "")
        self.page_break()

    # --- foot ---

    def annex_note(self, names_of_annexes: tuple[str, ...]) -> None:
        """附件：1. … one line below the text, two letters in (7.3.4)."""
        if not names_of_annexes:
            return
        self._blank(1)
        several = len(names_of_annexes) > 1
        for number, name in enumerate(names_of_annexes, start=1):
            paragraph = self._paragraph()
            indent_first_line(paragraph._p.get_or_add_pPr())
            lead = "附件：" if number == 1 else "　　　"
            self._run(paragraph, f"{lead}{number}. {name}" if several else f"{lead}{name}", BODY, BODY_PT)

    def signature(self, head: OfficialHead) -> None:
        """The issuer centred above the date, which ends four letters from the edge, more under a long name (7.3.5)."""
        self._blank(2)
        # A signature never stands on a page without text: the lines before it go along.
        for paragraph in self._document.paragraphs[-_KEPT_BEFORE_SIGNATURE:]:
            paragraph.paragraph_format.keep_with_next = True
        day = chinese_date(head.issued_on)
        day_half, name_half = _width_in_letters(day) / 2, _width_in_letters(head.issuer) / 2
        centre = max(4 + day_half, 2 + name_half)
        for text, half in ((head.issuer, name_half), (day, day_half)):
            paragraph = self._paragraph(align=WD_ALIGN_PARAGRAPH.RIGHT)
            paragraph.paragraph_format.right_indent = Pt((centre - half) * LETTER_TWIPS / 20)
            paragraph.paragraph_format.keep_with_next = text == head.issuer
            self._run(paragraph, text, BODY, BODY_PT)

    def imprint(self, head: OfficialHead) -> None:
        """版记 at the foot of the last page: copies to, issued by and when, between rules (7.4)."""
        printed_by = head.printed_by or head.issuer
        copies = f"抄送：{names(head.copies_to)}。" if head.copies_to else ""
        body: Any = self._document.element.body
        table = imprint_xml(copies, printed_by, f"{chinese_date(head.issued_on)}印发")
        body.insert(len(body) - 1, parse_xml(table))
        self._spacer(1)

    def save(self, path: Path) -> None:
        """Put the document in place; the same content gives the same bytes. Raises StorageUnavailable."""

        def produce(draft: Path) -> None:
            self._document.save(str(draft))
            settle_zip(draft, self._origin.as_of)

        write_atomically(path, produce)

    # --- pieces ---

    def _paragraph(self, *, align: WD_ALIGN_PARAGRAPH | None = None) -> Any:
        paragraph: Any = self._document.add_paragraph()
        paragraph.alignment = align
        return paragraph

    def _blank(self, lines: int) -> None:
        for _ in range(lines):
            self._paragraph()

    def _spacer(self, points: float) -> None:
        """A paragraph of a given height: Word joins tables that touch, and wants text after a table."""
        self._paragraph().paragraph_format.line_spacing = Pt(points)

    def _run(self, paragraph: Any, text: str, font: str, size: float) -> Any:
        run = paragraph.add_run(printable(text))
        run.font.size = Pt(size)
        set_fonts(run._r.get_or_add_rPr(), font)
        return run


# --- measuring text -------------------------------------------------------------------------------------


def _width_in_letters(text: str) -> float:
    """Width in Chinese letters; a digit is half a letter wide."""
    return sum(1.0 if ord(letter) > 0x2E7F else 0.5 for letter in text)


def _balanced(text: str, most: int) -> list[str]:
    """Break a title into lines of like length, at a place where it reads well if one is near (7.3.1)."""
    lines: list[str] = []
    rest, count = text, math.ceil(_width_in_letters(text) / most)
    for remaining in range(count, 1, -1):
        ideal = math.ceil(len(rest) / remaining)
        near = range(max(1, ideal - 5), min(len(rest), ideal + 4))
        # A line wider than the page would be broken again, one letter before its end.
        fitting = [at for at in near if _width_in_letters(rest[:at]) <= most
                   and _width_in_letters(rest[at:]) <= most * (remaining - 1)]
        cut = min(fitting or near, key=_BreakCost(rest, ideal))
        lines.append(rest[:cut])
        rest = rest[cut:]
    return [*lines, rest]


@dataclass(frozen=True)
class _BreakCost:
    """How badly a line would break before the letter at a place: far from the ideal, or inside a number or a word."""

    text: str
    ideal: int

    def __call__(self, at: int) -> float:
        before, after = self.text[at - 1], self.text[at]
        if (before.isdigit() and (after.isdigit() or after in "年月日号")) or after in "》）、，的":
            return 100.0
        reads_well = before in _BREAK_AFTER or after in _BREAK_BEFORE
        return abs(at - self.ideal) - (4.0 if reads_well else 0.0)
