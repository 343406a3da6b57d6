import { VicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { expect, it } from 'vitest';
import { Background } from './background.ts';
import { TemplatePool } from './template-pool.ts';
import { SimulatedHost } from './testing/simulated-host.ts';

const signal = new AbortController().signal;
const SHAPE = { cpus: 1, memoryMiB: 256 };

/** A pool over a simulated host, fed by the host's watch. */
function newPool(host: SimulatedHost, templateVersion = 'v1'): AsyncDisposable & { readonly templates: TemplatePool } {
  const background = new Background(silentLogger());
  const templates = new TemplatePool({
    machines: host,
    background,
    clock: { nowNs: () => host.nowNs() },
    logger: silentLogger(),
    configuration: {
      vchId: 'vch-1',
      vchKey: 'key',
      interactionUri: 'tcp://192.0.2.1:2377',
      defaultShape: SHAPE,
      datastore: 'ds',
      nameConvention: '{name}-{id}',
      diskBytes: 2 ** 30,
      templateVersion,
      bridgePortGroup: 'bridge',
      idlePowerOffMs: 1000,
      lastWordsMs: 1,
      tetherAwayMs: 1,
    },
  });
  background.run('Following', async (ending) => {
    for await (const updates of host.watch(ending)) {
      for (const update of updates) {
        if (update.kind === 'gone') templates.forget(update.ref);
        else templates.observe(update.machine);
      }
    }
  });
  return { templates, [Symbol.asyncDispose]: async () => background[Symbol.asyncDispose]() };
}

it('all who ask for a shape at once get the one template that is made', async () => {
  const host = new SimulatedHost();
  await using pool = newPool(host);
  const refs = await Promise.all([1, 2, 3].map(async () => pool.templates.take(SHAPE, signal)));
  expect(new Set(refs).size).toBe(1);
  expect(host.machines()).toMatchObject([{ ref: refs[0], frozen: true }]);
});

it('a template is found again, unless it was made from another boot image', async () => {
  const host = new SimulatedHost();
  const first = newPool(host);
  const ref = await first.templates.take(SHAPE, signal);
  await first[Symbol.asyncDispose]();
  {
    await using again = newPool(host);
    await expect.poll(async () => again.templates.take(SHAPE, signal)).toBe(ref);
  }
  await using newer = newPool(host, 'v2');
  expect(await newer.templates.take(SHAPE, signal)).not.toBe(ref);
  await newer.templates.sweep(signal);
  expect(host.machines().map((machine) => machine.ref)).not.toContain(ref);
});

it('of too many templates the one not used for longest goes', async () => {
  const host = new SimulatedHost();
  await using pool = newPool(host);
  const take = async (cpus: number): Promise<string | undefined> =>
    pool.templates.take({ cpus, memoryMiB: 256 }, signal);
  const [first, second] = [await take(1), await take(2), await take(3), await take(4)];
  await take(1);
  await take(5);
  const refs = host.machines().map((machine) => machine.ref);
  expect(refs).toHaveLength(4);
  expect(refs).toContain(first);
  expect(refs).not.toContain(second);
});

it('a template that thaws or is removed by someone else is replaced without being asked for', async () => {
  const host = new SimulatedHost();
  await using pool = newPool(host);
  const first = await pool.templates.take(SHAPE, signal);
  await host.powerOff(first ?? '');
  await expect.poll(() => host.machines()).toMatchObject([{ frozen: true }]);
  const second = host.machines()[0]?.ref ?? '';
  expect(second).not.toBe(first);
  host.vanish(second);
  await expect.poll(() => host.machines().map(({ frozen }) => frozen)).toEqual([true]);
  expect(host.machines()[0]?.ref).not.toBe(second);
});

it('after a failure there is no template for a while', async () => {
  const host = new SimulatedHost();
  await using pool = newPool(host);
  host.failures.set('powerOn', new VicError({ class: 'ResourceExhausted', code: 'FULL', message: 'full' }));
  expect(await pool.templates.take(SHAPE, signal)).toBeUndefined();
  const creations = host.calls.filter((call) => call === 'create').length;
  expect(await pool.templates.take(SHAPE, signal)).toBeUndefined();
  expect(host.calls.filter((call) => call === 'create')).toHaveLength(creations);
  await expect.poll(() => host.machines()).toEqual([]);
});
