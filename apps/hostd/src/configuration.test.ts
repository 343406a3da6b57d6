import { describe, expect, it } from 'vitest';
import { parseConfiguration } from './configuration.ts';

const minimal = { instance: 'lab', stateDirectory: '/var/lib/vic', programs: {} };

describe('parseConfiguration()', () => {
  it('fills in defaults', () => {
    expect(parseConfiguration(minimal, 'x')).toMatchObject({ uplink: 'nat', port: 443, subnet: undefined });
  });
  it.each([
    [{ ...minimal, port: 70_000 }, /field "port" must be a TCP port/],
    [{ ...minimal, stateDirectory: 'relative' }, /"stateDirectory" must be an absolute path/],
    [{ ...minimal, programs: { a: { command: [] } } }, /"programs" must be/],
    [{ ...minimal, colour: 'green' }, /unknown field "colour"/],
    [[], /is not a JSON object/],
  ])('refuses %j', (value, message) => {
    expect(() => parseConfiguration(value, 'hostd.json')).toThrow(message);
  });
});
