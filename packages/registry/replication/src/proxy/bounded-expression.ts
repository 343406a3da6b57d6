import { Script } from 'node:vm';

const MATCH = new Script('new RegExp(`^(?:${pattern})$`, "u").test(name)');
/** Any sensible expression takes microseconds. */
const TIMEOUT_MS = 50;
const MAX_REMEMBERED = 1000;
const remembered = new Map<string, boolean>();

/**
 * Whether a name matches a regular expression that a project administrator wrote. One that takes too long, as
 * expressions can be made to, matches nothing: it must not stop the program.
 */
export function matchesExpression(pattern: string, name: string): boolean {
  const key = `${pattern}\n${name}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const found = evaluate(pattern, name);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(key, found);
  return found;
}

function evaluate(pattern: string, name: string): boolean {
  try {
    return MATCH.runInNewContext({ pattern, name }, { timeout: TIMEOUT_MS }) === true;
  } catch {
    return false;
  }
}
