# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The style of report.html: light and dark, on a phone, on paper. No script, no font, no request."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2530; --quiet: #51606f; --line: #cfd6dd; --panel: #f4f6f8;
  --good: #17633a; --good-panel: #e4f4ea; --bad: #a01818; --bad-panel: #fdeaea; --warn: #7a4b00; --link: #1a4f8b }
@media (prefers-color-scheme: dark) { :root {
  --paper: #12171d; --ink: #e6ebf0; --quiet: #a5b1bd; --line: #3a4652; --panel: #1b232c;
  --good: #7fd6a2; --good-panel: #16301f; --bad: #ff9d9d; --bad-panel: #3a1a1c; --warn: #f2c879; --link: #8fc1ff } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
a { color: var(--link) }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .3rem; overflow-wrap: anywhere }
.verdict { border-left: .5rem solid; padding: 1rem; border-radius: .3rem }
.verdict p { margin: 0 } .verdict p + p { margin-top: .4rem }
.verdict.good { border-color: var(--good); background: var(--good-panel) }
.verdict.bad { border-color: var(--bad); background: var(--bad-panel) }
.quiet { color: var(--quiet) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600 } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.facts { font-weight: 400; color: var(--quiet); overflow-wrap: anywhere }
.ok { color: var(--good); font-weight: 600; white-space: nowrap }
.failed { color: var(--bad); font-weight: 700; white-space: nowrap }
article { border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .3rem;
  padding: .7rem .9rem; margin: .6rem 0; background: var(--panel) }
article.mild { border-left-color: var(--warn) }
article p { margin: .2rem 0; overflow-wrap: anywhere }
code, pre { font-family: ui-monospace, monospace; font-size: .88rem } code { overflow-wrap: anywhere }
ul { margin: .3rem 0; padding-left: 1.3rem }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 0; padding: .6rem;
  background: var(--paper); border: 1px solid var(--line) }
summary { cursor: pointer }
.runs { display: flex; gap: .2rem; flex-wrap: wrap; list-style: none; padding: 0; margin: 0 }
.runs li { padding: .1rem .5rem; border-radius: .2rem; border: 1px solid var(--line) }
@media print { body { max-width: none; padding: 0 } article, tr { break-inside: avoid } details > * { display: block } }
"""
