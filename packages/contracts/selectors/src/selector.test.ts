import { describe, expect, it } from 'vitest';
import { compileSelector, matchesSelector } from './index.ts';

describe('matchesSelector()', () => {
  it.each([
    ['', 'anything/at/all', true],
    ['**', 'anything/at/all', true],
    ['*', 'busybox', true],
    ['*', 'team/busybox', false],
    ['team/*', 'team/busybox', true],
    ['team/*', 'team/a/b', false],
    ['team/**', 'team/a/b', true],
    ['team/**', 'team', false],
    ['**/busybox', 'busybox', true],
    ['**/busybox', 'a/b/busybox', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b/c/y', false],
    ['v?.0', 'v1.0', true],
    ['v?.0', 'v12.0', false],
    ['v*', 'v', true],
    ['release-**', 'release-1.2', true],
    ['{a,b}**', 'b-side', true],
    ['{a,b}**', 'c-side', false],
    ['{dev,test}/{x,y*}', 'test/yes', true],
    ['{dev,test}/{x,y*}', 'test/no', false],
    ['{a,{b,c}d}', 'cd', true],
    ['{library/busybox,team/**}', 'team/a/b', true],
    ['{,v}1', '1', true],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'zx', true],
    ['[a\\]]', ']', true],
    ['[{,}]', ',', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\{a\\}', '{a}', true],
    ['1.0', '1x0', false],
    ['a,b', 'a,b', true],
    ['*a*b*c', 'xxaxxbxxc', true],
    ['*a*b*c', 'xxaxxbxx', false],
    ['h?llo', 'h🙂llo', true],
  ])('%s on %s is %s', (pattern, name, expected) => {
    expect(matchesSelector(pattern, name)).toBe(expected);
  });

  it.each(['{a,b', 'a}b}{', '[a-z', '[]', '[-a]', 'a\\', '[[['])('refuses %s', (pattern) =>
    expect(() => compileSelector(pattern)).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID' })),
  );

  it('refuses patterns without bounds', () => {
    for (const pattern of ['x'.repeat(5000), '{a,b}'.repeat(12)]) {
      expect(() => compileSelector(pattern)).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID' }));
    }
  });

  it('does not take exponential time on a hostile pattern', () => {
    expect(matchesSelector(`${'*a'.repeat(500)}b`, 'a'.repeat(2000))).toBe(false);
    expect(matchesSelector(`${'**/a/'.repeat(200)}b`, 'a/'.repeat(400))).toBe(false);
  });
});
