import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareApkVersions } from './apk-version.ts';
import { compareDpkgVersions } from './dpkg-version.ts';
import { compareMavenVersions } from './maven-version.ts';
import { comparePackagistVersions } from './packagist-version.ts';
import { comparePep440Versions } from './pep440-version.ts';
import { compareRpmVersions } from './rpm-version.ts';
import { compareRubyGemsVersions } from './rubygems-version.ts';
import { compareSemVer } from './semver-version.ts';
import type { VersionOrder } from './compare-versions.ts';

/** Each line is ascending; `=` joins equals. */
const ASCENDING: readonly (readonly [name: string, order: VersionOrder, chains: readonly string[]])[] = [
  [
    'dpkg',
    compareDpkgVersions,
    [
      '1.0~rc1 1.0 1.0a 1.0+b1 1.0.1 1:0.1',
      '1.2~~ 1.2~~a 1.2~ 1.2 1.2a',
      '2.36-9+deb12u3 2.36-9+deb12u10 2.36-10',
      '0:1.0=1.0 1.0-1 1.0-1.1',
      '1.0=1.00 1.0-0.1',
      '1.2.3-4 1.2.3-4ubuntu1 1.2.3-4ubuntu1.1',
    ],
  ],
  [
    'rpm',
    compareRpmVersions,
    [
      '1.0~rc1 1.0 1.0^git1 1.0.1',
      '5.el8_1 5.el8_10',
      '1.0-1 1.0-2 1:0.1-1',
      '1.0a 1.0.1 1.0.1b',
      '1.0~rc1 1.0~rc1^git1 1.0',
      '2.0=2_0',
      '1.1.1k-6.el8_5 1.1.1k-7.el8_6 1:1.1.1k-1',
    ],
  ],
  [
    'apk',
    compareApkVersions,
    [
      '1.2_alpha1 1.2_beta 1.2_pre2 1.2_rc1 1.2 1.2-r0 1.2-r1 1.2_p1 1.2a 1.2.1',
      '1.01 1.1',
      '3.0.8-r3 3.0.12-r0 3.1.0-r0',
      '2.0_rc 2.0_rc1 2.0_rc2-r1',
      '1.2_git20200101 1.2_git20200102',
    ],
  ],
  [
    'semver',
    compareSemVer,
    [
      '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0',
      'v1.2.3=1.2.3=1.2.3+build v1.10.0',
      'v0.0.0-20190101000000-abcdefabcdef v0.0.0-20200101000000-abcdefabcdef v0.1.0',
      '1.0=1.0.0',
    ],
  ],
  [
    'pep440',
    comparePep440Versions,
    [
      '1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1!0.1',
      '1.0=1.0.0=v1.0',
      '1.0-1=1.0.post1 1.1',
      '1.0alpha1=1.0a1=1.0-a-1',
    ],
  ],
  [
    'rubygems',
    compareRubyGemsVersions,
    ['1.0.a 1.0.b1 1.0.b2 1.0=1=1.0.0 1.0.1 1.10', '1.0-rc1=1.0.pre.rc1 1.0', '5.2.4.2 5.2.4.3 6.0.0.beta1 6.0.0'],
  ],
  [
    'maven',
    compareMavenVersions,
    [
      '1-alpha-1 1-beta-1 1-milestone-1 1-rc-1 1-SNAPSHOT 1 1-sp 1-abc 1-1 1.1',
      '1=1.0=1.0.0=1-ga=1-final=1-release',
      '1-a1=1-alpha-1 1-b1=1-beta1',
      '1-rc1=1-cr1 2.0',
      '2.9.10 2.9.10.1 2.10.0',
      '1.foo=1-foo 1-1 1.1',
      '2.14.0-rc1 2.14.0 2.14.1',
      '31.0-jre 31.1-jre',
    ],
  ],
  [
    'packagist',
    comparePackagistVersions,
    ['dev-main 1.0.0-dev 1.0.0-alpha1 1.0.0-beta2 1.0.0-RC1 1.0.0=v1.0.0=1.0 1.0.0-p1 1.0.1 1.10.0'],
  ],
];

describe.each(ASCENDING)('the order of %s', (_name, order, chains) => {
  test.each(chains)('is %s', (chain) => {
    const ranked = chain.split(' ').flatMap((step, rank) => step.split('=').map((version) => ({ version, rank })));
    for (const a of ranked) {
      for (const b of ranked) {
        expect(Math.sign(order(a.version, b.version)), `${a.version} and ${b.version}`).toBe(
          Math.sign(a.rank - b.rank),
        );
      }
    }
  });

  test('is total for any texts that look like versions', () => {
    const part = fc.constantFrom('0', '1', '2', '10', '01', 'a', 'rc', 'beta', 'p', 'dev', 'el8', 'sp', 'final');
    const separator = fc.constantFrom('.', '-', '_', '~', '+', '^', ':', '');
    const version = fc
      .array(fc.tuple(part, separator), { minLength: 1, maxLength: 6 })
      .map((pairs) => pairs.map(([text, mark], index) => (index === pairs.length - 1 ? text : text + mark)).join(''));
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(order(a, a)).toBe(0);
        expect(Math.sign(order(a, b)) + Math.sign(order(b, a))).toBe(0);
        fc.pre(order(a, b) <= 0 && order(b, c) <= 0);
        expect(order(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});
