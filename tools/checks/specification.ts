import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check, Finding } from './finding.ts';

/** Every promise in SPECIFICATION.md (a table row) names a test file that exists and holds the quoted test name. */
export const checkSpecification: Check = async (root) => {
  const findings: Finding[] = [];
  const lines = (await readFile(join(root, 'SPECIFICATION.md'), 'utf8')).split('\n');
  for (const [index, line] of lines.entries()) {
    if (!/^\| [A-Z]+-\d+ /.test(line)) continue;
    const place = `SPECIFICATION.md:${index + 1}`;
    const test = /`(?<file>[^`]+(?:\.test|bench|-measures)\.ts)`(?:[^"]*"(?<name>[^"]+)")?/.exec(line)?.groups;
    if (test?.['file'] === undefined) {
      findings.push({ place, message: 'names no test' });
      continue;
    }
    const text = await readFile(join(root, test['file']), 'utf8').catch(() => undefined);
    if (text === undefined) findings.push({ place, message: `names a test that is not there: ${test['file']}` });
    else if (test['name'] !== undefined && !text.includes(test['name'])) {
      findings.push({ place, message: `${test['file']} holds no test called "${test['name']}"` });
    }
  }
  return findings;
};
