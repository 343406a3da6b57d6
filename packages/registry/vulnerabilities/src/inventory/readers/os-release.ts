import type { FileFacts } from '../file-facts.ts';

const MAX_VALUE_LENGTH = 200;

/** Reads `os-release(5)`. */
export function readOsRelease(content: Buffer): FileFacts {
  const values = new Map<string, string>();
  for (const line of content.toString('utf8').split('\n')) {
    const [, key, value] = /^\s*([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    values.set(
      key,
      value
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2')
        .slice(0, MAX_VALUE_LENGTH),
    );
  }
  const id = values.get('ID')?.toLowerCase();
  if (id === undefined || id === '') return { packages: [] };
  const version = values.get('VERSION_ID') ?? '';
  return { packages: [], operatingSystem: { id, version, name: values.get('PRETTY_NAME') ?? id } };
}
