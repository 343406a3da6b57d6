import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from './testing/collect.ts';
import { GuestLab } from './testing/guest-lab.ts';
import { processSpec } from './testing/launch-spec.ts';
import { running } from './testing/running.ts';

// What the machine around a container lends it, and takes from it. Real machines under software emulation.

let lab: GuestLab;

beforeAll(async () => {
  lab = await GuestLab.create();
}, 900_000);

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

describe('a container without a network', () => {
  it('has the loopback interface and no other, also in a clone', async () => {
    for (const options of [{}, await lab.freezeTemplate()]) {
      await using machine = await lab.start(options);
      const process = processSpec(['sh', '-c', 'ls /sys/class/net; ip -o link | wc -l; ping -c 1 -q 127.0.0.1']);
      const { streams } = await running(machine, process, { interfaces: [] });
      const [out, err] = await Promise.all([text(streams.stdout), text(streams.stderr)]);
      expect(err).toBe('');
      expect(out).toMatch(/^lo\n1\n/);
      expect(out).toContain('1 packets received');
      await machine.poweredOff;
    }
  });
});

describe("a container's memory", () => {
  it('ends the process that takes all of it, says so, and keeps the machine able to report it', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['tail', '/dev/zero']));
    await Promise.all([text(streams.stdout), text(streams.stderr)]);
    await machine.poweredOff;
    expect(session.status.exit).toMatchObject({ code: 137, signal: 9, oom: true });
    expect(JSON.parse((await machine.journal())['guestinfo.vic.status.exit'] ?? '')).toMatchObject({ oom: true });
  });

  it('runs out for a child or an exec without ending the main process', async () => {
    await using machine = await lab.start();
    const script = 'tail /dev/zero; echo child $?; read line; exit 4';
    const { session, streams } = await running(machine, processSpec(['sh', '-c', script], { openStdin: true }));
    streams.stderr.resume();
    const output = collect(streams.stdout);
    await output.until(/child 137\n/);
    const exec = await session.exec(processSpec(['tail', '/dev/zero']));
    await Promise.all([text(exec.stdout), text(exec.stderr)]);
    expect(await exec.exited).toMatchObject({ code: 137, signal: 9, oom: true });
    streams.stdin.end('go on\n');
    await machine.poweredOff;
    // As Docker's OOMKilled: something of the container was killed.
    expect(session.status.exit).toMatchObject({ code: 4, signal: 0, oom: true });
  });

  it('is a control group of its own that it cannot change', async () => {
    await using machine = await lab.start();
    const script = [
      'cat /proc/self/cgroup',
      'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cgroup.procs',
      'echo max > /sys/fs/cgroup/memory.max || echo refused',
      'read line',
    ].join('\n');
    const { session, streams } = await running(machine, processSpec(['sh', '-c', script], { openStdin: true }));
    streams.stderr.resume();
    const output = collect(streams.stdout);
    await output.until(/refused\n/);
    const [, limit] = /^0::\/\n(\d+)\n1\n/.exec(output.text) ?? [];
    expect(Number(limit)).toBeGreaterThan(100 * 1024 * 1024);
    expect(Number(limit)).toBeLessThan(192 * 1024 * 1024);
    const exec = await session.exec(processSpec(['cat', '/proc/self/cgroup']));
    exec.stderr.resume();
    expect(await text(exec.stdout)).toBe('0::/\n');
    streams.stdin.end('\n');
    await machine.poweredOff;
  });
});

describe('the power button', () => {
  it('stops the container as docker stop does and powers off', async () => {
    await using machine = await lab.start();
    const script = 'trap "echo asked; exit 9" TERM; echo ready; while true; do sleep 0.1; done';
    const { session, streams } = await running(machine, processSpec(['sh', '-c', script]));
    streams.stderr.resume();
    const output = collect(streams.stdout);
    await output.until(/ready\n/);
    await machine.qmp.execute('system_powerdown');
    await machine.poweredOff;
    expect(output.text).toContain('asked\n');
    expect(session.status.exit).toMatchObject({ code: 9, signal: 0 });
  });

  it('kills, after a while, a container that does not listen', async () => {
    await using machine = await lab.start();
    const { session, streams } = await running(machine, processSpec(['sh', '-c', 'trap "" TERM; sleep 1000']));
    streams.stdout.resume();
    streams.stderr.resume();
    await machine.qmp.execute('system_powerdown');
    await machine.poweredOff;
    expect(session.status.exit).toMatchObject({ code: 137, signal: 9, oom: false });
  });

  it('powers off a machine that waits for its launch, and a clone', async () => {
    for (const options of [{}, await lab.freezeTemplate()]) {
      await using machine = await lab.start(options);
      await machine.session();
      await machine.qmp.execute('system_powerdown');
      await machine.poweredOff;
      expect(Object.keys(await machine.journal())).not.toContain('guestinfo.vic.status.error');
    }
  });
});
