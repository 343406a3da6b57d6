import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { writeOciLayout } from './testing/oci-layout.ts';
import { startTestRegistry } from './testing/test-registry.ts';

const CRANE = join(import.meta.dirname, '../../../../build/peers/bin/crane');
const missing = !existsSync(CRANE);

describe.skipIf(missing)(`crane${missing ? ' (not installed: node tools/install-peers.ts)' : ''}`, () => {
  it('pushes, copies, tags, lists, appends and deletes', async () => {
    await using registry = await startTestRegistry({ open: false });
    await using scratch = await temporaryDirectory('vic-crane-');
    const layout = join(scratch.path, 'layout');
    await writeOciLayout(layout, ['amd64', 'arm64']);
    const crane = async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await run(CRANE, ['--insecure', ...args], { env: { HOME: scratch.path } });
      return stdout.trim();
    };
    const image = `${registry.host}/library/app`;
    await crane('auth', 'login', registry.host, '-u', 'ada', '-p', 'secret');
    await crane('push', layout, `${image}:v1`, '--index');
    await crane('copy', `${image}:v1`, `${registry.host}/library/copy:v1`);
    await crane('tag', `${image}:v1`, 'latest');
    expect((await crane('ls', image)).split('\n')).toEqual(['latest', 'v1']);
    expect((await crane('catalog', registry.host)).split('\n')).toEqual(['library/app', 'library/copy']);
    const digest = await crane('digest', `${image}:v1`);
    expect(await crane('digest', `${registry.host}/library/copy:v1`)).toBe(digest);
    await crane('validate', '--remote', `${registry.host}/library/copy:v1`);
    await crane(
      'append',
      '--platform=linux/amd64',
      '-b',
      `${image}:v1`,
      '-f',
      join(layout, 'oci-layout'),
      '-t',
      `${image}:v2`,
    );
    await crane('delete', `${image}@${digest}`);
    expect((await crane('ls', image)).split('\n')).toEqual(['v2']);
  });
});
