import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';
import { type JsonObject, jsonObjectOf, objectOf, textOf } from './json-text.ts';

/** How deep dependencies may be nested in a lockfile of version 1. */
const MAX_DEPTH = 64;

/** Reads `node_modules/x/package.json`. */
export function readPackageJson(content: Buffer): FileFacts {
  const json = jsonObjectOf(content);
  return { packages: npmPackage(textOf(json['name']), textOf(json['version']), textOf(json['license'])) };
}

/** Reads `package-lock.json` and `npm-shrinkwrap.json` of all three versions. */
export function readPackageLock(content: Buffer): FileFacts {
  const json = jsonObjectOf(content);
  const packages: FoundPackage[] = [];
  for (const [path, value] of Object.entries(objectOf(json['packages']))) {
    const entry = objectOf(value);
    const name = textOf(entry['name']) || path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (path.includes('node_modules/') && entry['link'] !== true && entry['dev'] !== true) {
      packages.push(...npmPackage(name, textOf(entry['version']), textOf(entry['license'])));
    }
  }
  if (json['packages'] === undefined) packages.push(...nested(objectOf(json['dependencies']), 0));
  return { packages };
}

function* nested(dependencies: JsonObject, depth: number): Generator<FoundPackage> {
  if (depth > MAX_DEPTH) return;
  for (const [name, value] of Object.entries(dependencies)) {
    const entry = objectOf(value);
    if (entry['dev'] !== true) yield* npmPackage(name, textOf(entry['version']));
    yield* nested(objectOf(entry['dependencies']), depth + 1);
  }
}

/** Reads `yarn.lock`, of Yarn 1 and of Berry. */
export function readYarnLock(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  let name: string | undefined;
  for (const line of content.toString('utf8').split('\n')) {
    if (/^\S/.test(line) && !line.startsWith('#')) {
      // `"@scope/a@^1", "@scope/a@npm:^2":` - the name is what stands before the last @ of the first.
      const match = /^"?((?:@[^@/"]+\/)?[^@"]+)@(?!workspace:|link:|portal:)/.exec(line);
      name = match?.[1];
    }
    const version = /^ {2}version:? "?([^"\s]+)"?\s*$/.exec(line)?.[1];
    if (name !== undefined && version !== undefined) packages.push(...npmPackage(name, version));
  }
  return { packages };
}

/** Reads `pnpm-lock.yaml`: the keys of `packages`, as all its versions write them. */
export function readPnpmLock(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  let inPackages = false;
  for (const line of content.toString('utf8').split('\n')) {
    if (/^\S/.test(line)) inPackages = line.trimEnd() === 'packages:';
    const key = /^ {2}'?(\/?[^\s'].*?)'?:\s*$/.exec(line)?.[1];
    if (!inPackages || key === undefined) continue;
    const match = /^\/?((?:@[^/]+\/)?[^@/]+)[@/](\d[^(_]*)/.exec(key);
    packages.push(...npmPackage(match?.[1] ?? '', match?.[2] ?? ''));
  }
  return { packages };
}

function npmPackage(name: string, version: string, license?: string): readonly FoundPackage[] {
  // Anything else is a git address, a file or a tag: nothing an advisory could speak of.
  if (!/^\d/.test(version)) return [];
  return foundPackage({ type: 'npm', name, version, ...(license === undefined ? {} : { license }) });
}
