import type { TarHeader } from '@vic/tar';
import type { FileFacts } from './file-facts.ts';
import { readApkInstalled } from './readers/apk.ts';
import { readDpkgList, readDpkgStatus } from './readers/dpkg.ts';
import { readGoBinary } from './readers/go-binary.ts';
import { readJar } from './readers/jar.ts';
import {
  readCargoLock,
  readComposerInstalled,
  readComposerLock,
  readGemfileLock,
  readGemspec,
  readGoSum,
} from './readers/lockfiles.ts';
import { readPackageJson, readPackageLock, readPnpmLock, readYarnLock } from './readers/npm.ts';
import { readOsRelease } from './readers/os-release.ts';
import { readPipfileLock, readPoetryLock, readPythonMetadata, readRequirements } from './readers/python.ts';
import { readRpmDatabase } from './readers/rpm.ts';

/** How a file of interest is read: whole, up to a limit, or as it passes. */
export type FileReader =
  | { readonly kind: 'whole'; readonly limitBytes: number; read(content: Buffer, path: string): FileFacts }
  | { readonly kind: 'stream'; read(content: AsyncIterable<Buffer>): Promise<FileFacts> };

const MiB = 1024 * 1024;

/** The first pattern that matches a file's path says how it is read. */
const READERS: readonly (readonly [
  pattern: RegExp,
  limitBytes: number,
  read: (content: Buffer, path: string) => FileFacts,
])[] = [
  [/^var\/lib\/dpkg\/status$/, 128 * MiB, readDpkgStatus],
  [/^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/, MiB, readDpkgStatus],
  [/^var\/lib\/dpkg\/info\/[^/]+\.list$/, 16 * MiB, readDpkgList],
  [/^(?:usr\/)?lib\/apk\/db\/installed$/, 128 * MiB, readApkInstalled],
  [
    /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/(?:rpmdb\.sqlite|Packages\.db|Packages)$/,
    256 * MiB,
    readRpmDatabase,
  ],
  [/^(?:etc|usr\/lib)\/os-release$/, MiB, readOsRelease],
  [/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/, 4 * MiB, readPackageJson],
  [/^(?!.*(?:^|\/)node_modules\/).*?(?:package-lock|npm-shrinkwrap)\.json$/, 64 * MiB, readPackageLock],
  [/^(?!.*(?:^|\/)node_modules\/)(?:.*\/)?yarn\.lock$/, 64 * MiB, readYarnLock],
  [/^(?!.*(?:^|\/)node_modules\/)(?:.*\/)?pnpm-lock\.yaml$/, 64 * MiB, readPnpmLock],
  [/\.dist-info\/METADATA$|\.egg-info\/PKG-INFO$|\.egg-info$/, 8 * MiB, readPythonMetadata],
  [/(?:^|\/)requirements\.txt$/, 8 * MiB, readRequirements],
  [/(?:^|\/)(?:poetry|uv)\.lock$/, 64 * MiB, readPoetryLock],
  [/(?:^|\/)Pipfile\.lock$/, 64 * MiB, readPipfileLock],
  [/(?:^|\/)go\.sum$/, 64 * MiB, readGoSum],
  [/(?:^|\/)Cargo\.lock$/, 64 * MiB, readCargoLock],
  [/(?:^|\/)Gemfile\.lock$/, 64 * MiB, readGemfileLock],
  [/(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/, MiB, readGemspec],
  [/(?:^|\/)composer\.lock$/, 64 * MiB, readComposerLock],
  [/(?:^|\/)vendor\/composer\/installed\.json$/, 64 * MiB, readComposerInstalled],
  [/\.(?:jar|war|ear)$/, 256 * MiB, readJar],
];

/** Smaller programs than this are not Go's. */
const MIN_GO_PROGRAM_BYTES = 256 * 1024;

/** How to read a file of an image, or `undefined` when it tells nothing about packages. */
export function readerFor(path: string, header: TarHeader): FileReader | undefined {
  for (const [pattern, limitBytes, read] of READERS) {
    if (pattern.test(path)) return { kind: 'whole', limitBytes, read };
  }
  const executable = header.type === 'file' && (header.mode & 0o111) !== 0 && header.sizeBytes >= MIN_GO_PROGRAM_BYTES;
  return executable && !/\.(?:so(?:\.[\d.]+)?|py|sh|js)$/.test(path)
    ? { kind: 'stream', read: readGoBinary }
    : undefined;
}
