import { createHash, randomBytes } from 'node:crypto';
import { pollUntil } from '@vic/async';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type E2eLab, openLab } from './open-lab.ts';

let lab: E2eLab;
beforeAll(async () => {
  lab = await openLab();
});
afterEach(async () => lab.removeContainers());

describe('docker run', () => {
  it('shows the output of a container VM and removes it with --rm', async () => {
    const { code, stdout } = await lab.docker.run(['run', '--rm', lab.busybox, 'echo', 'hello from a virtual machine']);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: 'hello from a virtual machine\n' });
    expect(await lab.docker.ok(['ps', '--all', '--quiet'])).toBe('');
  });

  it('pulls an image that is not there yet', async () => {
    await lab.docker.run(['rmi', '--force', lab.busybox]);
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'echo', 'pulled'])).toBe('pulled');
  });

  it.each([0, 1, 42, 128, 254, 255])('passes exit code %i on', async (exitCode) => {
    const { code } = await lab.docker.run(['run', '--rm', lab.busybox, 'sh', '-c', `exit ${exitCode}`]);
    expect(code).toBe(exitCode);
  });

  it('exits with 127 for a missing program, 126 for one that cannot run, 125 for its own errors', async () => {
    expect((await lab.docker.run(['run', '--rm', lab.busybox, 'no-such-program'])).code).toBe(127);
    expect((await lab.docker.run(['run', '--rm', lab.busybox, '/etc/passwd'])).code).toBe(126);
    expect((await lab.docker.run(['run', '--rm', '--volume', '/etc:/etc', lab.busybox, 'true'])).code).toBe(125);
    expect((await lab.docker.run(['run', '--rm', '--user', 'nobody-here', lab.busybox, 'true'])).code).toBe(125);
  });

  it('gives 143 to a stopped process that heeds SIGTERM and 137 to a killed one', async () => {
    await lab.docker.ok([
      'run',
      '--detach',
      '--name',
      'heeds',
      lab.busybox,
      'sh',
      '-c',
      'trap "exit 143" TERM; echo ready; while :; do sleep 0.1; done',
    ]);
    // Process 1 ignores signals it has no handler for: the shell must have come as far as its trap.
    await pollUntil(
      async () => (await lab.docker.ok(['logs', 'heeds'])) || undefined,
      100,
      AbortSignal.timeout(60_000),
    );
    await lab.docker.ok(['stop', '--time', '60', 'heeds']);
    expect(await lab.docker.ok(['inspect', '--format', '{{.State.ExitCode}}', 'heeds'])).toBe('143');
    await lab.docker.ok(['run', '--detach', '--name', 'killed', lab.busybox, 'sleep', '1000']);
    await lab.docker.ok(['kill', 'killed']);
    expect(await lab.docker.ok(['wait', 'killed'])).toBe('137');
  });

  it('passes 100 MB through standard input unchanged', async () => {
    const bytes = randomBytes(100_000_000);
    const { code, stdout, stderr } = await lab.docker.run(['run', '--rm', '--interactive', lab.busybox, 'sha256sum'], {
      input: bytes,
      timeoutMs: 540_000,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.toString()).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n`);
  });

  it('keeps standard output and error apart', async () => {
    const { stdout, stderr } = await lab.docker.run(['run', '--rm', lab.busybox, 'sh', '-c', 'echo out; echo err >&2']);
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  });

  it('honours environment, working directory, user, hostname and entrypoint', async () => {
    const output = await lab.docker.ok([
      'run',
      '--rm',
      '--env',
      'COLOUR=green',
      '--workdir',
      '/var/new',
      '--user',
      '1000:50',
      '--hostname',
      'box.example',
      '--entrypoint',
      'sh',
      lab.busybox,
      '-c',
      'echo $COLOUR $PWD $(id -u):$(id -g) $(hostname) $HOME',
    ]);
    expect(output).toBe('green /var/new 1000:50 box.example /home');
  });

  it('gives each container its own kernel, which the VCH knows beforehand, and its process number 1', async () => {
    const kernel = await lab.docker.ok(['info', '--format', '{{.KernelVersion}}']);
    expect(kernel).toMatch(/^6\.1\..*cloud-amd64$/);
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'sh', '-c', 'echo $$; uname -r'])).toBe(`1\n${kernel}`);
  });

  it('runs ten at once', async () => {
    const runs = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        lab.docker.run(['run', '--rm', lab.busybox, 'echo', `number ${index}`]),
      ),
    );
    expect(runs.map(({ code, stdout }) => `${code} ${stdout.toString().trim()}`)).toEqual(
      runs.map((_, index) => `0 number ${index}`),
    );
    expect(await lab.docker.ok(['ps', '--all', '--quiet'])).toBe('');
  });
});

describe('docker run --interactive --tty', () => {
  it('has a terminal of the client’s size and follows its changes', async () => {
    // Clients before 23.0 tell the size only after the start.
    const inside = 'for size in "33 111" "50 120"; do until stty size | grep -x "$size"; do sleep 0.1; done; done';
    const change = 'until docker logs sized 2>/dev/null | grep -q "33 111"; do sleep 0.2; done; stty rows 50 cols 120';
    const run = `docker run --rm --name sized -it ${lab.busybox} sh -c '${inside}'`;
    const script = `stty rows 33 cols 111; (${change}) </dev/tty & ${run}`;
    const { code, stdout } = await lab.docker.onTerminal(script);
    expect({ code, sizes: stdout.toString().match(/\d+ \d+/g) }).toEqual({ code: 0, sizes: ['33 111', '50 120'] });
  });

  it('detaches with the detach keys and leaves the container running', async () => {
    async function* keys(shown: () => string): AsyncGenerator<string> {
      yield 'echo typed-$((40+2))\n';
      await pollUntil(() => shown().includes('typed-42') || undefined, 50, AbortSignal.timeout(120_000));
      yield '\u0010\u0011';
    }
    const { stdout } = await lab.docker.onTerminal(`docker run -it --name left ${lab.busybox} sh`, keys);
    expect(stdout.toString()).toContain('typed-42');
    expect(await lab.docker.ok(['inspect', '--format', '{{.State.Status}}', 'left'])).toBe('running');
  });
});

describe('docker exec', () => {
  it('runs beside the main process with its own streams and exit code', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'host', lab.busybox, 'sleep', '1000']);
    expect(await lab.docker.ok(['exec', 'host', 'sh', '-c', 'ps | grep -c "[s]leep 1000"'])).toBe('1');
    expect((await lab.docker.run(['exec', 'host', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await lab.docker.run(['exec', 'host', 'no-such-program'])).code).toBe(127);
    expect((await lab.docker.run(['exec', 'host', '/etc/passwd'])).code).toBe(126);
    const bytes = randomBytes(5_000_000);
    const piped = await lab.docker.run(['exec', '--interactive', 'host', 'sha256sum'], { input: bytes });
    expect(piped.stdout.toString()).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    const asUser = [
      'exec',
      '--user',
      'user',
      '--env',
      'A=b',
      '--workdir',
      '/tmp',
      'host',
      'sh',
      '-c',
      'echo $(id -un) $A $PWD',
    ];
    expect(await lab.docker.ok(asUser)).toBe('user b /tmp');
  });

  it('gives a terminal with --tty', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'terminal', lab.busybox, 'sleep', '1000']);
    const { code, stdout } = await lab.docker.onTerminal(
      // Clients before 23.0 tell the size only after the start.
      'stty rows 20 cols 70; docker exec -it terminal sh -c "tty; until stty size 2>&1 | grep -x \'20 70\'; do sleep 0.1; done"',
    );
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/\/dev\/pts\/\d+\r\n20 70/);
  });

  it('refuses a container that does not run', async () => {
    await lab.docker.ok(['create', '--name', 'idle', lab.busybox, 'true']);
    const { code, stderr } = await lab.docker.run(['exec', 'idle', 'true']);
    expect(code).toBe(1);
    expect(stderr).toContain('is not running');
  });
});

describe('docker logs and attach', () => {
  it('logs what was written, with --tail, --timestamps and both streams', async () => {
    await lab.docker.run([
      'run',
      '--name',
      'talks',
      lab.busybox,
      'sh',
      '-c',
      'for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.3; done',
    ]);
    const logs = await lab.docker.run(['logs', 'talks']);
    expect(logs.stdout.toString()).toBe('out 1\nout 2\nout 3\n');
    expect(logs.stderr).toBe('err 1\nerr 2\nerr 3\n');
    const tail = await lab.docker.run(['logs', '--tail', '2', '--timestamps', 'talks']);
    expect(`${tail.stdout.toString()}${tail.stderr}`).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out 3\n\d{4}-.* err 3\n$/,
    );
  });

  it('follows until the process ends and keeps binary output exact', async () => {
    await lab.docker.ok([
      'run',
      '--detach',
      '--name',
      'binary',
      lab.busybox,
      'sh',
      '-c',
      'sleep 1; head -c 3000000 /dev/urandom | tee /tmp/copy; sha256sum /tmp/copy >&2',
    ]);
    const { stdout, stderr } = await lab.docker.run(['logs', '--follow', 'binary']);
    expect(stderr).toBe(`${createHash('sha256').update(stdout).digest('hex')}  /tmp/copy\n`);
  });

  it('attaches to a running container and passes input', async () => {
    await lab.docker.ok([
      'run',
      '--detach',
      '--interactive',
      '--name',
      'parrot',
      lab.busybox,
      'sh',
      '-c',
      'read line; echo heard $line; exit 3',
    ]);
    const { code, stdout } = await lab.docker.run(['attach', 'parrot'], { input: 'polly\n' });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 3, stdout: 'heard polly\n' });
  });
});

describe('life of a container', () => {
  it('goes through create, start, stop, start again and remove, with its file system kept', async () => {
    await lab.docker.ok(['create', '--name', 'again', lab.busybox, 'sh', '-c', 'echo run >>/runs; cat /runs']);
    expect(await lab.docker.ok(['start', '--attach', 'again'])).toBe('run');
    expect(await lab.docker.ok(['start', '--attach', 'again'])).toBe('run\nrun');
    expect(await lab.docker.ok(['ps', '--all', '--format', '{{.Names}} {{.Status}}'])).toMatch(/^again Exited \(0\)/);
    await lab.docker.ok(['rm', 'again']);
    expect((await lab.docker.run(['inspect', 'again'])).code).toBe(1);
  });

  it('refuses what cannot be in Docker’s words', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'busy', lab.busybox, 'sleep', '1000']);
    expect((await lab.docker.run(['rm', 'busy'])).stderr).toContain('container is running');
    expect((await lab.docker.run(['create', '--name', 'busy', lab.busybox])).stderr).toContain('is already in use');
    expect((await lab.docker.run(['rmi', lab.busybox])).stderr).toMatch(/conflict|in use|being used/);
    expect((await lab.docker.run(['pause', 'busy'])).stderr).toContain('VIC does not serve');
    expect((await lab.docker.run(['start', 'nobody'])).stderr).toContain('No such container: nobody');
  });

  it('reports events in Docker’s order', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await lab.docker.ok(['run', '--rm', '--name', 'eventful', lab.busybox, 'true']);
    const events = await lab.docker.ok([
      'events',
      '--since',
      since,
      '--until',
      String(Math.ceil(Date.now() / 1000) + 1),
      '--filter',
      'container=eventful',
      '--format',
      '{{.Action}}',
    ]);
    expect(events.split('\n').filter((action) => action !== 'resize')).toEqual([
      'create',
      'attach',
      'start',
      'die',
      'destroy',
    ]);
  });
});
