import { describe, expect, it } from 'vitest';
import { interfaceNameFor } from './index.ts';

describe('interfaceNameFor()', () => {
  it('is valid, stable, and different for different keys', () => {
    const name = interfaceNameFor('br', 'VM Network');
    expect(name).toMatch(/^br[0-9a-f]{10}$/);
    expect(interfaceNameFor('br', 'VM Network')).toBe(name);
    expect(interfaceNameFor('br', 'vm network')).not.toBe(name);
    expect(() => interfaceNameFor('too-long', 'x')).toThrow(/not a valid interface name/);
  });
});
