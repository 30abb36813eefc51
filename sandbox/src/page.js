// Shows timestamps in the reader's own zone and refreshes the messages; everything works without it.
"use strict";
function stamps(root) {
  for (const el of root.querySelectorAll("time[data-at]")) {
    const at = new Date(Number(el.dataset.at) * 1000);
    const ahead = Math.round((Number(el.dataset.at) - Number(el.dataset.now)) / 60);
    const size = Math.abs(ahead);
    const [n, unit] = size < 90 ? [ahead, "minute"] : size < 2160 ? [Math.round(ahead / 60), "hour"] : [Math.round(ahead / 1440), "day"];
    el.textContent = el.dataset.style === "R" ? new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(n, unit)
      : el.dataset.style === "t" ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
      : at.toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    el.title = at.toString();
  }
}
const box = document.getElementById("messages");
stamps(document);
box.scrollTop = box.scrollHeight;
setInterval(async () => {
  if (document.hidden || box.contains(document.activeElement)) return;
  const answer = await fetch(box.dataset.src);
  const fresh = await answer.text();
  if (answer.ok && fresh !== box.dataset.seen) {
    const low = box.scrollTop + box.clientHeight > box.scrollHeight - 40;
    box.dataset.seen = fresh;
    box.innerHTML = fresh;
    stamps(box);
    if (low) box.scrollTop = box.scrollHeight;
  }
}, 2000);
