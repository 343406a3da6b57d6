import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { cargo } from '../image/tether-binary.ts';

/* Runs the tether's own tests on this machine: `node guest/agent/test.ts`. */

const root = dirname(dirname(import.meta.dirname));
const { status } = spawnSync(
  cargo(),
  ['test', '--locked', '--manifest-path', join(import.meta.dirname, 'Cargo.toml')],
  {
    stdio: 'inherit',
    env: { ...process.env, CARGO_TARGET_DIR: join(root, 'build/agent') },
  },
);
process.exit(status ?? 1);
