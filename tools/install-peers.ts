/**
 * Installs the peer programs that contract tests run against: govmomi's `vcsim` and `govc`.
 *
 * Usage: `node tools/install-peers.ts`. Idempotent; needs a Go toolchain and the Go module proxy. Both are built
 * from govmomi's library by the small module in `tools/peers`, whose `go.mod` and `go.sum` pin every version:
 * upstream keeps its two commands in nested modules that module proxies do not always have.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const PEERS = ['vcsim', 'govc'] as const;
/** The first build of both programs takes minutes on a small machine. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

const peersModule = join(import.meta.dirname, 'peers');
const binDirectory = join(dirname(import.meta.dirname), 'build', 'peers', 'bin');
const run = promisify(execFile);

async function main(): Promise<void> {
  if (!(await hasGo())) {
    console.error('No Go toolchain found: vcsim and govc are not installed, and the tests that need them are skipped.');
    console.error('Install Go 1.25 or newer and run this again.');
    return;
  }
  await mkdir(binDirectory, { recursive: true });
  for (const peer of PEERS) await install(peer);
}

async function hasGo(): Promise<boolean> {
  try {
    await run('go', ['version']);
    return true;
  } catch {
    return false;
  }
}

async function install(peer: (typeof PEERS)[number]): Promise<void> {
  const stamp = join(binDirectory, `.${peer}.sha256`);
  const wanted = await sourceDigest(peer);
  const installed = await readFile(stamp, 'utf8').catch(() => '');
  if (installed === wanted && existsSync(join(binDirectory, peer))) {
    console.log(`${peer} is already installed.`);
    return;
  }
  await run('go', ['build', '-trimpath', '-o', join(binDirectory, peer), `./${peer}`], {
    cwd: peersModule,
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  await writeFile(stamp, wanted);
  console.log(`Installed ${peer} in ${binDirectory}.`);
}

/** What the built program depends on: its pinned modules and its own source. */
async function sourceDigest(peer: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', `${peer}/main.go`]) hash.update(await readFile(join(peersModule, file)));
  return hash.digest('hex');
}

await main();
