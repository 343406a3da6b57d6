import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDocComments } from './doc-comments.ts';
import { checkLayers } from './layers.ts';
import { checkLinks } from './links.ts';
import { checkSpecification } from './specification.ts';

const planted = join(import.meta.dirname, 'fixtures/planted');
const found = (findings: readonly { place: string; message: string }[]): string[] =>
  findings.map(({ place, message }) => `${place}: ${message}`);

describe('checkLayers() finds the planted', () => {
  const expectFinding = async (pattern: RegExp): Promise<void> => {
    expect(found(await checkLayers(planted))).toContainEqual(expect.stringMatching(pattern));
  };
  it.each([
    ['import up the layers', /ground.*foundation must not import contracts/],
    ['import sideways between domains', /house.*host must not import engine/],
    ['undeclared outside dependency', /paper.*imports undeclared, which its package.json does not declare/],
    ['undeclared package', /house.*imports @planted\/ground, which its package.json does not declare/],
    ['deep import', /motor.*imports deep into @planted\/paper/],
    ['testing import outside a test', /motor.*imports @planted\/paper\/testing outside a test/],
    ['import of an app', /motor.*imports the app @planted\/program/],
    ['relative reach-through', /house.*reaches out of its package/],
    ['second owner of an outside dependency', /left-pad has more than one owner/],
    ['cycle', /packages import each other in a circle/],
    ['file named utils', /utils\.ts: is named for nothing in particular/],
  ])('%s', async (_, pattern) => expectFinding(pattern));
});

it('checkDocComments() finds missing comments and missing full stops', async () => {
  const findings = found(await checkDocComments(planted));
  expect(findings).toContainEqual(expect.stringMatching(/ground.*has no doc comment/));
  expect(findings).toContainEqual(expect.stringMatching(/paper.*does not end with a full stop/));
});

it('checkSpecification() finds promises without a test, and only those', async () => {
  expect(found(await checkSpecification(planted))).toEqual([
    'SPECIFICATION.md:1: names no test',
    'SPECIFICATION.md:2: names a test that is not there: test/missing.test.ts',
    'SPECIFICATION.md:3: real.test.ts holds no test called "no such test"',
  ]);
});

it('checkLinks() finds links that lead nowhere', async () => {
  expect(found(await checkLinks(planted))).toEqual(['README.md: links to docs/gone.md, which is not there']);
});
