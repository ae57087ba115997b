// What the page needs from the browser and Streamlit does not give: links that keep the session, focus after a change
// of page, the page's language, figures as files, printing. Without it every link still works, as a full load.
const SVG = "http://www.w3.org/2000/svg";

function inApp(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target.closest?.(".ops a[href]");
  if (!link || link.hasAttribute("download") || link.origin !== location.origin) return null;
  return link.pathname.startsWith("/ned/") || (link.hash && link.pathname === location.pathname && link.search === location.search) ? null : link;
}

function follow(event) {
  const link = inApp(event);
  if (!link) return;
  event.preventDefault();
  const before = document.querySelector(".ops h1");
  const left = new URL(location.href);
  history.replaceState({ ...history.state, opsAt: scroller()?.scrollTop ?? 0 }, "");
  history.pushState({}, "", link.href);
  const part = link.dataset.open;
  // Streamlit reads the address on popstate, as if the reader had pressed Back.
  dispatchEvent(new PopStateEvent("popstate"));
  // A part opens where the reader is: the page stays, and what was pressed is there no more.
  if (part) return reveal(`#open-${CSS.escape(part)}[open]`, false);
  focusHeading(before, before?.textContent);
  const entered = new URL(link.href);
  // Another page of the same list begins at its top; an area of a team is opened where it stands.
  if (left.pathname === entered.pathname && left.searchParams.get("side") !== entered.searchParams.get("side")) scroller()?.scrollTo(0, 0);
  revealArea(entered.searchParams.get("area"));
}

// The framework's link past the menu leads to what holds the menu too: it leads to the title.
function skip(event) {
  const heading = event.target.closest?.('a[href="#stMain"]') && document.querySelector(".ops h1");
  if (!heading) return;
  event.preventDefault();
  event.stopPropagation(); // the framework would take the focus to where its link leads
  heading.setAttribute("tabindex", "-1");
  heading.focus({ preventScroll: true });
  scroller()?.scrollTo(0, 0);
}

function scroller() {
  return document.querySelector('[data-testid="stMain"]');
}

function revealArea(area) {
  if (area) reveal(`[data-chosen="${CSS.escape(area)}"]`, true);
}

