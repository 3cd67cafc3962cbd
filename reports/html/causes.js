// ---- causes: a button shows the cases of one in the matrix and in the list

for (const button of document.querySelectorAll("[data-cause]")) {
  filters.elements.cause.append(el("option", { value: button.dataset.cause }, button.closest("li").querySelector(".title").textContent));
  button.hidden = false;
  button.addEventListener("click", () => whenRead(() => {
    choose({ cause: button.dataset.cause });
    filters.elements.cause.focus({ preventScroll: true });
  }));
}
filters.elements.cause.parentElement.hidden = filters.elements.cause.length < 2;
