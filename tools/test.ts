import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

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

for (const [name, program, ...args] of stages) {
  console.log(`\n── ${name}`);
  const startedAt = performance.now();
  const { status } = spawnSync(join(root, 'node_modules/.bin', program), args, { cwd: root, stdio: 'inherit' });
  console.log(
    `── ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
  );
  if (status !== 0) process.exit(1);
}
console.log('\nAll tests passed.');
