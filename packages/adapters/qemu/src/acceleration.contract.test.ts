import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { SOFTWARE_ACCELERATION, bootsWith, chooseAcceleration, qemuVersion } from './index.ts';

const user = { uid: 1_500_000, groups: [] };
const signal = AbortSignal.timeout(600_000);
const patiently = { signal, timeoutMs: 60_000 };

describe('bootsWith()', () => {
  it('boots its guest to the end in software, and not on a processor that does not exist', async () => {
    expect(await bootsWith(SOFTWARE_ACCELERATION, user, patiently)).toBe(true);
    // A processor without long mode cannot finish what the guest does.
    expect(await bootsWith({ accel: 'tcg', cpu: '486' }, user, patiently)).toBe(false);
    expect(await bootsWith({ accel: 'tcg', cpu: 'no-such-processor' }, user, patiently)).toBe(false);
  });
});

describe('chooseAcceleration()', () => {
  it('gives a way that boots, and remembers it for this version of QEMU', async () => {
    await using directory = await temporaryDirectory();
    const options = {
      cacheFile: join(directory.path, 'acceleration.json'),
      qemuVersion: await qemuVersion(),
      user,
      signal,
    };
    const chosen = await chooseAcceleration(options);
    expect(await bootsWith(chosen, user, patiently)).toBe(true);
    const cached = await readFile(options.cacheFile, 'utf8');
    expect(await chooseAcceleration(options)).toEqual(chosen);
    expect(await readFile(options.cacheFile, 'utf8')).toBe(cached);
    expect(JSON.parse(cached)).toMatchObject({ host: expect.stringContaining(options.qemuVersion) as string });
  });
});
