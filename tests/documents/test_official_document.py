"""Official documents: what GB/T 9704-2012 asks of the page, and that the words say what the figures say."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm

from documents import chart
from documents.acceptance import write_acceptance_annex, write_acceptance_report
from documents.bulletin import NO_CHART_FONT, write_bulletin, write_bulletin_annex
from documents.handbook import write_handbook, write_task_letter
from documents.model import CategoryLine, ProgressLine, ScorecardLine
from models.errors import RunDoesNotBalance, StorageUnavailable
from tests.documents.content import (
    a_bulletin,
    a_handbook,
    a_head,
    a_progress_table,
    a_task_letter,
    an_acceptance,
)

WRITERS: dict[str, Callable[[Path], Any]] = {
    "bulletin": lambda path: write_bulletin(path, a_bulletin()),
    "acceptance": lambda path: write_acceptance_report(path, an_acceptance()),
    "handbook": lambda path: write_handbook(path, a_handbook()),
    "letter": lambda path: write_task_letter(path, a_task_letter()),
}
every_document = pytest.mark.parametrize("kind", WRITERS)


def written(path: Path, kind: str) -> Any:
    WRITERS[kind](path)
    return Document(str(path))


def words(document: Any) -> str:
    """All text, tables included, in reading order within each."""
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def bulletin_words(path: Path, **changes: Any) -> str:
    write_bulletin(path, a_bulletin(**changes))
    return words(Document(str(path)))


def east_asian_font(run: Any) -> str:
    return run._r.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia"))


# --- the page ---


@every_document
def test_page_is_a4_with_a_text_block_of_156_by_225_mm(tmp_path, kind):
    section = written(tmp_path / "d.docx", kind).sections[0]
    near = pytest.approx
    assert (section.page_width.mm, section.page_height.mm) == (near(210, abs=0.1), near(297, abs=0.1))
    assert (section.top_margin.mm, section.left_margin.mm) == (near(37, abs=0.1), near(28, abs=0.1))
    assert (section.page_width - section.left_margin - section.right_margin) / Mm(1) == near(156, abs=0.1)
    assert (section.page_height - section.top_margin - section.bottom_margin) / Mm(1) == near(225, abs=0.1)


@every_document
def test_grid_has_22_lines_of_28_letters(tmp_path, kind):
    document = written(tmp_path / "d.docx", kind)
    grid = document.sections[0]._sectPr.find(qn("w:docGrid"))
    pitch, space = int(grid.get(qn("w:linePitch"))), int(grid.get(qn("w:charSpace")))
    assert grid.get(qn("w:type")) == "linesAndChars"
    assert 225 * 1440 / 25.4 // pitch == 22
    assert round(156 / 25.4 * 72 / (16 + space / 4096)) == 28
    spacing = document.styles["Normal"].element.rPr.find(qn("w:spacing"))
    assert 28 * (16 + int(spacing.get(qn("w:val"))) / 20) <= 156 / 25.4 * 72
    assert document.styles["Normal"].paragraph_format.line_spacing.pt == pytest.approx(pitch / 20)


@every_document
def test_body_is_16_pt_fangsong_and_levels_are_hei_and_kai(tmp_path, kind):
    document = written(tmp_path / "d.docx", kind)
    normal = document.styles["Normal"]
    assert normal.font.size.pt == 16
    assert normal.element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")) == "仿宋_GB2312"
    headings = [paragraph for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert headings[0].text.startswith("一、")
    assert all(east_asian_font(paragraph.runs[0]) == "黑体" for paragraph in headings)
    second = [paragraph for paragraph in document.paragraphs if paragraph.style.name == "Heading 2"]
    assert all(east_asian_font(paragraph.runs[0]) == "楷体_GB2312" for paragraph in second)
    assert all(paragraph.text.startswith("（") for paragraph in second)


@every_document
def test_fonts_are_named_with_their_other_names(tmp_path, kind):
    written(tmp_path / "d.docx", kind)
    with zipfile.ZipFile(tmp_path / "d.docx") as archive:
        table = archive.read("word/fontTable.xml").decode()
    assert '<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋,FangSong' in table
    assert '<w:font w:name="方正小标宋简体"><w:altName' in table


@every_document
def test_page_numbers_stand_outside_between_dashes(tmp_path, kind):
    document = written(tmp_path / "d.docx", kind)
    section = document.sections[0]
    assert document.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, "RIGHT"), (section.even_page_footer, "LEFT")):
        paragraph = footer.paragraphs[0]
        assert paragraph.alignment.name == side
        assert "PAGE" in "".join(entry.text or "" for entry in paragraph._p.iter(qn("w:instrText")))
        assert paragraph.text.startswith("— ")
        assert paragraph.text.endswith(" —")


@every_document
def test_table_headers_are_repeated_and_rows_are_not_torn(tmp_path, kind):
    document = written(tmp_path / "d.docx", kind)
    tables = [table for table in document.tables if table._tbl.tblPr.find(qn("w:tblpPr")) is None]
    assert tables
    for table in tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)


@every_document
def test_the_same_content_gives_the_same_bytes_dated_by_its_data(tmp_path, kind):
    WRITERS[kind](tmp_path / "one.docx")
    WRITERS[kind](tmp_path / "two.docx")
    assert (tmp_path / "one.docx").read_bytes() == (tmp_path / "two.docx").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.docx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"2021-05-31T00:00:00Z") == 2


@every_document
def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path, kind):
    (tmp_path / "blocked").write_text("a file, no folder")
    with pytest.raises(StorageUnavailable):
        WRITERS[kind](tmp_path / "blocked" / "d.docx")
    assert [entry.name for entry in tmp_path.iterdir()] == ["blocked"]


def test_red_head_has_issuer_number_rule_and_title(tmp_path):
    document = written(tmp_path / "d.docx", "bulletin")
    banner, number, title = (
        next(paragraph for paragraph in document.paragraphs if text in paragraph.text.replace("\n", ""))
        for text in ("办公室文件", "〔2021〕1号", "关于2021年5月")
    )
    assert str(banner.runs[0].font.color.rgb) == "FF0000"
    rule = number._p.pPr.find(qn("w:pBdr")).find(qn("w:bottom"))
    assert rule.get(qn("w:color")) == "FF0000"
    assert title.runs[0].font.size.pt == 22
    assert east_asian_font(title.runs[0]) == "方正小标宋简体"
    assert {paragraph.alignment.name for paragraph in (banner, number, title)} == {"CENTER"}


def test_signature_and_imprint_close_the_document(tmp_path):
    document = written(tmp_path / "d.docx", "bulletin")
    paragraphs = [paragraph.text for paragraph in document.paragraphs if paragraph.text]
    assert paragraphs[-3:] == ["附件：2021年5月工作进展情况表.xlsx", "专项扩面工作领导小组办公室", "2021年6月10日"]
    imprint = document.tables[-1]
    position = imprint._tbl.tblPr.find(qn("w:tblpPr"))
    assert position.get(qn("w:tblpYSpec")) == "bottom"
    assert [row.cells[0].text for row in imprint.rows] == [
        "抄送：市政府办公室。", "专项扩面工作领导小组办公室\t2021年6月10日印发",
    ]


# --- the bulletin ---


def test_bulletin_says_progress_rank_and_who_is_behind(tmp_path):
    text = bulletin_words(tmp_path / "d.docx")
    assert "居保参保人数年度目标6,000人，本月新增579人，累计达到2,979人，完成年度目标的49.65%，高于序时进度9.65个百分点。" in text
    assert "完成率居前三位的是凤麓街道（49.90%）、龙街街道（49.80%）、右所镇（49.70%）。" in text
    assert "低于序时进度的有九村镇、路居镇。" in text
    assert "按目前进度预计不能如期完成年度目标的有路居镇。" in text


def test_bulletin_names_who_reported_in_time_late_and_not(tmp_path):
    text = bulletin_words(tmp_path / "d.docx")
    assert "2021年5月工作月报应报5家，按时报送2家，迟报1家，未报1家，经批准延期1家。" in text
    assert "九村镇（迟2个工作日）" in text


def test_bulletin_sums_lists_and_names_who_has_not_begun(tmp_path):
    text = bulletin_words(tmp_path / "d.docx")
    assert "共下发清单任务150条，已核查60条，核查率40.00%；报已参保40条，其中登记数据已核实30条、核实不符2条" in text
    assert "确属无法参保13条，主要原因为在校学生12、服刑1；尚未核查90条。" in text
    assert "尚未开展核查的有海口镇。" in text


def test_bulletin_shows_what_was_corrected_and_where_figures_come_from(tmp_path):
    text = bulletin_words(tmp_path / "d.docx")
    assert "34,188人" in text
    assert "比对批次run-7，内容校验码abababababababab" in text


def test_parts_without_facts_are_left_out_and_numbers_close_up(tmp_path):
    write_bulletin(tmp_path / "d.docx", a_bulletin(progress=(), feeds=(), corrections=(), reports=()))
    document = Document(str(tmp_path / "d.docx"))
    headings = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert headings == ["一、清单核查情况", "二、下一步工作要求"]


def test_unknown_figures_are_dashes_and_nobody_is_called_on_pace_for_them(tmp_path):
    table = a_progress_table(lines=(ProgressLine("海口镇", "person"),), total=None)
    text = bulletin_words(tmp_path / "d.docx", progress=(table,))
    assert "均达到序时进度" not in text
    assert "—" in text


def test_a_rate_above_one_hundred_percent_is_shown(tmp_path):
    over = ProgressLine("海口镇", "person", 100, 90, 20, 110, 1.1, 0.5, -10, 1)
    text = bulletin_words(tmp_path / "d.docx", progress=(a_progress_table(lines=(over,), total=None),))
    assert "110.00%" in text
    assert "-10" in text


def test_without_a_chinese_font_the_chart_is_left_out_and_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(chart, "_CHINESE_FONTS", ("No Such Font",))
    assert write_bulletin(tmp_path / "d.docx", a_bulletin()) == (NO_CHART_FONT,)
    assert not Document(str(tmp_path / "d.docx")).inline_shapes


def test_with_a_font_that_has_the_letters_the_chart_is_as_wide_as_the_text(tmp_path, monkeypatch):
    """DejaVu comes with matplotlib and stands in for a Chinese font on machines without one."""
    monkeypatch.setattr(chart, "_CHINESE_FONTS", (*chart._CHINESE_FONTS, "DejaVu Sans"))
    assert write_bulletin(tmp_path / "d.docx", a_bulletin()) == ()
    shape, = Document(str(tmp_path / "d.docx")).inline_shapes
    assert shape.width <= Mm(156)


def test_annex_has_a_sheet_per_table_and_the_forecast(tmp_path):
    write_bulletin_annex(tmp_path / "a.xlsx", a_bulletin())
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert len(book.sheetnames) == 7
    sheet = book.worksheets[1]
    head = [cell.value for cell in sheet[3]]
    assert head[-5:] == ["前期月均新增", "后续月均需新增", "按目前进度预计达到", "按目前进度能否完成", "比对批次"]
    first = dict(zip(head, (cell.value for cell in sheet[4]), strict=True))
    assert (first["单位"], first["年度目标"], first["完成率"]) == ("凤麓街道", 1000, 0.499)
    assert sheet.cell(4, head.index("完成率") + 1).number_format == "0.00%"
    assert sheet.freeze_panes == "B4"


def test_the_annex_shows_every_departments_scorecard_and_the_text_names_who_had_files_returned(tmp_path):
    cards = (
        ScorecardLine("市民政局", 3, 2, 1, 0, 4, 1.0, 2, 0.012, 0.9734, 2.5, "变差"),
        ScorecardLine("市公安局", 1, 1, 0, 0, 0, 1.0, 0, 0.0003, 0.9991, None, "好转"),
    )
    text = bulletin_words(tmp_path / "d.docx", scorecards=cards)
    assert "数据被退回的有市民政局（2次）。报送质量比上月好转的有市公安局。报送质量比上月变差的有市民政局。" in text
    write_bulletin_annex(tmp_path / "a.xlsx", a_bulletin(scorecards=cards))
    sheet = next(sheet for sheet in openpyxl.load_workbook(tmp_path / "a.xlsx") if "报送质量" in sheet.title)
    head = [cell.value for cell in sheet[3]]
    rows = [dict(zip(head, (cell.value for cell in sheet[line]), strict=True)) for line in (4, 5)]
    assert (rows[0]["应报"], rows[0]["退回次数"], rows[0]["退回后重报用时（天）"], rows[0]["比上月"]) == (3, 2, 2.5, "变差")
    assert (rows[1]["证件有效率"], rows[1]["退回后重报用时（天）"]) == (0.9991, "—")


# --- acceptance ---


def acceptance_words(path: Path, **changes: Any) -> str:
    write_acceptance_report(path, an_acceptance(**changes))
    return words(Document(str(path)))


def test_acceptance_keeps_stated_and_derived_apart(tmp_path):
    text = acceptance_words(tmp_path / "d.docx")
    assert "文件明确的总目标为17,900人，实际达到17,952人，完成目标。" in text
    assert "文件未列总目标，按分解任务推算为43,950人，实际达到43,860人。完成目标的1家（九村镇），未完成的1家（龙街街道）。" in text
    assert "基数由目标减去新增推算，文件未列" in text


def test_disagreeing_totals_are_both_shown_and_not_made_to_agree(tmp_path):
    table = replace(an_acceptance().results[1], stated_total=44000)
    assert "文件明确的总目标44,000与分解任务推算数43,950不一致，分别列示，不作调整" in acceptance_words(
        tmp_path / "d.docx", results=(table,))


def test_categories_are_shown_with_the_population_they_add_up_to(tmp_path):
    text = acceptance_words(tmp_path / "d.docx")
    assert "纳入比对人员1,000人" in text
    assert "应参保范围内950人，已参保800人，参保率84.21%；未参保150人。" in text


@pytest.mark.parametrize("write", [write_acceptance_report, write_acceptance_annex])
def test_a_report_that_does_not_balance_is_not_written(tmp_path, write):
    path = tmp_path / "d.docx"
    with pytest.raises(RunDoesNotBalance, match="add up to 999, the population is 1,000"):
        write(path, an_acceptance(categories=(CategoryLine("未参保", 999),)))
    assert not path.exists()


def test_candidates_are_proposals_and_a_named_post_decides(tmp_path):
    text = acceptance_words(tmp_path / "d.docx")
    assert "不是结论" in text
    assert "由领导小组组长研究决定" in text
    assert "1. 龙街街道：得分居首；报告按时率87.5%。" in text
    assert "拟通报批评\n无。" in text


def test_the_reservation_stands_even_when_nobody_is_proposed(tmp_path):
    assert "由领导小组组长研究决定" in acceptance_words(tmp_path / "d.docx", candidates=())


def test_items_people_have_not_judged_are_pending_not_zero(tmp_path):
    text = acceptance_words(tmp_path / "d.docx")
    assert "组织领导由有关单位评定，尚未评定的标为“待评”" in text
    assert "\n待评\n" in text


def test_acceptance_annex_has_every_part(tmp_path):
    write_acceptance_annex(tmp_path / "a.xlsx", an_acceptance())
    names = [name.split(".", 1)[-1] for name in openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames]
    assert names[0] == "目录"
    assert len(names) == 10


# --- handbook and letter ---


def test_handbook_has_cover_contents_and_a_chapter_per_question(tmp_path):
    document = written(tmp_path / "d.docx", "handbook")
    headings = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert headings[0] == "一、工作依据和目的"
    assert headings[-1] == "十三、个人信息保护"
    fields = [entry.text for entry in document.element.iter(qn("w:instrText"))]
    assert [field.split()[1] for field in fields] == [f"_chapter{number}" for number in range(1, 14)]
    bookmarks = {entry.get(qn("w:name")) for entry in document.element.iter(qn("w:bookmarkStart"))}
    assert {field.split()[1] for field in fields} <= bookmarks
    assert document.sections[0].different_first_page_header_footer


def test_handbook_shows_nominal_and_effective_dates(tmp_path):
    rows = [
        [cell.text for cell in row.cells]
        for table in written(tmp_path / "d.docx", "handbook").tables for row in table.rows
    ]
    assert ["工作月报", "各镇（街道）", "2021年9月", "2021年10月2日", "2021年10月8日"] in rows


def test_handbook_explains_dispositions_and_what_is_not_collected(tmp_path):
    text = words(written(tmp_path / "d.docx", "handbook"))
    assert "报为已参保，下期登记数据核实后计入成效" in text
    assert "下列信息不收集、不使用：生物特征、行动轨迹。" in text
    assert "2022年1月1日起长期" in text


def test_chapters_without_content_are_left_out_of_the_contents_too(tmp_path):
    write_handbook(tmp_path / "d.docx", a_handbook(ladder=(), parameters=(), targets=()))
    document = Document(str(tmp_path / "d.docx"))
    headings = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert len(headings) == 10
    assert len(list(document.element.iter(qn("w:instrText")))) == 10


def test_task_letter_lists_targets_duties_dates_and_asks_for_a_reply(tmp_path):
    text = words(written(tmp_path / "d.docx", "letter"))
    assert "1. 居保参保人数：36,000人（居民养老登记，截至2021-05-31）。" in text
    assert "1. 建立相应工作制度。" in text
    assert "请于2021年6月2日（星期三）前（含当日）将回执报回" in text


def test_a_long_title_is_broken_where_it_reads_well(tmp_path):
    write_bulletin(tmp_path / "d.docx", a_bulletin())
    title = next(
        paragraph for paragraph in Document(str(tmp_path / "d.docx")).paragraphs if paragraph.text.startswith("关于2021年")
    )
    lines = title.text.split("\n")
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) <= 5
    assert not lines[0][-1].isdigit()


def test_letters_no_document_can_hold_are_dropped(tmp_path):
    write_bulletin(tmp_path / "d.docx", a_bulletin(head=a_head(title="关于\x00工作\x1f的通报"), asks=("请\x0b办理。",)))
    text = words(Document(str(tmp_path / "d.docx")))
    assert "关于工作的通报" in text
    assert "1. 请办理。" in text
