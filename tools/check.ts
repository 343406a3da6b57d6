import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { checkDocComments } from './checks/doc-comments.ts';
import type { Check } from './checks/finding.ts';
import { checkLayers } from './checks/layers.ts';
import { checkLinks } from './checks/links.ts';
import { checkSpecification } from './checks/specification.ts';

/*
 * `npm run check`: everything that must hold before a change is proposed, in order of cost. All steps run
 * even when one fails, so that one run shows all there is to mend.
 */

const root = dirname(import.meta.dirname);
const CODE = ['apps', 'packages', 'tools', 'test', 'guest', 'vitest.config.ts'];

const steps: readonly (readonly [name: string, step: () => boolean | Promise<boolean>])[] = [
  ['format', () => program('oxfmt', ['--check', ...CODE, 'package.json', 'knip.jsonc'])],
  ['lint', () => program('oxlint', ['--quiet', ...CODE])],
  ['types', () => program('tsc', ['-p', '.'])],
  ['layers', () => homeMade(checkLayers)],
  ['doc comments', () => homeMade(checkDocComments)],
  ['specification', () => homeMade(checkSpecification)],
  ['links', () => homeMade(checkLinks)],
  ['generated types', () => program('node', ['tools/generate-vim.ts', '--check'])],
  ['generated error page', () => program('node', ['tools/generate-errors-doc.ts', '--check'])],
  ['dead code', () => program('knip', ['--no-progress'])],
  ['unit tests', () => program('vitest', ['run', '--project', 'unit', '--reporter', 'dot'])],
];

const failed: string[] = [];
for (const [name, step] of steps) {
  const startedAt = performance.now();
  const ok = await step();
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nnpm run check failed: ${failed.join(', ')}.`);
  process.exit(1);
}

function program(name: string, args: readonly string[]): boolean {
  const result = spawnSync(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (result.status !== 0) console.log(`${result.stdout}${result.stderr}`);
  return result.status === 0;
}

async function homeMade(check: Check): Promise<boolean> {
  const findings = await check(root);
  for (const { place, message } of findings) console.log(`  ${place}: ${message}`);
  return findings.length === 0;
}
