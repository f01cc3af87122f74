"""The pieces of WordprocessingML that python-docx has no words for, and the measures of GB/T 9704-2012.

Lengths are twips (1/20 pt), the format's own unit, unless the name says otherwise.
"""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from documents.table import Table, shown
from documents.wording import printable

BODY, TITLE, HEI, KAI, LATIN = "仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312", "Times New Roman"
ALSO_KNOWN_AS = {
    BODY: "仿宋,FangSong,FangSong_GB2312",
    TITLE: "方正小标宋_GBK,华文中宋,STZhongsong,宋体,SimSun",
    HEI: "SimHei",
    KAI: "楷体,KaiTi,KaiTi_GB2312",
}
BODY_PT, TITLE_PT, NUMBER_PT, TABLE_PT, SMALL_PT = 16.0, 22.0, 14.0, 10.0, 12.0
PAGE_WIDTH_MM, PAGE_HEIGHT_MM, TOP_MM, LEFT_MM = 210, 297, 37, 28
TEXT_WIDTH_MM, TEXT_HEIGHT_MM, LINES, LETTERS = 156, 225, 22, 28
_KEPT_WHOLE_ROWS = 14
"""A table of up to so many rows is not torn apart by a page's end."""
TWIPS_PER_MM = 1440 / 25.4
LINE_PITCH_TWIPS = int(TEXT_HEIGHT_MM * TWIPS_PER_MM / LINES)
LETTER_TWIPS = TEXT_WIDTH_MM * TWIPS_PER_MM / LETTERS
# The grid's letter pitch is given as its difference from the body size, in 1/4096 pt (ISO 29500, docGrid).
CHAR_SPACE = round((LETTER_TWIPS / 20 - BODY_PT) * 4096)


def set_fonts(properties: Any, font: str) -> None:
    """Chinese letters in ``font``, Latin letters and digits in Times; theme fonts would win and are taken off."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is not None:
        properties.remove(fonts)
    fonts = OxmlElement("w:rFonts")
    for script in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{script}"), LATIN)
    fonts.set(qn("w:eastAsia"), font)
    # rFonts comes first in a run's properties, but after the style.
    place = 1 if properties.find(qn("w:rStyle")) is not None else 0
    properties.insert(place, fonts)


def indent_first_line(properties: Any) -> None:
    """Two letters, whatever the letter's size."""
    indent = properties.get_or_add_ind()
    indent.set(qn("w:firstLineChars"), "200")
    indent.set(qn("w:firstLine"), str(round(2 * LETTER_TWIPS)))


def pitch_letters(properties: Any) -> None:
    """Set letters a little closer, so that 28 of 16 pt fill the 156 mm of a line; the grid does not do it again."""
    grid, spacing = OxmlElement("w:snapToGrid"), OxmlElement("w:spacing")
    grid.set(qn("w:val"), "0")
    spacing.set(qn("w:val"), str(math.floor(LETTER_TWIPS - BODY_PT * 20)))
    for element, later in ((grid, ("w:color", "w:sz", "w:szCs", "w:lang")), (spacing, ("w:sz", "w:szCs", "w:lang"))):
        place = next((at for at, entry in enumerate(properties) if entry.tag in map(qn, later)), len(properties))
        properties.insert(place, element)


def off_grid(properties: Any) -> None:
    """Lines as high as their own content: tables, pictures and footers do not follow the page's grid."""
    snap = OxmlElement("w:snapToGrid")
    snap.set(qn("w:val"), "0")
    properties.insert_element_before(
        snap, "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc",
        "w:textDirection", "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr",
        "w:sectPr", "w:pPrChange",
    )


def red_line_below(properties: Any) -> None:
    """The red rule, 4 mm below the document number and as wide as the text (7.2.7)."""
    border = parse_xml(
        f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="18" w:space="11" w:color="FF0000"/></w:pBdr>'
    )
    properties.insert_element_before(
        border, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct",
        "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd", "w:snapToGrid", "w:spacing",
        "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc", "w:textDirection",
        "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr", "w:sectPr",
    )


def add_field(run: Any, instruction: str, shown_until_updated: str) -> None:
    """A field that the reader's program computes (page number, page of a bookmark), at once if nothing is shown yet."""
    for kind in ("begin", None, "separate", "text", "end"):
        if kind is None:
            piece = OxmlElement("w:instrText")
            piece.set(qn("xml:space"), "preserve")
            piece.text = f" {instruction} "
        elif kind == "text":
            piece = OxmlElement("w:t")
            piece.text = shown_until_updated
        else:
            piece = OxmlElement("w:fldChar")
            piece.set(qn("w:fldCharType"), kind)
            if kind == "begin" and not shown_until_updated:
                piece.set(qn("w:dirty"), "true")
        run._r.append(piece)


