import { describe, expect, it } from 'vitest';
import { parseFilters } from './index.ts';

const KEYS = ['label', 'name', 'dangling', 'status'];
const filters = (value: unknown) => parseFilters(JSON.stringify(value), KEYS);

describe('parseFilters()', () => {
  it('reads the map and the list form alike', () => {
    expect(filters({ name: { a: true, b: true, c: false } }).get('name')).toEqual(['a', 'b']);
    expect(filters({ name: ['a', 'b'] }).get('name')).toEqual(['a', 'b']);
    expect(parseFilters(undefined, KEYS).has('name')).toBe(false);
    expect(parseFilters('', KEYS).matchesExactly('name', 'anything')).toBe(true);
  });

  it.each(['nonsense', '[]', '7', '{"name":7}', '{"name":[7]}', `"${'x'.repeat(70_000)}"`])('refuses %.20s', (text) => {
    expect(() => parseFilters(text, KEYS)).toThrow(/^invalid filter/);
  });

  it('refuses unknown keys by name', () => {
    expect(() => filters({ nosuch: ['x'] })).toThrow("invalid filter 'nosuch'");
  });
});

describe('Filters', () => {
  it('matches labels by presence and by value, all of them', () => {
    const labels = { a: '1', b: 'x=y' };
    expect(filters({ label: ['a', 'b=x=y'] }).matchesLabels('label', labels)).toBe(true);
    expect(filters({ label: ['a=2'] }).matchesLabels('label', labels)).toBe(false);
    expect(filters({ label: ['toString'] }).matchesLabels('label', labels)).toBe(false);
  });

  it('matches names as expressions or text', () => {
    const named = (pattern: string) => filters({ name: [pattern] }).matchesPattern('name', ['/web-1', 'web-1']);
    expect(['web', '^/web-1$', 'w.b-[0-9]', 'web-1'].map(named)).toEqual([true, true, true, true]);
    expect(['^web-1$x', 'nothing', '['].map(named)).toEqual([false, false, false]);
  });

  it('is not held up by a hostile expression', () => {
    const long = `${'a'.repeat(60)}!`;
    for (const pattern of ['(a+)+$', '(a|aa)+$', '(a*)*b', 'a*a*a*a*a*b', '([a-z]+)*$', '(.*)\\1+$']) {
      expect(filters({ name: [pattern] }).matchesPattern('name', [long])).toBe(false);
    }
  });

  it('reads booleans, and refuses what is none', () => {
    expect(
      [filters({ dangling: ['true'] }), filters({ dangling: { 0: true } }), filters({})].map((f) =>
        f.boolean('dangling'),
      ),
    ).toEqual([true, false, undefined]);
    expect(() => filters({ dangling: ['perhaps'] }).boolean('dangling')).toThrow("invalid filter 'dangling=[perhaps]'");
  });
});
