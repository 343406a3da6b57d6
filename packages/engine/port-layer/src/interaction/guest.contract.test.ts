import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogDecoder } from '@vic/agent-protocol';
import type { ExecSession, TetherSession } from './index.ts';
import { collect } from './testing/collect.ts';
import { GuestLab } from './testing/guest-lab.ts';
import type { GuestMachine } from './testing/guest-lab.ts';
import { launchSpec, processSpec } from './testing/launch-spec.ts';
import { running } from './testing/running.ts';

// Everything below runs in real machines under software emulation.

const HELD_UP_MS = 3000;
/** How a guest hears of something while it has no endpoint: whether its network card has a cable. */
const LINK_STATE = '/sys/class/net/eth0/carrier';

let lab: GuestLab;

beforeAll(async () => {
  lab = await GuestLab.create();
}, 900_000);

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

async function logOf(machine: GuestMachine): Promise<string> {
  const decoder = new LogDecoder();
  return decoder
    .push(await readFile(machine.logPath))
    .map((record) => `${record.stream}:${String(record.payload)}`)
    .join('');
}

/** Resolves when the main process has ended, which may be told together with its start. */
async function exited(session: TetherSession): Promise<void> {
  const events = session.events();
  if (session.status.state === 'exited') return;
  for await (const event of events) if (event.kind === 'exited') return;
}

