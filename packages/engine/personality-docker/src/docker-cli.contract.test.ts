import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { type MemoryVch, startMemoryVch } from './testing/memory-vch.ts';

let vch: MemoryVch;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let env: Record<string, string>;
beforeAll(async () => {
  directory = await temporaryDirectory('vic-docker-cli-');
  // Over plain TCP the client does not notice its own detaching (below); a unix socket is like TLS in this.
  const socketPath = join(directory.path, 'docker.sock');
  vch = await startMemoryVch({ socketPath });
  env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory.path,
    DOCKER_CONFIG: directory.path,
    DOCKER_HOST: `unix://${socketPath}`,
  };
});
afterAll(async () => {
  await vch[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);

async function docker(args: string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return run('docker', args, { env, okCodes: ANY_CODE, timeoutMs: 60_000, ...(input === undefined ? {} : { input }) });
}

/** Runs the command line in a terminal of its own: waits for each text, types what follows, gives all output and the exit code. */
async function dockerInTerminal(
  args: string[],
  steps: readonly (readonly [wait: string, type: string])[],
): Promise<{ code: number; output: string }> {
  const result = await run('python3', ['-c', TERMINAL, JSON.stringify(steps), 'docker', ...args], {
    env,
    timeoutMs: 120_000,
  });
  return JSON.parse(result.stdout) as { code: number; output: string };
}

const TERMINAL = `
import fcntl, json, os, pty, select, struct, sys, termios, time
steps = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 111, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
out, seen, deadline = b'', 0, time.time() + 100
while time.time() < deadline:
    if select.select([fd], [], [], 0.05)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        out += data
    if steps and steps[0][0].encode() in out[seen:]:
        seen = len(out)
        os.write(fd, steps.pop(0)[1].encode())
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
print(json.dumps({'code': os.waitstatus_to_exitcode(status) % 256, 'output': out.decode()}))
`;

describe('docker run', () => {
  it('shows output of both streams and passes the exit code on', async () => {
    expect(await docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await docker(['ps', '-aq'])).stdout).toBe('');
  });

  it.each([
    ['nosuch', 127],
    ['not-executable', 126],
  ])('of %s exits with %i', async (program, code) => {
    const result = await docker(['run', '--rm', 'busybox', program]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(`exec: "${program}"`)]);
  });

  it('exits with 125 for what the engine refuses', async () => {
    const refused = await docker(['run', '--rm', '-v', '/etc:/etc', 'busybox', 'true']);
    expect([refused.code, refused.stderr]).toEqual([125, expect.stringContaining('VIC does not serve Binds yet')]);
    const missing = await docker(['run', '--rm', 'nosuch']);
    expect([missing.code, missing.stderr]).toEqual([125, expect.stringContaining('pull access denied')]);
  });

  it('pulls a missing image with progress and then runs it', async () => {
    const result = await docker(['run', '-d', '--name', 'pulled', 'web:1']);
    expect(result.stderr).toMatch(
      /Unable to find image 'web:1' locally\n1: Pulling from library\/web\n[\s\S]*Pull complete\n[\s\S]*Digest: sha256:[\s\S]*Status: Downloaded newer image for web:1/,
    );
    expect(result.code).toBe(0);
    expect((await docker(['rm', '-f', 'pulled'])).code).toBe(0);
    expect((await docker(['rmi', 'web:1'])).stdout).toMatch(/^Untagged: web:1\nDeleted: sha256:/);
  });

  it('carries 20 MB through its input and output', async () => {
    const sent = randomBytes(20 * 1024 * 1024);
    const child = spawn('docker', ['run', '-i', '--rm', 'busybox', 'cat'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('prints the warnings of options without effect', async () => {
    const { stderr, code } = await docker([
      'run',
      '--rm',
      '--cap-drop',
      'ALL',
      '--cpus',
      '1.5',
      'busybox',
      'true-is-not-there',
    ]);
    expect(stderr).toContain('WARNING: CapDrop: ');
    expect(stderr).toContain('WARNING: NanoCpus: ');
    expect(code).toBe(127);
  });
});

describe('terminals', () => {
  it('runs a shell with the size of the window', async () => {
    const { code, output } = await dockerInTerminal(
      ['run', '-it', '--rm', 'busybox', 'sh'],
      [
        ['/ # ', 'echo hello\r'],
        ['hello\r\n/ # ', 'size\r'],
        ['33 111\r\n/ # ', 'exit 5\r'],
      ],
    );
    expect(output).toContain('hello\r\n');
    expect(code).toBe(5);
  });

  it('detaches by keys, leaves the container running, and attaches again', async () => {
    const detached = await dockerInTerminal(
      ['run', '-it', '--name', 'kept', 'busybox', 'sh'],
      [['/ # ', '\u0010\u0011']],
    );
    expect(detached.code).toBe(0);
    expect((await docker(['inspect', '-f', '{{.State.Status}}', 'kept'])).stdout).toBe('running\n');
    const again = await dockerInTerminal(
      ['attach', 'kept'],
      [
        ['', 'echo back\r'],
        ['back\r\n/ # ', 'exit 4\r'],
      ],
    );
    expect(again.code).toBe(4);
    expect((await docker(['wait', 'kept'])).stdout).toBe('4\n');
    await docker(['rm', 'kept']);
  });

  /*
   * Over plain TCP the client takes its own detaching for a broken connection: Go's TCPConn.ReadFrom wraps the error
   * that means it ("readfrom tcp …: read escape sequence"). It half-closes, waits for the end of the output, which
   * it gets from us as from dockerd, and then, after `run` and `attach`, for the exit of the container.
   */
  it('ends the session of a client that detached over plain TCP, as dockerd does', async () => {
    await using plain = await startMemoryVch();
    const host = `tcp://127.0.0.1:${plain.port}`;
    const at = (...args: string[]): string[] => ['--host', host, ...args];
    await docker(at('run', '-d', '--name', 'main', 'busybox', 'sleep', '100'));
    // It comes back; with which code is its own affair, over TCP it does not know its own detach keys.
    await dockerInTerminal(at('exec', '-it', 'main', 'sh'), [['/ # ', '\u0010\u0011']]);
    expect((await docker(at('inspect', '-f', '{{len .ExecIDs}}', 'main'))).stdout).toBe('1\n');
    const run = dockerInTerminal(at('run', '-it', '--name', 'kept', 'busybox', 'sh'), [['/ # ', '\u0010\u0011']]);
    const events = async (): Promise<string> => {
      const until = String(Math.ceil(Date.now() / 1000));
      return (await docker(at('events', '--since', '1', '--until', until, '--filter', 'event=detach'))).stdout;
    };
    await expect.poll(events).toContain('container detach');
    expect((await docker(at('inspect', '-f', '{{.State.Status}}', 'kept'))).stdout).toBe('running\n');
    await docker(at('kill', 'kept'));
    expect((await run).code).toBe(137);
  });

  it('executes a shell beside the main process', async () => {
    await docker(['run', '-d', '--name', 'main', 'busybox', 'sleep', '100']);
    const { code, output } = await dockerInTerminal(
      ['exec', '-it', 'main', 'sh'],
      [
        ['/ # ', 'echo inside\r'],
        ['inside\r\n/ # ', 'exit 6\r'],
      ],
    );
    expect(output).toContain('inside\r\n');
    expect(code).toBe(6);
    await docker(['rm', '-f', 'main']);
  });
});

describe('life of a container', () => {
  it('creates, starts, lists, logs, executes, stops and removes', async () => {
    const created = await docker([
      'create',
      '--name',
      'life',
      '-p',
      '8080:80',
      '--label',
      'a=b',
      'busybox',
      'sh',
      '-c',
      'echo started; sleep 100',
    ]);
    expect(created.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await docker(['start', 'life'])).stdout).toBe('life\n');
    expect(
      (await docker(['ps', '--filter', 'label=a=b', '--format', '{{.Names}} {{.Ports}} {{.Status}}'])).stdout,
    ).toMatch(/^life 0\.0\.0\.0:8080->80\/tcp Up /);
    expect((await docker(['logs', 'life'])).stdout).toBe('started\n');
    expect((await docker(['logs', '-t', 'life'])).stdout).toMatch(/^\S+Z started\n$/);
    expect(await docker(['exec', 'life', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(await docker(['exec', 'life', 'nosuch'])).toMatchObject({
      code: 127,
      stdout: expect.stringContaining('executable file not found in $PATH'),
    });
    expect((await docker(['exec', '-i', 'life', 'cat'], 'piped')).stdout).toBe('piped');
    expect((await docker(['rm', 'life'])).stderr).toContain('container is running');
    expect((await docker(['stop', 'life'])).code).toBe(0);
    expect((await docker(['kill', 'life'])).stderr).toContain('is not running');
    expect((await docker(['rename', 'life', 'after'])).code).toBe(0);
    expect((await docker(['restart', 'after'])).code).toBe(0);
    expect((await docker(['rm', '-f', 'after'])).stdout).toBe('after\n');
  });

  it('follows a log until the container stops, and events of it', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await docker(['run', '-d', '--name', 'followed', 'busybox', 'sh', '-c', 'echo one; sleep 1; echo two']);
    expect((await docker(['logs', '-f', 'followed'])).stdout).toBe('one\ntwo\n');
    await docker(['rm', 'followed']);
    const until = String(Date.now() / 1000 + 0.2);
    const events = await docker([
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'container=followed',
      '--format',
      '{{.Action}}',
    ]);
    expect(events.stdout.trim().split('\n')).toEqual(['create', 'start', 'die', 'destroy']);
  });

  it('answers version, info, images, networks and system df', async () => {
    expect((await docker(['version', '-f', '{{.Server.APIVersion}}'])).stdout).toBe('1.50\n');
    expect((await docker(['info'])).stdout).toContain('VCH memory limit: 4 GiB');
    expect((await docker(['images', '--format', '{{.Repository}}:{{.Tag}}'])).stdout).toContain('busybox:latest');
    expect((await docker(['history', '-q', 'busybox'])).code).toBe(0);
    expect((await docker(['network', 'ls', '--format', '{{.Name}}'])).stdout).toBe('bridge\nnone\n');
    expect((await docker(['network', 'inspect', 'none'])).code).toBe(0);
    expect((await docker(['system', 'df'])).stdout).toContain('Images');
    expect((await docker(['volume', 'ls', '-q'])).stdout).toBe('');
    expect((await docker(['top', 'x'])).stderr).toContain('VIC does not serve top yet');
  });
});