function reveal(selector, scrolls) {
  const until = Date.now() + 8000;
  const look = () => {
    const chosen = document.querySelector(`.ops ${selector}`);
    if (chosen) {
      if (scrolls) chosen.scrollIntoView({ block: "start" });
      chosen.querySelector("summary")?.focus({ preventScroll: true });
    } else if (Date.now() < until) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

// Back comes to where the reader was: again and again until the page is as long as it was, and stays there.
function comeBack(event) {
  const at = event.state?.opsAt;
  if (!at) return;
  const until = Date.now() + 8000;
  let still = 0;
  const stop = () => { still = Infinity; };
  for (const kind of ["wheel", "pointerdown", "keydown"]) addEventListener(kind, stop, { once: true });
  const look = () => {
    const main = scroller();
    if (main && still !== Infinity && Math.abs(main.scrollTop - at) > 2) { main.scrollTo(0, at); still = 0; } else still += 1;
    if (still < 60 && Date.now() < until) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

function focusHeading(before, words) {
  const until = Date.now() + 8000;
  const look = () => {
    const heading = document.querySelector(".ops h1");
    if (heading && (heading !== before || heading.textContent !== words)) {
      heading.setAttribute("tabindex", "-1");
      heading.focus({ preventScroll: true });
      scroller()?.scrollTo(0, 0);
    } else if (Date.now() < until) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

// Plotly draws a figure as several pictures on top of each other; as a file they become one, with its source below.
function drawing(button) {
  const chart = document.querySelector(`.st-key-${CSS.escape(button.dataset.chart)} .js-plotly-plot`);
  const layers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = layers[0].getBoundingClientRect();
  const whole = document.createElementNS(SVG, "svg");
  const size = { width: Math.round(width), height: Math.round(height) + 46 };
  whole.setAttribute("xmlns", SVG);
  whole.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  whole.setAttribute("width", size.width);
  whole.setAttribute("height", size.height);
  whole.setAttribute("font-family", "Inter, Arial, sans-serif");
  const ground = document.createElementNS(SVG, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", "#ffffff");
  whole.append(ground);
  for (const layer of layers) {
    const copy = layer.cloneNode(true);
    copy.removeAttribute("style");
    for (const text of copy.querySelectorAll("text")) text.style.fill = "#1f2c3d";
    for (const label of copy.querySelectorAll(".annotation .bg")) label.style.fill = "none";
    copy.querySelectorAll(".hoverlayer").forEach((part) => part.remove());
    whole.append(copy);
  }
  button.dataset.source.split("\n").forEach((line, index) => {
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", 12);
    text.setAttribute("y", Math.round(height) + 16 + index * 16);
    text.setAttribute("font-size", 12);
    text.setAttribute("fill", "#545e6b");
    text.textContent = line;
    whole.append(text);
  });
  return { text: new XMLSerializer().serializeToString(whole), ...size };
}

function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function saveFigure(button) {
  const { text, width, height } = drawing(button);
  const svg = new Blob([text], { type: "image/svg+xml" });
  const name = `${button.dataset.name}.${button.dataset.figure}`;
  if (button.dataset.figure === "svg") return hand(svg, name);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(picture, 0, 0, width * 2, height * 2);
  canvas.toBlob((blob) => hand(blob, name), "image/png");
}

function press(event) {
  const button = event.target.closest?.(".ops button");
  if (button?.dataset.figure) saveFigure(button);
  if (button?.dataset.print !== undefined) print();
  if (button?.dataset.copy !== undefined) {
    navigator.clipboard.writeText(document.querySelector(`#${button.dataset.copy}`).textContent)
      .then(() => { button.textContent = button.dataset.done; });
  }
}

// Paper opens nothing and is narrower than the screen: folds are opened, and charts shrink instead of being cut.
let folded = [];
function beforePrint() {
  folded = [...document.querySelectorAll(".ops details:not([open])")];
  folded.forEach((fold) => { fold.open = true; });
  for (const layer of document.querySelectorAll(".js-plotly-plot svg.main-svg")) {
    layer.setAttribute("viewBox", `0 0 ${layer.getAttribute("width")} ${layer.getAttribute("height")}`);
  }
}

function afterPrint() {
  folded.forEach((fold) => { fold.open = false; });
  folded = [];
  document.querySelectorAll(".js-plotly-plot svg.main-svg").forEach((layer) => layer.removeAttribute("viewBox"));
}

// The framework writes some words in English on every page; what is ours (.ops) is left alone.
let words = { patterns: [], months: {} };
const SAID = ["aria-label", "aria-valuetext", "placeholder", "title"];
const english = new WeakMap(); // what stood in a node before, by attribute; "" is its text

function said(written) {
  const trimmed = written.trim();
  for (const [pattern, text] of words.patterns) {
    const found = pattern.exec(trimmed);
    if (found) return text.replace(/\$(\d)/g, (_, place) => words.months[found[place]] ?? found[place]);
  }
  return trimmed;
}

function translate(root) {
  if (root.nodeType === Node.TEXT_NODE) {
    const text = said(root.data);
    if (!root.parentElement?.closest(".ops, script, style, svg") && text !== root.data.trim()) {
      english.set(root, { "": root.data, now: text });
      root.data = text;
    }
    return;
  }
  if (root.nodeType !== Node.ELEMENT_NODE || root.closest(".ops, script, style, svg")) return;
  for (const name of SAID) {
    const written = root.getAttribute(name);
    if (written && said(written) !== written.trim()) {
      english.set(root, { ...english.get(root), [name]: written });
      root.setAttribute(name, said(written));
    }
  }
  root.childNodes.forEach(translate);
}

// Another language was chosen: what the framework has not written anew since is as it wrote it.
function restore(root) {
  const before = english.get(root);
  if (before && root.nodeType === Node.TEXT_NODE && root.data === before.now) root.data = before[""];
  else if (before) for (const name of SAID) if (before[name]) root.setAttribute(name, before[name]);
  english.delete(root);
  root.childNodes.forEach(restore);
}

function speak(language) {
  restore(document.body);
  words = { ...language, patterns: language.patterns.map(([pattern, text]) => [new RegExp(`^${pattern}$`, "u"), text]) };
  if (words.patterns.length) translate(document.body);
}

function listen() {
  new MutationObserver((changes) => {
    if (!words.patterns.length) return;
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(translate);
      else translate(change.target);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: SAID });
}

export default function ({ data }) {
  document.documentElement.lang = data.language;
  speak(data.words);
  if (window.opsShell) return;
  window.opsShell = true;
  document.addEventListener("click", follow);
  document.addEventListener("click", skip, true);
  document.addEventListener("click", press);
  addEventListener("popstate", comeBack);
  listen();
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  revealArea(new URL(location.href).searchParams.get("area"));
}