describe('a container in a machine', () => {
  it('runs with its names, addresses, mounts and user, reports its exit and powers off', async () => {
    await using machine = await lab.start();
    const script = [
      'echo out; echo err >&2',
      'cat /both; echo $$; id; hostname; pwd; echo "$HOME $PATH $A"',
      'cat /etc/hostname /etc/hosts /etc/resolv.conf',
      'ip -o addr show eth0; ip route; cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu',
      'ls /dev; mount; ulimit -n; stat -c %a /scratch; ps | wc -l',
      'exit 7',
    ].join('\n');
    const process = processSpec(['sh', '-c', script], { env: ['A=b'], user: 'app', cwd: '/home/app/new' });
    const { session, streams } = await running(machine, process);
    const [out, err] = await Promise.all([text(streams.stdout), text(streams.stderr)]);
    expect(err).toBe('err\n');
    expect(out).toMatch(/^out\ntop\n1\nuid=1000\(app\) gid=1000\(app\) groups=(1000\(app\),)?44\(video\)/);
    for (const part of [
      'c1\n/home/app/new\n/home/app /usr/local/sbin:',
      ' b\nc1\n127.0.0.1\tlocalhost\n',
      '172.16.0.2\tc1\n172.16.0.9\tdb database\n',
      'nameserver 172.16.0.1\nsearch vic.test\noptions ndots:0\n',
      'inet 172.16.0.2/16',
      'default via 172.16.0.1 dev eth0',
      '02:00:00:00:00:2a\n1400\n',
      'overlay on / type overlay',
      'cgroup2 on /sys/fs/cgroup',
      'tmpfs on /dev/shm',
      'mqueue on /dev/mqueue',
      '\n512\n700\n',
    ]) {
      expect(out).toContain(part);
    }
    for (const device of ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'pts', 'fd', 'stdin'])
      expect(out).toMatch(new RegExp(`^${device}$`, 'm'));
    await machine.poweredOff;
    expect(session.status).toMatchObject({ state: 'exited', exit: { code: 7, signal: 0, oom: false } });
    const journal = await machine.journal();
    expect(JSON.parse(journal['guestinfo.vic.status.exit'] ?? '')).toMatchObject({ code: 7 });
    expect(journal['guestinfo.vic.status.started']).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(journal['guestinfo.vic.status.addresses']).toBe('["172.16.0.2/16"]');
    expect(await logOf(machine)).toContain('stdout:out\n');
    expect(await logOf(machine)).toContain('stderr:err\n');
    expect(session.status.logBytes).toBe((await readFile(machine.logPath)).length);
  });

  it('dies of a signal with 128 and its number', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['sleep', '1000']));
    streams.stdout.resume();
    streams.stderr.resume();
    await session.signal(9);
    await machine.poweredOff;
    expect(session.status.exit).toMatchObject({ code: 137, signal: 9, oom: false });
  });

  it('has a terminal with a size, a foreground and a hang-up', async () => {
    await using machine = await lab.start();
    const process = processSpec(['sh'], { tty: true, openStdin: true, consoleSize: { rows: 33, cols: 111 } });
    const { session, streams } = await running(machine, process);
    streams.stdin.write('stty size; tty; test -c /dev/console && echo has console; echo $TERM\n');
    const output = collect(streams.stdout);
    await output.until(/xterm\r\n/);
    expect(output.text).toMatch(/33 111\r\n\/dev\/pts\/\d+\r\nhas console\r\nxterm/);
    await session.resize({ rows: 50, cols: 132 });
    streams.stdin.write('stty size\n');
    await output.until(/50 132\r\n/);
    streams.stdin.write("sh -c 'echo asleep; exec sleep 100'\n");
    await output.until(/\nasleep\r\n/);
    streams.stdin.write('\x03');
    await output.until(/\^C/);
    streams.stdin.write('echo after $?\n');
    await output.until(/after 130\r\n/);
    streams.stdin.write('exit 3\n');
    await machine.poweredOff;
    expect(session.status.exit).toMatchObject({ code: 3 });
    expect(await logOf(machine)).toContain('tty:');
  });

  it('reads 20 MB of standard input to its end', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['sha256sum'], { openStdin: true }));
    const input = randomBytes(20 * 1024 * 1024);
    streams.stdin.end(input);
    expect(await text(streams.stdout)).toBe(`${createHash('sha256').update(input).digest('hex')}  -\n`);
    await machine.poweredOff;
    expect(session.status.exit?.code).toBe(0);
  });

  it('delivers the rest of its output to a reader that comes late', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['head', '-c', '400000', '/dev/zero']));
    streams.stderr.resume();
    await exited(session);
    expect((await buffer(streams.stdout)).length).toBe(400_000);
    await machine.poweredOff;
  });

  it('stays on until an endpoint that is held up has the rest of its output', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['head', '-c', '500000', '/dev/zero']));
    streams.stderr.resume();
    await exited(session);
    let received = 0;
    let heldUp = false;
    for await (const chunk of streams.stdout) {
      received += (chunk as Uint8Array).length;
      if (received < 200_000 || heldUp) continue;
      heldUp = true;
      // As on a busy host: nothing is read while the machine sends everything it still may.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_UP_MS);
    }
    expect(received).toBe(500_000);
    await machine.poweredOff;
  });

  it('writes its root read-only, and as nobody without an entry', async () => {
    await using machine = await lab.start();
    const process = processSpec(['sh', '-c', 'id -u; touch /x; echo > /dev/null && touch /dev/shm/y && echo fine'], {
      user: '77:44',
    });
    const { streams } = await running(machine, process, { readonlyRootfs: true });
    const [out, err] = await Promise.all([text(streams.stdout), text(streams.stderr)]);
    expect(out).toBe('77\nfine\n');
    expect(err).toContain('Read-only file system');
    await machine.poweredOff;
  });
});

