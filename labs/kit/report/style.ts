/**
 * The style sheet of the report: light and dark, for phones, desktops and paper.
 *
 * @module
 */
import { themeDeclarations } from "../plot/theme.ts";

const LIGHT = themeDeclarations("light");
const DARK = themeDeclarations("dark");

/** The style sheet. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--background);color:var(--ink);font:16px/1.5 system-ui,-apple-system,
"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:break-word}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--grid)}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p,ul,ol{margin:.5rem 0;max-width:46rem}
ul,ol{padding-left:1.3rem}
li{margin:.2rem 0}
a{color:var(--series-1)}
.soft{color:var(--muted)}
.badge{display:inline-block;border:1px solid var(--grid);border-radius:.4rem;padding:0 .5rem;
font-size:.85rem;margin-right:.3rem}
.verdict{background:var(--band);border-left:4px solid var(--series-1);border-radius:.3rem;
padding:.6rem 1rem;margin:.8rem 0}
.verdict p:first-child{font-weight:600;margin-top:0}
.scroll{overflow-x:auto;border:1px solid var(--grid);border-radius:.4rem;margin:.6rem 0}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--series-1);
outline-offset:2px}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap}
thead th{vertical-align:bottom;border-bottom:1px solid var(--grid);white-space:normal;
min-width:5.5rem;font-weight:600}
th[scope=row],thead th:first-child{text-align:left;position:sticky;left:0;background:var(--background);
font-weight:500}
td.word,thead th.word{text-align:left;white-space:normal;min-width:11rem}
tr.group>*{border-top:1px solid var(--grid)}
.interval{font-weight:400}
.seen{font-weight:600}
.mark{color:var(--series-1)}
figure{margin:1rem 0 1.6rem}
figure>div{border:1px solid var(--grid);border-radius:.4rem;overflow:hidden}
figure svg{display:block;width:100%;height:auto}
.wide{max-width:46rem}
.narrow{display:none}
figcaption{font-size:.85rem;color:var(--muted);margin-top:.3rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.6rem 0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--band);border:1px solid var(--grid);border-radius:.4rem;padding:.6rem .8rem;
overflow-x:auto;font-size:.85rem}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
pre code{font-size:1em;overflow-wrap:normal}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--series-1)}
@media (max-width:40rem){
main{padding:1rem .75rem 3rem}
.wide{display:none}
.narrow{display:block}
th,td{padding:.3rem .45rem}
th[scope=row],thead th:first-child{max-width:9.5rem;white-space:normal}
.interval{display:block;font-size:.92em}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.4rem}
}
@media print{
:root{${LIGHT}}
body{font-size:10pt}
main{max-width:none;padding:0}
.wide{display:block}
.narrow{display:none}
.scroll{overflow:visible;border:0}
table{font-size:7.5pt}
th,td{white-space:normal;padding:.15rem .3rem}
thead th{min-width:0}
td.word,thead th.word{min-width:0}
figure,tr,.verdict{break-inside:avoid}
h2,h3{break-after:avoid}
a{color:inherit;text-decoration:none}
}
`.replaceAll("\n", "");
