import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/**
 * The contents of a Debian package, unpacked below `cache`; downloaded once.
 *
 * `wanted` is a package's name, or gives it when it has to be looked up.
 */
export function unpackedPackage(
  cache: string,
  wanted: { readonly pattern: RegExp; resolve(): string },
): { readonly archive: string; readonly root: string } {
  mkdirSync(cache, { recursive: true });
  const archive = cached(cache, wanted.pattern) ?? download(cache, wanted);
  const root = join(cache, archive.replace(/\.deb$/, ''));
  const done = readdirSync(cache).includes(`${archive}.unpacked`);
  if (!done) {
    rmSync(root, { recursive: true, force: true });
    runProgram('dpkg-deb', ['-x', join(cache, archive), root]);
    mkdirSync(join(cache, `${archive}.unpacked`));
  }
  return { archive, root };
}

/** The package a metapackage stands for. */
export function dependencyOf(metapackage: string, prefix: string): string {
  const depends =
    /^Depends: (.*)$/m.exec(runProgram('apt-cache', ['show', '--no-all-versions', metapackage]))?.[1] ?? '';
  const name = depends.split(/[ ,|]+/).find((word) => word.startsWith(prefix));
  if (name === undefined) throw new Error(`${metapackage} depends on no ${prefix} package; run apt-get update`);
  return name;
}

function cached(cache: string, pattern: RegExp): string | undefined {
  return readdirSync(cache)
    .filter((name) => pattern.test(name) && name.endsWith('.deb'))
    .toSorted()
    .at(-1);
}

function download(cache: string, wanted: { readonly pattern: RegExp; resolve(): string }): string {
  // The sandbox user of apt may not write here; the download is verified all the same.
  runProgram('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '--quiet', wanted.resolve()], { cwd: cache });
  const archive = cached(cache, wanted.pattern);
  if (archive === undefined) throw new Error(`apt-get gave no archive for ${String(wanted.pattern)}`);
  return archive;
}