describe('exec', () => {
  it('runs beside the main process, with its own streams, exits and failures', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['sleep', '1000'], { env: ['MAIN=1'] }));
    streams.stdout.resume();
    streams.stderr.resume();
    const first = await session.exec(processSpec(['sh', '-c', 'cat; echo err >&2; exit 5'], { openStdin: true }));
    first.stdin.end('through\n');
    expect(await text(first.stdout)).toBe('through\n');
    expect(await text(first.stderr)).toBe('err\n');
    expect(await first.exited).toMatchObject({ code: 5, signal: 0 });

    const ps = await session.exec(processSpec(['ps']));
    const [processes] = await Promise.all([text(ps.stdout), text(ps.stderr)]);
    expect(processes).toMatch(/^ +1 .*sleep 1000$/m);
    expect(processes).not.toMatch(/init|tether/);

    const tty = await session.exec(
      processSpec(['sh', '-c', 'read line; stty size; echo "<$line>"'], {
        tty: true,
        openStdin: true,
        consoleSize: { rows: 7, cols: 9 },
      }),
    );
    tty.stdin.write('typed\n');
    tty.stderr.resume();
    expect(await text(tty.stdout)).toMatch(/typed\r\n7 9\r\n<typed>\r\n/);
    expect(await tty.exited).toMatchObject({ code: 0 });

    await expect(session.exec(processSpec(['no-such-program']))).rejects.toMatchObject({
      kind: 'not-found',
      exitCode: 127,
    });
    await expect(session.exec(processSpec(['/opt/plain']))).rejects.toMatchObject({
      kind: 'permission-denied',
      exitCode: 126,
    });
    await expect(session.exec(processSpec(['/opt/garbage']))).rejects.toMatchObject({
      kind: 'not-executable',
      exitCode: 126,
    });
    await expect(session.exec(processSpec(['true'], { cwd: '/nosuch' }))).rejects.toMatchObject({
      kind: 'not-found',
      message: 'chdir to cwd ("/nosuch") set in config.json failed: no such file or directory',
    });
    await expect(session.exec(processSpec(['true'], { user: 'ghost' }))).rejects.toMatchObject({
      kind: 'user-not-found',
    });
    await expect(session.resize({ rows: 1, cols: 1 })).rejects.toThrow(/no terminal/);

    // What a process leaves behind in the background does not keep its session open.
    const behind = await session.exec(processSpec(['sh', '-c', 'sleep 1000 & echo left']));
    behind.stderr.resume();
    expect(await text(behind.stdout)).toBe('left\n');
    expect(await behind.exited).toMatchObject({ code: 0 });

    // A reader that stalls holds up neither control messages nor other processes.
    const flood = await session.exec(processSpec(['sh', '-c', 'yes | head -c 2000000']));
    flood.stderr.resume();
    const meanwhile = await session.exec(processSpec(['echo', 'meanwhile']));
    meanwhile.stderr.resume();
    expect(await text(meanwhile.stdout)).toBe('meanwhile\n');
    await session.ping();
    expect((await buffer(flood.stdout)).length).toBe(2_000_000);
    expect(await flood.exited).toMatchObject({ code: 0 });

    await session.powerOff();
    await machine.poweredOff;
  });
});

