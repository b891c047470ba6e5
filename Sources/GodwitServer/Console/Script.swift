/// What pages do beyond reading: follow what happens, and say a chart's values where the pointer is. Without it they are the same, but stand still.
enum Script {
    static let text = """
        "use strict";
        (() => {
          const live = document.getElementById("live");

          // A log opens at its newest line, and stays there while its reader does.
          const logs = () => document.querySelectorAll("[data-end]");
          for (const log of logs()) log.scrollTop = log.scrollHeight;

          let isPressed = false;
          addEventListener("pointerdown", () => { isPressed = true; }, true);
          for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { setTimeout(() => { isPressed = false; }, 50); }, true);

          const hasSelection = () => {
            const selection = getSelection();
            return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
          };
          // What the focus is on, so that it is found again in the new part.
          const key = (element) => element && live.contains(element) && element !== live
            ? [element.tagName, element.getAttribute("href") || element.getAttribute("name") || element.getAttribute("aria-label") || element.textContent] : null;
          const find = (wanted) => [...live.querySelectorAll(wanted[0])].find((element) => key(element)[1] === wanted[1]);

          const replace = (old, fresh) => {
            const boxes = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop, box.scrollTop + box.clientHeight >= box.scrollHeight - 8]);
            old.replaceWith(fresh);
            [...fresh.querySelectorAll(".scroll")].forEach((box, index) => {
              const [left, top, isAtEnd] = boxes[index] || [0, 0, true];
              box.scrollLeft = left;
              box.scrollTop = box.hasAttribute("data-end") && isAtEnd ? box.scrollHeight : top;
            });
          };
          const take = (text) => {
            if (isPressed || hasSelection()) return;
            const fresh = new DOMParser().parseFromString(text, "text/html").body;
            const focus = key(document.activeElement);
            const parts = [...fresh.children];
            if (parts.map((part) => part.id).join() !== [...live.children].map((part) => part.id).join()) live.replaceChildren(...parts);
            else [...live.children].forEach((old, index) => {
              if (old.dataset.was !== parts[index].outerHTML) {
                const html = parts[index].outerHTML;
                if (old.outerHTML !== html) { replace(old, parts[index]); parts[index].dataset.was = html; } else old.dataset.was = html;
              }
            });
            if (focus && !live.contains(document.activeElement)) { const again = find(focus); if (again) again.focus({ preventScroll: true }); }
            point();
          };

          if (live && live.dataset.follows) {
            let source = null;
            const open = () => {
              if (source) return;
              source = new EventSource(live.dataset.follows);
              source.onmessage = (event) => { take(event.data); document.documentElement.dataset.live = "yes"; };
              // The session is over: the page says so by leading to the sign-in.
              source.addEventListener("ended", () => { source.close(); location.reload(); });
            };
            const close = () => { if (source) source.close(); source = null; };
            document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
            addEventListener("pagehide", close);
            addEventListener("pageshow", () => { if (!document.hidden) open(); });
            if (!document.hidden) open();
          }

          // The value under the pointer.
          let at = null;
          const point = () => {
            if (!at) return;
            const chart = document.elementFromPoint(at[0], at[1])?.closest(".chart");
            for (const other of document.querySelectorAll(".chart .hover")) if (other.parentElement !== chart) other.textContent = "";
            const svg = chart && chart.querySelector("svg");
            if (!svg || !svg.dataset.points) return;
            const box = svg.getBoundingClientRect();
            const time = Number(svg.dataset.start) + (at[0] - box.left) / box.width * Number(svg.dataset.seconds);
            let best = null;
            for (const pair of svg.dataset.points.split(" ")) {
              const [when, value] = pair.split(":").map(Number);
              if (!best || Math.abs(when - time) < Math.abs(best[0] - time)) best = [when, value];
            }
            chart.querySelector(".hover").textContent =
              new Date(best[0] * 1000).toISOString().slice(5, 19).replace("T", " ") + "  " + best[1].toLocaleString("en", { maximumFractionDigits: 2 }) + svg.dataset.unit;
          };
          addEventListener("pointermove", (event) => { at = [event.clientX, event.clientY]; point(); });
        })();
        """
}
