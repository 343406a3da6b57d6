import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';
import { jsonObjectOf, listOf, objectOf, textOf } from './json-text.ts';
import { tomlPackages } from './toml-packages.ts';

/** Reads `Cargo.lock`: packages that come from a registry. */
export function readCargoLock(content: Buffer): FileFacts {
  const packages = tomlPackages(content)
    .filter((entry) => (entry.get('source') ?? '').startsWith('registry+'))
    .flatMap((entry) =>
      foundPackage({ type: 'cargo', name: entry.get('name') ?? '', version: entry.get('version') ?? '' }),
    );
  return { packages };
}

/** Reads `go.sum`: modules whose content (not only their `go.mod`) was used. */
export function readGoSum(content: Buffer): FileFacts {
  const packages = content
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', version = ''] = /^(\S+) (v[^\s/]+) h1:/.exec(line) ?? [];
      return foundPackage({ type: 'golang', name, version });
    });
  return { packages };
}

/** Reads the resolved gems of `Gemfile.lock`. */
export function readGemfileLock(content: Buffer): FileFacts {
  const packages = content
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      // Four spaces: a gem; six: what it depends on.
      const [, name = '', version = ''] = /^ {4}(\S+) \(([^)\s]+)\)\s*$/.exec(line) ?? [];
      return gem(name, version);
    });
  return { packages };
}

/** Reads an installed gem from the name of its file: `specifications/rack-2.2.3.gemspec`. */
export function readGemspec(_content: Buffer, path: string): FileFacts {
  const [, name = '', version = ''] = /\/([^/]+?)-(\d[^/]*?)\.gemspec$/.exec(path) ?? [];
  return { packages: gem(name, version) };
}

/** Platform suffixes (`1.15.0-x86_64-linux`) are no part of the version. */
function gem(name: string, version: string): readonly FoundPackage[] {
  return foundPackage({
    type: 'gem',
    name,
    version: version.replace(/-(?:x86|x64|arm|aarch|java|universal|mingw|mswin).*$/, ''),
  });
}

/** Reads `composer.lock`. */
export function readComposerLock(content: Buffer): FileFacts {
  return { packages: listOf(jsonObjectOf(content)['packages']).flatMap(composerPackage) };
}

/** Reads `vendor/composer/installed.json` of Composer 1 (a list) and 2. */
export function readComposerInstalled(content: Buffer): FileFacts {
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch {
    return { packages: [] };
  }
  return { packages: (Array.isArray(json) ? json : listOf(objectOf(json)['packages'])).flatMap(composerPackage) };
}

function composerPackage(value: unknown): readonly FoundPackage[] {
  const entry = objectOf(value);
  return foundPackage({
    type: 'composer',
    name: textOf(entry['name']).toLowerCase(),
    version: textOf(entry['version']),
    license: listOf(entry['license']).map(textOf).join(' OR '),
  });
}
