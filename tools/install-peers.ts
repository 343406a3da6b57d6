/**
 * Installs the peer programs that contract tests run against: govmomi's `vcsim` and `govc`,
 * go-containerregistry's `crane`, `oras`, `notation`, the Versity S3 gateway, and the conformance suite of the OCI's
 * distribution specification.
 *
 * Usage: `node tools/install-peers.ts`. Idempotent; needs a Go toolchain and the Go module proxy. The first two are
 * built from govmomi's library by the small module in `tools/peers`, whose `go.mod` and `go.sum` pin every version:
 * upstream keeps its two commands in nested modules that module proxies do not always have. The suite is such a
 * nested module, too: where it cannot be had, its test is skipped. `OCI_CONFORMANCE_SOURCE` names a checkout of its
 * directory to build it from instead.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

interface Peer {
  readonly name: string;
  /** The directory of its `go.mod`. */
  readonly module: string;
  /** The package to build: a directory of the module (`./x`), or one that the module pins. */
  readonly package: string;
}

const peersModule = join(import.meta.dirname, 'peers');
const PEERS: readonly Peer[] = [
  { name: 'vcsim', module: peersModule, package: './vcsim' },
  { name: 'govc', module: peersModule, package: './govc' },
  { name: 'crane', module: join(peersModule, 'crane'), package: '.' },
  { name: 'oras', module: join(peersModule, 'oras'), package: 'oras.land/oras/cmd/oras' },
  {
    name: 'notation',
    module: join(peersModule, 'notation'),
    package: 'github.com/notaryproject/notation/cmd/notation',
  },
  {
    name: 'versitygw',
    module: join(peersModule, 'versitygw'),
    package: 'github.com/versity/versitygw/cmd/versitygw',
  },
];
const CONFORMANCE = {
  name: 'oci-conformance',
  module: 'github.com/opencontainers/distribution-spec/conformance@967efdc',
  /** What `go install` calls it. */
  program: 'conformance',
} as const;
/** The first build of all programs takes minutes on a small machine. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

const binDirectory = join(dirname(import.meta.dirname), 'build', 'peers', 'bin');
const run = promisify(execFile);

async function main(): Promise<void> {
  if (!(await hasGo())) {
    console.error(
      'No Go toolchain found: the peer programs are not installed, and the tests that need them are skipped.',
    );
    console.error('Install Go 1.25 or newer and run this again.');
    return;
  }
  await mkdir(binDirectory, { recursive: true });
  for (const peer of PEERS) await install(peer);
  await installConformance();
}

/** The suite is somebody else's source, so it is built from where they publish it. */
async function installConformance(): Promise<void> {
  const { name, module, program } = CONFORMANCE;
  const checkout = process.env['OCI_CONFORMANCE_SOURCE'];
  if (checkout !== undefined) return install({ name, module: checkout, package: '.' });
  if (existsSync(join(binDirectory, name))) return;
  try {
    await run('go', ['install', '-trimpath', module], {
      env: { ...process.env, GOBIN: binDirectory },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(join(binDirectory, program), join(binDirectory, name));
    console.log(`Installed ${name} in ${binDirectory}.`);
  } catch {
    console.error(`${module} cannot be fetched here: the OCI's conformance suite is skipped.`);
    console.error('Set OCI_CONFORMANCE_SOURCE to a checkout of its directory to build it from there.');
  }
}

async function hasGo(): Promise<boolean> {
  try {
    await run('go', ['version']);
    return true;
  } catch {
    return false;
  }
}

async function install({ name, module, package: target }: Peer): Promise<void> {
  const stamp = join(binDirectory, `.${name}.sha256`);
  const wanted = await sourceDigest(module, target);
  const installed = await readFile(stamp, 'utf8').catch(() => '');
  if (installed === wanted && existsSync(join(binDirectory, name))) {
    console.log(`${name} is already installed.`);
    return;
  }
  const build = async (): Promise<unknown> =>
    run('go', ['build', '-trimpath', '-o', join(binDirectory, name), target], {
      cwd: module,
      timeout: BUILD_TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
  // A module proxy that stumbles does not the second time; a build that cannot be fails as fast as before.
  await build().catch(build);
  await writeFile(stamp, wanted);
  console.log(`Installed ${name} in ${binDirectory}.`);
}

/** What the built program depends on: its pinned modules and its own source. */
async function sourceDigest(module: string, target: string): Promise<string> {
  const directory = target.startsWith('.') ? target : '.';
  const programs = (await readdir(join(module, directory))).filter((file) => file.endsWith('.go')).toSorted();
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', ...programs.map((file) => join(directory, file))]) {
    hash.update(await readFile(join(module, file)));
  }
  return hash.digest('hex');
}

await main();
