import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { BenchBlob, RegistryBenchClient, createProject } from '../perf/registry-client.ts';
import { startOurs } from '../perf/registry-servers.ts';

it('health tells of damaged content to administrators, and to others that the registry serves', async () => {
  await using directory = await temporaryDirectory();
  await using server = await startOurs(directory.path);
  await createProject(server, 'hurt');
  using client = new RegistryBenchClient(server, 'hurt/a');
  const blob = new BenchBlob(1000);
  await client.push(blob);
  const hex = blob.digest.slice('sha256:'.length);
  await writeFile(join(directory.path, 'data/blobs/blobs/sha256', hex.slice(0, 2), hex), 'something else');
  await client.pull(blob.digest).catch(() => undefined);
  const { name: user = '', password = '' } = server.administrator ?? {};
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const health = async (headers: Record<string, string>): Promise<unknown> =>
    (await fetch(`${server.url}/api/v2.0/health`, { headers })).json();
  await expect
    .poll(async () => health({ authorization }))
    .toMatchObject({
      status: 'unhealthy',
      components: [
        { name: 'database', status: 'healthy' },
        { name: 'blobs', status: 'healthy' },
        { name: 'content', error: expect.stringContaining('1 blob or manifest is damaged; no image needs it') },
      ],
    });
  expect(await health({})).toEqual({
    status: 'healthy',
    components: [
      { name: 'database', status: 'healthy' },
      { name: 'blobs', status: 'healthy' },
    ],
  });
});
