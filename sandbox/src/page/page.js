// The page's script: shows what changed, sends what a person does. All text comes from the server or is set as text;
// nothing a bot says becomes markup here.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const view = { who: root.dataset.who, channel: root.dataset.channel, step: new URLSearchParams(location.search).get("step") };
  const shown = new Map();
  let nowMs = 1000 * Number($("clock") ? $("clock").dataset.at : 0);
  let fetchedAt = performance.now();

  // Instants in the viewer's own zone.
  const styles = {
    t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
    f: { dateStyle: "medium", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
    s: { dateStyle: "short", timeStyle: "short" }, S: { dateStyle: "short", timeStyle: "medium" },
  };
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });
  // As Discord rounds: 44 seconds, then minutes; 44 minutes, then hours; 21 hours, then days; 25 days, then months; 10 months, then years.
  const units = [["second", 1, 45], ["minute", 60, 45], ["hour", 3600, 22], ["day", 86400, 26], ["month", 2592000, 11], ["year", 31536000, Infinity]];
  function ago(seconds) {
    const apart = seconds - Math.round((nowMs + performance.now() - fetchedAt) / 1000);
    const [unit, size] = units.find(([, size, end]) => Math.round(Math.abs(apart) / size) < end);
    return relative.format(Math.round(apart / size), unit);
  }
  function times(within) {
    for (const time of within.querySelectorAll("time[datetime]")) {
      const seconds = Number(time.dataset.at ?? Date.parse(time.dateTime) / 1000);
      if (!Number.isFinite(seconds)) continue;
      const date = new Date(seconds * 1000);
      const words = time.dataset.style === "R" ? ago(seconds) : date.toLocaleString(undefined, styles[time.dataset.style] || styles.f);
      if (time.textContent !== words) time.textContent = words;
      time.title = date.toLocaleString(undefined, styles.F);
    }
    for (const embed of within.querySelectorAll(".embed[data-colour]")) embed.style.borderLeftColor = embed.dataset.colour;
  }
  function days() {
    let last = "";
    for (const article of document.querySelectorAll("#messages .message")) {
      const day = new Date(1000 * Number(article.dataset.at)).toLocaleDateString(undefined, { dateStyle: "long" });
      if (day !== last) article.dataset.day = day; else delete article.dataset.day;
      last = day;
    }
  }

  // What changed.
  const parser = new DOMParser();
  const piece = (html) => [...parser.parseFromString(html, "text/html").body.childNodes];
  let dragging = false;
  function put(id, html) {
    const place = $(id);
    if (!place || shown.get(id) === html) return;
    // Nobody's typing or open detail is taken away; it is shown anew when they leave.
    const active = place.contains(document.activeElement) ? document.activeElement : null;
    if (active && active.matches("input:not([type=range]), select, textarea")) return;
    if (active && active.matches("[type=range]") && dragging) return;
    const open = [...place.querySelectorAll("details[open]")].map((d) => d.id || d.firstElementChild.textContent);
    const focus = active ? active.id || active.textContent : null;
    place.replaceChildren(...piece(html));
    for (const details of place.querySelectorAll("details")) {
      if (open.includes(details.id || details.firstElementChild.textContent)) details.open = true;
    }
    if (focus) {
      const same = [...place.querySelectorAll("button, a, input")].find((b) => (b.id || b.textContent) === focus);
      if (same) same.focus();
    }
    shown.set(id, html);
    times(place);
  }
  function messages(list) {
    const log = $("messages");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const wanted = new Set(list.map(([id]) => "m" + id)), empty = list.length === 0;
    for (const child of [...log.children]) if (!wanted.has(child.id) && !(empty && child.matches(".empty"))) child.remove();
    let before = null;
    for (const [id, mark, html] of list) {
      let article = $("m" + id);
      if (!article || article.dataset.mark !== mark) {
        const fresh = piece(html)[0];
        fresh.dataset.mark = mark;
        if (article) {
          if (article.dataset.mark === undefined && article.outerHTML === html) { article.dataset.mark = mark; before = article; continue; }
          if (article.contains(document.activeElement) && document.activeElement.matches("select")) { before = article; continue; }
          const open = [...article.querySelectorAll("details")].map((d) => d.open);
          const focus = article.contains(document.activeElement) ? document.activeElement.textContent : null;
          [...fresh.querySelectorAll("details")].forEach((d, n) => { d.open = open[n] || false; });
          article.replaceWith(fresh);
          // Whoever pressed a button here goes on from here, even if it is gone.
          if (focus !== null) {
            fresh.tabIndex = -1;
            ([...fresh.querySelectorAll("button, a")].find((b) => b.textContent === focus && !b.disabled) || fresh).focus();
          }
        } else {
          if (log.dataset.filled) fresh.classList.add("new");
          if (before) before.after(fresh); else log.prepend(fresh);
        }
        article = fresh;
        times(article);
      }
      before = article;
    }
    log.dataset.filled = "yes";
    if (empty && !log.children.length) {
      const hint = document.createElement("p");
      hint.className = "empty";
      hint.textContent = log.dataset.empty;
      log.append(hint);
    }
    days();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
  const here = () => new URLSearchParams({ who: view.who, channel: view.channel, ...(view.step ? { step: view.step } : {}) });
  let fetching = null, again = false;
  function refresh() {
    again = true;
    fetching ??= (async () => {
      // What is asked for meanwhile is fetched before this ends: between the last look at `again` and the end nothing runs.
      try { while (again) { again = false; await show(); } }
      catch { toast("The sandbox does not respond; it may have stopped."); }
      finally { fetching = null; }
    })();
    return fetching;
  }
  async function show() {
    const answer = await fetch("/fragment?" + here());
    if (!answer.ok) return;
    const news = await answer.json();
    nowMs = news.now_ms; fetchedAt = performance.now();
    for (const [id, html] of Object.entries(news.parts)) put(id, html);
    messages(news.messages);
    document.title = news.title;
  }

  // What a person does.
  let toastTimer = 0, settingUp = false;
  function toast(text) {
    if (settingUp) text = "Setting up a fresh server.";
    $("toast").textContent = text;
    clearTimeout(toastTimer);
    if (text) toastTimer = setTimeout(() => { $("toast").textContent = ""; }, 8000);
  }
  async function send(path, body) {
    let answer;
    try {
      answer = await fetch("/control/" + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    } catch { return { error: "The sandbox does not respond; it may have stopped." }; }
    const text = await answer.text();
    try { return JSON.parse(text); } catch { return { error: text || "The request failed." }; }
  }
  const act = (what) => send("act", { who: view.who, channel: view.channel, ...what });
  async function outcome(seen) {
    if (seen.error) toast(seen.error);
    else if (seen.nothing) toast("The application did not respond.");
    else toast("");
    if (seen.modal) await openForm(seen.modal.form);
    await refresh();
    if (seen.message) { const said = $("m" + seen.message); if (said) said.scrollIntoView({ block: "nearest" }); }
    return seen;
  }
  async function busily(button, work) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try { await work(); } finally { button.removeAttribute("aria-busy"); }
  }

  async function openForm(form) {
    const answer = await fetch("/form?form=" + form);
    if (!answer.ok) { toast(await answer.text()); return; }
    const dialog = $("dialog");
    dialog.replaceChildren(...piece(await answer.text()));
    dialog.showModal();
    const first = dialog.querySelector("input, textarea");
    if (first) first.focus();
  }
  $("dialog").addEventListener("input", (event) => {
    const count = document.querySelector(`small[data-for="${CSS.escape(event.target.id)}"]`);
    if (count) count.textContent = [...event.target.value].length + " / " + event.target.maxLength;
  });
  $("dialog").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const values = [...form.querySelectorAll("[name]")].map((field) => [field.name, field.value]);
    const submit = form.querySelector("[type=submit]");
    await busily(submit, async () => {
      const seen = await act({ fill: { form: Number(form.dataset.form), values } });
      if (seen.error) { form.querySelector(".wrong").textContent = seen.error; return; }
      $("dialog").close();
      await outcome(seen);
    });
  });

  // Playing the story by itself takes about two minutes, or as long as its steps take.
  let playing = null;
  const TWO_MINUTES = 120000;
  async function step() {
    const done = await send("story", "step");
    // The story's panel says why the step cannot be done, unless a phone hides the panel.
    if (!done.error) { toast(""); await follow(done.next); }
    await refresh();
    if (done.error && !document.querySelector("#story .wrong")?.offsetParent) toast(done.error);
    return !done.error;
  }
  // The page looks where the step happened.
  async function follow(played) {
    const links = document.querySelectorAll("#story .steps a[href^='/?step=']");
    if (links[played - 1]) await adopt(played);
  }
  const adopt = (step) => go(step ? "?step=" + step : "", "replaceState");
  // Looks as somebody else, or elsewhere. What is being typed stays.
  let going = 0;
  async function go(address, remember) {
    const mine = ++going;
    const news = await fetch("/fragment" + address).then((answer) => answer.json()).catch(() => null);
    if (mine !== going) return;
    if (!news) { toast("The sandbox does not respond; it may have stopped."); return; }
    view.who = news.who; view.channel = news.channel; view.step = new URLSearchParams(address).get("step");
    if (remember) history[remember](null, "", "/" + address);
    $("say").placeholder = "Message #" + view.channel + ", or / for commands";
    $("messages").setAttribute("aria-label", "Messages in #" + view.channel);
    document.querySelector("label[for=say]").textContent = "Message #" + view.channel;
  }
  addEventListener("popstate", () => go(location.search, null).then(refresh));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/?']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (innerWidth <= 992) for (const side of ["left", "right"]) if ($(side).classList.contains("open")) drawer(side);
    go(link.search, "pushState").then(refresh).then(() => {
      const linked = document.querySelector(".message.linked");
      if (linked) linked.scrollIntoView({ block: "center" }); else $("messages").scrollTop = $("messages").scrollHeight;
    });
  });
  async function play(button) {
    if (playing) { playing = null; button.textContent = "Play"; return; }
    const me = {};
    playing = me;
    while (playing === me) {
      const begun = performance.now();
      if (!(await step()) || !$("play")) break;
      if (playing === me) $("play").textContent = "Pause";
      const each = TWO_MINUTES / Math.max(1, Number(document.querySelector("#story progress").max));
      await new Promise((done) => setTimeout(done, Math.max(0, each - (performance.now() - begun))));
    }
    if (playing === me) playing = null;
    if ($("play")) $("play").textContent = "Play";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    const data = button.dataset;
    const work =
      "use" in data ? () => act({ use: { message: data.message, custom_id: data.use } }).then(outcome) :
      "several" in data ? () => several(button) :
      "dismiss" in data ? () => act({ dismiss: { message: data.dismiss } }).then(outcome) :
      "minutes" in data ? () => send("clock", { minutes: Number(data.minutes) }).then(outcome) :
      "next" in data ? () => send("clock", { next: true }).then(outcome) :
      "jump" in data ? () => send("clock", { minutes: Number(data.jump), jump: true }).then(outcome) :
      "run" in data ? () => send("clock", { run: data.run === "true" }).then(outcome) :
      "step" in data ? step :
      "to" in data ? () => send("story", { to: Number(data.to) }).then(outcome) :
      "begin" in data ? () => begin(data.begin) :
      "production" in data ? () => send("signals", data.production).then(outcome) :
      "fault" in data ? () => send("faults", { script: { route: data.route, fault: data.fault, times: Number(data.times) } }).then(told(button)) :
      "break" in data ? () => send("faults", data.break).then(told(button)) :
      "right" in data ? () => send("faults", { [data.gone === "true" ? "grant" : "revoke"]: { right: data.right, channel: view.channel } }).then(told(button)) :
      null;
    if (work) { busily(button, work); return; }
    if ("play" in data) play(button);
    if ("close" in data) $("dialog").close();
    if ("drawer" in data) drawer(data.drawer);
    if (button.id === "theme") theme();
  });
  // A fault shows nothing by itself: say that it is set.
  function told(button) {
    const words = button.textContent.trim();
    return async (seen) => { await outcome(seen); if (!seen.error) toast("Set: " + words + "."); };
  }
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id !== "publish" && form.id !== "moderate") return;
    event.preventDefault();
    await busily(form.querySelector("button"), async () => {
      const field = (name) => form.elements.namedItem(name);
      const seen = form.id === "publish"
        ? await send("status", { who: view.who, state: field("state").value, text: field("text").value })
        : await send("faults", { delete_message: field("message").value });
      await outcome(seen);
      if (seen.error) return;
      if (field("text")) field("text").value = "";
      toast(form.id === "publish" ? "Posted to the status page." : "Message deleted.");
    });
  });
  async function begin(name) {
    if (settingUp) return;
    playing = null;
    const state = async () => (await fetch("/control/state")).json().catch(() => null);
    const before = (await state().catch(() => null))?.story.told ?? 0;
    const answer = await send("story", { begin: name });
    if (answer.error) { toast(answer.error); return; }
    settingUp = true;
    toast("");
    for (let tries = 0; tries < 100; tries++) {
      await new Promise((done) => setTimeout(done, 200));
      const now = await state().catch(() => null);
      if (!now || !now.online || now.story.told <= before) continue;
      await adopt(0);
      await learn();
      await refresh();
      settingUp = false;
      toast("");
      return;
    }
    settingUp = false;
    await refresh();
    toast("The fresh server did not start; see the terminal for the reason.");
  }
  // A menu acts on a choice by pointer at once; by keyboard only on Enter, because arrows choose on their way.
  let lastKey = null;
  function several(button) {
    const field = button.parentElement.querySelector(`select[data-use="${CSS.escape(button.dataset.several)}"]`);
    return act({ use: { message: field.dataset.message, custom_id: field.dataset.use, values: [...field.selectedOptions].map((o) => o.value) } }).then(outcome);
  }
  function choose(field) {
    const value = field.value;
    if (!value || field.multiple) return;
    field.disabled = true;
    field.blur();
    act({ use: { message: field.dataset.message, custom_id: field.dataset.use, values: [value] } }).then(outcome).finally(() => { field.disabled = false; field.value = ""; });
  }
  document.addEventListener("pointerdown", (event) => { lastKey = null; dragging = event.target.matches?.("[type=range]"); });
  document.addEventListener("pointerup", () => { dragging = false; });
  document.addEventListener("keydown", (event) => {
    lastKey = event.key;
    if (event.key === "Escape") for (const side of ["left", "right"]) if ($(side).classList.contains("open")) drawer(side);
    if (event.key === "Enter" && event.target.matches?.("select[data-use]") && event.target.value) { event.preventDefault(); choose(event.target); }
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("select[data-use]") && (lastKey === null || lastKey === "Enter")) choose(field);
    if (field.matches("input[data-signal]")) {
      const value = Number(field.value);
      send("signals", { set: [[field.dataset.signal, value]] }).then(outcome);
    }
  });
  // What was not shown because somebody was in a field is shown when they leave it.
  document.addEventListener("focusout", (event) => { if (event.target.matches?.("input, select, textarea")) setTimeout(refresh, 0); });
  document.addEventListener("input", (event) => {
    if (event.target.matches("input[data-signal]")) {
      const output = event.target.parentElement.querySelector("output");
      output.textContent = output.textContent.replace(/^[-\d.]+/, event.target.value);
    }
  });

  function drawer(side) {
    const panel = $(side);
    const open = panel.classList.toggle("open");
    $(side === "left" ? "right" : "left").classList.remove("open");
    document.body.classList.toggle("shaded", open);
    for (const button of document.querySelectorAll("[data-drawer]")) button.setAttribute("aria-expanded", String($(button.dataset.drawer).classList.contains("open")));
  }
  document.querySelector("main").addEventListener("click", () => { for (const side of ["left", "right"]) if ($(side).classList.contains("open")) drawer(side); });
  function theme() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a browser without storage asks the system each time */ }
  }
  try { const kept = localStorage.getItem("theme"); if (kept) root.dataset.theme = kept; } catch { /* as above */ }

  // The composer: text, or a command picked from the menu with an input for each option.
  const say = $("say"), menu = $("menu"), composer = $("composer");
  let book = { commands: [], roles: [], people: [], channels: [] };
  let found = [], at = 0, chips = null;
  const learn = async () => { book = await (await fetch("/commands")).json(); };
  function el(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function closeMenu() { menu.hidden = true; say.setAttribute("aria-expanded", "false"); say.removeAttribute("aria-activedescendant"); }
  function showMenu() {
    const typed = say.value.slice(1).trim().toLowerCase();
    const rank = (c) => (c.path.startsWith(typed) || typed.startsWith(c.path + " ") ? 0 : c.path.split(" ").some((w) => w.startsWith(typed)) ? 1 : c.path.includes(typed) ? 2 : 3);
    // The whole path typed wins over one that only begins so.
    found = book.commands.filter((c) => rank(c) < 3).sort((a, b) => rank(a) - rank(b) || (b.path === typed) - (a.path === typed));
    at = Math.min(at, Math.max(0, found.length - 1));
    menu.replaceChildren(...found.map((command, n) => {
      const line = el("div", "choice");
      line.id = "choice" + n;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", String(n === at));
      line.append(el("b", "", "/" + command.path), el("small", "", command.description));
      line.addEventListener("pointerdown", (event) => { event.preventDefault(); pick(command); });
      return line;
    }));
    menu.hidden = found.length === 0;
    say.setAttribute("aria-expanded", String(!menu.hidden));
    if (found.length) { say.setAttribute("aria-activedescendant", "choice" + at); menu.children[at].scrollIntoView({ block: "nearest" }); }
  }
  say.addEventListener("input", async () => {
    if (!say.value.startsWith("/")) { closeMenu(); return; }
    if (!book.commands.length) await learn();
    at = 0;
    showMenu();
  });
  say.addEventListener("keydown", (event) => {
    if (menu.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length; showMenu(); }
    if (event.key === "Tab" || event.key === "Enter") { event.preventDefault(); pick(found[at]); }
    if (event.key === "Escape") closeMenu();
  });
  say.addEventListener("blur", closeMenu);
  function leave() { if (chips) chips.remove(); chips = null; say.hidden = false; say.value = ""; say.focus(); }
  function pick(command) {
    closeMenu();
    const rest = say.value.slice(1).trimStart().slice(command.path.length).trim();
    say.hidden = true;
    chips = el("div", "chips");
    chips.setAttribute("role", "group");
    chips.setAttribute("aria-label", "/" + command.path);
    chips.append(el("span", "command", "/" + command.path));
    const options = command.options || [];
    const more = options.filter((o) => !o.required);
    for (const option of options.filter((o) => o.required)) chips.append(chip(command, option));
    if (more.length) {
      const add = el("button", "link", "+ " + more.length + " optional");
      add.type = "button";
      add.addEventListener("click", () => { add.before(...more.map((option) => chip(command, option))); add.remove(); chips.querySelector("input, select").focus(); });
      chips.append(add);
    }
    const run = el("button", "button style1", "Run");
    const stop = el("button", "button style2", "Cancel");
    stop.type = "button";
    stop.addEventListener("click", leave);
    const wrong = el("p", "wrong");
    wrong.setAttribute("role", "alert");
    chips.append(run, stop, wrong);
    chips.command = command;
    chips.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
    composer.append(chips);
    // What was typed behind the command is its first text.
    const first = chips.querySelector("input[type=text]");
    if (rest && first && say.value.slice(1).trimStart().toLowerCase().startsWith(command.path + " ")) first.value = rest;
    (chips.querySelector("input, select") || run).focus();
  }
  function chip(command, option) {
    const label = el("label", "chip", option.name + (option.required ? " (required)" : ""));
    const names = { 6: book.people, 7: book.channels, 8: book.roles }[option.type]
      || (option.choices ? option.choices.map((c) => [c.value, c.name]) : option.type === 5 ? [["true", "True"], ["false", "False"]] : null);
    const field = el(names ? "select" : "input");
    field.name = option.name;
    field.title = option.description;
    field.setAttribute("aria-label", option.name + (option.required ? " (required)" : ""));
    field.required = Boolean(option.required);
    if (names) {
      field.append(new Option("", ""), ...names.map(([value, name]) => new Option(name, value)));
    } else if (option.type === 11) {
      field.type = "file";
    } else {
      field.type = "text";
      field.placeholder = option.description;
      if (option.max_length) field.maxLength = option.max_length;
      if (option.autocomplete) completes(command, option, field, label);
    }
    label.append(field);
    return label;
  }
  // Names for the option being typed, from the bot itself.
  function completes(command, option, field, label) {
    const list = el("div", "choices");
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", option.name);
    list.hidden = true;
    let turn = 0, names = [], sel = 0;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-autocomplete", "list");
    const draw = () => {
      list.replaceChildren(...names.map(([name, value], n) => {
        const line = el("div", "choice", name);
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", String(n === sel));
        line.addEventListener("pointerdown", (event) => { event.preventDefault(); take(n); });
        return line;
      }));
      list.hidden = names.length === 0;
      field.setAttribute("aria-expanded", String(!list.hidden));
    };
    const take = (n) => { if (names[n]) { field.value = names[n][0]; field.dataset.value = names[n][1]; } names = []; draw(); };
    const ask = async () => {
      delete field.dataset.value;
      const mine = ++turn;
      const seen = await act({ complete: { path: command.path, option: option.name, typed: field.value } });
      if (mine !== turn) return;
      names = seen.choices || [];
      sel = 0;
      draw();
    };
    field.addEventListener("input", ask);
    field.addEventListener("focus", ask);
    field.addEventListener("blur", () => { turn++; names = []; draw(); });
    field.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); sel = (sel + (event.key === "ArrowDown" ? 1 : names.length - 1)) % names.length; draw(); }
      if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(sel); }
      // The first Escape closes the list, the second the command.
      if (event.key === "Escape") { event.stopPropagation(); turn++; names = []; draw(); }
    });
    label.append(list);
  }
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!chips) {
      const text = say.value.trim();
      if (!text) return;
      if (text.startsWith("/")) { toast(found.length ? "Pick a command from the list." : "There is no command " + text.split(" ").slice(0, 3).join(" ") + "; type / to see all commands."); return; }
      const seen = await act({ say: { text } });
      if (!seen.error) say.value = "";
      await outcome(seen);
      return;
    }
    const mine = chips, wrong = mine.querySelector(".wrong");
    wrong.textContent = "";
    const fields = [...mine.querySelectorAll("[name]")];
    const empty = fields.find((field) => field.required && !field.value);
    if (empty) { wrong.textContent = "“" + empty.name + "” is required."; empty.focus(); return; }
    const slash = { path: mine.command.path, options: [], file: null };
    for (const field of fields) {
      if (field.type === "file") {
        if (field.files[0]) slash.file = [field.files[0].name, [...new Uint8Array(await field.files[0].arrayBuffer())]];
      } else if (field.value) slash.options.push([field.name, field.dataset.value || field.value]);
    }
    const run = mine.querySelector(".button.style1");
    await busily(run, async () => {
      const seen = await act({ slash });
      if (seen.error) { wrong.textContent = seen.error; return; }
      leave();
      await outcome(seen);
    });
  });

  new EventSource("/events").onmessage = refresh;
  setInterval(() => times(document), 5000);
  times(document);
  days();
  $("messages").scrollTop = $("messages").scrollHeight;
  const linked = document.querySelector(".message.linked");
  if (linked) linked.scrollIntoView({ block: "center" });
  learn();
  refresh();
})();
