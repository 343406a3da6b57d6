/** Characters that XML 1.0 cannot carry, not even escaped, and halves of surrogate pairs. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const IMPOSSIBLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
const SPECIAL = /[&<>"\r\t\n]/g;
const SPECIAL_IN_TEXT = /[&<>\r]/g;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\t': '&#9;',
  '\n': '&#10;',
};

/**
 * Escapes text for the content of an element.
 *
 * What XML cannot carry becomes U+FFFD: a string that a guest reported must not make its machine unreadable.
 */
export function escapeText(text: string): string {
  return carriable(text).replace(SPECIAL_IN_TEXT, (character) => ENTITIES[character] ?? '');
}

/** Escapes text for an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return carriable(text).replace(SPECIAL, (character) => ENTITIES[character] ?? '');
}

function carriable(text: string): string {
  return text.toWellFormed().replace(IMPOSSIBLE, '\uFFFD');
}
