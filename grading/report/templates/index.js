"use strict";
// Sorting, filtering and deciding on the cohort page; decisions live in this browser until they are exported.
(() => {
  const table = document.getElementById("studies"), body = table.tBodies[0], rows = Array.from(body.rows);
  const element = (id) => document.getElementById(id);
  const KEY = "grading-decisions:" + location.pathname;
  const fields = (row) => [row.querySelector(".decision select"), row.querySelector(".note input")];

  const read = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } // private mode keeps nothing
  };
  const write = (kept) => {
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { element("unsaved").textContent = "this browser keeps nothing: export before you leave"; }
  };

  const show = (row) => {
    const [decision, note] = fields(row);
    row.classList.remove("good", "fix", "reject");
    if (decision.value) row.classList.add(decision.value);
    decision.closest("td").dataset.sort = decision.value;
    note.closest("td").dataset.sort = note.value;
  };
  const changed = () => rows.filter((row) => fields(row).some((field) => field.value !== field.dataset.kept)).length;
  const undecided = () => rows.filter((row) => {
    const [decision, text] = fields(row).map((field) => field.value.trim());
    return text && !decision;
  }).length;
  const count = () => {
    const said = [];
    if (changed()) said.push(`${changed()} not yet in the tables`);
    if (undecided()) said.push(`${undecided()} with a note but no decision, which is not exported`);
    element("unsaved").textContent = said.join("; ");
  };
  const note = (row) => {
    const kept = read();
    const [decision, text] = fields(row).map((field) => field.value);
    kept[row.dataset.study] = { decision, note: text };
    write(kept);
    show(row);
    count();
  };

  const words = (row) => Array.from(row.cells)
    .filter((cell) => !cell.matches(".decision")) // it names every decision there is
    .map((cell) => cell.textContent).join(" ");
  const filter = () => {
    const wanted = element("find").value.toLowerCase(), status = element("status").value, decided = element("decided").value;
    let shown = 0;
    for (const row of rows) {
      const [decision, text] = fields(row).map((field) => field.value);
      const fits = (words(row) + " " + text).toLowerCase().includes(wanted)
        && (!status || row.dataset.status === status)
        && (!decided || (decided === "none" ? !decision : decision === decided));
      row.hidden = !fits;
      shown += fits;
    }
    element("shown").textContent = `${shown} of ${rows.length} shown`;
  };

  const sort = (heading) => {
    const column = heading.cellIndex, down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[column].dataset.sort;
    const compare = heading.dataset.kind === "number"
      ? (a, b) => Number(value(a)) - Number(value(b))
      : (a, b) => value(a).localeCompare(value(b), "en", { numeric: true });
    rows.sort((a, b) => (down ? -1 : 1) * compare(a, b));
    body.append(...rows);
  };

  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text; // a spreadsheet would run it as a formula
    return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  const csv = () => {
    const lines = rows.map((row) => [row.dataset.study, ...fields(row).map((field) => field.value.replace(/\s+/g, " ").trim())]);
    const said = lines.filter(([, decision], i) => decision || fields(rows[i])[0].dataset.kept).sort(([a], [b]) => (a < b ? -1 : 1));
    return ["study,decision,note", ...said.map((line) => line.map(cell).join(","))].join("\n") + "\n";
  };
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "decisions.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  for (const heading of table.tHead.querySelectorAll("[data-kind]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading));
  }
  const kept = read();
  for (const row of rows) {
    const [decision, text] = fields(row), mine = kept[row.dataset.study];
    if (mine) [decision.value, text.value] = [mine.decision, mine.note];
    show(row);
    for (const field of [decision, text]) field.addEventListener("change", () => note(row));
  }
  for (const id of ["find", "status", "decided"]) element(id).addEventListener("input", filter);
  element("tools").addEventListener("submit", (event) => event.preventDefault());
  element("export").addEventListener("click", save);
  element("tools").hidden = false;
  filter();
  count();
  document.documentElement.dataset.page = "ready";
})();
