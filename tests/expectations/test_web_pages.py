"""Pages and XML that are called .xls: the same rows, or a reason. Nothing in them is run, fetched or unfolded."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path
from typing import Any

import pytest

from expectations.reading import Reading, read
from models import contract
from models.errors import FileReturned
from tests.expectations.a_file import POPULATION, a_number, a_person, people

PEOPLE = contract.for_feed("population")


def a_table(rows: list[Any], tag: str = "td") -> str:
    return "<table>" + "".join("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>" for row in rows) + "</table>"


def a_page(body: str, charset: str = "gb2312") -> str:
    head = f'<head><meta http-equiv=Content-Type content="text/html; charset={charset}"></head>'
    return f'<html xmlns:x="urn:schemas-microsoft-com:office:excel">{head}<body>{body}</body></html>'


def read_page(tmp_path: Path, text: str, encoding: str = "gb18030") -> Reading:
    (tmp_path / "a.xls").write_bytes(text.encode(encoding))
    return read(tmp_path / "a.xls", PEOPLE)


def names(found: Reading) -> list[str]:
    return [name for name in found.table["name"].to_pylist() if name]


@pytest.mark.parametrize(("charset", "encoding"), [
    ("gb2312", "gb18030"), ("gbk", "gb18030"), ("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-8", "gb18030"), ("gb2312", "utf-8"),
    ("utf-16", "utf-16"), ("no-such", "gb18030"), ("rot13", "utf-8"),
])
def test_a_page_is_read_in_whatever_it_is_really_written(tmp_path: Path, charset: str, encoding: str) -> None:
    found = read_page(tmp_path, a_page(a_table([["户籍人口"], POPULATION, *people(3)]), charset), encoding)
    assert (found.kind, names(found)) == ("web_page", ["王二", "王三", "王四"])
    assert found.table["row_number"].to_pylist() == [3, 4, 5]
    assert found.table["id_number"].to_pylist() == [a_number(serial) for serial in (1, 2, 3)]


@pytest.mark.parametrize("start", [
    "<table>", "<!DOCTYPE html><html><table>", "\n<HTML><Table>", "<!-- export --><table>", "<style>td{}</style><table>",
    '<?xml version="1.0"?><!DOCTYPE html><html><table>', "<meta charset=utf-8><table>",
])
def test_a_page_is_known_by_its_beginning(tmp_path: Path, start: str) -> None:
    assert names(read_page(tmp_path, start + a_table([POPULATION, *people(2)]).removeprefix("<table>"), "utf-8")) == ["王二", "王三"]


def test_entities_breaks_and_white_space_are_what_a_browser_shows(tmp_path: Path) -> None:
    row = a_person(1, 姓名="&#29579;&nbsp;二", 住址="\n  澄江&amp;凤麓 <b>街道</b><br>一村&lt;1&gt; ")
    found = read_page(tmp_path, a_page(a_table([POPULATION, row])))
    assert found.table["name"].to_pylist() == ["王 二"]
    assert found.table["address"].to_pylist() == ["澄江&凤麓 街道\n一村<1>"]


def test_a_number_kept_as_text_is_whole(tmp_path: Path) -> None:
    cell = f"""<td class=xl24 style='mso-number-format:"\\@"' x:str>{a_number(1)}</td>"""
    body = a_table([POPULATION, ["x", *a_person(1)[1:]]]).replace("<td>x</td>", cell)
    assert read_page(tmp_path, a_page(body)).table["id_number"].to_pylist() == [a_number(1)]


def test_spanned_rows_count_as_merged_and_spanned_titles_shift_nothing(tmp_path: Path) -> None:
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in [*row[:5], *row[6:]]) + "</tr>" for row in people(2)
    )
    first = "<tr>" + "".join(
        f"<td rowspan=3>{cell}</td>" if place == 5 else f"<td>{cell}</td>" for place, cell in enumerate(a_person(5))
    ) + "</tr>"
    header = "<tr>" + "".join(f"<th>{cell}</th>" for cell in POPULATION) + "</tr>"
    found = read_page(tmp_path, a_page(f"<table><tr><th colspan=8>户籍人口</th></tr>{header}{first}{rows}</table>"))
    assert found.table["township"].to_pylist() == ["凤麓街道"] * 3
    assert found.table["status"].to_pylist() == ["正常"] * 3


def test_a_header_in_a_table_of_its_own_heads_the_next(tmp_path: Path) -> None:
    body = a_table([["户籍人口"]]) + a_table([POPULATION], "th") + a_table(people(3)) + a_table([["填表人：某", "x"]])
    found = read_page(tmp_path, a_page(f"<div>{body}</div>"))
    assert names(found) == ["王二", "王三", "王四"]
    assert found.notes == 2


def test_a_table_within_a_table_is_read_once(tmp_path: Path) -> None:
    inner = a_table([POPULATION, *people(3)])
    found = read_page(tmp_path, a_page(f"<table><tr><td>导出</td></tr><tr><td>{inner}</td></tr></table>"))
    assert names(found) == ["王二", "王三", "王四"]


def test_hidden_rows_of_a_page_are_read_and_remarked_upon(tmp_path: Path) -> None:
    body = a_table([POPULATION, *people(2)]).replace("<tr>", "<tr style='display:none'>", 2)
    found = read_page(tmp_path, a_page(body))
    assert (names(found), found.remarks) == (["王二", "王三"], {"hidden_rows": 2})


def test_broken_bytes_of_a_page_make_their_row_doubtful(tmp_path: Path) -> None:
    text = a_page(a_table([POPULATION, *people(5)])).encode("gb18030").replace("王三".encode("gb18030"), b"\xff\xff")
    (tmp_path / "a.xls").write_bytes(text)
    found = read(tmp_path / "a.xls", PEOPLE)
    assert found.table["row_fault"].to_pylist() == [None, "odd_bytes", None, None, None]
    assert found.remarks == {"odd_bytes": 1}


def test_unclosed_rows_and_cells_are_rows_and_cells(tmp_path: Path) -> None:
    body = "<table>" + "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in [POPULATION, *people(3)])
    assert names(read_page(tmp_path, body, "utf-8")) == ["王二", "王三", "王四"]


def test_a_page_that_spans_without_end_is_returned(tmp_path: Path) -> None:
    body = a_table([POPULATION, *people(1)]).replace("</tr>", "<td colspan=1000>x</td>" * 60 + "</tr>")
    with pytest.raises(FileReturned, match="列数超过"):
        read_page(tmp_path, a_page(body))


def test_a_page_nested_beyond_reason_keeps_its_rows(tmp_path: Path) -> None:
    deep = "<div>" * 100_000 + a_table([POPULATION, *people(2)])
    assert names(read_page(tmp_path, deep, "utf-8")) == ["王二", "王三"]


def test_a_saved_page_with_its_parts_in_one_file_is_read(tmp_path: Path) -> None:
    page = base64.encodebytes(a_page(a_table([POPULATION, *people(2)])).encode("gb18030")).decode()
    (tmp_path / "a.xls").write_text(
        "MIME-Version: 1.0\nX-Document-Type: Workbook\nContent-Type: multipart/related; boundary=\"----=_P\"\n\n"
        "------=_P\nContent-Location: file:///C:/a.htm\nContent-Type: text/html\n\n<html><frameset></frameset></html>\n"
        f"------=_P\nContent-Location: file:///C:/sheet1.htm\nContent-Transfer-Encoding: base64\nContent-Type: text/html\n\n{page}\n------=_P--\n",
        encoding="ascii")
    assert names(read(tmp_path / "a.xls", PEOPLE)) == ["王二", "王三"]


# --- XML ------------------------------------------------------------------------------------------------


def a_spreadsheet(rows: list[Any], *, extra: str = "", head: str = "") -> str:
    lines = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row) + "</Row>" for row in rows
    )
    return (f'<?xml version="1.0"?>\n{head}<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
            f'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="一"><Table>{lines}{extra}</Table></Worksheet></Workbook>')


def test_excels_xml_of_2003_is_read(tmp_path: Path) -> None:
    extra = ('<Row ss:Index="6" ss:Hidden="1"><Cell ss:Index="2"><Data ss:Type="String">王九</Data></Cell>'
             '<Cell ss:Index="4"><Data ss:Type="DateTime">1985-06-07T00:00:00.000</Data></Cell>'
             '<Cell ss:Formula="=A1"/></Row>')
    found = read_page(tmp_path, a_spreadsheet([["标题"], POPULATION, *people(2)], extra=extra), "utf-8")
    assert names(found) == ["王二", "王三", "王九"]
    assert found.table["row_number"].to_pylist() == [3, 4, 5, 6]
    assert found.table["birth_date"].to_pylist()[-1] == "1985-06-07"
    assert found.remarks == {"hidden_rows": 1, "formulas_without_value": 1}


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(("text", "told"), [
    (a_spreadsheet([POPULATION, *people(1)], head=BOMB), "实体声明"),
    (a_spreadsheet([POPULATION, *people(1)], head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "实体声明"),
    ('<?xml version="1.0"?><a>' + "<b>" * 5_000, "已损坏"),
    (a_spreadsheet([POPULATION, *people(1)])[:-40], "已损坏"),
    ('<?xml version="1.0"?><rss><item>x</item></rss>', "没有数据"),
])
def test_xml_that_cannot_be_trusted_is_returned_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(FileReturned, match=told):
        read_page(tmp_path, text, "utf-8")


def an_open_document(path: Path, rows: str, columns: str = "") -> Path:
    spaces = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
                         f'<table:table table:name="一">{columns}{rows}</table:table></office:spreadsheet></office:body></office:document-content>')
    return path


def a_row(cells: list[str], attributes: str = "") -> str:
    return f"<table:table-row {attributes}>" + "".join(
        f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" if cell else "<table:table-cell/>" for cell in cells
    ) + "</table:table-row>"


def test_an_open_document_with_hidden_rows_repeats_and_endless_blanks_is_read(tmp_path: Path) -> None:
    endless = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    blank = '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="8"/></table:table-row>'
    rows = a_row([*POPULATION]) + a_row(a_person(1)) + blank + a_row(a_person(2), 'table:visibility="collapse"') + endless
    found = read(an_open_document(tmp_path / "a.ods", rows), PEOPLE)
    assert found.table["name"].to_pylist() == ["王二", "", "", "王三"]
    assert found.table["row_number"].to_pylist() == [2, 3, 4, 5]
    assert found.remarks == {"hidden_rows": 1}


def test_an_open_document_that_repeats_one_full_row_without_end_is_returned(tmp_path: Path) -> None:
    rows = a_row([*POPULATION]) + "".join(a_row(a_person(1), 'table:number-rows-repeated="1048575"') for _ in range(9))
    with pytest.raises(FileReturned, match="过大"):
        read(an_open_document(tmp_path / "a.ods", rows), PEOPLE)


def test_a_hidden_sheet_of_an_open_document_is_read_and_remarked_upon(tmp_path: Path) -> None:
    path = an_open_document(tmp_path / "a.ods", a_row([*POPULATION]) + a_row(a_person(1)))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml").decode()
    style = ('<office:automatic-styles><s:style xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0" s:name="ta2">'
             '<s:table-properties table:display="false"/></s:style></office:automatic-styles>')
    content = content.replace("<office:body>", style + "<office:body>").replace("<table:table ", '<table:table table:style-name="ta2" ')
    (tmp_path / "a.fods").write_text(content, encoding="utf-8")
    found = read(tmp_path / "a.fods", PEOPLE)
    assert (names(found), found.remarks) == (["王二"], {"hidden_sheet": 1})