def bookmark(run: Any, name: str, number: int) -> None:
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (start, end):
        element.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    run._r.addprevious(start)
    run._r.addnext(end)


def table_xml(table: Table) -> str:
    """The whole table in one piece: cell by cell through python-docx takes seconds for long ones."""
    scale = TEXT_WIDTH_MM * TWIPS_PER_MM / sum(column.width_mm for column in table.columns)
    widths = [round(column.width_mm * scale) for column in table.columns]
    head = _row_xml([(column.title, "center", HEI) for column in table.columns], widths, is_head=True, keep=True)
    rows, last = [], len(table.rows)
    for number, cells in enumerate(table.rows, start=1):
        font = HEI if table.total and number == last else BODY
        texts = [
            (shown(cell, column.style), "left" if column.style == "text" else "center", font)
            for cell, column in zip(cells, table.columns, strict=True)
        ]
        rows.append(_row_xml(texts, widths, keep=last <= _KEPT_WHOLE_ROWS and number < last))
    rule = '<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
    borders = "".join(rule.format(side=side) for side in ("top", "left", "bottom", "right", "insideH", "insideV"))
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="30" w:type="dxa"/><w:right w:w="30" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f'<w:tblGrid>{"".join(f"""<w:gridCol w:w="{width}"/>""" for width in widths)}</w:tblGrid>'
        f'{head}{"".join(rows)}</w:tbl>'
    )


def _row_xml(
    cells: list[tuple[str, str, str]], widths: list[int], *, is_head: bool = False, keep: bool = False,
) -> str:
    """A row that is never torn apart; ``keep`` holds it on the page of the row below."""
    repeat = "<w:tblHeader/>" if is_head else ""
    return (
        f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="397" w:hRule="atLeast"/>{repeat}</w:trPr>'
        + "".join(_cell_xml(*cell, width, keep=keep) for cell, width in zip(cells, widths, strict=True)) + "</w:tr>"
    )


def _cell_xml(text: str, align: str, font: str, width: int, *, keep: bool) -> str:
    keep_next = "<w:keepNext/>" if keep else ""
    indent = '<w:ind w:left="40"/>' if align == "left" else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{keep_next}{indent}<w:jc w:val="{align}"/></w:pPr>'
        f"{_run_xml(text, font, TABLE_PT)}</w:p></w:tc>"
    )


def _run_xml(text: str, font: str, size: float) -> str:
    half_points = round(size * 2)
    return (
        f'<w:r><w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:cs="{LATIN}" w:eastAsia="{font}"/>'
        '<w:snapToGrid w:val="0"/><w:spacing w:val="0"/>'
        f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(printable(text))}</w:t></w:r>'
    )


def imprint_xml(copies: str, printed_by: str, printed_on: str) -> str:
    """A floating table pinned to the foot of the text block, with rules above, between and below (7.4)."""
    width, letter = round(TEXT_WIDTH_MM * TWIPS_PER_MM), round(NUMBER_PT * 20)
    rule = 'w:val="single" w:sz="{size}" w:space="0" w:color="000000"'
    outer, inner = rule.format(size=8), rule.format(size=6)
    issued = f"{_run_xml(printed_by, BODY, NUMBER_PT)}<w:r><w:tab/></w:r>{_run_xml(printed_on, BODY, NUMBER_PT)}"
    tab = f'<w:tabs><w:tab w:val="right" w:pos="{width - letter}"/></w:tabs>'
    # Further lines of the copies begin below the first name, after 抄送： (7.4.3).
    hanging = f'<w:ind w:left="{4 * letter}" w:right="{letter}" w:hanging="{3 * letter}"/>'
    paragraphs = [f"{hanging}</w:pPr>{_run_xml(copies, BODY, NUMBER_PT)}"] if copies else []
    paragraphs.append(f'{tab}<w:ind w:left="{letter}" w:right="{letter}"/></w:pPr>{issued}')
    rows = "".join(
        f'<w:tr><w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="TableText"/>{paragraph}</w:p></w:tc></w:tr>'
        for paragraph in paragraphs
    )
    # Anchored to the page: LibreOffice lets a table as wide as the text float only then.
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblpPr w:leftFromText="0" w:rightFromText="0" w:vertAnchor="margin" '
        f'w:horzAnchor="page" w:tblpX="{round(LEFT_MM * TWIPS_PER_MM)}" w:tblpYSpec="bottom"/>'
        f'<w:tblW w:w="{width}" w:type="dxa"/><w:tblBorders><w:top {outer}/><w:bottom {outer}/><w:insideH {inner}/>'
        '</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f'<w:tblGrid><w:gridCol w:w="{width}"/></w:tblGrid>{rows}</w:tbl>'
    )
