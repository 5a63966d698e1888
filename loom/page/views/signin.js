// For a browser that is not signed in.

import { sentence } from "../api.js";
import { fill, h } from "../dom.js";
import { field } from "../parts.js";

export default function signIn(main, problem, enter) {
  const told = h("p", { class: "trouble", role: "alert", hidden: !problem }, problem ? sentence(problem) : "");
  const code = h("input", { name: "code", type: "password", autocomplete: "off", required: true, autofocus: true });
  async function submit(event) {
    event.preventDefault();
    try {
      await enter(code.value.trim());
    } catch (error) {
      told.hidden = false;
      told.textContent = sentence(error);
      code.select();
    }
  }
  fill(
    main,
    h(
      "section",
      { class: "sign-in" },
      h("h1", null, "Sign in to Loom"),
      h(
        "p",
        null,
        "Open the link that ",
        h("code", null, "loom serve"),
        " printed when it started: it signs this browser in, once, for ten minutes.",
      ),
      h("p", null, "Or enter what ", h("code", null, "loom token"), " prints on the machine that Loom runs on."),
      told,
      h("form", { on: { submit } }, field("Code or token", code), h("button", { class: "primary" }, "Sign in")),
    ),
  );
  code.focus();
}
