/// The pages' style: one column on a narrow screen, colours by what the reader's system prefers.
enum StyleSheet {
    static let text = """
        :root { color-scheme: light dark; --back: #f6f7f8; --card: #ffffff; --ink: #1b2226; --soft: #56636b; --line: #d5dbdf; --main: #0b6e75;
          --on-main: #ffffff; --good: #17692f; --good-back: #dff3e4; --bad: #a3161f; --bad-back: #fde5e6; --busy: #7a5200; --busy-back: #fdf0d2; --calm-back: #e8ecef; --focus: #c2410c; }
        @media (prefers-color-scheme: dark) {
          :root { --back: #14191c; --card: #1d2427; --ink: #e6ebee; --soft: #a3b0b7; --line: #364147; --main: #4fc3cb; --on-main: #0a2123; --good: #86dba0; --good-back: #16361f;
            --bad: #ff9aa0; --bad-back: #46171b; --busy: #f2c766; --busy-back: #3d2f0c; --calm-back: #2c363b; --focus: #fb923c; }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        a { color: var(--main); }
        :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
        .skip { position: absolute; left: -1000px; top: 0; background: var(--card); padding: 8px 12px; z-index: 2; }
        .skip:focus { left: 8px; }
        header { display: flex; align-items: center; gap: 16px; padding: 8px 16px; background: var(--card); border-bottom: 1px solid var(--line); }
        header nav { flex: 1; }
        header nav a { display: inline-block; padding: 8px 4px; }
        .brand { font-weight: 700; font-size: 17px; color: var(--ink); text-decoration: none; }
        main { max-width: 1280px; margin: 0 auto; padding: 16px; }
        h1 { font-size: 22px; line-height: 1.25; margin: 4px 0 12px; overflow-wrap: anywhere; }
        h2 { font-size: 16px; margin: 0 0 8px; }
        section { margin: 0 0 16px; min-width: 0; }
        section:empty { display: none; }
        p { margin: 0 0 8px; overflow-wrap: anywhere; }
        code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
        .tabs, .ranges { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 16px; border-bottom: 1px solid var(--line); }
        .tabs a, .ranges a { padding: 8px 12px; text-decoration: none; color: var(--soft); border-bottom: 3px solid transparent; }
        .tabs a:hover, .ranges a:hover { color: var(--ink); }
        .tabs a[aria-current], .ranges a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--main); }
        .ranges { border-bottom: 0; }
        button, .button, input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 7px 12px; min-height: 38px; max-width: 100%; }
        button, .button { cursor: pointer; display: inline-block; text-decoration: none; }
        button:hover, .button:hover { border-color: var(--soft); }
        button.main { background: var(--main); border-color: var(--main); color: var(--on-main); font-weight: 600; }
        button.quiet { border-color: transparent; background: none; color: var(--soft); }
        .actions, .tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin: 0 0 16px; }
        .tools label { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); max-width: 100%; }
        .tools select, .tools input { min-width: 0; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; margin: 0 0 16px; max-width: 440px; }
        .card label { display: block; margin: 0 0 12px; color: var(--soft); }
        .card label input { display: block; width: 100%; margin-top: 4px; }
        .notice { background: var(--busy-back); color: var(--busy); border-radius: 6px; padding: 10px 12px; overflow-wrap: anywhere; }
        .notice.bad { background: var(--bad-back); color: var(--bad); }
        .notice a { color: inherit; }
        .badge { display: inline-block; padding: 1px 9px; border-radius: 10px; font-size: 13px; font-weight: 600; white-space: nowrap; background: var(--calm-back); }
        .badge.good { background: var(--good-back); color: var(--good); }
        .badge.bad { background: var(--bad-back); color: var(--bad); }
        .badge.busy { background: var(--busy-back); color: var(--busy); }
        .scroll { overflow: auto; max-width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: 7px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
        tbody tr:last-child > * { border-bottom: 0; }
        thead th { font-size: 13px; font-weight: 600; color: var(--soft); background: var(--card); position: sticky; top: 0; }
        thead th a { color: inherit; text-decoration: none; }
        thead th a:hover { text-decoration: underline; }
        tbody th { font-weight: 600; }
        .n { text-align: right; }
        td code { white-space: pre-wrap; }
        progress { width: 72px; height: 10px; accent-color: var(--main); }
        .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; }
        .figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; text-decoration: none; color: var(--ink); }
        .figure:hover { border-color: var(--soft); }
        .figure b { display: block; font-size: 22px; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .figure span { color: var(--soft); font-size: 13px; }
        dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr)); gap: 12px; margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
        dt { color: var(--soft); font-size: 13px; }
        dd { margin: 0; overflow-wrap: anywhere; }
        #live { display: block; }
        .metric { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
        .metric h2 { display: flex; flex-wrap: wrap; gap: 4px 12px; justify-content: space-between; overflow-wrap: anywhere; }
        .metric h2 a { min-width: 0; }
        .metric p { color: var(--soft); font-size: 13px; }
        .latest { font-size: 18px; font-variant-numeric: tabular-nums; }
        .chart { position: relative; padding: 0 0 20px 44px; }
        .chart svg { display: block; width: 100%; height: 150px; overflow: visible; }
        .chart path { fill: none; vector-effect: non-scaling-stroke; }
        .chart .grid { stroke: var(--line); stroke-width: 1; }
        .chart .line { stroke: var(--main); stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
        .chart .y { position: absolute; left: 0; width: 38px; text-align: right; font-size: 12px; line-height: 1; color: var(--soft); }
        .chart .top { top: -2px; } .chart .mid { top: 69px; } .chart .low { top: 141px; }
        .chart .x { position: absolute; left: 44px; right: 0; bottom: 0; display: flex; justify-content: space-between; font-size: 12px; line-height: 1; color: var(--soft); }
        .chart .hover { position: absolute; top: 4px; right: 4px; padding: 2px 8px; font-size: 13px; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
        .chart .hover:empty { display: none; }
        .log { max-height: 70vh; }
        .log td { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; padding: 3px 12px; border-bottom: 0; }
        .log .wide { white-space: normal; min-width: 340px; overflow-wrap: anywhere; }
        .log .sE { background: var(--bad-back); } .log .sE td { color: var(--bad); }
        .log .sW { background: var(--busy-back); } .log .sW td { color: var(--busy); }
        .pager { display: flex; align-items: center; gap: 12px; }
        @media (min-width: 900px) { #live:has(> .metric + .metric) { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; } #live:has(> .metric + .metric) section { margin: 0; } }
        @media (max-width: 480px) { main { padding: 12px; } header { padding: 6px 12px; gap: 10px; } .tabs a, .ranges a { padding: 8px; }
          .log thead { display: none; } .log tr { display: block; padding: 5px 10px; border-bottom: 1px solid var(--line); } .log td { display: inline-block; padding: 0 12px 0 0; white-space: normal; }
          .log .wide { display: block; min-width: 0; padding: 0; } }
        @media (prefers-reduced-motion: no-preference) { button, .button, .figure { transition: border-color .15s; } }
        """
}
