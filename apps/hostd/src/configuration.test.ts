import { describe, expect, it } from 'vitest';
import { parseHostdConfiguration } from './configuration.ts';

const minimal = { instance: 'lab', stateDirectory: '/var/lib/vic', programs: {} };

describe('parseHostdConfiguration()', () => {
  it('fills in defaults', () => {
    const configuration = parseHostdConfiguration(JSON.stringify(minimal), 'x');
    expect(configuration).toMatchObject({ uplink: 'nat', port: 443, logLevel: 'info', machineUserBase: 700_000 });
    expect(configuration.subnet).toBeUndefined();
  });
  it.each([
    [{ ...minimal, port: 70_000 }, /wrong field "port"/],
    [{ ...minimal, stateDirectory: 'relative' }, /wrong field "stateDirectory"/],
    [{ ...minimal, logLevel: 'loud' }, /wrong field "logLevel"/],
    [{ ...minimal, programs: { a: { command: [] } } }, /wrong field "programs.a.command"/],
    [{ ...minimal, colour: 'green' }, /wrong field "colour"/],
    [[], /hostd\.json/],
  ])('refuses %j', (value, message) => {
    expect(() => parseHostdConfiguration(JSON.stringify(value), 'hostd.json')).toThrow(message);
  });
});
