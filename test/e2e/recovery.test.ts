import { pollUntil } from '@vic/async';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nginx } from '../../tools/lab/images/index.ts';
import { type E2eLab, openLab } from './open-lab.ts';

let lab: E2eLab;
let nginxImage: string;
beforeAll(async () => {
  lab = await openLab();
  nginxImage = await lab.push(nginx);
});
afterEach(async () => lab.removeContainers());

/** Starts a web server with a published port and a counter that talks, then checks on both for the rest of a test. */
async function startWorkload(): Promise<void> {
  await lab.docker.ok(['run', '--detach', '--name', 'web', '--publish', '8081:80', nginxImage]);
  await lab.docker.ok([
    'run',
    '--detach',
    '--interactive',
    '--name',
    'counter',
    lab.busybox,
    'sh',
    '-c',
    'i=0; while read line; do i=$((i+1)); echo "$i $line"; done',
  ]);
}

async function expectEverythingWorks(word: string): Promise<void> {
  const names = await pollUntil(() => runningNames(), 250, AbortSignal.timeout(120_000));
  expect(names).toEqual(['counter', 'web']);
  expect(await lab.docker.ok(['exec', 'counter', 'echo', word])).toBe(word);
  const attached = lab.docker.spawn(['attach', '--sig-proxy=false', 'counter']);
  let heard = '';
  attached.stdout?.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  attached.stdin?.write(`${word}\n`);
  await expect.poll(() => heard).toContain(word);
  attached.kill('SIGKILL');
  await expect.poll(async () => lab.docker.ok(['logs', 'counter'])).toContain(word);
  const page = await pollUntil(
    () => lab.fetchText(`http://${lab.vchAddress}:8081/`),
    250,
    AbortSignal.timeout(120_000),
  );
  expect(page).toContain('Welcome to nginx!');
}

async function runningNames(): Promise<string[] | undefined> {
  const { code, stdout } = await lab.docker.run(['ps', '--format', '{{.Names}}'], { timeoutMs: 30_000 });
  const names = stdout.toString().trim().split('\n').toSorted();
  return code === 0 && names.length === 2 ? names : undefined;
}

describe('kill -9', () => {
  it('of the endpoint: containers go on and everything works again without help', async () => {
    await startWorkload();
    await expectEverythingWorks('before');
    await lab.killEndpoint();
    await expectEverythingWorks('after-endpoint');
  });

  it('of the endpoint: execs go on, and their ends are told', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'busy', lab.busybox, 'sleep', '1000']);
    const exec = (script: string): Promise<string> =>
      lab.docker.ok(['exec', '--detach', 'busy', 'sh', '-c', `while [ ! -e /go ]; do sleep 0.1; done; ${script}`]);
    await exec('exit 6');
    await exec('exit 7');
    const execIds = async (): Promise<unknown> => {
      const { code, stdout } = await lab.docker.run(['inspect', '--format', '{{json .ExecIDs}}', 'busy']);
      return code === 0 ? JSON.parse(stdout.toString()) : undefined;
    };
    const before = await execIds();
    expect(before).toHaveLength(2);
    const since = String(Math.floor(Date.now() / 1000));
    await lab.killEndpoint();
    const found = async (): Promise<true | undefined> => {
      const now = await execIds().catch(() => undefined);
      return Array.isArray(now) && now.length === 2 ? true : undefined;
    };
    await pollUntil(found, 250, AbortSignal.timeout(120_000));
    expect(await execIds()).toEqual(before);
    expect(await lab.docker.ok(['exec', 'busy', 'touch', '/go'])).toBe('');
    const ends = async (): Promise<readonly string[] | undefined> => {
      const until = String(Math.ceil(Date.now() / 1000) + 1);
      const args = ['--since', since, '--until', until, '--filter', 'event=exec_die', '--filter', 'container=busy'];
      const text = await lab.docker.ok(['events', ...args, '--format', '{{.Actor.Attributes.exitCode}}']);
      const codes = text.split('\n').toSorted();
      return codes.length === 3 ? codes : undefined;
    };
    expect(await pollUntil(ends, 250, AbortSignal.timeout(60_000))).toEqual(['0', '6', '7']);
  });

  it('of hostd: containers go on and everything works again without help', async () => {
    await startWorkload();
    const before = await lab.hostdPid();
    await lab.killHostd();
    await lab.hostdIsBack(before);
    await expectEverythingWorks('after-hostd');
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'echo', 'new ones start too'])).toBe('new ones start too');
  });

  it('of both at once', async () => {
    await startWorkload();
    const before = await lab.hostdPid();
    await Promise.all([lab.killEndpoint(), lab.killHostd()]);
    await lab.hostdIsBack(before);
    await expectEverythingWorks('after-both');
  });

  it('of a container’s QEMU: it has exited, with its event', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    const id = await lab.docker.ok(['run', '--detach', '--name', 'victim', lab.busybox, 'sleep', '1000']);
    await lab.killMachineOf(id);
    expect(await lab.docker.ok(['wait', 'victim'])).toBe('137');
    expect(await lab.docker.ok(['inspect', '--format', '{{.State.Status}} {{.State.Error}}', 'victim'])).toMatch(
      /^exited .*ended without reporting why/,
    );
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    expect(
      await lab.docker.ok([
        'events',
        '--since',
        since,
        '--until',
        until,
        '--filter',
        'event=die',
        '--filter',
        'container=victim',
        '--format',
        '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}',
      ]),
    ).toBe('victim 137');
  });
});
