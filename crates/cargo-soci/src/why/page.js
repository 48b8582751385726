// Sorts the rows by a column; a second press turns the order around.
const table = document.querySelector("table");
const body = table?.querySelector("tbody");
for (const [at, head] of [...(table?.querySelectorAll("th") ?? [])].entries()) {
  head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[at].dataset.key ?? row.cells[at].textContent;
    const order = new Intl.Collator("en", { numeric: true });
    const rows = [...body.rows].sort((a, b) => order.compare(key(a), key(b)));
    body.append(...(down ? rows.reverse() : rows));
  });
}
