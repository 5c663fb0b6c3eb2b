/** Small helpers for the DOM.  Text always goes in as text, so that no device's name can become markup. */

/** Make an element: properties by name (`class`, `data-…` and `aria-…` as attributes), then children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name.includes("-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Set an element's text only when it differs, which spares the layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Make a button a switch: `aria-pressed` follows, and `onChange` is told. */
export function toggle(button, onChange) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    onChange(on);
  });
}