describe('an endpoint that goes away', () => {
  it('finds the container again, running and with its log', async () => {
    await using machine = await lab.start();
    const script = 'i=0; while true; do echo line $i; i=$((i+1)); sleep 0.1; done';
    const { session, streams } = await running(machine, processSpec(['sh', '-c', script]));
    streams.stderr.resume();
    const output = collect(streams.stdout);
    await output.until(/line 2\n/);
    await lab.restartServer();
    await session.closed;
    await expect(output.ended).rejects.toMatchObject({ code: 'TETHER_DISCONNECTED' });
    const again = await machine.session();
    expect(again.status).toMatchObject({ state: 'running', bootId: session.status.bootId });
    await expect(again.launch(launchSpec(processSpec(['true'])))).rejects.toMatchObject({ code: 'CONTAINER_STARTED' });
    const more = await again.attach({ stdin: false, stdout: true, stderr: true });
    more.stderr.resume();
    await collect(more.stdout).until(/line \d{2}\n/);
    await again.signal(9);
    await machine.poweredOff;
    const lines = (await logOf(machine)).match(/line \d+/g) ?? [];
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${i}`));
    expect(lines.length).toBeGreaterThan(5);
  });

  it('finds the processes it started beside the main one, and hears of the ends it missed', async () => {
    await using machine = await lab.start();
    const main = 'while [ ! -e /missed ]; do sleep 0.1; done; echo missed; sleep 1000';
    const { session, streams } = await running(machine, processSpec(['sh', '-c', main]));
    streams.stdout.resume();
    streams.stderr.resume();
    const start = async (script: string, name: string): Promise<ExecSession> => {
      const exec = await session.exec(processSpec(['sh', '-c', script]), undefined, name);
      exec.stdout.resume();
      exec.stderr.resume();
      return exec;
    };
    await start('while [ ! -e /go ]; do echo alive; sleep 0.1; done; exit 6', 'goes on');
    await start(`while [ "$(cat ${LINK_STATE})" = 1 ]; do sleep 0.1; done; touch /missed; exit 7`, 'ends meanwhile');
    expect(await (await start('exit 8', 'was heard of')).exited).toMatchObject({ code: 8 });
    // What was said before it has been heard by then.
    await session.ping();
    await lab.restartServer(async () => {
      await machine.qmp.execute('set_link', { name: 'net0', up: false });
      await expect.poll(async () => logOf(machine)).toContain('missed');
    });
    await session.closed;
    const again = await machine.session();
    const found = (name: string): (typeof again.found)[number] | undefined =>
      again.found.find((exec) => exec.session === name);
    expect(again.found.map((exec) => exec.session)).toEqual(['goes on', 'ends meanwhile']);
    expect(await found('ends meanwhile')?.exited).toMatchObject({ code: 7 });
    const touch = await again.exec(processSpec(['touch', '/go']), undefined, 'another');
    expect(await Promise.all([text(touch.stdout), text(touch.stderr)])).toEqual(['', '']);
    expect(await touch.exited).toMatchObject({ code: 0 });
    expect(await found('goes on')?.exited).toMatchObject({ code: 6 });
    await again.ping();
    await lab.restartServer();
    await again.closed;
    expect((await machine.session()).found).toEqual([]);
    await (await machine.session()).signal(9);
    await machine.poweredOff;
  });
});

describe('a start that fails', () => {
  it.each([
    ['not-found', processSpec(['nothing-here']), /executable file not found in \$PATH/],
    ['user-not-found', processSpec(['true'], { user: 'ghost' }), /unable to find user ghost/],
    ['cwd', processSpec(['true'], { cwd: '/both' }), /chdir to cwd \("\/both"\) .*: not a directory/],
  ])('is reported as %s and ends the machine', async (kind, process, message) => {
    await using machine = await lab.start();
    const session = await machine.session();
    await expect(session.launch(launchSpec(process))).rejects.toMatchObject({ kind, message });
    await machine.poweredOff;
    expect((await machine.journal())['guestinfo.vic.status.error']).toMatch(message);
  });
});

describe('an instant clone', () => {
  it('goes on from a frozen template as a machine of its own, more than once', async () => {
    const template = await lab.freezeTemplate();
    const seen = [];
    for (let number = 0; number < 2; number++) {
      await using clone = await lab.start(template);
      const { session, streams } = await running(
        clone,
        processSpec(['sh', '-c', 'cat /proc/sys/kernel/random/uuid; cat /sys/class/net/eth0/address']),
      );
      streams.stderr.resume();
      const output = await text(streams.stdout);
      expect(output).toMatch(/\n02:00:00:00:00:2a\n$/);
      seen.push(output, session.status.bootId);
      await clone.poweredOff;
      expect(session.status.exit?.code).toBe(0);
    }
    expect(new Set(seen).size).toBe(4);
  });

  it.each([
    ['of its size', 1],
    ['that is smaller', 0.5],
  ])('has its disk in the place of one %s', async (_, factor) => {
    const template = await lab.freezeTemplate({ placeholderBytes: lab.diskBytes * factor });
    await using clone = await lab.start(template);
    const script = 'cat /both; echo written > /here && cat /here; cat /sys/block/sda/size';
    const { streams } = await running(clone, processSpec(['sh', '-c', script]));
    streams.stderr.resume();
    expect(await text(streams.stdout)).toBe(`top\nwritten\n${lab.diskBytes / 512}\n`);
    await clone.poweredOff;
  });
});
