/** One `[[package]]` of a lockfile. */
export type TomlPackage = ReadonlyMap<string, string>;

/**
 * The string fields of each `[[package]]` table of a lockfile written by a tool (Cargo, Poetry, uv).
 *
 * Such files are regular: one `key = "value"` per line; everything else is passed over.
 */
export function tomlPackages(content: Buffer): readonly TomlPackage[] {
  const packages: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  for (const line of content.toString('utf8').split('\n')) {
    if (line.startsWith('[')) {
      current = line.trim() === '[[package]]' ? new Map() : undefined;
      if (current !== undefined) packages.push(current);
      continue;
    }
    const [, key, value] = /^([A-Za-z_-]+)\s*=\s*"([^"\\]*)"\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) current?.set(key, value);
    // uv marks the project itself: `source = { virtual = "." }`.
    else if (/^source\s*=\s*\{\s*(?:virtual|editable|directory)/.test(line)) current?.set('source', 'local');
  }
  return packages;
}
