import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { cargo } from '../image/tether-binary.ts';

/*
 * Runs the tether's own tests on this machine: `node guest/agent/test.ts`. Where clippy is installed it looks first
 * for what the oldest compiler that has to do (`rust-version` of the manifest) does not have yet.
 */

const root = dirname(dirname(import.meta.dirname));
const manifest = join(import.meta.dirname, 'Cargo.toml');
const env = { ...process.env, CARGO_TARGET_DIR: join(root, 'build/agent') };

function run(command: string, ...more: readonly string[]): void {
  const args = [command, '--locked', '--manifest-path', manifest, ...more];
  const { status } = spawnSync(cargo(), args, { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

const hasClippy = spawnSync(cargo(), ['clippy', '--version'], { stdio: 'ignore', env }).status === 0;
if (hasClippy) run('clippy', '--quiet', '--all-targets', '--', '--deny', 'clippy::incompatible_msrv');
run('test');
