import { describe, expect, it } from 'vitest';
import { containerView, filterForObjects, filterForView, list, watch, type ObjectChange } from '../index.ts';
import { connectTo, temporaryMachine, type VimServerQuirks } from './server-under-test.ts';
import type { SuiteContext } from './vim-server-suite.ts';

/** The property collector: pages and watches. */
export function collectorTests(context: () => SuiteContext, quirks: VimServerQuirks): void {
  describe('property collector', () => {
    it('gives a large result in pages', async () => {
      const { client, places, unique } = context();
      await using stack = new AsyncDisposableStack();
      const names = [unique('page'), unique('page'), unique('page')];
      for (const name of names) stack.use(await temporaryMachine(client, places, name));
      await using view = await containerView(client, client.content.rootFolder, ['VirtualMachine']);
      const collector = client.content.propertyCollector;
      const specSet = [filterForView(view.ref, 'VirtualMachine', ['name'])];
      let page = await client.call(collector, 'RetrievePropertiesEx', { specSet, options: { maxObjects: 1 } });
      const found: unknown[] = [];
      for (let pages = 0; page !== undefined && pages < 100; pages++) {
        expect(page.objects.length).toBeLessThanOrEqual(1);
        found.push(...page.objects.map((object) => object.propSet?.[0]?.val));
        if (page.token === undefined) break;
        page = await client.call(collector, 'ContinueRetrievePropertiesEx', { token: page.token });
      }
      expect(found).toEqual(expect.arrayContaining(names));
      const listed = await list(client, 'VirtualMachine', ['name']);
      expect(new Set(listed.map(({ properties }) => properties.name))).toEqual(new Set(found));
    });

    it('reports what enters, changes and leaves', async () => {
      const { client, places, unique } = context();
      await using view = await containerView(client, client.content.rootFolder, ['VirtualMachine']);
      const filter = filterForView(view.ref, 'VirtualMachine', ['name', 'runtime.powerState']);
      using watcher = startWatch(client, filter);
      const vm = await temporaryMachine(client, places, unique('watch'));
      const mine = ({ ref }: ObjectChange): boolean => ref.value === vm.ref.value;
      await watcher.until((change) => mine(change) && change.kind === 'enter');
      await client.runTask(vm.ref, 'PowerOnVM_Task', {});
      await watcher.until((change) => mine(change) && change.properties['runtime.powerState'] === 'poweredOn');
      await client.runTask(vm.ref, 'PowerOffVM_Task', {});
      await watcher.until((change) => mine(change) && change.properties['runtime.powerState'] === 'poweredOff');
      await vm[Symbol.asyncDispose]();
      await watcher.until((change) => mine(change) && change.kind === 'leave');
    });

    it('a watch goes on after the session was lost', async () => {
      const { client, server, places, unique } = context();
      await using vm = await temporaryMachine(client, places, unique('survive'));
      await using other = await connectTo(server);
      using watcher = startWatch(other, filterForObjects([vm.ref], ['name']));
      await watcher.until((change) => change.kind === 'enter');
      const { sessionManager } = other.content;
      if (sessionManager === undefined) throw new Error('no session manager');
      await other.call(sessionManager, 'Logout', {});
      await client.runTask(vm.ref, 'Rename_Task', { newName: unique('renamed') });
      await watcher.until((change) => String(change.properties['name']).startsWith('renamed'));
    });

    it('a watch ends when its signal fires', async () => {
      const { client, places } = context();
      const controller = new AbortController();
      const filter = filterForObjects([places.datastore], ['name']);
      for await (const changes of watch(client, filter, { signal: controller.signal })) {
        expect(changes[0]?.kind).toBe('enter');
        controller.abort();
      }
      expect(controller.signal.aborted).toBe(true);
    });

    it.skipIf(quirks.forgetsVersions === true)('an old version asked for again gives the same changes', async () => {
      const { client, places } = context();
      const collector = await client.call(client.content.propertyCollector, 'CreatePropertyCollector', {});
      const spec = filterForObjects([places.datastore], ['name']);
      await client.call(collector, 'CreateFilter', { spec, partialUpdates: false });
      const first = await client.call(collector, 'WaitForUpdatesEx', { version: '' });
      const again = await client.call(collector, 'WaitForUpdatesEx', { version: '' });
      expect(again?.filterSet?.[0]?.objectSet).toEqual(first?.filterSet?.[0]?.objectSet);
      const stale = client.call(collector, 'WaitForUpdatesEx', { version: 'no such version' });
      await expect(stale).rejects.toMatchObject({ faultType: 'InvalidCollectorVersion' });
      await client.call(collector, 'DestroyPropertyCollector', {});
    });
  });
}

/** Reads a watch in the background, so that a test can wait for one change after another. */
function startWatch(...[client, filter]: Parameters<typeof watch>): Disposable & {
  until(wanted: (change: ObjectChange) => boolean): Promise<void>;
} {
  const controller = new AbortController();
  const pending: ObjectChange[] = [];
  const batches = watch(client, filter, { signal: controller.signal });
  return {
    until: async (wanted) => {
      for (;;) {
        for (let change = pending.shift(); change !== undefined; change = pending.shift()) if (wanted(change)) return;
        const next = await batches.next();
        if (next.done === true) throw new Error('the watch ended');
        pending.push(...next.value);
      }
    },
    [Symbol.dispose]: () => controller.abort(),
  };
}
