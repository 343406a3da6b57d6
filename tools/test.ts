import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { toolPath } from './lab/debian-tools.ts';

/*
 * `./vic test`: quick checks and unit tests first, then contract tests, then end-to-end tests that boot real
 * machines. Stops at the first stage that fails.
 */

const root = dirname(import.meta.dirname);
const stages: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ['checks and unit tests', 'node', 'tools/check.ts'],
  ['peers', 'node', 'tools/install-peers.ts'],
  ['guest image', 'node', 'guest/image/build.ts'],
  ['tether tests', 'node', 'guest/agent/test.ts'],
  ['contract tests', 'vitest', 'run', '--project', 'contract'],
  ['end-to-end tests', 'vitest', 'run', '--project', 'e2e'],
];

// Contract tests look for their peers on PATH; those that are not installed are taken out of their packages.
const peers = await Promise.all([toolPath('docker'), toolPath('docker-registry'), toolPath('notary')]);
// At the end: beside an installed peer there may be another Node.js.
const path = [process.env['PATH'] ?? '', ...new Set(peers.map((peer) => dirname(peer)))].join(delimiter);

for (const [name, program, ...args] of stages) {
  console.log(`\n── ${name}`);
  const startedAt = performance.now();
  const { status } = spawnSync(join(root, 'node_modules/.bin', program), args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  const outcome = status === 0 ? 'passed' : 'FAILED';
  console.log(`── ${name}: ${outcome} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  if (status !== 0) process.exit(1);
}
console.log('\nAll tests passed.');
