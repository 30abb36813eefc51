// The status page as customers see it: instants in their own zone, and what is new without asking.
"use strict";
(() => {
  const times = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    }
  };
  const renew = async () => {
    const answer = await fetch("/status").catch(() => null);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    document.querySelector("main").replaceWith(fresh);
    times();
  };
  times();
  new EventSource("/events").onmessage = renew;
})();
