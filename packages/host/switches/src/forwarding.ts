import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNetworkSetting, writeNetworkSetting } from '@vic/network';
import { exclusively } from './host-lock.ts';

/** Where the hosts' claims on IP forwarding are; on a tmpfs, since the setting does not survive a reboot either. */
const CLAIMS_DIRECTORY = '/run/vic/ip-forward';
const ORIGINAL_VALUE = 'original';
const SETTING = 'ipv4/ip_forward';

/** Turns IP forwarding on in the caller's namespace and keeps it on until every claim is released. */
export async function claimForwarding(instance: string, directory = CLAIMS_DIRECTORY): Promise<void> {
  await exclusively(`forwarding:${directory}`, async () => {
    await mkdir(directory, { recursive: true });
    if ((await claimsIn(directory)).length === 0) {
      await writeFile(join(directory, ORIGINAL_VALUE), (await readNetworkSetting({}, SETTING)) ?? '0');
    }
    await writeFile(join(directory, `claim-${instance}`), '');
    await writeNetworkSetting({}, SETTING, '1');
  });
}

/** Gives the claim up; the last one restores the value there was before the first. */
export async function releaseForwarding(instance: string, directory = CLAIMS_DIRECTORY): Promise<void> {
  await exclusively(`forwarding:${directory}`, async () => {
    const claims = await claimsIn(directory);
    if (!claims.includes(`claim-${instance}`)) return;
    await rm(join(directory, `claim-${instance}`), { force: true });
    if (claims.length > 1) return;
    const original = await readFile(join(directory, ORIGINAL_VALUE), 'utf8').catch(() => '0');
    await writeNetworkSetting({}, SETTING, original);
    await rm(join(directory, ORIGINAL_VALUE), { force: true });
  });
}

async function claimsIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.startsWith('claim-'));
}
