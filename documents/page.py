"""The frame of every page that is looked at in a browser: one HTML file, complete in itself, nothing from a network."""

from __future__ import annotations

from html import escape

BASE = """
:root{--ink:#1d2733;--muted:#55616f;--line:#e3e7ec;--ground:#f0f2f5;--accent:#2f6199}
*{box-sizing:border-box}
body{font:15px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;color:var(--ink);margin:0;background:var(--ground)}
main{margin:24px auto;background:#fff;padding:32px 40px 40px;border-radius:10px;box-shadow:0 1px 4px #0001}
header{display:flex;justify-content:space-between;align-items:flex-start;gap:24px;border-bottom:2px solid var(--ink);padding-bottom:14px}
h1{font-size:24px;margin:0;line-height:1.3}h2{font-size:16px;margin:30px 0 10px;padding-left:10px;border-left:4px solid var(--accent)}
.meta{color:var(--muted);font-size:13px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:20px 0 12px}
.tile{border:1px solid var(--line);border-radius:8px;padding:10px 14px}.tile b{display:block;font-size:24px;line-height:1.3;font-weight:600}
.tile span{color:var(--muted);font-size:13px}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:6px 8px;text-align:left;vertical-align:top}
th{color:var(--muted);font-weight:500;font-size:13px}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.drill{margin:0 0 12px;padding:4px 12px;border-radius:6px;background:#fdf3d8;font-size:13px}
@media print{body{background:#fff}main{margin:0;padding:0;box-shadow:none;max-width:none}}
"""
"""The look that all pages share; a page adds its own rules after it."""


def framed(title: str, body: str, style: str = "", head: str = "", drill: str = "") -> str:
    """A whole page in Chinese around a body that is markup already; only the title, and what a rehearsal's page says of
    itself, are escaped here."""
    above = f'<p class="drill">{escape(drill)}</p>' if drill else ""
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{head}<title>{escape(title)}</title>'
        f"<style>{BASE}{style}</style></head><body><main>{above}{body}</main></body></html>"
    )
