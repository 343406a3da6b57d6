import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';
import { jsonObjectOf, objectOf, textOf } from './json-text.ts';
import { tomlPackages } from './toml-packages.ts';

/** Reads `x.dist-info/METADATA` and `x.egg-info/PKG-INFO`. */
export function readPythonMetadata(content: Buffer): FileFacts {
  const head = content.toString('utf8').split(/\r?\n\r?\n/, 1)[0] ?? '';
  const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
  return { packages: pythonPackage(field('Name'), field('Version'), field('License-Expression') || field('License')) };
}

/** Reads the pinned lines of `requirements.txt`. */
export function readRequirements(content: Buffer): FileFacts {
  const packages = content
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', version = ''] =
        /^\s*([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*===?\s*([^\s;#,*]+)\s*(?:[;#\\].*)?$/.exec(line) ?? [];
      return pythonPackage(name, version);
    });
  return { packages };
}

/** Reads `poetry.lock` and `uv.lock`. */
export function readPoetryLock(content: Buffer): FileFacts {
  const packages = tomlPackages(content)
    .filter((entry) => entry.get('source') !== 'local')
    .flatMap((entry) => pythonPackage(entry.get('name') ?? '', entry.get('version') ?? ''));
  return { packages };
}

/** Reads `Pipfile.lock`. */
export function readPipfileLock(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  for (const [name, value] of Object.entries(objectOf(jsonObjectOf(content)['default']))) {
    packages.push(...pythonPackage(name, textOf(objectOf(value)['version']).replace(/^==+/, '')));
  }
  return { packages };
}

/** Names compare without case and with one kind of separator (PEP 503). */
function pythonPackage(name: string, version: string, license = ''): readonly FoundPackage[] {
  const normal = name.toLowerCase().replace(/[-_.]+/g, '-');
  return foundPackage({ type: 'pypi', name: normal, version, license: license === 'UNKNOWN' ? '' : license });
}
